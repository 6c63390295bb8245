import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ConsoleFault } from '../fault.js';
import type { House } from '../house.js';

/** The front end's files, to anybody: they hold nothing of the site. And what Prometheus reads. */
export function pageRoutes(app: FastifyInstance, { pages, metrics }: House): void {
  const serve = async (request: FastifyRequest, reply: FastifyReply) => {
    const page = pages.at(request.url.split('?', 1)[0] ?? '/');
    if (page === undefined) throw new ConsoleFault(404, 'not-found', 'there is no such page');
    if (page.isImmutable) reply.header('cache-control', 'public, max-age=31536000, immutable');
    return reply.type(page.type).send(page.body);
  };
  app.get('/', serve);
  app.get('/*', serve);
  app.get('/metrics', async (_request, reply) => {
    const { type, text } = await metrics();
    return reply.type(type).send(text);
  });
}
