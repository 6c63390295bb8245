import type { FastifyInstance } from 'fastify';
import type { NewBoards } from '../api/board-edits.js';
import type { ScanOrder, ScanPlace } from '../api/board-scan.js';
import { madeBy } from '../caller.js';
import type { House } from '../house.js';

const UNIT = { type: 'integer', minimum: 1, maximum: 247 };
const PLACE = {
  type: 'object',
  required: ['kind'],
  oneOf: [
    {
      required: ['kind', 'path'],
      additionalProperties: false,
      properties: {
        kind: { const: 'serial' },
        path: { type: 'string', pattern: '^/dev/[A-Za-z0-9][A-Za-z0-9._:+,/-]{0,199}$' },
        baud: { type: 'integer', minimum: 1_200, maximum: 1_000_000 },
        parity: { enum: ['none', 'even', 'odd'] },
        stopBits: { enum: [1, 2] },
      },
    },
    {
      required: ['kind', 'host', 'port'],
      additionalProperties: false,
      properties: {
        kind: { const: 'rtu-over-tcp' },
        host: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9.:-]{0,252}$' },
        port: { type: 'integer', minimum: 1, maximum: 65_535 },
      },
    },
  ],
};
const SCAN = {
  type: 'object',
  required: ['place'],
  additionalProperties: false,
  properties: { place: PLACE, from: UNIT, to: UNIT },
};
const ID = { type: 'string', pattern: '^[a-z0-9][a-z0-9._-]{0,63}$' };
const BOARDS = {
  type: 'object',
  required: ['boards'],
  additionalProperties: false,
  properties: {
    boards: {
      type: 'array',
      minItems: 1,
      maxItems: 247,
      items: {
        type: 'object',
        required: ['id', 'device', 'transport'],
        additionalProperties: false,
        properties: {
          id: ID,
          device: ID,
          unit: UNIT,
          agent: ID,
          transport: PLACE,
          allowNoWatchdog: { type: 'boolean' },
        },
      },
    },
  },
};

/** Looks for boards on a port, and adds them to the site: the beginning of a new cell's walk. */
export function boardRoutes(app: FastifyInstance, { source }: House): void {
  app.get('/api/ports', async () => ({ ports: source.ports() }));

  app.post<{ Body: ScanOrder }>('/api/boards/scan', { schema: { body: SCAN } }, async (request, reply) => {
    const { place, ...units } = request.body;
    // The entry first: no scan without one.
    source.audited({ ...madeBy(request), what: 'board-scan', subject: nameOf(place), after: units });
    return reply.code(202).send(await source.scan(request.body));
  });

  app.post<{ Body: NewBoards }>('/api/boards', { schema: { body: BOARDS } }, async (request, reply) =>
    reply.code(201).send(await source.addBoards(request.body.boards, madeBy(request))),
  );
}

const nameOf = (place: ScanPlace): string => (place.kind === 'serial' ? place.path : `${place.host}:${place.port}`);
