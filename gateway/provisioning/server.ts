import Fastify from 'fastify';
import type { Asked } from './desk.js';
import type { Rendered } from './render.js';

export interface ProvisioningServerOptions {
  readonly address: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  /** PEM texts; absent: HTTP in clear. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly ask: (asked: Asked) => Rendered | undefined;
}

export interface ProvisioningServer {
  readonly port: number;
  close(): Promise<void>;
}

/** The longest that a device may take to send its request, milliseconds. */
const REQUEST_MS = 10_000;

/**
 * Serves devices their configuration: `GET /p/<token>/<file>`, or `GET /<file>` with the token as the password of HTTP Basic
 * (RFC 7617). Whatever else is asked for, and however, gets one and the same 404; only a request that could be Basic and
 * brings nothing is asked for it, whatever the file. Rejects when the address cannot be listened on.
 */
export async function startProvisioningServer(options: ProvisioningServerOptions): Promise<ProvisioningServer> {
  const { address, port, tls, ask } = options;
  const app = Fastify({
    logger: false,
    bodyLimit: 1024,
    forceCloseConnections: true,
    connectionTimeout: REQUEST_MS,
    requestTimeout: REQUEST_MS,
    exposeHeadRoutes: false,
    maxParamLength: 128,
    https: tls === undefined ? null : { ...tls, minVersion: 'TLSv1.2' },
  });
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
  });
  const nothing = { code: 404, type: 'text/plain; charset=utf-8', body: 'not found\n' };
  const answer = (asked: Asked) => {
    const found = ask(asked);
    return found === undefined ? nothing : { code: 200, ...found };
  };
  app.get<{ Params: { token: string; file: string } }>('/p/:token/:file', async (request, reply) => {
    const { token, file } = request.params;
    const { code, type, body } = answer({ token, file, address: request.ip });
    return reply.code(code).type(type).send(body);
  });
  app.get<{ Params: { file: string } }>('/:file', async (request, reply) => {
    const token = basicPassword(request.headers.authorization);
    if (token === undefined) {
      return reply.code(401).header('www-authenticate', 'Basic realm="configuration"').type(nothing.type).send('');
    }
    const { code, type, body } = answer({ token, file: request.params.file, address: request.ip });
    return reply.code(code).type(type).send(body);
  });
  app.setNotFoundHandler((request, reply) => {
    // It counts as a guess like any other.
    ask({ token: '', file: '', address: request.ip });
    return reply.code(nothing.code).type(nothing.type).send(nothing.body);
  });
  app.setErrorHandler((_fault, _request, reply) => reply.code(nothing.code).type(nothing.type).send(nothing.body));
  await app.listen({ host: address, port });
  const bound = app.server.address();
  return { port: typeof bound === 'object' && bound !== null ? bound.port : port, close: () => app.close() };
}

/** The password of an Authorization header by HTTP Basic; undefined when there is none. */
function basicPassword(header: string | undefined): string | undefined {
  const encoded = /^basic\s+([a-z0-9+/=]{1,400})$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : text.slice(colon + 1);
}
