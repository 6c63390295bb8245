import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { Aedes, type AedesPublishPacket, type Client } from 'aedes';
import type { Clock } from '../clock/clock.js';
import { Identities, type Identity } from './identities.js';
import { guarded } from './packet-guard.js';
import { type BusRefusal, type RefusalKind, Refusals } from './refusals.js';
import { RetainedStates } from './retained.js';

export interface BusOptions {
  readonly address: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  readonly clock: Pick<Clock, 'after' | 'monotonicNs'>;
  /** Paths of PEM files; TLS 1.2 and above, and nothing in clear. Leave it out for plain TCP. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Where the lines' last states are kept across a restart of the gateway; leave it out to keep none. */
  readonly retained?: { readonly file: string; readonly bootId: string };
  /** Told of refusals, a flood of one kind together; `refused` has the counts. */
  readonly onRefused?: (refusal: BusRefusal) => void;
  /** Something that is no refusal and needs a person: the states cannot be kept. */
  readonly onFault?: (fault: unknown) => void;
}

export type BusReceiver = (topic: string, payload: Buffer) => void;

/** A packet longer than this ends its connection, bytes: the largest that is meant is the health of 247 boards. */
const LONGEST_PACKET = 96 * 1024;
/** Connections at once, beyond one for each identity: reconnects overlap for a moment. */
const SPARE_CONNECTIONS = 32;
const CONNECT_MS = 3_000;
const DRAIN_MS = 3_000;
/** Packets that one connection may send at once, and in a second from then on: an agent of 247 boards comes nowhere near. */
const BURST_PACKETS = 2_000;
const PACKETS_PER_S = 500;
/** What is said of a line is longer in no case, bytes: states are kept in memory and on the disk. */
const LONGEST_OF_LINE = 1_024;
const OF_LINE = /^bus\/line\//;
const STATE = /^bus\/line\/[^/]+\/state$/;

/**
 * The local MQTT broker that device agents connect to, in the gateway's own process. An agent may publish its own state
 * and health and subscribe to its own leases; anything else is refused, counted, told, and ends its connection.
 */
export class Bus {
  readonly #options: BusOptions;
  readonly #identities = new Identities();
  readonly #sockets = new Set<Socket>();
  readonly #refusals: Refusals;
  readonly #retained: RetainedStates | undefined;
  #broker: Aedes | undefined;
  #server: Server | undefined;

  constructor(options: BusOptions) {
    this.#options = options;
    const { clock, retained, onRefused, onFault = () => undefined } = options;
    this.#refusals = new Refusals(clock, (refusal) => onRefused?.(refusal));
    if (retained !== undefined) this.#retained = new RetainedStates({ ...retained, clock, onFault });
  }

  /** How often each kind of thing was refused. */
  get refused(): Readonly<Record<RefusalKind, number>> {
    return this.#refusals.counts;
  }

  /** Agents can reach it. */
  get isUp(): boolean {
    return this.#server?.listening === true;
  }

  /** Adds an identity, or replaces its secret and rights; at any time. A connection that stands is not ended by it. */
  addIdentity(identity: Identity): void {
    this.#identities.add(identity);
  }

  /** Listens. Rejects when the address cannot be had, or the certificate cannot be read. */
  async start(): Promise<{ readonly port: number }> {
    const broker = await Aedes.createBroker({
      connectTimeout: CONNECT_MS,
      drainTimeout: DRAIN_MS,
      maxTopicLevels: 8,
      authenticate: (client, username, password, done) => {
        // The client id is the name: or an agent could end another's connection by taking its id (3.1.1, §3.1.4).
        const name = username ?? '';
        const proven = password !== undefined && this.#identities.proves(name, password) && client.id === name;
        if (!proven) this.#refuse('credentials', name, client.id);
        done(null, proven);
      },
      authorizePublish: (client, packet, done) => {
        const name = client?.id ?? '';
        const isOwn = this.#identities.mayPublish(name, packet.topic);
        if (isOwn && OF_LINE.test(packet.topic) && packet.payload.length > LONGEST_OF_LINE) {
          this.#refuse('size', name, packet.topic);
          return done(new Error('longer than any'));
        }
        if (isOwn) {
          if (packet.retain && STATE.test(packet.topic)) this.#retained?.keep(packet.topic, packet.payload.toString());
          return done(null);
        }
        this.#refuse('publish', name, packet.topic);
        done(new Error('not this topic'));
      },
      authorizeSubscribe: (client, subscription, done) => {
        if (this.#identities.maySubscribe(client.id, subscription.topic)) return done(null, subscription);
        this.#refuse('subscribe', client.id, subscription.topic);
        // MQTT 3.1.1 §3.9.3: return code 128.
        done(null, null);
      },
    });
    this.#broker = broker;
    const server = this.#makeServer((socket) => this.#accept(broker, socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#options.port, this.#options.address, () => {
        server.off('error', reject);
        resolve();
      });
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the bus has no port');
    return { port: address.port };
  }

  /** Ends every connection, and with them every lease. */
  async stop(): Promise<void> {
    const server = this.#server;
    const broker = this.#broker;
    this.#server = undefined;
    this.#broker = undefined;
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
    await new Promise<void>((resolve) => (broker === undefined ? resolve() : broker.close(() => resolve())));
    await this.#retained?.flush();
    this.#refusals.stop();
  }

  /** Publishes from within the gateway, QoS 0, never retained: what nobody hears now is not worth hearing later. */
  publish(topic: string, payload: string): void {
    const packet = { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 0, retain: false, dup: false } as const;
    this.#broker?.publish(packet, () => undefined);
  }

  /**
   * Hears what agents publish, and first what is kept of the lines' states from before a restart. The receiver must not
   * throw. Only after `start`.
   */
  subscribe(filter: string, receive: BusReceiver): void {
    if (this.#broker === undefined) throw new Error('the bus is not started');
    const deliver = (packet: AedesPublishPacket, done: () => void) => {
      const { topic, payload } = packet;
      receive(topic, Buffer.isBuffer(payload) ? payload : Buffer.from(payload));
      done();
    };
    for (const [topic, payload] of this.#retained?.entries() ?? []) {
      if (matches(filter, topic)) receive(topic, Buffer.from(payload));
    }
    this.#broker.subscribe(filter, deliver, () => undefined);
  }

  #makeServer(accept: (socket: Socket) => void): Server {
    const { tls } = this.#options;
    if (tls === undefined) return createServer({ noDelay: true }, accept);
    const cert = readFileSync(tls.cert);
    const key = readFileSync(tls.key);
    const server = createTlsServer(
      { cert, key, minVersion: 'TLSv1.2', handshakeTimeout: CONNECT_MS, noDelay: true },
      accept,
    );
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      this.#refuse('tls', socket.remoteAddress ?? '', error.message);
    });
    return server;
  }

  #accept(broker: Aedes, socket: Socket): void {
    if (this.#sockets.size >= this.#identities.size + SPARE_CONNECTIONS) {
      this.#refuse('crowd', '', `${this.#sockets.size} connections`);
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    let client: Client | undefined;
    const limits = { bytes: LONGEST_PACKET, burst: BURST_PACKETS, perSecond: PACKETS_PER_S };
    const stream = guarded(socket, limits, this.#options.clock, (limit) => {
      const detail = limit === 'size' ? `over ${LONGEST_PACKET} bytes` : `over ${PACKETS_PER_S} packets a second`;
      this.#refuse(limit, client?.id ?? '', detail);
    });
    client = broker.handle(stream);
  }

  #refuse(kind: RefusalKind, name: string, detail: string): void {
    this.#refusals.add(kind, name, detail);
  }
}

/** Whether a topic is one of those that a filter names; `+` and `#` as in MQTT 3.1.1 §4.7.1. */
function matches(filter: string, topic: string): boolean {
  const [wanted, parts] = [filter.split('/'), topic.split('/')];
  for (const [at, one] of wanted.entries()) {
    if (one === '#') return true;
    if (parts[at] === undefined || (one !== '+' && one !== parts[at])) return false;
  }
  return wanted.length === parts.length;
}
