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
import { dataFault, messageFault } from './message-check.js';
import { noteAnswer, notePolicy } from './policy-sent.js';
import { watchBroker } from './records/broker-alarm.js';
import type { CheckedEvent } from './records/checked-event.js';
import type { Database } from './records/database.js';
import { type Alarm, raise, type StateSaid } from './records/ingest.js';
import { dropOld } from './records/retention.js';
import { storeAround } from './records/store-around.js';
import { advance, giveUpBelow, type Heard, heard, type Missing, watchSilence } from './records/streams.js';
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
  /** The latest of each topic, however long the database is away. */
  #states = new Map<string, StateSaid>();
  /** Gateways heard since the last sweep, each with its last event as its status says it. */
  #heard = new Map<string, Heard>();
  /** Gateways of which a message was refused in this minute. */
  #refused = { minute: 0, gateways: new Set<string>() };
  /** Since when the broker has been there, or not. */
  #broker = { isUp: false, sinceMs: 0, isTold: false };
  readonly #orders = new Map<string, Waiting>();
  #storing: Promise<void> | undefined;
  #sweep: Timer | undefined;
  #stopped = false;

  constructor(private readonly options: IngesterOptions) {
    const { url, connection, clientId, group } = options;
    this.#broker = { ...this.#broker, sinceMs: options.clock.wall().epochMilliseconds };
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
        if (up !== this.#broker.isUp)
          this.#broker = { isUp: up, sinceMs: options.clock.wall().epochMilliseconds, isTold: false };
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
        this.#orders.set(`${gateway} ${command.id}`, { settle, reject, onAck });
        this.#link.publish(`balise/v1/${gateway}/down/command`, jws, COMMAND_LIFE_S).catch(reject);
      });
    } finally {
      timer?.cancel();
      this.#orders.delete(`${gateway} ${command.id}`);
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
      const event = message as unknown as EventEnvelope;
      const fault = messageFault('event-envelope', message) ?? strangeness(event, topic, gateway);
      if (fault !== undefined) {
        this.#refuse(arrival, fault);
        return;
      }
      this.#hear(gateway, {});
      const inside = dataFault(event);
      const checked = { gateway, event, body: text, ...(inside === undefined ? {} : { dataFault: inside }) };
      this.#events.push({ checked, keep: arrival.keep });
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
      const ack = message as unknown as CommandAck;
      if (ack.gateway === gateway && topic === `ack/${ack.id}`) this.#takeAck(ack);
      else this.#refuse(arrival, `${topic}: it answers as ${ack.gateway} for ${ack.id}`);
      return;
    }
    const said = message.at ?? message.offlineSince ?? message.onlineSince;
    const nowMs = this.options.clock.wall().epochMilliseconds;
    const saidMs = Date.parse(String(said));
    // A last will says no instant of its own: it comes when it is true.
    const atMs = kind === 'presence' ? nowMs : instantOf(saidMs, nowMs, isRetained);
    this.#states.set(`${gateway} ${topic}`, { gateway, topic, atMs, body: text });
    if (isRetained || (kind === 'presence' && message.state === 'offline')) return;
    const { outbox } = message as unknown as Partial<StatusMessage>;
    if (kind !== 'status' || outbox?.last === undefined) this.#hear(gateway, {});
    else this.#hear(gateway, { ...(outbox.depth === 0 ? { last: outbox.last } : {}), end: outbox.last, endMs: saidMs });
  }

  #takeAck(ack: CommandAck): void {
    const { db, log } = this.options;
    // Another process may have stored the end of it already.
    const text =
      "UPDATE ordered SET state = $2, ack = $3 WHERE id = $1 AND gateway = $4 AND (state IS NULL OR $2 <> 'accepted')";
    db.run(text, [ack.id, ack.state, JSON.stringify(ack), ack.gateway]).catch((fault: unknown) =>
      log.error({ event: 'headquarters.ack-not-stored', err: fault }),
    );
    if (ack.id.startsWith('policy-'))
      noteAnswer(db, ack).catch((fault: unknown) => log.error({ event: 'headquarters.ack-not-stored', err: fault }));
    const waiting = this.#orders.get(`${ack.gateway} ${ack.id}`);
    waiting?.onAck?.(ack);
    if (ack.state !== 'accepted') waiting?.settle(ack);
  }

  #hear(gateway: string, { last = 0, ...end }: Partial<Heard>): void {
    const before = this.#heard.get(gateway);
    this.#heard.set(gateway, { ...before, ...end, last: Math.max(before?.last ?? 0, last) });
  }

  /** What cannot be believed is confirmed, or it would come for ever; it is kept as an alarm, and in the log. */
  #refuse(arrival: Arrival, why: string): void {
    const { gateway } = arrival;
    this.options.log.warn({ event: 'headquarters.refused', gateway, topic: arrival.topic, why });
    this.options.onRefused?.(gateway, why);
    arrival.keep();
    this.#alarmRefused(gateway, `A message was not believed: ${why}.`);
  }

  /** One a minute for each gateway, however much of it comes. */
  #alarmRefused(gateway: string, message: string): void {
    const nowMs = this.options.clock.wall().epochMilliseconds;
    const minute = Math.floor(nowMs / 60_000);
    if (this.#refused.minute !== minute) this.#refused = { minute, gateways: new Set() };
    if (this.#refused.gateways.has(gateway)) return;
    this.#refused.gateways.add(gateway);
    const type = 'balise.headquarters.message-refused';
    this.#raise({ id: `${gateway}!refused!${minute}`, gateway, type, atMs: nowMs, message });
  }

  #raise(alarm: Alarm): void {
    raise(this.options.db, [alarm]).catch((fault: unknown) =>
      this.options.log.error({ event: 'headquarters.alarm-not-stored', err: fault }),
    );
  }

  /** One transaction at a time; what arrives meanwhile goes into the next. */
  #store(): void {
    if (this.#storing !== undefined) return;
    this.#storing = this.#storeAll().finally(() => {
      this.#storing = undefined;
      if (!this.#stopped && (this.#events.length > 0 || this.#states.size > 0)) this.#store();
    });
  }

  async #storeAll(): Promise<void> {
    const { db, clock, log, batch = DEFAULT_BATCH } = this.options;
    // Lets the packets that have already arrived join in.
    await new Promise<void>((settle) => setImmediate(settle));
    const events = this.#events.splice(0, batch);
    const states = [...this.#states.values()];
    this.#states = new Map();
    if (events.length === 0 && states.length === 0) return;
    const beganNs = clock.monotonicNs();
    try {
      const checked = events.map((one) => one.checked);
      const stored = await storeAround(db, checked, states, clock.wall().epochMilliseconds, (one) => {
        log.error({ event: 'headquarters.unstorable', ...one });
        this.options.onRefused?.(one.gateway, one.why);
        this.#alarmRefused(one.gateway, `What it sent cannot be stored (${one.what}): ${one.why}.`);
      });
      for (const { keep } of events) keep();
      this.options.onStored?.(stored.fresh, stored.duplicates, Number(clock.monotonicNs() - beganNs) / 1e6);
    } catch (fault) {
      log.error({ event: 'headquarters.not-stored', err: fault });
      this.#events.unshift(...events);
      const later = this.#states;
      this.#states = new Map([...states.map((state) => [`${state.gateway} ${state.topic}`, state] as const), ...later]);
      await new Promise<void>((settle) => clock.after(RETRY_MS, settle));
    }
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
    const { isUp, sinceMs, isTold } = this.#broker;
    const isSure = nowMs - sinceMs >= silentMs;
    // Who has just come to the broker has heard of nobody yet, and who has none says so of itself alone.
    const silent = await watchSilence(db, nowMs, silentMs, isUp && isSure);
    for (const gateway of silent) log.warn({ event: 'headquarters.gateway-silent', gateway });
    if (isTold || (!isUp && !isSure)) return;
    await watchBroker(db, this.options.clientId, isUp ? undefined : sinceMs, nowMs);
    if (this.#broker.sinceMs === sinceMs) this.#broker = { ...this.#broker, isTold: true };
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
      if (ack.state === 'done' && Number.isSafeInteger(oldest) && Number(oldest) > from) {
        await giveUpBelow(db, gateway, Number(oldest), clock.wall().epochMilliseconds);
      }
    } catch (fault) {
      // It is asked for again.
      log.warn({ event: 'headquarters.not-asked', gateway, why: fault instanceof Error ? fault.message : fault });
    }
  }
}

/** A clock may be wrong by less than this and its order is believed, milliseconds. */
const BELIEVED_MS = 120_000;

/**
 * By what a state is ordered. A gateway's own instants tell which of two is the later one, whichever process took it first; but a
 * clock that was ahead, or is behind, must not keep what is true now from being shown.
 */
function instantOf(saidMs: number, nowMs: number, isRetained: boolean): number {
  if (Number.isNaN(saidMs) || saidMs > nowMs) return nowMs;
  return isRetained || nowMs - saidMs < BELIEVED_MS ? saidMs : nowMs;
}

/** A gateway may speak for itself alone, an alarm has a topic of its own, and content is what its hash says. */
function strangeness(event: EventEnvelope, kind: string, gateway: string): string | undefined {
  if (event.source !== `balise/${gateway}`) return `its source is ${event.source}`;
  if (event.kind !== kind) return `an ${event.kind} came on the topic ${kind}`;
  if (Number.isNaN(Date.parse(event.time))) return `its time is ${event.time}`;
  if (hashOf({ ...event }) !== event.hash) return `event ${event.sequence} does not have the hash that it says`;
  return undefined;
}
