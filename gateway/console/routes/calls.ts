import type { FastifyInstance } from 'fastify';
import type { CallsQuery } from '../api.js';
import { languageOf } from '../caller.js';
import { ConsoleFault } from '../fault.js';
import type { House } from '../house.js';
import { INSTANT } from './forms.js';

const QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    handset: { type: 'string', minLength: 1, maxLength: 64 },
    outcome: { type: 'string', pattern: '^[a-z][a-z.-]{0,40}$' },
    from: INSTANT,
    to: INSTANT,
    before: { type: 'string', pattern: '^[0-9]{1,15}$' },
    limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
  },
};

/** The calls that were, and one in full. */
export function callRoutes(app: FastifyInstance, { source }: House): void {
  app.get<{ Querystring: CallsQuery & { limit: number } }>(
    '/api/calls',
    { schema: { querystring: QUERY } },
    async ({ query }) => source.calls(query),
  );
  app.get<{ Params: { id: string } }>(
    '/api/calls/:id',
    { schema: { params: { type: 'object', properties: { id: { type: 'string', pattern: '^[A-Za-z0-9-]{1,64}$' } } } } },
    async (request) => {
      const { id } = request.params;
      const view = source.call(id, languageOf(request));
      if (view === undefined) throw new ConsoleFault(404, 'call.unknown', `no call ${id} is up or on record`);
      return view;
    },
  );
}
