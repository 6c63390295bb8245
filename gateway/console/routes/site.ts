import type { FastifyInstance } from 'fastify';
import type { House } from '../house.js';

/** The site's parts, and the audit chain. */
export function siteRoutes(app: FastifyInstance, { source }: House): void {
  app.get('/api/status', async () => source.status());
  app.get('/api/boards', async () => ({ boards: source.boards() }));
  app.get('/api/trunks', async () => ({ trunks: source.trunks() }));
  app.get('/api/uplink', async () => source.uplink());
  app.get<{ Querystring: { before?: number; limit: number } }>(
    '/api/audit',
    {
      schema: {
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            before: { type: 'integer', minimum: 1 },
            limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
          },
        },
      },
    },
    async ({ query: { before, limit } }) => source.audit(before, limit),
  );
}
