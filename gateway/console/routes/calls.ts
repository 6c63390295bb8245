import type { FastifyInstance } from 'fastify';
import type { CallsQuery } from '../api/calls.js';
import { callerIn, languageOf, madeBy, rightsOf, whoIs } from '../caller.js';
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
interface OfCall {
  Params: { readonly id: string };
}
const OF_CALL = {
  schema: { params: { type: 'object', properties: { id: { type: 'string', pattern: '^[A-Za-z0-9-]{1,64}$' } } } },
};

/** The calls that were, and one in full; and, for supervisors, how one sounds that is up, and its end. */
export function callRoutes(app: FastifyInstance, { source, listening }: House): void {
  app.get<{ Querystring: CallsQuery & { limit: number } }>(
    '/api/calls',
    { schema: { querystring: QUERY } },
    async ({ query }) => source.calls(query),
  );

  app.get<OfCall>('/api/calls/:id', OF_CALL, async (request) => {
    const { id } = request.params;
    const view = await source.call(id, languageOf(request));
    if (view === undefined) throw new ConsoleFault(404, 'call.unknown', `no call ${id} is up or on record`);
    // Who is heard may hear of it: only those see who listens that may listen themselves, or read the audit chain.
    const rights = rightsOf(callerIn(request));
    if (rights.includes('listen') || rights.includes('see-audit')) return view;
    const { listeners: _, ...rest } = view;
    return rest;
  });

  // Its beginning and its end are in the audit chain by whoever gives the sound: no sound without an entry.
  app.get<OfCall>('/api/calls/:id/listen', OF_CALL, async (request, reply) => {
    const caller = callerIn(request);
    if (caller.is !== 'person') throw new ConsoleFault(403, 'right', 'only a supervisor who is logged in may listen');
    const sound = await source.hear(request.params.id, whoIs(caller));
    if (typeof sound === 'string') throw new ConsoleFault(409, 'listen.refused', `nobody may listen now: ${sound}`);
    listening.add(caller.session, sound);
    // Whoever asked may have gone meanwhile.
    if (request.raw.socket.destroyed) sound.destroy();
    return reply.type('audio/wav').send(sound);
  });

  app.post<OfCall>('/api/calls/:id/cut', OF_CALL, async (request) => {
    const { id } = request.params;
    const by = madeBy(request);
    const view = await source.cutHeard(id, by.who);
    if (view === undefined) {
      throw new ConsoleFault(409, 'listen.not-yours', 'only who listens to a call may end it here: listen to it first');
    }
    source.audited({ ...by, what: 'call-cut', subject: `call ${id}`, after: view });
    return view;
  });
}
