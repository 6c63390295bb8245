import { isIP } from 'node:net';
import cookie from '@fastify/cookie';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { admit, callerOf } from './caller.js';
import { ConsoleFault } from './fault.js';
import type { House } from './house.js';
import { ROUTES } from './rights.js';
import { boardRoutes } from './routes/boards.js';
import { callRoutes } from './routes/calls.js';
import { handsetEditRoutes } from './routes/handset-edits.js';
import { handsetRoutes } from './routes/handsets.js';
import { liveRoutes } from './routes/live.js';
import { orderRoutes } from './routes/orders.js';
import { pageRoutes } from './routes/pages.js';
import { peopleRoutes } from './routes/people.js';
import { sessionRoutes } from './routes/session.js';
import { siteRoutes } from './routes/site.js';
import { workRoutes } from './routes/work.js';

/** Certificate and key of the console, PEM, and whose client certificates are believed. */
export interface ConsoleTls {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly clientCa?: Buffer;
  /** Nobody is let in without one. */
  readonly requireClient?: boolean;
}

/** How one of the two servers is reached. */
export type Reach =
  | {
      readonly is: 'network';
      readonly tls?: ConsoleTls;
      /** Names that the console goes by, beside its addresses and localhost. */
      readonly hosts: readonly string[];
    }
  | { readonly is: 'socket'; readonly localName: string };

const BODY_LIMIT = 16 * 1024;
const MOST_CONNECTIONS = 256;
/** A request has come whole within this, or its connection is closed, milliseconds. */
const REQUEST_MS = 15_000;
const YEAR_S = 31_536_000;

/** With every answer, the stream of live events too. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; media-src 'self'; manifest-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=()',
};

/** The console's server, not listening yet: every route with the need that rights.ts states for it. */
export async function buildServer(house: House, reach: Reach): Promise<FastifyInstance> {
  const tls = reach.is === 'network' ? reach.tls : undefined;
  const app = makeApp(tls);
  app.server.maxConnections = MOST_CONNECTIONS;
  // Another site's page can send text without asking first; only JSON is taken.
  app.removeContentTypeParser('text/plain');
  await app.register(cookie);
  app.decorateRequest('caller', undefined);
  const missing = new Set(Object.keys(ROUTES));
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) {
      if (!missing.delete(`${one} ${url}`)) throw new Error(`${one} ${url} has no entry in the table of rights.ts`);
    }
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(SECURITY_HEADERS).header('cache-control', 'no-store');
    if (tls !== undefined) reply.header('strict-transport-security', `max-age=${YEAR_S}`);
    if (reach.is === 'network') {
      checkHost(request, reach.hosts);
      checkOrigin(request, tls !== undefined);
    }
    request.caller = callerOf(house, request, reach.is === 'socket' ? reach.localName : undefined);
    const { url } = request.routeOptions;
    // What has no route is answered by the handler for it, to anybody.
    if (url === undefined) return;
    const need = ROUTES[`${request.method} ${url}`];
    if (need === undefined) throw new Error(`${request.method} ${url} has no entry in the table of rights.ts`);
    admit(house, request, need);
  });
  app.setNotFoundHandler(async (request, reply) => {
    const fault = new ConsoleFault(
      404,
      'not-found',
      `there is nothing at ${request.method} ${request.url.slice(0, 200)}`,
    );
    return reply.code(fault.status).send(fault.view);
  });
  app.setErrorHandler((error: FastifyError, request, reply) => answerFault(house, error, request, reply));
  sessionRoutes(app, house, tls !== undefined);
  peopleRoutes(app, house);
  liveRoutes(app, house);
  handsetRoutes(app, house);
  handsetEditRoutes(app, house);
  callRoutes(app, house);
  siteRoutes(app, house);
  boardRoutes(app, house);
  workRoutes(app, house);
  orderRoutes(app, house);
  pageRoutes(app, house);
  if (missing.size > 0) throw new Error(`rights.ts speaks of routes that are none: ${[...missing].join(', ')}`);
  await app.ready();
  return app;
}

function makeApp(tls: ConsoleTls | undefined): FastifyInstance {
  const options = {
    logger: false,
    bodyLimit: BODY_LIMIT,
    forceCloseConnections: true,
    requestTimeout: REQUEST_MS,
    connectionTimeout: 0,
    routerOptions: { maxParamLength: 100 },
    exposeHeadRoutes: false,
    ajv: { customOptions: { coerceTypes: 'array' as const, removeAdditional: false } },
  };
  if (tls === undefined) return Fastify(options);
  const { cert, key, clientCa, requireClient = false } = tls;
  const https = {
    cert,
    key,
    minVersion: 'TLSv1.2' as const,
    ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: requireClient }),
  };
  // The two kinds of instance differ in the type of their server alone.
  return Fastify({ ...options, https }) as unknown as FastifyInstance;
}

/**
 * A page of another site whose name is made to point here (DNS rebinding) brings that name: only addresses, localhost and the
 * names of site.json are ours.
 */
function checkHost(request: FastifyRequest, hosts: readonly string[]): void {
  const { host } = request.headers;
  const name =
    host === undefined ? undefined : /^(\[[0-9a-f:.]+\]|[^:]+)(?::[0-9]{1,5})?$/i.exec(host)?.[1]?.toLowerCase();
  const isOurs =
    name !== undefined &&
    (name === 'localhost' || hosts.includes(name) || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0);
  if (isOurs) return;
  const how = 'call the console by its address, or add the name to console.hosts in site.json';
  throw new ConsoleFault(421, 'host', `this console does not go by the name in the Host header: ${how}`);
}

/** Whatever changes something comes from a page of our own, or from no page (RFC 6454 §7). */
function checkOrigin(request: FastifyRequest, isSecure: boolean): void {
  const { origin, host } = request.headers;
  if (request.method === 'GET' || origin === undefined) return;
  if (origin.toLowerCase() === `${isSecure ? 'https' : 'http'}://${host?.toLowerCase()}`) return;
  throw new ConsoleFault(403, 'csrf', 'this request comes from the page of another site');
}

function answerFault(house: House, error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  const fault = asFault(error);
  if (fault.code === 'fault') {
    const route = `${request.method} ${request.routeOptions.url ?? ''}`;
    house.log.error({ event: 'console.fault', route, err: error });
  }
  const { retryAfterS } = fault.view;
  if (retryAfterS !== undefined) reply.header('retry-after', String(retryAfterS));
  return reply.code(fault.status).send(fault.view);
}

function asFault(error: FastifyError | ConsoleFault): ConsoleFault {
  if (error instanceof ConsoleFault) return error;
  const { statusCode = 500, validation, validationContext, message } = error;
  if (validation !== undefined) {
    const [first] = validation;
    const where = `${validationContext ?? 'body'}${first?.instancePath ?? ''}`;
    return new ConsoleFault(400, 'form', `${where}: ${first?.message ?? message}`);
  }
  if (statusCode === 413) return new ConsoleFault(413, 'too-large', `a request has at most ${BODY_LIMIT} bytes`);
  if (statusCode >= 400 && statusCode < 500) return new ConsoleFault(statusCode, 'form', message);
  return new ConsoleFault(500, 'fault', 'the console met a fault of its own; the gateway’s log has it');
}
