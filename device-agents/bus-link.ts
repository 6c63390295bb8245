import { readFileSync } from 'node:fs';
import mqtt, { type MqttClient } from 'mqtt';
import type { Logger } from 'pino';
import type { AgentClock, AgentTimer } from './clock.js';

export interface BusAccess {
  readonly address: string;
  readonly port: number;
  /** Also the client id: the bus knows an agent by one name only. */
  readonly name: string;
  readonly secret: string;
  /** A PEM file to check the bus's certificate against, over TLS; absent: the bus is in clear. */
  readonly ca?: string;
}

export interface BusLinkOptions {
  readonly bus: BusAccess;
  readonly handsets: readonly string[];
  readonly clock: AgentClock;
  readonly log: Logger;
  /** Subscribed and ready to publish. */
  readonly onUp: () => void;
  /** Contact is lost, however it was lost. Called once for each `onUp`. */
  readonly onDown: (why: string) => void;
  readonly onLease: (handset: string, payload: Buffer) => void;
  /** What a handset's lamp and display are to show; leave it out where there are none. */
  readonly onShow?: (handset: string, payload: Buffer) => void;
}

/**
 * No packet from the bus for this long is loss of contact, milliseconds. Health goes out each second and is
 * acknowledged, so a gateway that is there is heard at least as often.
 */
const SILENCE_MS = 3_000;
const RECONNECT_MS = 250;

/**
 * The agent's connection to the gateway's bus. Nothing is carried over from one connection to the next: what could not
 * be published is dropped, because the agent says everything anew when it is connected again.
 */
export class BusLink {
  readonly #options: BusLinkOptions;
  readonly #client: MqttClient;
  readonly #healthTopic: string;
  #up = false;
  #ending = false;
  #silence: AgentTimer | undefined;

  constructor(options: BusLinkOptions) {
    this.#options = options;
    const { address, port, name, secret, ca } = options.bus;
    this.#healthTopic = `bus/agent/${name}/health`;
    this.#client = mqtt.connect({
      host: address,
      port,
      ...(ca === undefined ? { protocol: 'mqtt' } : { protocol: 'mqtts', ca: readFileSync(ca), minVersion: 'TLSv1.2' }),
      protocolVersion: 4,
      clientId: name,
      username: name,
      password: secret,
      clean: true,
      keepalive: 10,
      reconnectPeriod: RECONNECT_MS,
      // A gateway that does not know us yet may know us later.
      reconnectOnConnackError: true,
      connectTimeout: 3_000,
      resubscribe: false,
      queueQoSZero: false,
      will: { topic: this.#healthTopic, payload: Buffer.from('gone'), qos: 1, retain: true },
    });
    this.#client.on('connect', () => this.#connected());
    this.#client.on('packetreceive', () => this.#heard());
    this.#client.on('close', () => this.#down('the connection to the bus was closed'));
    this.#client.on('error', (error) => options.log.debug({ event: 'bus.error', err: error }));
    this.#client.on('message', (topic, payload) => {
      const [, handset, what] = /^bus\/line\/([^/]+)\/(lease|show)$/.exec(topic) ?? [];
      // What the broker kept for us is of the past.
      if (handset === undefined || !this.#up) return;
      if (what === 'lease') options.onLease(handset, payload);
      else options.onShow?.(handset, payload);
    });
  }

  get isUp(): boolean {
    return this.#up;
  }

  /** Publishes the state of a line, retained; nothing when there is no connection. */
  publishState(handset: string, text: string): void {
    this.#publish(`bus/line/${handset}/state`, text);
  }

  /** Publishes a key that was pressed, never retained: who is not there does not hear of it later. */
  publishKey(handset: string, text: string): void {
    this.#publish(`bus/line/${handset}/key`, text, false);
  }

  publishHealth(text: string): void {
    this.#publish(this.#healthTopic, text);
  }

  /** Says that the agent is gone and closes the connection; settles within `ms`. */
  async close(ms: number): Promise<void> {
    this.#ending = true;
    this.#silence?.cancel();
    await new Promise<void>((resolve) => {
      const late = this.#options.clock.after(ms, () => {
        this.#client.end(true);
        resolve();
      });
      const ended = () => {
        late.cancel();
        resolve();
      };
      if (!this.#client.connected) {
        this.#client.end(true, {}, ended);
        return;
      }
      this.#client.publish(this.#healthTopic, 'gone', { qos: 1, retain: true }, () =>
        this.#client.end(false, {}, ended),
      );
    });
  }

  #publish(topic: string, text: string, retain = true): void {
    if (!this.#up || this.#ending) return;
    this.#client.publish(topic, text, { qos: 1, retain }, (error) => {
      if (error) this.#options.log.debug({ event: 'bus.publish-failed', err: error });
    });
  }

  #connected(): void {
    const { handsets, log, onUp, onShow } = this.#options;
    const ready = () => {
      if (!this.#client.connected || this.#ending) return;
      this.#up = true;
      this.#heard();
      log.info({ event: 'bus.up' });
      onUp();
    };
    if (handsets.length === 0) {
      ready();
      return;
    }
    const kinds = onShow === undefined ? ['lease'] : ['lease', 'show'];
    const topics = handsets.flatMap((handset) => kinds.map((kind) => `bus/line/${handset}/${kind}`));
    this.#client.subscribe(topics, { qos: 0 }, (error, granted) => {
      const refused = granted?.filter(({ qos }) => (qos as number) > 2) ?? [];
      if (!error && refused.length === 0) {
        ready();
        return;
      }
      log.error({ event: 'bus.subscribe-refused', err: error, topics: refused.map(({ topic }) => topic) });
      this.#client.stream.destroy();
    });
  }

  #heard(): void {
    if (!this.#up || this.#ending) return;
    this.#silence?.cancel();
    this.#silence = this.#options.clock.after(SILENCE_MS, () => {
      this.#down(`nothing heard from the bus for ${SILENCE_MS / 1_000} s`);
      // The socket is of no use any more; a new one follows by itself.
      this.#client.stream.destroy();
    });
  }

  #down(why: string): void {
    this.#silence?.cancel();
    if (!this.#up) return;
    this.#up = false;
    this.#options.log.warn({ event: 'bus.down', why });
    this.#options.onDown(why);
  }
}
