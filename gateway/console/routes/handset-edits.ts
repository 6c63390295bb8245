import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { HandsetEdit, HandsetReason, NewHandset, PhoneReplacement, ProvisionOrder } from '../api/handset-edits.js';
import { madeBy } from '../caller.js';
import { ConsoleFault } from '../fault.js';
import type { House } from '../house.js';

interface OfHandset {
  Params: { readonly id: string };
}

const ID = { type: 'string', pattern: '^[a-z0-9][a-z0-9._-]{0,63}$' };
const NUMBER = { type: 'integer', minimum: 0, maximum: 65_535 };
const MODEL = { type: 'string', minLength: 1, maxLength: 64 };
const MAC = { type: 'string', minLength: 12, maxLength: 17 };
const PORT = { type: 'integer', minimum: 1, maximum: 64 };
const form = (properties: Readonly<Record<string, object>>, required: readonly string[] = []) => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});
const LINE = form({ board: ID, channel: NUMBER, hook: NUMBER }, ['board', 'channel', 'hook']);
const PARTS = {
  wing: ID,
  profile: ID,
  user: ID,
  language: { type: 'string', pattern: '^[a-z]{2}$' },
  phone: form({ model: MODEL, mac: MAC, port: PORT }, ['model', 'mac']),
};
const NEW = form({ ...PARTS, id: ID, line: LINE, enabled: { type: 'boolean' } }, ['id', 'wing', 'profile']);
const CHANGE = { ...form({ ...PARTS, line: { anyOf: [LINE, { type: 'null' }] } }), minProperties: 1 };
const REASON = form({ reason: { type: 'string', minLength: 1, maxLength: 200, pattern: '\\S' } }, ['reason']);
const REPLACEMENT = form({ mac: MAC, model: MODEL, port: PORT }, ['mac']);
const PROVISION = form({ rotate: { type: 'boolean' }, newToken: { type: 'boolean' } });
const params = {
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'string', minLength: 1, maxLength: 64 } },
};

/** Changes to the site's handsets and their phones. Each is checked with the whole site before anything is written. */
export function handsetEditRoutes(app: FastifyInstance, { source }: House): void {
  const known = ({ params: { id } }: FastifyRequest<OfHandset>): string => {
    if (source.handset(id) !== undefined) return id;
    throw new ConsoleFault(404, 'handset.unknown', `there is no handset "${id}" on this site`);
  };

  app.get('/api/models', async () => ({ models: source.models() }));

  app.post<{ Body: NewHandset }>('/api/handsets', { schema: { body: NEW } }, async (request, reply) => {
    const edited = await source.editHandset({ do: 'add', handset: request.body }, madeBy(request));
    return reply.code(201).send(edited);
  });

  app.put<OfHandset & { Body: HandsetEdit }>(
    '/api/handsets/:id',
    { schema: { params, body: CHANGE } },
    async (request) => source.editHandset({ do: 'change', id: known(request), change: request.body }, madeBy(request)),
  );

  // A body of a DELETE has no meaning that everybody between would keep (RFC 9110 §9.3.5): the reason stands in the query.
  app.delete<OfHandset & { Querystring: Partial<HandsetReason> }>(
    '/api/handsets/:id',
    { schema: { params, querystring: { ...REASON, required: [] } } },
    async (request) => source.editHandset({ do: 'remove', id: known(request), ...request.query }, madeBy(request)),
  );

  for (const verb of ['disable', 'enable'] as const) {
    app.post<OfHandset & { Body: HandsetReason }>(
      `/api/handsets/:id/${verb}`,
      { schema: { params, body: REASON } },
      async (request) =>
        source.editHandset({ do: verb, id: known(request), reason: request.body.reason }, madeBy(request)),
    );
  }

  app.post<OfHandset & { Body: PhoneReplacement }>(
    '/api/handsets/:id/replace',
    { schema: { params, body: REPLACEMENT } },
    async (request) => source.editHandset({ do: 'replace', id: known(request), phone: request.body }, madeBy(request)),
  );

  app.post<OfHandset & { Body: ProvisionOrder | undefined }>(
    '/api/handsets/:id/provision',
    { schema: { params, body: { anyOf: [PROVISION, { type: 'null' }] } } },
    async (request) =>
      source.editHandset({ do: 'provision', id: known(request), how: request.body ?? {} }, madeBy(request)),
  );
}
