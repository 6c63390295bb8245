import { timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import Fastify, { type FastifyRequest } from 'fastify';
import type { ConsoleSource } from './site-view.js';

export interface ConsoleOptions {
  readonly address: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  readonly source: ConsoleSource;
  /** The bearer token of every request under /api; the page asks for it once. */
  readonly token: string;
  /** What Prometheus reads under /metrics, with the same token. */
  readonly metrics?: () => Promise<{ readonly type: string; readonly text: string }> | undefined;
  /** The technicians' page, an HTML file. */
  readonly pageFile: string;
}

export interface RunningConsole {
  readonly port: number;
  close(): Promise<void>;
}

interface CutBody {
  readonly handset?: string;
  readonly reason: string;
  readonly holdS: number;
}

const CUT_BODY = {
  type: 'object',
  required: ['reason'],
  additionalProperties: false,
  properties: {
    handset: { type: 'string', minLength: 1, maxLength: 64 },
    reason: { type: 'string', minLength: 1, maxLength: 200 },
    holdS: { type: 'integer', minimum: 1, maximum: 86_400, default: 10 },
  },
};

/**
 * The local HTTP API and the technicians' page. It shows, and it can cut; it cannot allow anything.
 * Rejects when the address cannot be listened on.
 */
export async function startConsole(options: ConsoleOptions): Promise<RunningConsole> {
  const app = Fastify({ logger: false, bodyLimit: 16 * 1024, forceCloseConnections: true });
  const page = await readFile(options.pageFile, 'utf8');
  const expected = Buffer.from(`Bearer ${options.token}`);

  const isAuthorised = (request: FastifyRequest): boolean => {
    const given = Buffer.from(request.headers.authorization ?? '');
    return given.length === expected.length && timingSafeEqual(given, expected);
  };

  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
    reply.header('x-frame-options', 'DENY');
    reply.header(
      'content-security-policy',
      "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'",
    );
  });
  app.addHook('onRequest', async (request, reply) => {
    const isOpen = !request.url.startsWith('/api/') && !request.url.startsWith('/metrics');
    if (isOpen || isAuthorised(request)) return;
    await reply
      .code(401)
      .send({ error: 'This needs the console token: see the file console.token in the data folder of the site.' });
  });
  app.get('/', async (_request, reply) => reply.type('text/html; charset=utf-8').send(page));
  app.get('/metrics', async (_request, reply) => {
    const said = await options.metrics?.();
    return said === undefined
      ? reply.code(404).send({ error: 'There are none.' })
      : reply.type(said.type).send(said.text);
  });
  app.get('/api/view', async () => options.source.view());
  app.post<{ Body: CutBody }>('/api/cutoffs', { schema: { body: CUT_BODY } }, async (request, reply) => {
    const { handset, reason, holdS } = request.body;
    const known = options.source.view().handsets.some((view) => view.handset === handset);
    if (handset !== undefined && !known) {
      return reply.code(404).send({ error: `There is no handset "${handset}" on this site.` });
    }
    return options.source.cut(handset, reason, holdS * 1000);
  });

  const HANDSET = {
    type: 'object',
    required: ['handset'],
    additionalProperties: false,
    properties: { handset: { type: 'string', minLength: 1, maxLength: 64 } },
  };
  const isKnown = (handset: string) => options.source.view().handsets.some((view) => view.handset === handset);
  app.post<{ Body: { handset: string } }>('/api/releases', { schema: { body: HANDSET } }, async (request, reply) => {
    const { handset } = request.body;
    if (!isKnown(handset)) return reply.code(404).send({ error: `There is no handset "${handset}" on this site.` });
    if (options.source.release(handset)) return { released: true };
    return reply.code(503).send({ error: 'The disk cannot take it: what was ordered stands.' });
  });
  app.post<{ Body: { handset: string } }>('/api/line-tests', { schema: { body: HANDSET } }, async (request, reply) => {
    const { handset } = request.body;
    if (!isKnown(handset)) return reply.code(404).send({ error: `There is no handset "${handset}" on this site.` });
    return options.source.testLine(handset);
  });

  await app.listen({ host: options.address, port: options.port });
  const bound = app.server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : options.port,
    close: () => app.close(),
  };
}
