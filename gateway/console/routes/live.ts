import type { FastifyInstance } from 'fastify';
import { callerIn } from '../caller.js';
import { ConsoleFault } from '../fault.js';
import type { House } from '../house.js';
import { MOST_CLIENTS } from '../live-feed.js';

/** The view of the site, once or for as long as somebody looks. */
export function liveRoutes(app: FastifyInstance, { source, feed }: House): void {
  app.get('/api/view', async () => source.view());
  app.get('/api/live', (request, reply) => {
    if (feed.isFull) {
      const why = `${MOST_CLIENTS} pages are open already: close one`;
      throw new ConsoleFault(503, 'too-many', why, { retryAfterS: 10 });
    }
    const caller = callerIn(request);
    const headers = {
      ...reply.getHeaders(),
      'content-type': 'text/event-stream; charset=utf-8',
      connection: 'keep-alive',
    };
    reply.hijack();
    reply.raw.writeHead(200, headers as Record<string, string>);
    feed.add(reply.raw, caller.is === 'person' ? caller.session : undefined);
  });
}
