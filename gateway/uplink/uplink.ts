/**
 * The way to headquarters: events up from the outbox, states up as retained topics, signed commands down. Calls never wait
 * for it; with no broker everything goes on, and the outbox grows until `store.full` says otherwise.
 */
import type { ISubscriptionGrant } from 'mqtt';
import type { Logger } from 'pino';
import type {
  Command,
  CommandAck,
  HandsetMessage,
  LineMessage,
  PresenceMessage,
  StatusMessage,
  UplinkConfig,
} from '../../config/schema/types.generated.js';
import type { CallObserver } from '../calls/ports.js';
import type { Clock, Timer } from '../clock/clock.js';
import { type BoardId, type HandsetId, handsetId } from '../policy/ids.js';
import { bundleAckId } from '../policy-bundle/bundle.js';
import type { BundleAnswer } from '../policy-bundle/inbox.js';
import { COUNTERSIGNED } from './checkpoint.js';
import { CommandDesk, type CommandResult, type CommandStore, type HouseCommand } from './command-desk.js';
import { BrokerConnection, type BrokerSession } from './connection.js';
import { OutboxDrain, type OutboxEntry, type OutboxSource } from './drain.js';
import { packetBytes } from './flights.js';
import { HandsetStates, type WorkState } from './handset-states.js';
import { Lane } from './lane.js';
import { type Topics, topicsOf } from './topics.js';

/** What the uplink needs of the disk; `Store.outbox` is one. */
export interface UplinkStore extends OutboxSource, CommandStore {
  /** `oldest`: the first event that is still on disk. */
  resend(from: number, to: number): { readonly resent: number; readonly missing: number; readonly oldest: number };
  /** Events not yet confirmed. */
  depth(): number;
  /** The sequence of the last event; 0 before the first. */
  last(): number;
}

/** What became of a batch of contacts, to be said on `ack/<batch>`. */
export type BatchAnswer = Omit<CommandAck, 'gateway' | 'at'>;

/** What `main.ts` knows of the gateway's state; the uplink adds the rest. */
export type StatusFacts = Omit<StatusMessage, 'at' | 'version' | 'bootid' | 'outbox' | 'tzdata'>;

export interface UplinkOptions {
  /** uplink.json; `ca`, `cert` and `key` as paths that can be opened. */
  readonly config: UplinkConfig;
  /** `<site>/<gateway>`. */
  readonly gatewayId: string;
  /** The program's version. */
  readonly version: string;
  readonly bootId: string;
  readonly clock: Clock;
  readonly store: UplinkStore;
  /** Read for each status report; must be cheap. */
  readonly status: () => StatusFacts;
  /** Cutoffs and releases. Settles when every plane has confirmed or is given up on. */
  readonly onCommand: (command: HouseCommand) => Promise<CommandResult>;
  /** A signed policy bundle, as it came; the same comes again with each connection. Never rejects. */
  readonly onPolicy?: (text: string) => Promise<BundleAnswer>;
  /** A batch of contacts, as it came; undefined: there is nothing to answer. Never rejects. */
  readonly onBatch?: (payload: Uint8Array) => Promise<BatchAnswer | undefined>;
  /** The site's handsets, each with its wing: each is reported from the start on. */
  readonly handsets?: readonly { readonly id: HandsetId; readonly wing: string }[];
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** For tests. In [0, 1). */
  readonly random?: () => number;
}

/** Entries of the outbox in flight (budgets.md); fewer where the broker takes fewer. */
const WINDOW = 100;
/** Retained topics in flight beside them, and acknowledgements as many. */
const LANE = 8;
/** With entries in flight and none confirmed for this long, the connection is given up, milliseconds. */
const STALL_MS = 30_000;
/** After a fault of the disk the drain tries again, milliseconds. */
const RETRY_MS = 1_000;
const FAREWELL_MS = 1_000;
/** An answer that nobody fetched for an hour is for nobody, seconds (MQTT 5 §3.3.2.3.3). */
const ACK_EXPIRY_S = 3_600;

export class Uplink {
  private readonly topics: Topics;
  private readonly drain: OutboxDrain;
  private readonly lane = new Lane();
  private readonly desk: CommandDesk;
  private readonly connection: BrokerConnection;
  private readonly handsets: HandsetStates;
  private wings: ReadonlyMap<HandsetId, string>;
  private readonly lines = new Map<BoardId, Omit<LineMessage, 'at'>>();
  private session: BrokerSession | undefined;
  private onlineSince = '';
  private statusTimer: Timer | undefined;
  private stallTimer: Timer | undefined;
  private retryTimer: Timer | undefined;
  private lastConfirmedNs = 0n;
  private readonly tooLarge = new Set<number>();

  constructor(private readonly options: UplinkOptions) {
    const { clock, config, gatewayId, log, store } = options;
    this.topics = topicsOf(gatewayId);
    this.handsets = new HandsetStates(clock, (handset, message) => this.handset(handset, message));
    this.wings = new Map((options.handsets ?? []).map(({ id, wing }) => [id, wing]));
    this.drain = new OutboxDrain({
      outbox: store,
      publish: (entry) => this.publishEntry(entry),
      later: setImmediate,
      onFault: (fault) => this.diskFault(fault),
    });
    this.desk = new CommandDesk({
      keys: config.commandKeys,
      gatewayId,
      clock,
      store,
      log,
      acknowledge: (ack) => this.acknowledge(ack),
      onCommand: (command) => this.perform(command),
    });
    this.connection = new BrokerConnection({
      config,
      clientId: `balise-${gatewayId.replace('/', '-')}`,
      will: () => this.will(),
      clock,
      random: options.random ?? Math.random,
      onUp: (session) => this.up(session),
      onDown: () => this.down(),
      onMessage: (topic, payload) => {
        if (topic === this.topics.command) void this.desk.take(payload);
        else if (topic === this.topics.policy) void this.takePolicy(payload);
        else if (topic === this.topics.batch) void this.takeBatch(payload);
      },
      log,
    });
  }

  /** Begins to connect, and goes on trying for ever. Returns at once. */
  start(): void {
    for (const handset of this.wings.keys()) this.handsets.announce(handset);
    this.reportStatus();
    this.connection.start();
  }

  /** Says goodbye (presence offline) and disconnects; a second at the most. What is unsent stays in the outbox. */
  async stop(): Promise<void> {
    for (const timer of [this.statusTimer, this.stallTimer, this.retryTimer]) timer?.cancel();
    this.drain.pause();
    this.handsets.tell();
    const { session } = this;
    if (session !== undefined) {
      const presence: PresenceMessage = { ...this.presence('offline'), offlineSince: this.now() };
      session.publish(this.topics.presence, JSON.stringify(presence), { retain: true });
    }
    await this.connection.stop(FAREWELL_MS);
    this.down();
  }

  /** Drops the connection and makes another, after the usual wait. */
  reconnect(why: string): void {
    this.connection.drop(why);
  }

  /** Takes up a certificate that was replaced; to be called each minute. */
  lookAtCertificate(): void {
    this.connection.lookAtCertificate();
  }

  /** The outbox has something new. */
  wake(): void {
    this.drain.wake();
  }

  get connected(): boolean {
    return this.session !== undefined;
  }

  /** To be given to `calls`: keeps `handset/<id>` by what the calls do. */
  get observer(): CallObserver {
    return this.handsets.observer;
  }

  /** The site's handsets have changed: new ones are reported from now on. */
  handsetsChanged(handsets: readonly { readonly id: HandsetId; readonly wing: string }[]): void {
    this.wings = new Map(handsets.map(({ id, wing }) => [id, wing]));
    for (const handset of this.wings.keys()) this.handsets.announce(handset);
  }

  /** What the wire says of a handset. */
  hook(handset: HandsetId, hook: 'on' | 'off' | 'unknown'): void {
    this.handsets.hook(handset, hook);
  }

  /** What somebody who is signed on at a handset does there; undefined: nobody is any more. */
  work(handset: HandsetId, work: WorkState | undefined): void {
    this.handsets.work(handset, work);
  }

  /** What a board says. The same again is not sent again. */
  line(board: BoardId, state: LineMessage['state'], detail?: string): void {
    const said = { state, ...(detail === undefined ? {} : { detail }) };
    const before = this.lines.get(board);
    if (before?.state === state && before.detail === detail) return;
    this.lines.set(board, said);
    const message: LineMessage = { at: this.now(), ...said };
    this.lane.state(this.topics.line(board), JSON.stringify(message));
  }

  /** Something in the status has changed: reports it now and not at the next interval. */
  reportStatus(): void {
    this.statusTimer?.cancel();
    this.statusTimer = this.options.clock.after(this.options.config.statusS * 1_000, () => this.reportStatus());
    const { version, bootId, store, status } = this.options;
    const message: StatusMessage = {
      ...status(),
      at: this.now(),
      version,
      bootid: bootId,
      outbox: { depth: store.depth(), last: store.last() },
      tzdata: process.versions.tz ?? 'unknown',
    };
    this.lane.state(this.topics.status, JSON.stringify(message));
  }

  /** Answers a bundle on `ack/policy-…`, now or after it had to wait. */
  answerPolicy(text: string, answer: BundleAnswer): void {
    const { state } = answer;
    this.acknowledge({
      id: bundleAckId(text),
      gateway: this.options.gatewayId,
      state,
      at: this.now(),
      ...(answer.state === 'done'
        ? { result: { version: answer.version, widens: answer.widens.length, wasInForce: answer.wasInForce } }
        : { ...('why' in answer ? { why: answer.why } : {}), detail: answer.detail }),
    });
  }

  private async takePolicy(payload: Buffer): Promise<void> {
    const { onPolicy } = this.options;
    // Empty: headquarters has taken the retained bundle back. What is in force stays so.
    if (payload.length === 0 || onPolicy === undefined) return;
    const text = payload.toString('utf8');
    this.answerPolicy(text, await onPolicy(text));
    this.reportStatus();
  }

  private async takeBatch(payload: Buffer): Promise<void> {
    const answer = await this.options.onBatch?.(payload);
    if (answer === undefined) return;
    this.acknowledge({ ...answer, gateway: this.options.gatewayId, at: this.now() });
  }

  private handset(handset: HandsetId, message: HandsetMessage): void {
    const wing = this.wings.get(handset);
    const said: HandsetMessage = { ...message, ...(wing === undefined ? {} : { wing }) };
    this.lane.state(this.topics.handset(handsetId(handset)), JSON.stringify(said));
  }

  private up(session: BrokerSession): void {
    this.session = session;
    session.client.subscribe(
      [this.topics.command, this.topics.policy, this.topics.batch],
      { qos: 1 },
      (fault, granted) => {
        if (this.session === session) this.subscribed(session, fault, granted);
      },
    );
    const lane = Math.max(1, Math.min(LANE, Math.floor(session.receiveMaximum / 10)));
    this.lane.up(lane, (message, done) => {
      const expiry =
        session.protocol === 5 && !message.retain ? { properties: { messageExpiryInterval: ACK_EXPIRY_S } } : {};
      session.publish(message.topic, message.payload, { retain: message.retain, ...expiry }, (fault) => {
        if (fault && this.session === session) {
          this.options.log.warn({ event: 'uplink.refused', topic: message.topic, why: fault.message });
        }
        done();
      });
    });
    this.reportStatus();
    // Beside the window: the lane's two kinds, and the presence.
    this.drain.up(Math.max(1, Math.min(WINDOW, session.receiveMaximum - 2 * lane - 1)));
    this.lastConfirmedNs = this.options.clock.monotonicNs();
    this.watchForStall();
  }

  private down(): void {
    this.session = undefined;
    this.stallTimer?.cancel();
    this.lane.down();
    this.drain.down();
  }

  private publishEntry(entry: OutboxEntry): void {
    const { session } = this;
    if (session === undefined) return;
    const topic = entry.kind === 'alarm' ? this.topics.alarm : this.topics.event;
    const bytes = packetBytes(topic, entry.body);
    if (bytes > session.maximumPacketSize) {
      const { maximumPacketSize } = session;
      this.options.log.error({ event: 'uplink.too-large', sequence: entry.sequence, bytes, maximumPacketSize });
      setImmediate(() => {
        this.drain.passOver(entry.sequence);
        this.tellOfTooLarge(entry, bytes, maximumPacketSize);
      });
      return;
    }
    session.publish(topic, entry.body, {}, (fault) => {
      if (this.session !== session) return;
      if (fault) {
        // Refused by the broker (MQTT 5 §3.4.2.1). Going on would break the order, so it is tried again from here.
        this.connection.drop(`event ${entry.sequence} was refused: ${fault.message}`);
        return;
      }
      this.lastConfirmedNs = this.options.clock.monotonicNs();
      this.drain.confirmed(entry.sequence);
    });
  }

  /** The broker would hang up, again and again. Headquarters hears why it misses one: once, and never of an alarm, too large itself. */
  private tellOfTooLarge({ sequence, kind }: OutboxEntry, bytes: number, most: number): void {
    if (kind === 'alarm' || this.tooLarge.has(sequence)) return;
    this.tooLarge.add(sequence);
    const message = `Event ${sequence} has ${bytes} bytes, and the broker takes ${most}: it stays at the gateway.`;
    const data = { why: 'uplink.too-large', message, sequence };
    try {
      this.options.store.append([{ kind: 'alarm', type: 'balise.alarm.uplink.too-large', data }]);
    } catch (fault) {
      this.diskFault(fault);
    }
  }

  private subscribed(session: BrokerSession, fault: Error | null, granted?: readonly ISubscriptionGrant[]): void {
    this.desk.warm();
    // Not before: whoever reads that we are on line may send an order at once.
    const presence = JSON.stringify(this.presence('online'));
    session.publish(this.topics.presence, presence, { retain: true });
    const refused = granted?.some(({ qos }) => (qos as number) >= 128) ?? false;
    if (fault === null && !refused) return;
    // Events must go on; that no order can come is for headquarters' broker to mend.
    this.options.log.error({
      event: 'uplink.no-commands',
      why: fault?.message ?? 'the broker refused the subscription',
    });
  }

  private watchForStall(): void {
    this.stallTimer = this.options.clock.after(STALL_MS / 2, () => {
      const quietMs = Number(this.options.clock.monotonicNs() - this.lastConfirmedNs) / 1e6;
      if (this.drain.flying === 0) this.lastConfirmedNs = this.options.clock.monotonicNs();
      else if (quietMs > STALL_MS) return this.connection.drop('no confirmation for too long');
      this.watchForStall();
    });
  }

  private diskFault(fault: unknown): void {
    this.options.log.error({ event: 'uplink.outbox-fault', err: fault });
    this.retryTimer?.cancel();
    this.retryTimer = this.options.clock.after(RETRY_MS, () => this.drain.wake());
  }

  private async perform(command: Command): Promise<CommandResult> {
    switch (command.type) {
      case 'ping':
        return { outcome: 'done' };
      case 'snapshot':
        this.reportStatus();
        this.lane.all();
        return { outcome: 'done' };
      case 'resend': {
        const result = this.options.store.resend(command.from, command.to);
        this.drain.rewind();
        return { outcome: 'done', result };
      }
      case 'countersign': {
        const { sequence, jws, by } = command;
        this.options.store.append([{ kind: 'event', type: COUNTERSIGNED, data: { sequence, jws, by } }]);
        return { outcome: 'done' };
      }
      default:
        return this.options.onCommand(command);
    }
  }

  private acknowledge(ack: CommandAck): void {
    this.lane.ack(this.topics.ack(ack.id), JSON.stringify(ack));
  }

  private will(): { readonly topic: string; readonly payload: string } {
    this.onlineSince = this.now();
    return { topic: this.topics.presence, payload: JSON.stringify(this.presence('offline')) };
  }

  private presence(state: PresenceMessage['state']): PresenceMessage {
    return { state, version: this.options.version, bootid: this.options.bootId, onlineSince: this.onlineSince };
  }

  private now(): string {
    return this.options.clock.wall().toString();
  }
}
