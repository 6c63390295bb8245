import { Temporal } from 'temporal-polyfill';
import type { CallRequest, CallStore, EventDraft, OpenCall } from '../../gateway/calls/ports.js';
import type { CallRecord, LegDialog } from '../../gateway/calls/record.js';
import type { ContactMark, ContactStore } from '../../gateway/do-not-call/own-list.js';
import type { CallId } from '../../gateway/policy/ids.js';
import type { Lockdown, PastCall, Subject, UsageCount } from '../../gateway/policy/request.js';
import type { OutboxCursor, OutboxEntry, OutboxSource } from '../../gateway/uplink/drain.js';
import type { MachineClock } from './machine-clock.js';
import type { Random } from './random.js';

interface Entry {
  readonly request: CallRequest;
  readonly grant: OpenCall['grant'];
  readonly answeredAt?: Temporal.Instant;
  readonly deadline?: OpenCall['deadline'];
  readonly dialogs: ReadonlyMap<string, LegDialog>;
  readonly openedUs: number;
}

interface Used {
  readonly startedMs: number;
  readonly endedMs: number;
  readonly talkMs: number;
  readonly isAnswered: boolean;
}

/** What of the disk the world watches. */
export interface DiskWatcher {
  /** A record and its events are durable. */
  recorded(record: CallRecord, events: readonly EventDraft[]): void;
  appended(): void;
  /** An event is forgotten, because headquarters is said to have it. */
  acknowledged(sequence: number): void;
}

/** Planted faults of the disk: a record and its journal entry are two transactions, or the entry is never closed. */
export type DiskPlant = 'splits-record' | 'keeps-journal';

const DAY_MS = 86_400_000;
/** Nothing is limited by what is older: two months and a little. */
const KEPT_MS = 63 * DAY_MS;
const subjectOf = (target: Lockdown['target']): string => JSON.stringify(target);

/**
 * The disk: what a transaction has returned from survives the death of the process; what it wrote without fsync may be lost,
 * newest first, when the power fails. The semantics are those of gateway/store/ on SQLite with its log in WAL mode.
 */
export class SimStore implements Omit<CallStore, 'commitDeadline'>, OutboxSource, ContactStore {
  isFaulty = false;
  isFull = false;
  plant: DiskPlant | undefined;
  /** Journal entries that a planted fault has left for a second transaction. */
  private leftOpen: CallId[] = [];
  /** The last event's sequence. */
  sequence = 0;
  private readonly journal = new Map<CallId, Entry>();
  private readonly usage = new Map<string, Used[]>();
  private readonly recordedCalls = new Set<CallId>();
  private readonly commands = new Map<string, number>();
  private readonly locks = new Map<string, { readonly lockdown: Lockdown; readonly untilMs: number }>();
  private readonly marks: ContactMark[] = [];
  private outbox = new Map<number, OutboxEntry>();
  private newestMs: number | undefined;
  /** How to take back each write that no fsync has followed yet. */
  private volatile: (() => void)[] = [];

  constructor(
    private readonly clock: MachineClock,
    private readonly nowUs: () => number,
    private readonly watcher: DiskWatcher,
  ) {}

  get depth(): number {
    return this.outbox.size;
  }

  /** Calls that the journal has held open since before `sinceUs`. */
  openSince(sinceUs: number): readonly CallId[] {
    return [...this.journal].filter(([, { openedUs }]) => openedUs < sinceUs).map(([call]) => call);
  }

  entry(call: CallId): Entry | undefined {
    return this.journal.get(call);
  }

  hasRecord(call: CallId): boolean {
    return this.recordedCalls.has(call);
  }

  /** The power fails: some of what was written since the last fsync was never on the disk. */
  losePower(random: Random): void {
    const lost = random.int(0, this.volatile.length);
    for (const undo of this.volatile.slice(this.volatile.length - lost).reverse()) undo();
    this.volatile = [];
  }

  open(request: CallRequest, grant: OpenCall['grant']): void {
    this.write(false);
    const { call } = request;
    this.journal.set(call, { request, grant, dialogs: new Map(), openedUs: this.nowUs() });
    this.volatile.push(() => this.journal.delete(call));
  }

  saveDialogs(call: CallId, dialogs: readonly LegDialog[]): void {
    this.write(false);
    for (const dialog of dialogs) this.putDialog(call, dialog);
  }

  /** Written at once; `synced` is when the caller calls `done`, and what was written by now is durable from then on. */
  commitDeadline(
    call: CallId,
    answeredAt: Temporal.Instant,
    deadline: NonNullable<OpenCall['deadline']>,
    dialogs: readonly LegDialog[],
    synced: (done: () => void) => void,
  ): void {
    const entry = this.journal.get(call);
    if (entry === undefined) throw new Error(`call ${call} is not in the journal`);
    this.write(false);
    this.journal.set(call, { ...entry, answeredAt, deadline });
    this.volatile.push(() => {
      if (this.journal.has(call)) this.journal.set(call, entry);
    });
    for (const dialog of dialogs) this.putDialog(call, dialog);
    const written = new Set(this.volatile);
    synced(() => {
      this.volatile = this.volatile.filter((undo) => !written.has(undo));
    });
  }

  record(record: CallRecord, events: readonly EventDraft[]): void {
    if (this.recordedCalls.has(record.call) && this.plant !== 'splits-record') return;
    this.write(true);
    const entry = this.journal.get(record.call);
    if (this.plant === undefined) this.journal.delete(record.call);
    else if (this.plant === 'splits-record') this.leftOpen.push(record.call);
    this.recordedCalls.add(record.call);
    const dialled = entry !== undefined && (entry.dialogs.size > 0 || record.cause === 'gateway-restarted');
    // A call to the desk is to nobody.
    const isDesk = entry?.request.desk === true;
    if (!isDesk && (record.trunk !== undefined || record.answeredAt !== undefined || dialled))
      this.count(record, entry);
    this.push(events);
    this.watcher.recorded(record, events);
  }

  /** The second transaction of a disk that splits them. */
  closeLeftOpen(): void {
    for (const call of this.leftOpen) this.journal.delete(call);
    this.leftOpen = [];
  }

  /** The process died before it. */
  died(): void {
    this.leftOpen = [];
  }

  openCalls(): readonly OpenCall[] {
    this.read();
    return [...this.journal.values()].map(({ dialogs, ...entry }) => ({ ...entry, dialogs: [...dialogs.values()] }));
  }

  used({ kind, id }: Subject, sinceMs: number): UsageCount {
    this.read();
    const live = [...this.journal.values()].filter(({ request, grant }) =>
      kind === 'number' ? grant.number === id : request[kind] === id && grant.number !== '',
    );
    return this.usageOf(id, sinceMs, live);
  }

  callsSince({ id }: Subject, sinceMs: number): readonly PastCall[] {
    this.read();
    const all = (this.usage.get(id) ?? []).filter(({ startedMs }) => startedMs >= sinceMs);
    return all.map(({ startedMs, talkMs, isAnswered }) => ({ startedMs, talkMs, answered: isAnswered }));
  }

  lockdowns(): readonly Lockdown[] {
    if (this.locks.size === 0) return [];
    const nowMs = this.clock.wallMs();
    return [...this.locks.values()].filter(({ untilMs }) => untilMs > nowMs).map(({ lockdown }) => lockdown);
  }

  setLockdown(id: string, lockdown: Lockdown, events: readonly EventDraft[]): void {
    this.write(true);
    this.locks.set(id, { lockdown, untilMs: lockdown.until?.epochMilliseconds ?? Number.POSITIVE_INFINITY });
    this.push(events);
  }

  releaseLockdown(target: Lockdown['target'], events: readonly EventDraft[]): void {
    this.write(true);
    for (const [id, { lockdown }] of this.locks)
      if (subjectOf(lockdown.target) === subjectOf(target)) this.locks.delete(id);
    this.push(events);
  }

  append(events: readonly EventDraft[]): void {
    this.write(true);
    this.push(events);
  }

  /** Read at the start alone; a start from a disk that cannot be read is that of `openCalls`. */
  contactMarks(): readonly ContactMark[] {
    return this.marks;
  }

  addContactMarks(marks: readonly ContactMark[], events: readonly EventDraft[]): void {
    this.write(true);
    this.marks.push(...marks);
    this.push(events);
  }

  /** A bundle is in force: which one it is, headquarters' side of the world keeps. */
  takePolicy(): void {
    this.write(true);
    this.push([{ kind: 'event', type: 'balise.policy.applied', data: {} }]);
  }

  hasRoom(): boolean {
    return !this.isFull;
  }

  get newestOnDiskMs(): number | undefined {
    return this.newestMs;
  }

  /** Takes a command's id for good; false when it was taken before. */
  takeCommand(id: string, forgetAt: Temporal.Instant): boolean {
    this.write(true);
    if (this.commands.has(id)) return false;
    this.commands.set(id, forgetAt.epochMilliseconds);
    return true;
  }

  newestInstant(): Temporal.Instant | undefined {
    return this.newestMs === undefined ? undefined : Temporal.Instant.fromEpochMilliseconds(this.newestMs);
  }

  pending(after: OutboxCursor, limit: number): readonly OutboxEntry[] {
    this.read();
    const found: Record<OutboxEntry['kind'], OutboxEntry[]> = { alarm: [], event: [] };
    for (const entry of this.outbox.values()) {
      const list = found[entry.kind];
      if (entry.sequence > after[entry.kind] && list.length < limit) list.push(entry);
      if (found.alarm.length + found.event.length >= 2 * limit) break;
    }
    return [...found.alarm, ...found.event].slice(0, limit);
  }

  acknowledge(sequences: readonly number[]): void {
    this.write(false);
    for (const sequence of sequences) {
      const entry = this.outbox.get(sequence);
      if (entry === undefined) continue;
      this.watcher.acknowledged(sequence);
      this.outbox.delete(sequence);
      this.volatile.push(() => {
        this.outbox.set(sequence, entry);
        this.outbox = new Map([...this.outbox].sort(([a], [b]) => a - b));
      });
    }
  }

  private push(events: readonly EventDraft[]): void {
    for (const { kind, type: body } of events) {
      this.sequence += 1;
      this.outbox.set(this.sequence, { sequence: this.sequence, kind, body });
    }
    if (events.length > 0) this.watcher.appended();
  }

  private read(): void {
    if (this.isFaulty) throw new Error('disk I/O error');
  }

  private write(durable: boolean): void {
    if (this.isFaulty) throw new Error('disk I/O error');
    if (this.clock.trust().trusted) {
      const wallMs = this.clock.wallMs();
      this.newestMs = Math.max(this.newestMs ?? wallMs, wallMs);
    }
    if (durable) this.volatile = [];
  }

  private putDialog(call: CallId, dialog: LegDialog): void {
    const entry = this.journal.get(call);
    if (entry === undefined) return;
    this.journal.set(call, { ...entry, dialogs: new Map([...entry.dialogs, [dialog.dialogId, dialog]]) });
    this.volatile.push(() => {
      if (this.journal.has(call)) this.journal.set(call, entry);
    });
  }

  private count(record: CallRecord, entry: Entry | undefined): void {
    const used: Used = {
      startedMs: record.requestedAt.epochMilliseconds,
      endedMs: Math.ceil(Number(record.endedAt.epochNanoseconds) / 1e6),
      talkMs: Math.ceil(record.talkMs),
      isAnswered: record.answeredAt !== undefined,
    };
    const { handset, person, campaign } = record;
    for (const subject of [handset, record.number ?? entry?.grant.number, person, campaign]) {
      if (subject === undefined) continue;
      const list = this.usage.get(subject) ?? [];
      const [oldest] = list;
      if (oldest !== undefined && oldest.startedMs < used.startedMs - KEPT_MS) list.shift();
      list.push(used);
      this.usage.set(subject, list);
    }
  }

  private usageOf(subject: string, sinceMs: number, live: readonly Entry[]): UsageCount {
    let [attempts, calls, talkMs, lastMs] = [0, 0, 0, 0];
    for (const one of this.usage.get(subject) ?? []) {
      lastMs = Math.max(lastMs, one.endedMs);
      if (one.startedMs < sinceMs) continue;
      attempts += 1;
      calls += one.isAnswered ? 1 : 0;
      talkMs += one.talkMs;
    }
    const leases = live.reduce((sum, { grant, deadline, answeredAt }) => {
      if (deadline === undefined || answeredAt === undefined) return sum + grant.maxTalkMs;
      return sum + deadline.wall.epochMilliseconds - answeredAt.epochMilliseconds;
    }, 0);
    return {
      attempts: attempts + live.length,
      calls: calls + live.length,
      talkMs: talkMs + leases,
      ...(lastMs === 0 ? {} : { lastEndedAt: Temporal.Instant.fromEpochMilliseconds(lastMs) }),
      live: live.length,
      liveTalkMs: leases,
    };
  }
}
