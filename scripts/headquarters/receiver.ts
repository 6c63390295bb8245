import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import type { EventEnvelope } from '../../config/schema/types.generated.js';
import { eventFault } from './message-check.js';
import { type Gap, StreamCheck, type StreamFault } from './stream-check.js';

export interface ReceiverOptions {
  readonly url: string;
  /** Accounts and certificates, as mqtt.js takes them. */
  readonly connection?: Pick<IClientOptions, 'username' | 'password' | 'ca' | 'cert' | 'key'>;
  /** With an id, the broker keeps the subscription and what comes meanwhile for a day; without, nothing. */
  readonly clientId?: string;
  /** Each event of each gateway, once, in the order in which it came. */
  readonly onEvent?: (event: EventEnvelope, gateway: string) => void;
  /** What a stream lacks, or why something was not believed. */
  readonly onFault?: (fault: ReceiverFault, gateway: string) => void;
  /**
   * Asks a gateway for what is missing: when a gap shows, and again each time that the gateway comes on line, because an order
   * that found it away is lost. Also whenever `askForMissing` is called.
   */
  readonly onMissing?: (gap: Gap, gateway: string) => void;
  /** Retained topics and acknowledgements: `presence`, `status`, `handset/<id>`, `line/<board>`, `ack/<id>`. */
  readonly onState?: (topic: string, message: Readonly<Record<string, unknown>>, gateway: string) => void;
  /** Each time that the broker is reached, and each time that it is lost. */
  readonly onConnection?: (up: boolean) => void;
}

export type ReceiverFault =
  | StreamFault
  /** It is not as its schema says, or comes from another gateway than its topic says. */
  | { readonly fault: 'malformed'; readonly detail: string };

export interface ReceiverCounts {
  readonly events: number;
  readonly duplicates: number;
  /** Numbers missing now, over all gateways. */
  readonly missing: number;
}

const TOPICS = ['event', 'alarm', 'presence', 'status', 'handset/+', 'line/+', 'ack/+'];
const RECONNECT_MS = 500;
const DAY_S = 86_400;

/** Listens to every gateway on a broker, and checks schema, sequence and hash of what they report. */
export class Receiver {
  private readonly streams = new Map<string, StreamCheck>();
  private client: MqttClient | undefined;
  private events = 0;
  private duplicates = 0;

  constructor(private readonly options: ReceiverOptions) {}

  /** Settles when the subscription stands for the first time; afterwards it reconnects by itself, for ever. */
  async start(): Promise<void> {
    const { url, connection, clientId, onConnection } = this.options;
    const client = connect(url, {
      ...connection,
      protocolVersion: 4,
      clean: clientId === undefined,
      ...(clientId === undefined ? {} : { clientId }),
      reconnectPeriod: RECONNECT_MS,
      properties: { sessionExpiryInterval: DAY_S },
    });
    this.client = client;
    client.on('message', (topic, payload) => this.take(topic, payload.toString('utf8')));
    client.on('close', () => onConnection?.(false));
    // What went wrong shows as a close; without a listener it would end the program.
    client.on('error', () => undefined);
    await new Promise<void>((settle, reject) => {
      client.on('connect', () => {
        const topics = TOPICS.map((topic) => `balise/v1/+/+/${topic}`);
        client.subscribe(topics, { qos: 1 }, (fault) => {
          if (fault) return reject(fault);
          onConnection?.(true);
          settle();
        });
      });
    });
  }

  get counts(): ReceiverCounts {
    let missing = 0;
    for (const stream of this.streams.values()) missing += stream.lacking;
    return { events: this.events, duplicates: this.duplicates, missing };
  }

  /** Asks one gateway, or all, for everything that is missing now. */
  askForMissing(gateway?: string): void {
    for (const [name, stream] of this.streams) {
      if (gateway !== undefined && gateway !== name) continue;
      for (const gap of stream.gaps) this.options.onMissing?.(gap, name);
    }
  }

  /** Publishes a signed command. Settles when the broker has it. */
  async send(gateway: string, jws: string): Promise<void> {
    await this.client?.publishAsync(`balise/v1/${gateway}/down/command`, jws, { qos: 1 });
  }

  async stop(): Promise<void> {
    await this.client?.endAsync(true);
  }

  private take(topic: string, text: string): void {
    const [, , site = '', name = '', ...rest] = topic.split('/');
    const gateway = `${site}/${name}`;
    const kind = rest.join('/');
    let message: Record<string, unknown>;
    try {
      message = JSON.parse(text) as Record<string, unknown>;
    } catch {
      this.options.onFault?.({ fault: 'malformed', detail: `${kind} is not JSON` }, gateway);
      return;
    }
    if (kind === 'event' || kind === 'alarm') this.takeEvent(message, kind, gateway);
    else this.options.onState?.(kind, message, gateway);
    if (kind === 'presence' && message.state === 'online') this.askForMissing(gateway);
  }

  private takeEvent(message: Record<string, unknown>, kind: 'event' | 'alarm', gateway: string): void {
    const fault = eventFault(message) ?? strangeness(message as unknown as EventEnvelope, kind, gateway);
    if (fault !== undefined) {
      this.options.onFault?.({ fault: 'malformed', detail: fault }, gateway);
      return;
    }
    const event = message as unknown as EventEnvelope;
    let stream = this.streams.get(gateway);
    if (stream === undefined) {
      stream = new StreamCheck();
      this.streams.set(gateway, stream);
    }
    const { isNew, faults } = stream.take(event);
    for (const found of faults) {
      this.options.onFault?.(found, gateway);
      if (found.fault === 'gap') this.options.onMissing?.(found, gateway);
    }
    if (isNew) {
      this.events += 1;
      this.options.onEvent?.(event, gateway);
    } else if (faults.length === 0) {
      this.duplicates += 1;
    }
  }
}

/** A gateway may speak for itself alone, and an alarm has a topic of its own. */
function strangeness(event: EventEnvelope, kind: string, gateway: string): string | undefined {
  if (event.source !== `balise/${gateway}`) return `its source is ${event.source}`;
  return event.kind === kind ? undefined : `an ${event.kind} came on the topic ${kind}`;
}
