import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions, type Server as TlsServer } from 'node:tls';
import type { ClientConfig, TlsConfig } from '../config.js';
import { readCredentials } from '../transport/credentials.js';
import { ClientLink } from './client-link.js';
import { accepted, refused } from './reports.js';

/** The version of drachtio's protocol that is spoken here. */
const VERSION = '0.9.6';
/** A connection that does not authenticate within this is closed, milliseconds. */
const AUTHENTICATE_WITHIN_MS = 5_000;

/** What an application orders with a `sip` frame. */
export interface SipOrder {
  readonly orderId: string;
  /** Given with a response, and with a CANCEL. */
  readonly transactionId: string;
  /** Given with a request in a dialog. */
  readonly dialogId: string;
  readonly nextHop: string;
  readonly message: string;
}

/** What an application orders with a `proxy` frame. */
export interface ProxyOrder {
  readonly orderId: string;
  readonly transactionId: string;
  readonly remainInDialog: boolean;
  readonly followRedirects: boolean;
  readonly simultaneous: boolean;
  /** How long one destination may be silent, and how long it may take to a final answer, milliseconds; 0: as long as its transaction lasts. */
  readonly provisionalMs: number;
  readonly finalMs: number;
  readonly destinations: readonly string[];
  readonly message: string;
}

/** `2s`, `500ms`, `2000` (milliseconds), or nothing. */
function milliseconds(text: string): number {
  const found = /^(\d{1,7})(ms|s)?$/.exec(text.trim());
  return found === null ? 0 : Number(found[1]) * (found[2] === 's' ? 1000 : 1);
}

export interface HubEvents {
  order(link: ClientLink, order: SipOrder): void;
  proxy(link: ClientLink, order: ProxyOrder): void;
  /** An application's connection is gone, and with it whoever watched its calls. */
  lost(link: ClientLink): void;
  /** What an application sent was no frame, or one over the limit; it is hung up on. */
  frameRefused(): void;
  /** `tcp/host:port,udp/host:port` of all listeners. */
  hostPorts(): string;
}

function proxyOrder(orderId: string, fields: readonly string[], message: string): ProxyOrder {
  return {
    orderId,
    transactionId: fields[2] ?? '',
    remainInDialog: fields[3] === 'remainInDialog',
    followRedirects: fields[5] === 'followRedirects',
    simultaneous: fields[6] === 'simultaneous',
    provisionalMs: milliseconds(fields[7] ?? ''),
    finalMs: milliseconds(fields[8] ?? ''),
    destinations: fields.slice(9).filter((uri) => uri !== ''),
    message,
  };
}

function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text, 'latin1').digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** A handshake must be done within the time for the secret; a peer that must show a certificate and has none gets no further. */
function tlsOptions(config: TlsConfig): TlsOptions {
  const { cert, key, ca, mutual } = readCredentials(config);
  const trust = { ...(ca && { ca }), requestCert: mutual, rejectUnauthorized: mutual };
  return { cert, key, ...trust, minVersion: 'TLSv1.2', handshakeTimeout: AUTHENTICATE_WITHIN_MS };
}

/** The port that applications connect to: authenticates them, keeps their routes, passes their orders on. */
export class ClientHub {
  readonly #server: Server;
  readonly #tls: TlsServer | undefined;
  readonly #links = new Set<ClientLink>();
  #turn = 0;
  address = '';
  port = 0;

  constructor(
    readonly config: ClientConfig,
    readonly maxFrameBytes: number,
    readonly events: HubEvents,
  ) {
    const accept = (socket: Socket): void => this.#accept(socket);
    if (config.tls !== undefined) this.#tls = createTlsServer(tlsOptions(config.tls), accept);
    this.#server = this.#tls ?? createServer(accept);
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.config.port, this.config.address, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const place = this.#server.address();
    if (typeof place === 'object' && place !== null) {
      this.address = place.address;
      this.port = place.port;
    }
  }

  /** Reads the certificate anew, for the connections to come. Throws, and keeps the old one, when it cannot be used. */
  reload(): void {
    if (this.config.tls !== undefined) this.#tls?.setSecureContext(tlsOptions(this.config.tls));
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const link of this.#links) link.socket.destroy();
    await closed;
  }

  /** Takes no further application. */
  stopListening(): void {
    this.#server.close();
  }

  get connected(): number {
    return this.#links.size;
  }

  /** The application for a request that belongs to no dialog, in turn where several have the route. */
  linkFor(verb: string): ClientLink | undefined {
    const lower = verb.toLowerCase();
    let first: ClientLink | undefined;
    let at = 0;
    let chosen: ClientLink | undefined;
    let count = 0;
    for (const link of this.#links) {
      if (!link.open || !link.routes.has(lower)) continue;
      first ??= link;
      if (at++ === this.#turn) chosen = link;
      count++;
    }
    if (count > 1) this.#turn = (this.#turn + 1) % count;
    return chosen ?? first;
  }

  /** Whether any application is there, and the verbs that somebody handles. */
  routedVerbs(): string[] {
    const verbs = new Set<string>();
    for (const link of this.#links) for (const verb of link.routes) verbs.add(verb.toUpperCase());
    return [...verbs].filter((verb) => !verb.startsWith('CDR:'));
  }

  /** Whether any application has that route: it costs nothing while none has. */
  wants(route: string): boolean {
    for (const link of this.#links) if (link.open && link.routes.has(route)) return true;
    return false;
  }

  /** Sends a payload to every application that has the route. */
  tellAll(route: string, payload: string): void {
    for (const link of this.#links) if (link.open && link.routes.has(route)) link.send(payload);
  }

  get hasApplication(): boolean {
    for (const link of this.#links) if (link.authenticated) return true;
    return false;
  }

  #accept(socket: Socket): void {
    const link: ClientLink = new ClientLink(
      socket,
      this.maxFrameBytes,
      (from, payload) => this.#frame(from, payload),
      (closed) => {
        clearTimeout(patience);
        this.#links.delete(closed);
        if (closed.authenticated) this.events.lost(closed);
      },
      () => this.events.frameRefused(),
    );
    const patience = setTimeout(() => {
      if (!link.authenticated) socket.destroy();
    }, AUTHENTICATE_WITHIN_MS);
    patience.unref();
    this.#links.add(link);
  }

  #frame(link: ClientLink, payload: string): void {
    if (link.hungUp) return;
    const end = payload.indexOf('\r\n');
    const line = end < 0 ? payload : payload.slice(0, end);
    const fields = line.split('|');
    const orderId = fields[0] ?? '';
    const command = fields[1];
    if (command === 'authenticate') {
      this.#authenticate(link, orderId, fields[2] ?? '', fields[3] ?? '');
      return;
    }
    if (!link.authenticated) {
      link.send(refused(orderId, 'not authenticated'));
      link.end();
      return;
    }
    switch (command) {
      case 'sip':
        this.events.order(link, {
          orderId,
          transactionId: fields[2] ?? '',
          dialogId: fields[3] ?? '',
          nextHop: fields[4] ?? '',
          message: end < 0 ? '' : payload.slice(end + 2),
        });
        return;
      case 'proxy':
        this.events.proxy(link, proxyOrder(orderId, fields, end < 0 ? '' : payload.slice(end + 2)));
        return;
      case 'route':
        link.routes.add((fields[2] ?? '').toLowerCase());
        link.send(accepted(orderId));
        return;
      case 'remove_route':
        link.routes.delete((fields[2] ?? '').toLowerCase());
        link.send(accepted(orderId));
        return;
      case 'ping':
        link.send(accepted(orderId));
        return;
      default:
        link.send(refused(orderId, `this server does not know '${command ?? ''}'`));
    }
  }

  #authenticate(link: ClientLink, orderId: string, secret: string, tags: string): void {
    if (!sameSecret(secret, this.config.secret)) {
      link.send(refused(orderId, 'incorrect secret'));
      link.end();
      return;
    }
    link.authenticated = true;
    link.tags = tags === '' ? [] : tags.split(',');
    const hostPorts = this.events.hostPorts();
    link.send(`response|${orderId}|OK|${hostPorts}|${VERSION}|${hostPorts}`);
  }
}
