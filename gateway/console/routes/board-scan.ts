import type { FastifyInstance } from 'fastify';
import type { ScanOrder, ScanPlace } from '../api/board-scan.js';
import { madeBy } from '../caller.js';
import type { House } from '../house.js';

const UNIT = { type: 'integer', minimum: 1, maximum: 247 };
const SCAN = {
  type: 'object',
  required: ['place'],
  additionalProperties: false,
  properties: {
    place: {
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
    },
    from: UNIT,
    to: UNIT,
  },
};

/** Looks for boards on a port: the beginning of a new cell's walk. */
export function boardScanRoutes(app: FastifyInstance, { source }: House): void {
  app.get('/api/ports', async () => ({ ports: source.ports() }));

  app.post<{ Body: ScanOrder }>('/api/boards/scan', { schema: { body: SCAN } }, async (request, reply) => {
    const { place, ...units } = request.body;
    // The entry first: no scan without one.
    source.audited({ ...madeBy(request), what: 'board-scan', subject: nameOf(place), after: units });
    return reply.code(202).send(await source.scan(request.body));
  });
}

const nameOf = (place: ScanPlace): string => (place.kind === 'serial' ? place.path : `${place.host}:${place.port}`);
