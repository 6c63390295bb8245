/**
 * Headquarters' receiving side, as one process among any number: takes what gateways report, checks it, stores it once, asks for
 * what is missing, and notices who has gone silent. What it knows is in the database; it can be killed at any moment.
 */
import type { IClientOptions } from 'mqtt';
import type { Logger } from 'pino';
import type { CommandAck, EventEnvelope, StatusMessage } from '../../config/schema/types.generated.js';
import type { Clock, Timer } from '../../gateway/clock/clock.js';
import { bundleAckId } from '../../gateway/policy-bundle/bundle.js';
import { hashOf } from '../../gateway/store/chain.js';
import { type Arrival, IngestLink } from './ingest-link.js';
import { eventFault, messageFault } from './message-check.js';
import { noteAnswer, notePolicy } from './policy-sent.js';
import type { CheckedEvent } from './records/checked-event.js';
import type { Database } from './records/database.js';
import { raise, type StateSaid, storeBatch } from './records/ingest.js';
import { advance, dropOld, giveUpBelow, heard, type Missing, watchSilence } from './records/streams.js';
import { COMMAND_LIFE_S, type CommandOrder, newCommand, type SigningKey, signCommand } from './sign-command.js';

export interface IngesterOptions {
  readonly url: string;
  readonly connection?: Pick<IClientOptions, 'username' | 'password' | 'ca' | 'cert' | 'key'>;
  readonly clientId: string;
  readonly group?: string;
  readonly db: Database;
  readonly clock: Clock;
  /** Signs orders; without it nothing is asked for and nobody is cut. */
  readonly key?: SigningKey;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** A gateway not heard for this long is alarmed, milliseconds. Default 90 s. */
  readonly silentMs?: number;
  /** Events of one transaction at the most. */
  readonly batch?: number;
  /** After each transaction; for metrics, countersigning and tests. */
  readonly onStored?: (fresh: readonly CheckedEvent[], duplicates: number, tookMs: number) => void;
  readonly onRefused?: (gateway: string, why: string) => void;
  readonly onAsked?: (missing: Missing) => void;
}

const SWEEP_MS = 1_000;
const RETRY_MS = 500;
const DEFAULT_BATCH = 2_000;
const SILENT_MS = 90_000;
/** How long an order's end is waited for, milliseconds. */
const ANSWER_MS = 40_000;
const POLICY_ANSWER_MS = 10_000;

interface Waiting {
  readonly settle: (ack: CommandAck) => void;
  readonly reject: (fault: Error) => void;
  readonly onAck: ((ack: CommandAck) => void) | undefined;
}

export class Ingester {
  readonly #link: IngestLink;
  #events: { readonly checked: CheckedEvent; readonly keep: () => void }[] = [];
  #states: StateSaid[] = [];
  /** Gateways heard since the last sweep, each with its last event as its status says it. */
  #heard = new Map<string, { readonly last: number }>();
  readonly #orders = new Map<string, Waiting>();
  #storing: Promise<void> | undefined;
  #sweep: Timer | undefined;
  #stopped = false;

  constructor(private readonly options: IngesterOptions) {
    const { url, connection, clientId, group } = options;
    this.#link = new IngestLink({
      url,
      ...(connection === undefined ? {} : { connection }),
      clientId,
      ...(group === undefined ? {} : { group }),
      onArrival: (arrival) => this.#take(arrival),
      onConnection: (up, detail) => {
        options.log.info({ event: up ? 'headquarters.connected' : 'headquarters.not-connected', detail });
        // What was not confirmed on that connection comes again.
        if (!up) this.#events = [];
      },
    });
  }

  /** Settles when the subscriptions stand. */
  async start(): Promise<void> {
    this.#later();
    await this.#link.start();
  }

  get isShared(): boolean {
    return this.#link.isShared;
  }

  /** Stops taking; what is being stored is stored first. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#sweep?.cancel();
    for (const { reject } of this.#orders.values()) reject(new Error('headquarters is stopping'));
    await this.#link.stop();
    this.#events = [];
    await this.#storing;
  }

  /** Signs and sends an order; settles with its last answer. Rejects without a key, a broker, or an answer in 40 s. */
  async order(gateway: string, order: CommandOrder, onAck?: (ack: CommandAck) => void): Promise<CommandAck> {
    const { key, clock, db } = this.options;
    if (key === undefined) throw new Error('headquarters has no key to sign with');
    const command = newCommand(clock, gateway, order);
    const nowMs = clock.wall().epochMilliseconds;
    await db.run('INSERT INTO ordered (id, gateway, type, by_whom, body, sent_ms) VALUES ($1, $2, $3, $4, $5, $6)', [
      command.id,
      gateway,
      order.type,
      order.by,
      JSON.stringify(command),
      nowMs,
    ]);
    const jws = await signCommand(key, command);
    let timer: Timer | undefined;
    try {
      return await new Promise<CommandAck>((settle, reject) => {
        timer = clock.after(ANSWER_MS, () => reject(new Error('the gateway has not answered')));
        this.#orders.set(command.id, { settle, reject, onAck });
        this.#link.publish(`balise/v1/${gateway}/down/command`, jws, COMMAND_LIFE_S).catch(reject);
      });
    } finally {
      timer?.cancel();
      this.#orders.delete(command.id);
    }
  }

  /**
   * Leaves a signed bundle at the broker for a gateway; settles with the gateway's answer. Rejects without a broker, or an answer
   * in ten seconds: the gateway then takes it when it comes.
   */
  async sendPolicy(
    gateway: string,
    text: string,
    { version, by }: { readonly version: number; readonly by: string },
  ): Promise<CommandAck> {
    const { clock, db } = this.options;
    await notePolicy(db, gateway, text, { version, by, nowMs: clock.wall().epochMilliseconds });
    const waitsFor = `${gateway} ${bundleAckId(text)}`;
    let timer: Timer | undefined;
    try {
      return await new Promise<CommandAck>((settle, reject) => {
        const late = 'there is no answer yet; the bundle stays at the broker, and the gateway takes it when it comes';
        timer = clock.after(POLICY_ANSWER_MS, () => reject(new Error(late)));
        this.#orders.set(waitsFor, { settle, reject, onAck: settle });
        this.#link.retain(`balise/v1/${gateway}/down/policy`, text).catch(reject);
      });
    } finally {
      timer?.cancel();
      this.#orders.delete(waitsFor);
    }
  }

  /** Publishes a batch of contacts, signed. Rejects when the broker is away. */
  sendBatch(gateway: string, jws: string): Promise<void> {
    return this.#link.publish(`balise/v1/${gateway}/down/batch`, jws, COMMAND_LIFE_S);
  }

  /** Drops what is older than `keepMs`. Returns how many events went. */
  retire(keepMs: number): Promise<number> {
    return dropOld(this.options.db, this.options.clock.wall().epochMilliseconds, keepMs);
  }

  #take(arrival: Arrival): void {
    if (this.#stopped) return;
    const { gateway, topic } = arrival;
    const text = arrival.payload.toString('utf8');
    let message: Record<string, unknown>;
    try {
      message = JSON.parse(text) as Record<string, unknown>;
    } catch {
      this.#refuse(arrival, `${topic} is not JSON`);
      return;
    }
    if (topic === 'event' || topic === 'alarm') {
      const fault = eventFault(message) ?? strangeness(message as unknown as EventEnvelope, topic, gateway);
      if (fault !== undefined) {
        this.#refuse(arrival, fault);
        return;
      }
      this.#hear(gateway, 0);
      this.#events.push({
        checked: { gateway, event: message as unknown as EventEnvelope, body: text },
        keep: arrival.keep,
      });
    } else {
      this.#takeState(arrival, message, text);
    }
    this.#store();
  }

  #takeState(arrival: Arrival, message: Record<string, unknown>, text: string): void {
    const { gateway, topic, isRetained } = arrival;
    const [kind = ''] = topic.split('/');
    const fault = messageFault(kind === 'ack' ? 'command-ack' : kind, message);
    if (fault !== undefined) {
      this.#refuse(arrival, `${topic}: ${fault}`);
      return;
    }
    if (kind === 'ack') {
      this.#takeAck(message as unknown as CommandAck);
      return;
    }
    const said = message.at ?? message.offlineSince ?? message.onlineSince;
    const nowMs = this.options.clock.wall().epochMilliseconds;
    // A last will says no instant of its own: it comes when it is true.
    const atMs = kind === 'presence' ? nowMs : Date.parse(String(said));
    this.#states.push({ gateway, topic, atMs, body: text });
    if (isRetained || (kind === 'presence' && message.state === 'offline')) return;
    const { outbox } = message as unknown as Partial<StatusMessage>;
    this.#hear(gateway, kind === 'status' && outbox?.depth === 0 ? (outbox.last ?? 0) : 0);
  }

  #takeAck(ack: CommandAck): void {
    const { db, log } = this.options;
    // Another process may have stored the end of it already.
    const text = "UPDATE ordered SET state = $2, ack = $3 WHERE id = $1 AND (state IS NULL OR $2 <> 'accepted')";
    db.run(text, [ack.id, ack.state, JSON.stringify(ack)]).catch((fault: unknown) =>
      log.error({ event: 'headquarters.ack-not-stored', err: fault }),
    );
    if (ack.id.startsWith('policy-'))
      noteAnswer(db, ack).catch((fault: unknown) => log.error({ event: 'headquarters.ack-not-stored', err: fault }));
    const waiting = this.#orders.get(ack.id) ?? this.#orders.get(`${ack.gateway} ${ack.id}`);
    waiting?.onAck?.(ack);
    if (ack.state !== 'accepted') waiting?.settle(ack);
  }

  #hear(gateway: string, last: number): void {
    const before = this.#heard.get(gateway)?.last ?? 0;
    this.#heard.set(gateway, { last: Math.max(before, last) });
  }

  /** What cannot be believed is confirmed, or it would come for ever; it is kept as an alarm, and in the log. */
  #refuse(arrival: Arrival, why: string): void {
    const { gateway } = arrival;
    this.options.log.warn({ event: 'headquarters.refused', gateway, topic: arrival.topic, why });
    this.options.onRefused?.(gateway, why);
    arrival.keep();
    const nowMs = this.options.clock.wall().epochMilliseconds;
    const alarm = {
      // One a minute for each gateway, however much of it comes.
      id: `${gateway}!refused!${Math.floor(nowMs / 60_000)}`,
      gateway,
      type: 'balise.headquarters.message-refused',
      atMs: nowMs,
      message: `A message was not believed: ${why}.`,
    };
    raise(this.options.db, [alarm]).catch((fault: unknown) =>
      this.options.log.error({ event: 'headquarters.alarm-not-stored', err: fault }),
    );
  }

  /** One transaction at a time; what arrives meanwhile goes into the next. */
  #store(): void {
    if (this.#storing !== undefined) return;
    this.#storing = this.#storeAll().finally(() => {
      this.#storing = undefined;
      if (!this.#stopped && (this.#events.length > 0 || this.#states.length > 0)) this.#store();
    });
  }

  async #storeAll(): Promise<void> {
    const { db, clock, log, batch = DEFAULT_BATCH } = this.options;
    // Lets the packets that have already arrived join in.
    await new Promise<void>((settle) => setImmediate(settle));
    const events = this.#events.splice(0, batch);
    const states = this.#states.splice(0);
    if (events.length === 0 && states.length === 0) return;
    const beganNs = clock.monotonicNs();
    try {
      const checked = events.map((one) => one.checked);
      const stored = await storeBatch(db, checked, states, clock.wall().epochMilliseconds);
      for (const { keep } of events) keep();
      for (const { gateway, event } of stored.forks) await this.#alarmFork(gateway, event);
      this.options.onStored?.(stored.fresh, stored.duplicates, Number(clock.monotonicNs() - beganNs) / 1e6);
    } catch (fault) {
      log.error({ event: 'headquarters.not-stored', err: fault });
      this.#events.unshift(...events);
      this.#states.unshift(...states);
      await new Promise<void>((settle) => clock.after(RETRY_MS, settle));
    }
  }

  async #alarmFork(gateway: string, event: EventEnvelope): Promise<void> {
    await raise(this.options.db, [
      {
        id: `${gateway}!fork!${event.sequence}!${event.hash.slice(0, 16)}`,
        gateway,
        type: 'balise.headquarters.fork',
        atMs: this.options.clock.wall().epochMilliseconds,
        message: `A second, different event came under the number ${event.sequence}: its store was replaced, or somebody speaks in its name.`,
      },
    ]);
  }

  #later(): void {
    this.#sweep = this.options.clock.after(SWEEP_MS, () => {
      this.#sweepOnce()
        .catch((fault: unknown) => this.options.log.error({ event: 'headquarters.sweep-failed', err: fault }))
        .finally(() => {
          if (!this.#stopped) this.#later();
        });
    });
  }

  async #sweepOnce(): Promise<void> {
    const { db, clock, log, silentMs = SILENT_MS } = this.options;
    const nowMs = clock.wall().epochMilliseconds;
    const gateways = this.#heard;
    this.#heard = new Map();
    await heard(db, gateways, nowMs);
    const missing = await advance(db, nowMs);
    for (const gap of missing) void this.#ask(gap);
    const silent = await watchSilence(db, nowMs, silentMs);
    for (const gateway of silent) log.warn({ event: 'headquarters.gateway-silent', gateway });
  }

  async #ask(missing: Missing): Promise<void> {
    const { gateway, from, to } = missing;
    const { key, log, db, clock } = this.options;
    if (key === undefined) return;
    this.options.onAsked?.(missing);
    log.warn({ event: 'headquarters.gap', gateway, from, to });
    try {
      const ack = await this.order(gateway, { type: 'resend', from, to, reason: 'gap', by: 'headquarters' });
      const oldest = (ack.result as { readonly oldest?: unknown } | undefined)?.oldest;
      if (ack.state === 'done' && typeof oldest === 'number' && oldest > from) {
        await giveUpBelow(db, gateway, oldest, clock.wall().epochMilliseconds);
      }
    } catch (fault) {
      // It is asked for again.
      log.warn({ event: 'headquarters.not-asked', gateway, why: fault instanceof Error ? fault.message : fault });
    }
  }
}

/** A gateway may speak for itself alone, an alarm has a topic of its own, and content is what its hash says. */
function strangeness(event: EventEnvelope, kind: string, gateway: string): string | undefined {
  if (event.source !== `balise/${gateway}`) return `its source is ${event.source}`;
  if (event.kind !== kind) return `an ${event.kind} came on the topic ${kind}`;
  if (hashOf({ ...event }) !== event.hash) return `event ${event.sequence} does not have the hash that it says`;
  return undefined;
}
