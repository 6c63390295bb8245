import { createServer, type Server, type Socket } from 'node:net';
import { Aedes, type AedesPublishPacket, type Client } from 'aedes';
import { Identities, type Identity } from './identities.js';
import { guarded } from './packet-guard.js';

/** Something that the bus did not let happen. */
export interface BusRefusal {
  readonly kind: 'credentials' | 'publish' | 'subscribe' | 'size' | 'crowd';
  /** The identity, where one was proven; otherwise the name that was claimed. */
  readonly name: string;
  /** The topic, or what was too much. */
  readonly detail: string;
}

export interface BusOptions {
  readonly address: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  /** Told of each refusal; `refused` has the counts. */
  readonly onRefused?: (refusal: BusRefusal) => void;
}

export type BusReceiver = (topic: string, payload: Buffer) => void;

/** A packet longer than this ends its connection, bytes: the largest that is meant is the health of 247 boards. */
const LONGEST_PACKET = 96 * 1024;
/** Connections at once, beyond one for each identity: reconnects overlap for a moment. */
const SPARE_CONNECTIONS = 32;
const CONNECT_MS = 3_000;
const DRAIN_MS = 3_000;

/**
 * The local MQTT broker that device agents connect to, in the gateway's own process. An agent may publish its own state
 * and health and subscribe to its own leases; anything else is refused, counted, told, and ends its connection.
 */
export class Bus {
  readonly #options: BusOptions;
  readonly #identities = new Identities();
  readonly #sockets = new Set<Socket>();
  readonly #refused: Record<BusRefusal['kind'], number> = {
    credentials: 0,
    publish: 0,
    subscribe: 0,
    size: 0,
    crowd: 0,
  };
  #broker: Aedes | undefined;
  #server: Server | undefined;

  constructor(options: BusOptions) {
    this.#options = options;
  }

  /** How often each kind of thing was refused. */
  get refused(): Readonly<Record<BusRefusal['kind'], number>> {
    return this.#refused;
  }

  /** Adds an identity, or replaces its secret and rights; at any time. A connection that stands is not ended by it. */
  addIdentity(identity: Identity): void {
    this.#identities.add(identity);
  }

  /** Listens. Rejects when the address cannot be had. */
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
        if (this.#identities.mayPublish(name, packet.topic)) return done(null);
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
    const server = createServer({ noDelay: true }, (socket) => this.#accept(broker, socket));
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
  }

  /** Publishes from within the gateway, QoS 0, never retained: what nobody hears now is not worth hearing later. */
  publish(topic: string, payload: string): void {
    const packet = { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 0, retain: false, dup: false } as const;
    this.#broker?.publish(packet, () => undefined);
  }

  /** Hears what agents publish. The receiver must not throw. Only after `start`. */
  subscribe(filter: string, receive: BusReceiver): void {
    if (this.#broker === undefined) throw new Error('the bus is not started');
    const deliver = (packet: AedesPublishPacket, done: () => void) => {
      const { topic, payload } = packet;
      receive(topic, Buffer.isBuffer(payload) ? payload : Buffer.from(payload));
      done();
    };
    this.#broker.subscribe(filter, deliver, () => undefined);
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
    const stream = guarded(socket, LONGEST_PACKET, () =>
      this.#refuse('size', client?.id ?? '', `over ${LONGEST_PACKET} bytes`),
    );
    client = broker.handle(stream);
  }

  #refuse(kind: BusRefusal['kind'], name: string, detail: string): void {
    this.#refused[kind] += 1;
    this.#options.onRefused?.({ kind, name: name.slice(0, 64), detail: detail.slice(0, 128) });
  }
}
