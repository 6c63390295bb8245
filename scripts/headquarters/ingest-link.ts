import {
  connect,
  type IClientOptions,
  type IClientPublishOptions,
  type IConnackPacket,
  type IPublishPacket,
  type MqttClient,
} from 'mqtt';
import { mayMeanVersion } from '../../gateway/uplink/connection.js';

/** What came on one topic, and how to tell the broker that it is kept. */
export interface Arrival {
  /** `<site>/<gateway>`. */
  readonly gateway: string;
  /** `event`, `alarm`, `presence`, `status`, `handset/<id>`, `line/<board>`, `ack/<id>`. */
  readonly topic: string;
  readonly payload: Buffer;
  /** The broker had it already when we subscribed. */
  readonly isRetained: boolean;
  /** PUBACK; on a connection that is gone it does nothing, and the broker sends the message again. */
  readonly keep: () => void;
}

export interface LinkOptions {
  readonly url: string;
  readonly connection?: Pick<IClientOptions, 'username' | 'password' | 'ca' | 'cert' | 'key'>;
  /** Fixed for each headquarters process; alone, the broker keeps what comes while it is away, for a day. */
  readonly clientId: string;
  /** Share events with the others of this group, where the broker can (MQTT 5 §4.8.2). Without, each process gets all. */
  readonly group?: string;
  readonly onArrival: (arrival: Arrival) => void;
  readonly onConnection: (up: boolean, detail: string) => void;
}

const EVENTS = ['event', 'alarm'];
const STATES = ['presence', 'status', 'handset/+', 'line/+', 'ack/+'];
const RECONNECT_MS = 500;
const DAY_S = 86_400;
/** What the broker may send us unconfirmed; it waits in memory until the database has it. */
const RECEIVE_MAXIMUM = 1_000;
const PUBACK = 0x40;

/**
 * Headquarters' connection to the broker. An event is confirmed only when whoever took it says so, which is after the database
 * has it; meanwhile more arrive, so that one transaction takes many.
 */
export class IngestLink {
  #client: MqttClient | undefined;
  #protocol: 5 | 4 = 5;
  #stopped = false;
  #shared = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: LinkOptions) {}

  /** Settles when the subscriptions stand for the first time; afterwards it reconnects by itself, for ever. */
  start(): Promise<void> {
    return new Promise((settle) => this.#open(settle));
  }

  /** Whether events are shared with other processes. */
  get isShared(): boolean {
    return this.#shared;
  }

  /** Publishes; rejects when the broker is away. With MQTT 5 the broker drops what it could not deliver in `expiryS`. */
  async publish(topic: string, payload: string, expiryS: number): Promise<void> {
    await this.#publish(topic, payload, this.#protocol === 5 ? { properties: { messageExpiryInterval: expiryS } } : {});
  }

  /** Publishes what stays at the broker until something else takes its place; rejects when the broker is away. */
  async retain(topic: string, payload: string): Promise<void> {
    await this.#publish(topic, payload, { retain: true });
  }

  async #publish(topic: string, payload: string, how: IClientPublishOptions): Promise<void> {
    const client = this.#client;
    if (client === undefined || !client.connected) throw new Error('the broker is not connected');
    await client.publishAsync(topic, payload, { qos: 1, ...how });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#client?.endAsync(true);
  }

  #open(onFirst: () => void): void {
    const { url, connection, clientId, onConnection } = this.options;
    const protocol = this.#protocol;
    const mayShare = protocol === 5 && this.options.group !== undefined;
    const client = connect(url, {
      ...connection,
      clientId,
      protocolVersion: protocol,
      // A member of a group leaves nothing behind: the broker would go on dealing to a process that is dead. What is lost with
      // it, and what comes while the whole group is away, shows as a gap and is asked for.
      clean: mayShare,
      reconnectPeriod: 0,
      ...(protocol === 5
        ? { properties: { sessionExpiryInterval: mayShare ? 0 : DAY_S, receiveMaximum: RECEIVE_MAXIMUM } }
        : {}),
    });
    this.#client = client;
    let wasUp = false;
    let why = 'closed';
    let fault: Error | undefined;
    // A message that is not confirmed by mqtt.js itself: the error keeps its PUBACK back and goes no further.
    client.handleMessage = (packet, done) =>
      done(this.#take(client, packet) ? new Error('confirmed later') : undefined);
    client.on('error', (said) => {
      fault = said;
      why = said.message;
    });
    client.on('connect', (connack: IConnackPacket) => {
      wasUp = true;
      const can = protocol === 5 && connack.properties?.sharedSubscriptionAvailable !== false;
      this.#shared = can && this.options.group !== undefined;
      const base = this.#shared ? `$share/${this.options.group}/` : '';
      const topics = [
        ...EVENTS.map((topic) => `${base}balise/v1/+/+/${topic}`),
        ...STATES.map((topic) => `balise/v1/+/+/${topic}`),
      ];
      client.subscribe(topics, { qos: 1 }, (unheard, granted) => {
        const refused = granted?.find(({ qos }) => (qos as number) >= 128);
        if (unheard || refused !== undefined) {
          why = unheard?.message ?? `the broker refuses the subscription ${refused?.topic}`;
          client.end(true);
          return;
        }
        onConnection(true, `MQTT ${protocol === 5 ? '5' : '3.1.1'}${this.#shared ? ', shared' : ''}`);
        onFirst();
      });
    });
    client.once('close', () => {
      client.end(true);
      if (!wasUp && mayMeanVersion(fault)) this.#protocol = protocol === 5 ? 4 : 5;
      onConnection(false, why);
      if (!this.#stopped) this.#timer = setTimeout(() => this.#open(onFirst), RECONNECT_MS);
    });
  }

  /** True when the confirmation is ours to give. */
  #take(client: MqttClient, packet: IPublishPacket): boolean {
    const [, , site = '', name = '', ...rest] = packet.topic.split('/');
    const topic = rest.join('/');
    const isEvent = packet.qos > 0 && EVENTS.includes(topic);
    const { messageId = 0 } = packet;
    this.options.onArrival({
      gateway: `${site}/${name}`,
      topic,
      payload: Buffer.from(packet.payload),
      isRetained: packet.retain,
      keep: () => {
        // PUBACK with success in its short form, alike in both versions (§3.4).
        if (isEvent && client.connected)
          client.stream.write(Buffer.from([PUBACK, 2, messageId >> 8, messageId & 0xff]));
      },
    });
    return isEvent;
  }
}
