import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import type { IClientOptions, IClientPublishOptions, IConnackPacket, MqttClient } from 'mqtt';
import type { Logger } from 'pino';
import type { UplinkConfig } from '../../config/schema/types.generated.js';
import type { Clock, Timer } from '../clock/clock.js';
import { reconnectMs } from './back-off.js';
import { Flights } from './flights.js';

/** One connection to the broker, from CONNACK to its loss. */
export interface BrokerSession {
  readonly client: MqttClient;
  readonly protocol: 5 | 4;
  /** Unconfirmed QoS 1 publishes that the broker takes (MQTT 5 §3.2.2.3.3). */
  readonly receiveMaximum: number;
  /** The largest packet that the broker takes, bytes (MQTT 5 §3.2.2.3.6). */
  readonly maximumPacketSize: number;
  /** Publishes with QoS 1 as soon as the broker takes one more; `done` with its confirmation, or with why there is none. */
  publish(topic: string, payload: string, how: IClientPublishOptions, done?: (fault?: Error | null) => void): void;
}

export interface ConnectionOptions {
  readonly config: Pick<UplinkConfig, 'url' | 'username' | 'password' | 'ca' | 'cert' | 'key'>;
  readonly clientId: string;
  /** The last will of the connection that is about to be made. */
  readonly will: () => { readonly topic: string; readonly payload: string };
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly onUp: (session: BrokerSession) => void;
  readonly onDown: () => void;
  readonly onMessage: (topic: string, payload: Buffer) => void;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

const CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_S = 30;
/** A connection that lasted this long was a good one: the next wait is a short one again, nanoseconds. */
const GOOD_NS = 30_000_000_000n;
const MOST_RECEIVED = 65_535;
/** The largest packet that MQTT itself allows (§2.1.4), bytes. */
const LARGEST_PACKET = 268_435_460;

/** The largest packet that is taken from the broker: a policy bundle is far below it, bytes. */
const MOST_TAKEN = 16 * 1_048_576;

/**
 * Keeps one connection to the broker, for ever: a lost one is followed by another, with back-off. Each is a client of its own
 * with nothing carried over, because what must survive a connection is in the outbox and nowhere else.
 * A broker that does not speak MQTT 5 is spoken to in 3.1.1.
 */
export class BrokerConnection {
  private client: MqttClient | undefined;
  private protocol: 5 | 4 = 5;
  private attempt = 0;
  private timer: Timer | undefined;
  private stopped = false;
  /** When the certificate's files were last changed, as the last connection read them. */
  private certified = '';

  constructor(private readonly options: ConnectionOptions) {}

  start(): void {
    this.open();
  }

  /** Drops the connection, if there is one, and makes another after the usual wait. */
  drop(why: string): void {
    this.options.log.warn({ event: 'uplink.dropped', why });
    this.client?.end(true);
  }

  /** Ends for good; `graceMs` is what a DISCONNECT may take. */
  async stop(graceMs: number): Promise<void> {
    this.stopped = true;
    this.timer?.cancel();
    const { client } = this;
    if (client === undefined) return;
    await new Promise<void>((settle) => {
      const late = this.options.clock.after(graceMs, () => {
        client.end(true);
        settle();
      });
      client.end(false, {}, () => {
        late.cancel();
        settle();
      });
    });
  }

  private open(): void {
    const { config, log } = this.options;
    // Loaded with the first connection: no handset waits for it at the start, and a site without headquarters never loads it.
    const { connect } = createRequire(import.meta.url)('mqtt') as typeof import('mqtt');
    let client: MqttClient;
    try {
      client = connect(config.url, this.clientOptions());
    } catch (fault) {
      // A certificate that cannot be read today may be there tomorrow.
      log.error({ event: 'uplink.unusable', err: fault });
      this.again();
      return;
    }
    this.client = client;
    const { protocol } = this;
    let session: BrokerSession | undefined;
    let upNs = 0n;
    let lastError: Error | undefined;
    client.on('connect', (connack: IConnackPacket) => {
      // It was given up while the broker's answer was on its way: the client takes nothing any more, and its end is near.
      if (this.stopped || client.disconnecting || this.client !== client) return;
      upNs = this.options.clock.monotonicNs();
      // An order's answer must not wait for the next packet to fill up (Nagle); the stream is a socket or a TLS socket.
      if (client.stream instanceof Socket) client.stream.setNoDelay(true);
      const { receiveMaximum = MOST_RECEIVED, maximumPacketSize = LARGEST_PACKET } = connack.properties ?? {};
      const flights = new Flights(client, receiveMaximum, maximumPacketSize);
      session = { client, protocol, receiveMaximum, maximumPacketSize, publish: flights.publish };
      log.info({ event: 'uplink.connected', protocol, receiveMaximum: session.receiveMaximum });
      this.options.onUp(session);
    });
    client.on('message', (topic, payload) => this.options.onMessage(topic, payload));
    client.on('error', (fault) => {
      lastError = fault;
    });
    client.once('close', () => {
      client.end(true);
      if (this.client === client) this.client = undefined;
      if (session === undefined) {
        if (mayMeanVersion(lastError)) this.protocol = protocol === 5 ? 4 : 5;
      } else if (this.options.clock.monotonicNs() - upNs > GOOD_NS) {
        this.attempt = 0;
      }
      const event = session === undefined ? 'uplink.not-connected' : 'uplink.lost';
      if (this.stopped) log.info({ event: 'uplink.closed' });
      else log.warn({ event, protocol, why: lastError?.message });
      if (session !== undefined) this.options.onDown();
      this.again();
    });
  }

  /** To be called each minute: a certificate that was replaced is taken up, for the old one may lapse while a connection lasts. */
  lookAtCertificate(): void {
    if (this.client?.connected === true && this.certificateStamp() !== this.certified) {
      this.drop('the certificate was replaced');
    }
  }

  private certificateStamp(): string {
    const { ca, cert, key } = this.options.config;
    const stamps = [ca, cert, key].map((file) =>
      file === undefined ? '' : String(statSync(file, { throwIfNoEntry: false })?.mtimeMs),
    );
    return stamps.join(' ');
  }

  private again(): void {
    if (this.stopped) return;
    const waitMs = reconnectMs(this.attempt, this.options.random());
    this.attempt += 1;
    this.timer = this.options.clock.after(waitMs, () => this.open());
  }

  private clientOptions(): IClientOptions {
    const { config, clientId } = this.options;
    const will = this.options.will();
    this.certified = this.certificateStamp();
    return {
      clientId,
      protocolVersion: this.protocol,
      clean: true,
      reconnectPeriod: 0,
      connectTimeout: CONNECT_TIMEOUT_MS,
      keepalive: KEEPALIVE_S,
      resubscribe: false,
      queueQoSZero: false,
      ...(this.protocol === 5 ? { properties: { maximumPacketSize: MOST_TAKEN } } : {}),
      will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: true },
      ...(config.username === undefined ? {} : { username: config.username }),
      ...(config.password === undefined ? {} : { password: config.password }),
      // Read at each connection, so that a certificate that was replaced is used at the next.
      ...(config.ca === undefined ? {} : { ca: readFileSync(config.ca) }),
      ...(config.cert === undefined ? {} : { cert: readFileSync(config.cert) }),
      ...(config.key === undefined ? {} : { key: readFileSync(config.key) }),
    };
  }
}

/** Refusals that mean the version (MQTT 5 §3.2.2.2, 3.1.1 §3.2.2.3): "unsupported protocol version". */
const VERSION_REFUSED = [0x84, 0x01];

/**
 * Whether a connection that did not come up may have failed by its version: the broker says so, or hangs up without a word. A
 * host that is not there, a certificate, an account or a broker that is busy say nothing of it.
 */
export function mayMeanVersion(fault: Error | undefined): boolean {
  const code: unknown = fault !== undefined && 'code' in fault ? fault.code : undefined;
  if (typeof code === 'number') return VERSION_REFUSED.includes(code);
  return code === undefined || code === 'ECONNRESET';
}
