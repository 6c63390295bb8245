import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import cookie from '@fastify/cookie';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { CutoffCommand, ReleaseCommand } from '../../config/schema/types.generated.js';
import type { Clock } from '../../gateway/clock/clock.js';
import { isZone } from '../../gateway/config/formats.js';
import { projectRoot } from '../../gateway/config/paths.js';
import { type Account, accountOf, closeSession, LoginBrake, openSession, type Role, sessionOf } from './accounts.js';
import { acknowledgeAlarm, alarms, auditExport, CALLEE, callsByHour, callsCsv, fleet, refusals } from './board.js';
import type { Ingester } from './ingester.js';
import { policyRoutes } from './policy-routes.js';
import type { Database } from './records/database.js';
import { workResults } from './records/work-results.js';

export interface FleetServerOptions {
  readonly address: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  readonly db: Database;
  readonly clock: Clock;
  readonly ingester: Pick<Ingester, 'order' | 'sendPolicy'>;
  /** Certificate and key, PEM; without, the page is plain HTTP, for loopback or behind a proxy that has TLS. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
  /** What Prometheus reads under /metrics, and the token it must bring unless it asks from this machine. */
  readonly metrics?: () => Promise<{ readonly type: string; readonly text: string }>;
  readonly metricsToken?: string;
}

export interface RunningFleetServer {
  readonly url: string;
  close(): Promise<void>;
}

const COOKIE = 'balise-session';
const DAY_MS = 86_400_000;
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
const PAGES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/fleet.js': ['fleet.js', 'text/javascript; charset=utf-8'],
  '/policy.js': ['policy.js', 'text/javascript; charset=utf-8'],
  '/work.js': ['work.js', 'text/javascript; charset=utf-8'],
  '/plots.js': ['plots.js', 'text/javascript; charset=utf-8'],
  '/fleet.css': ['fleet.css', 'text/css; charset=utf-8'],
};

const id = { type: 'string', pattern: '^[a-z0-9][a-z0-9._-]{0,63}$' };
const gateway = { type: 'string', pattern: '^[a-z0-9][a-z0-9._-]{0,63}/[a-z0-9][a-z0-9._-]{0,63}$' };
const reason = { type: 'string', minLength: 1, maxLength: 200 };
const target = {
  type: 'object',
  required: ['kind'],
  additionalProperties: false,
  properties: {
    kind: { enum: ['site', 'wing', 'handset', 'person', 'call'] },
    wing: id,
    handset: id,
    person: { type: 'string', minLength: 1, maxLength: 64 },
    call: { type: 'string', minLength: 1, maxLength: 64 },
  },
};
const body = (properties: Readonly<Record<string, object>>, required: readonly string[]) => ({
  body: { type: 'object', additionalProperties: false, required, properties },
});
const LOGIN = body({ name: { type: 'string', maxLength: 64 }, password: { type: 'string', maxLength: 1024 } }, [
  'name',
  'password',
]);
const CUT = body({ gateway, target, reason, holdS: { type: 'integer', minimum: 0, maximum: 604_800 } }, [
  'gateway',
  'target',
  'reason',
  'holdS',
]);
const RELEASE = body({ gateway, target, reason }, ['gateway', 'target', 'reason']);
const ACK = body({ id: { type: 'string', minLength: 1, maxLength: 300 } }, ['id']);

/** The fleet page and its API. It shows what the database holds, and orders what the account's role may. Rejects when it cannot listen. */
export async function startFleetServer(options: FleetServerOptions): Promise<RunningFleetServer> {
  const { tls } = options;
  const app = Fastify({
    logger: false,
    bodyLimit: 16 * 1024,
    forceCloseConnections: true,
    // A proxy on this machine that has TLS says for whom it asks; nobody else is believed.
    trustProxy: 'loopback',
    ...(tls === undefined ? {} : { https: { cert: tls.cert, key: tls.key } }),
  }) as unknown as FastifyInstance;
  await app.register(cookie);
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
    reply.header('referrer-policy', 'no-referrer');
    reply.header('content-security-policy', POLICY);
  });
  // Another site's page can send a form in a browser's name, but not with a header of its own (no CORS here).
  app.addHook('onRequest', async (request, reply) => {
    if (request.method === 'GET' || request.method === 'HEAD' || request.headers['x-balise'] === 'fleet') return;
    await reply.code(403).send({ error: 'The header x-balise: fleet is missing.' });
  });
  for (const [path, [file, type]] of Object.entries(PAGES)) {
    const content = readFileSync(join(projectRoot(), 'scripts', 'headquarters', 'web', file));
    app.get(path, async (_request, reply) => reply.type(type).send(content));
  }
  sessions(app, options);
  reads(app, options);
  orders(app, options);
  policyRoutes(app, options, (...asked) => admitted(options, ...asked), gateway);
  metrics(app, options);
  await app.listen({ host: options.address, port: options.port });
  const bound = app.server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : options.port;
  const host = options.address.includes(':') ? `[${options.address}]` : options.address;
  return { url: `${tls === undefined ? 'http' : 'https'}://${host}:${port}/`, close: () => app.close() };
}

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

/** The account behind a request when its role is enough; otherwise the answer has been given. */
async function admitted(
  { db, clock }: FleetServerOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  role: Role,
): Promise<Account | undefined> {
  const token = request.cookies[COOKIE];
  const account = token === undefined ? undefined : await sessionOf(db, token, clock.wall().epochMilliseconds);
  if (account !== undefined && RANK[account.role] >= RANK[role]) return account;
  if (account === undefined) await reply.code(401).send({ error: 'Log in first.' });
  else await reply.code(403).send({ error: `This needs the role ${role}; yours is ${account.role}.` });
  return undefined;
}

function sessions(app: FastifyInstance, options: FleetServerOptions): void {
  const { db, clock, tls } = options;
  const brake = new LoginBrake();
  app.post<{ Body: { name: string; password: string } }>('/api/session', { schema: LOGIN }, async (request, reply) => {
    const { name, password } = request.body;
    const keys = [`name ${name}`, `from ${request.ip}`];
    const nowMs = clock.wall().epochMilliseconds;
    if (!brake.begin(keys, nowMs)) return reply.code(429).send({ error: 'Too many wrong passwords: wait a minute.' });
    const account = await accountOf(db, name, password);
    if (account === undefined) return reply.code(401).send({ error: 'The name or the password is wrong.' });
    brake.passed(keys, nowMs);
    const token = await openSession(db, account.name, nowMs);
    reply.setCookie(COOKIE, token, {
      httpOnly: true,
      sameSite: 'strict',
      secure: tls !== undefined || request.protocol === 'https',
      path: '/',
    });
    return account;
  });
  app.get('/api/session', (request, reply) => admitted(options, request, reply, 'viewer'));
  app.delete('/api/session', async (request, reply) => {
    const token = request.cookies[COOKIE];
    if (token !== undefined) await closeSession(db, token);
    reply.clearCookie(COOKIE, { path: '/' });
    return reply.code(204).send();
  });
}

function reads(app: FastifyInstance, options: FleetServerOptions): void {
  const { db, clock } = options;
  const now = () => clock.wall().epochMilliseconds;
  const read = <Query>(path: string, answer: (query: Query, reply: FastifyReply) => unknown) =>
    app.get<{ Querystring: Query }>(path, async (request, reply) => {
      if ((await admitted(options, request, reply, 'viewer')) === undefined) return reply;
      return answer(request.query as Query, reply);
    });
  read<{ site?: string }>('/api/fleet', async ({ site }) => ({ atMs: now(), sites: await fleet(db, site) }));
  read<{ all?: string }>('/api/alarms', ({ all }) => alarms(db, all === undefined));
  read<{ days?: string }>('/api/refusals', ({ days }) => refusals(db, now() - daysOf(days) * DAY_MS));
  read<{ days?: string; zones?: string }>('/api/hours', ({ days, zones = 'UTC' }, reply) => {
    const wanted = zones.split(',').slice(0, 4);
    const strange = wanted.find((zone) => zone !== CALLEE && !isZone(zone));
    if (strange !== undefined) return reply.code(400).send({ error: `"${strange}" is no time zone.` });
    return callsByHour(db, now() - daysOf(days) * DAY_MS, wanted);
  });
  read<{ days?: string; zone?: string }>('/api/work', ({ days, zone = 'UTC' }, reply) =>
    isZone(zone)
      ? workResults(db, now() - daysOf(days) * DAY_MS, zone)
      : reply.code(400).send({ error: `"${zone}" is no time zone.` }),
  );
  read<{ days?: string }>('/api/export/calls.csv', ({ days }, reply) => {
    reply.type('text/csv; charset=utf-8').header('content-disposition', 'attachment; filename="calls.csv"');
    return reply.send(Readable.from(callsCsv(db, now() - daysOf(days) * DAY_MS, now())));
  });
  read<{ gateway?: string }>('/api/export/audit.ndjson', ({ gateway: of = '' }, reply) => {
    reply.type('application/x-ndjson').header('content-disposition', 'attachment; filename="audit.ndjson"');
    return reply.send(Readable.from(auditExport(db, of)));
  });
}

function daysOf(text = '7'): number {
  const days = Number(text);
  return Number.isFinite(days) && days > 0 ? Math.min(days, 400) : 7;
}

interface CutBody {
  readonly gateway: string;
  readonly target: CutoffCommand['target'];
  readonly reason: string;
  readonly holdS: number;
}

function orders(app: FastifyInstance, options: FleetServerOptions): void {
  const { db, clock, ingester } = options;
  app.post<{ Body: { id: string } }>('/api/alarms/acknowledged', { schema: ACK }, async (request, reply) => {
    const account = await admitted(options, request, reply, 'operator');
    if (account === undefined) return reply;
    const isOurs = await acknowledgeAlarm(db, request.body.id, account.name, clock.wall().epochMilliseconds);
    return isOurs ? reply.code(204).send() : reply.code(404).send({ error: 'No such alarm is open.' });
  });
  const send = async (reply: FastifyReply, of: string, order: Parameters<Ingester['order']>[1]) => {
    const beganNs = clock.monotonicNs();
    try {
      const ack = await ingester.order(of, order);
      return { ack, roundTripMs: Number(clock.monotonicNs() - beganNs) / 1e6 };
    } catch (fault) {
      return reply.code(504).send({ error: `${of}: ${fault instanceof Error ? fault.message : String(fault)}` });
    }
  };
  app.post<{ Body: CutBody }>('/api/cutoffs', { schema: CUT }, async (request, reply) => {
    const account = await admitted(options, request, reply, 'operator');
    if (account === undefined) return reply;
    const { gateway: of, target: whom, reason: why, holdS } = request.body;
    return send(reply, of, { type: 'cutoff', target: whom, reason: why, by: account.name, hold: holdS * 1_000 });
  });
  app.post<{ Body: Omit<CutBody, 'holdS' | 'target'> & { readonly target: ReleaseCommand['target'] } }>(
    '/api/releases',
    { schema: RELEASE },
    async (request, reply) => {
      const account = await admitted(options, request, reply, 'operator');
      if (account === undefined) return reply;
      const { gateway: of, target: whom, reason: why } = request.body;
      return send(reply, of, { type: 'release', target: whom, reason: why, by: account.name });
    },
  );
}

function metrics(app: FastifyInstance, { metrics: read, metricsToken }: FleetServerOptions): void {
  if (read === undefined) return;
  app.get('/metrics', async (request, reply) => {
    const isLocal = ['127.0.0.1', '::1', '::ffff:127.0.0.1'].includes(request.ip);
    const isKnown = metricsToken !== undefined && isSame(request.headers.authorization ?? '', `Bearer ${metricsToken}`);
    if (!isLocal && !isKnown) return reply.code(401).send({ error: 'This needs the metrics token.' });
    const { type, text } = await read();
    return reply.type(type).send(text);
  });
}

/** Takes as long whatever differs. */
function isSame(given: string, wanted: string): boolean {
  const [one, two] = [given, wanted].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(one, two);
}
