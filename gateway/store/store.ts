/**
 * The disk, as one SQLite file: the journal of open calls, the ledger of usage, lockdowns, commands seen, and the outbox, which
 * is the audit chain. It promises that what it has returned from is there after the death of the process at any instant, and
 * that a fact and the event that reports it are written together or not at all.
 *
 * How it is tested: tests/store/crash.test.ts kills a writing process again and again, from outside at random and from
 * inside within transactions, and reads what is left.
 */
import type { Database, Statement } from 'better-sqlite3';
import type { Logger } from 'pino';
import { Temporal } from 'temporal-polyfill';
import type { Campaign } from '../../config/schema/types.generated.js';
import type { CallStore, EventDraft } from '../calls/ports.js';
import type { Clock } from '../clock/clock.js';
import type { ContactMark } from '../do-not-call/own-list.js';
import type { PolicyMark } from '../policy-bundle/witness.js';
import type { ChainEnd, ChainReport } from './chain.js';
import { Contacts } from './contacts.js';
import { Disk, type Durability } from './disk.js';
import { diskFaultAlarm } from './fault.js';
import { History } from './history.js';
import { Journal } from './journal.js';
import { Ledger } from './ledger.js';
import { Lockdowns } from './lockdowns.js';
import { newestOnDisk } from './newest.js';
import { OutboxTable, type StoredOutbox } from './outbox.js';
import { Room, type RoomReport } from './room.js';
import { SyncedLog, type SyncFile } from './synced-log.js';
import { type Thinned, Thinning } from './thinning.js';
import { daysOver, UsageDays } from './usage-days.js';
import { Whys } from './whys.js';
import { WorkTables } from './work-tables.js';

export interface StoreOptions {
  /** The site's data folder, absolute. */
  readonly folder: string;
  readonly clock: Clock;
  /** `<site>/<gateway>`. */
  readonly gatewayId: string;
  readonly bootId: string;
  /** The most that the database may hold before new calls are refused, bytes. Default 1 GiB. */
  readonly limitBytes?: number;
  /** How long a confirmed event stays on disk, milliseconds. Default 14 days. */
  readonly keepMs?: number;
  /** How long an ended call stays in the ledger, milliseconds; no less than the longest period of a limit. Default 62 days. */
  readonly keepLedgerMs?: number;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** For tests: what takes the log past fsync. */
  readonly syncFile?: SyncFile;
}

const GIB = 1024 ** 3;
const DAY_MS = 86_400_000;
/** Rows pruned in one transaction: few enough that a call does not wait for it. */
const PRUNE_ROWS = 2_000;

/** The name in `meta` under which the instant of the last checkpoint is kept. */
const CHECKPOINTED = 'checkpointed-ms';
/** The same for the bundle that was taken last. */
const POLICY = 'policy-taken';
/** The same for the last day that was added up. */
const ROLLED_UP = 'rolled-up';

/** What is written beside events; `last` is the sequence of the last of them, where there are any. */
type Fact = (newestMs: number, last: number | undefined) => void;

const NOTHING: Thinned = { drafts: [], written: () => undefined };

/** The open store. Made by `openStore`; each method is one transaction and throws when the disk cannot take it. */
export class Store {
  readonly calls: CallStore;
  readonly outbox: StoredOutbox;
  /** What was, for people to look at. */
  readonly history: History;
  readonly work: WorkTables;
  readonly whys: Whys;
  private readonly disk: Disk;
  private readonly journal: Journal;
  private readonly ledger: Ledger;
  private readonly locks: Lockdowns;
  private readonly contacts: Contacts;
  private readonly days: UsageDays;
  private readonly thinning = new Thinning();
  private readonly events: OutboxTable;
  private readonly room: Room;
  private readonly seeCommand: Statement;
  private readonly forgetCommands: Statement;
  private readonly touch: Statement;
  private readonly getMeta: Statement;
  private readonly putMeta: Statement;
  private readonly listeners = new Set<() => void>();
  private readonly log: SyncedLog;
  private newestMs: number | undefined;
  private depth: number;

  constructor(
    private readonly db: Database,
    private readonly options: StoreOptions,
  ) {
    this.disk = new Disk(db);
    this.journal = new Journal(db);
    this.ledger = new Ledger(db);
    this.locks = new Lockdowns(db);
    this.contacts = new Contacts(db);
    this.days = new UsageDays(db);
    this.events = new OutboxTable(db, options);
    this.history = new History(db);
    this.room = new Room(db, options.folder, options.clock, options.limitBytes ?? GIB);
    this.seeCommand = db.prepare('INSERT OR IGNORE INTO command (id, forget_ms) VALUES (?, ?)');
    this.forgetCommands = db.prepare('DELETE FROM command WHERE forget_ms < ?');
    this.touch = db.prepare("UPDATE meta SET value = value WHERE name = 'gateway'");
    this.getMeta = db.prepare('SELECT value FROM meta WHERE name = ?').pluck();
    this.putMeta = db.prepare('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)');
    this.whys = new Whys(db, this.disk, () => this.room.report().isShort);
    this.newestMs = newestOnDisk(db);
    this.depth = this.events.depth();
    this.calls = this.callStore();
    this.outbox = this.outboxOf();
    this.work = new WorkTables(
      db,
      (events, fact) => this.write('disk', events, fact),
      (fact) => this.write('kernel', [], fact),
    );
    // What an earlier process left may be in the kernel's hands alone.
    this.sync();
    const end = this.events.end().sequence;
    const { isDoubted } = this.disk;
    this.log = new SyncedLog(db, isDoubted ? 0 : end, {
      clock: options.clock,
      onSynced: () => this.tell(),
      onFault: (fault) => this.doubt(fault),
      renew: () => this.disk.renew(),
      onSound: (why) => this.tellOfFault(why),
      syncFile: options.syncFile,
    });
    if (isDoubted) this.log.doubted(end);
  }

  /** Calls `run` after each transaction that added events, and after a resend. Returns what takes it off again. */
  onAppended(run: () => void): () => void {
    this.listeners.add(run);
    return () => this.listeners.delete(run);
  }

  /** Walks the audit chain, whole or from the event `from` on. Reads every event: seconds for a large outbox. */
  verifyChain(from?: number): ChainReport {
    return this.events.verify(from);
  }

  /** The last event: its sequence and hash; sequence 0 before the first. */
  chainEnd(): ChainEnd {
    const { sequence, hash } = this.events.end();
    return { sequence, hash };
  }

  /** When the last checkpoint was made, Unix milliseconds; undefined before the first. */
  checkpointedMs(): number | undefined {
    const kept = this.getMeta.get(CHECKPOINTED) as string | undefined;
    return kept === undefined ? undefined : Number(kept);
  }

  /** Adds a checkpoint to the chain and notes when, as one transaction. */
  appendCheckpoint(draft: EventDraft, wallMs: number): void {
    this.write('disk', [draft], () => this.putMeta.run(CHECKPOINTED, String(wallMs)));
  }

  /** The bundle that was taken last (`PolicyWitness`). */
  policyTaken(): PolicyMark | undefined {
    const kept = this.getMeta.get(POLICY) as string | undefined;
    return kept === undefined ? undefined : (JSON.parse(kept) as PolicyMark);
  }

  /** Notes a bundle as taken, puts its campaigns in force and appends its event, as one transaction (`PolicyWitness`). */
  takePolicy(mark: PolicyMark, event: EventDraft, campaigns: readonly Campaign[]): void {
    this.write('disk', [event], () => {
      this.putMeta.run(POLICY, JSON.stringify(mark));
      this.work.takeCampaigns(campaigns);
    });
  }

  /** What numbers have said of being called (`ContactStore`). */
  contactMarks(): readonly ContactMark[] {
    return this.contacts.all();
  }

  /** Adds to it, with the events that report it, as one transaction (`ContactStore`). */
  addContactMarks(marks: readonly ContactMark[], events: readonly EventDraft[]): void {
    this.write('disk', events, () => this.contacts.add(marks));
  }

  /** No room, too, while the disk has not taken what is written. */
  roomLeft(): RoomReport {
    const room = this.room.report();
    return this.log.isSound ? room : { ...room, hasRoom: false };
  }

  /** Drops what is past its time; when room is short, every confirmed event is. Returns how many events went. */
  prune(): number {
    const wallMs = this.options.clock.wall().epochMilliseconds;
    // A clock that is not believed may be years ahead: nothing is old by it.
    if (!this.options.clock.trust().trusted) return 0;
    const short = this.room.report().isShort;
    const beforeMs = short ? Number.MAX_SAFE_INTEGER : wallMs - (this.options.keepMs ?? 14 * DAY_MS);
    return this.disk.transact('kernel', () => {
      this.forgetCommands.run(wallMs);
      this.locks.prune(wallMs - DAY_MS);
      this.work.prune(wallMs);
      this.ledger.prune(wallMs - (this.options.keepLedgerMs ?? 62 * DAY_MS), PRUNE_ROWS);
      return this.events.prune(beforeMs, PRUNE_ROWS);
    });
  }

  /** When room is short: drops all that headquarters has confirmed, and says how many refusals were counted and not told. */
  makeRoom(): void {
    if (this.room.report().isShort)
      for (let rows = PRUNE_ROWS; rows > 0 && this.room.report().isShort; ) rows = this.prune();
    const told = this.thinning.tick(this.room.report(), this.options.clock.wall());
    if (told.drafts.length > 0) this.writeAs('disk', told, () => undefined);
  }

  /** Adds up the days of a zone that are over, and reports each. A clock that is not believed says nothing of days. */
  rollUp(zone: string): void {
    if (!this.options.clock.trust().trusted) return;
    const nowMs = this.options.clock.wall().epochMilliseconds;
    for (const day of daysOver(this.rolledUp(), zone, nowMs)) {
      this.write('disk', [this.days.event(day)], () => {
        this.days.add(day);
        this.putMeta.run(ROLLED_UP, day.name);
      });
    }
  }

  private rolledUp(): string | undefined {
    return this.getMeta.get(ROLLED_UP) as string | undefined;
  }

  /** Runs many writes as one transaction, all or nothing, past fsync at its end: for imports, never for a call. */
  inOneTransaction(work: () => void): void {
    this.transact('disk', work);
  }

  /** Writes out what the log holds and lets go of the file. Harmless twice. */
  close(): void {
    if (!this.db.open) return;
    try {
      this.log.mend();
      this.sync();
      this.log.synced(this.events.end().sequence);
    } finally {
      this.log.close();
      this.db.close();
    }
  }

  private callStore(): CallStore {
    const { journal, ledger, locks } = this;
    return {
      open: (request, grant) => this.write('kernel', [], (newest) => journal.open(request, grant, newest)),
      saveDialogs: (call, dialogs) => {
        this.write('kernel', [], () => journal.saveDialogs(call, dialogs));
        journal.keep(dialogs);
      },
      commitDeadline: (call, answeredAt, deadline, dialogs, done) => {
        this.write('kernel', [], (newest) => {
          journal.commit(call, answeredAt, deadline, newest);
          journal.saveDialogs(call, dialogs);
        });
        this.log.after(done);
      },
      record: (record, events) => {
        if (ledger.has(record.call)) return;
        // A power cut may undo it for a moment: then the journal still has the call, and it is recorded at the next start.
        // The last of its events is its report; alarms of the call come before it.
        this.write('kernel', events, (newest, event) => ledger.add(record, journal.close(record.call), newest, event));
      },
      openCalls: () => journal.openCalls(),
      used: (subject, sinceMs) => ledger.used(subject, sinceMs),
      callsSince: (subject, sinceMs) => ledger.callsSince(subject, sinceMs),
      lockdowns: () => locks.inForce(this.options.clock.wall().epochMilliseconds),
      setLockdown: (id, lockdown, events) => {
        this.write('disk', events, () => locks.set(id, lockdown));
        locks.reload();
      },
      releaseLockdown: (target, events) => {
        this.write('disk', events, () => locks.release(target));
        locks.reload();
      },
      append: (events) => this.append(events),
      hasRoom: () => this.roomLeft().hasRoom,
      newestInstant: () =>
        this.newestMs === undefined ? undefined : Temporal.Instant.fromEpochMilliseconds(this.newestMs),
    };
  }

  private outboxOf(): StoredOutbox {
    const { events } = this;
    return {
      pending: (after, limit) => {
        // What headquarters has seen must not be undone and its sequence given to another event; `onAppended` tells of the rest.
        const pending = events.pending(after, limit);
        const { through, isSynced } = this.log;
        // Events of another process came with an fsync of its own.
        return isSynced ? pending : pending.filter(({ sequence }) => sequence <= through);
      },
      // Lost in a power cut, a mark makes an event go out twice, which headquarters sees by its sequence.
      acknowledge: (sequences) => {
        const wallMs = this.options.clock.wall().epochMilliseconds;
        this.depth -= this.disk.transact('kernel', () => events.acknowledge(sequences, wallMs));
      },
      resend: (from, to) => {
        const { changed, ...result } = this.disk.transact('kernel', () => events.resend(from, to));
        this.depth += changed;
        this.tell();
        return result;
      },
      append: (drafts) => this.append(drafts),
      depth: () => this.depth,
      last: () => events.end().sequence,
      takeCommand: (id, forgetAt) =>
        this.transact('disk', () => this.seeCommand.run(id, forgetAt.epochMilliseconds).changes === 1),
    };
  }

  private append(drafts: readonly EventDraft[]): void {
    if (drafts.length > 0) this.write('disk', drafts, () => undefined);
  }

  /** One transaction: a fact and the events that report it. */
  private write(durability: Durability, drafts: readonly EventDraft[], fact: Fact): void {
    this.writeAs(durability, this.thinned(drafts), fact);
  }

  private writeAs(durability: Durability, { drafts, written }: Thinned, fact: Fact): void {
    // Before the transaction: whoever hears that trust has changed may append an alarm at once.
    const { trusted } = this.options.clock.trust();
    const wallMs = this.options.clock.wall().epochMilliseconds;
    // Only a clock that is believed moves the newest instant, or one wrong year would make every later one unbelievable.
    const newestMs = trusted ? Math.max(this.newestMs ?? wallMs, wallMs) : (this.newestMs ?? 0);
    const last = this.transact(durability, () => {
      const end = drafts.length === 0 ? undefined : this.events.append(drafts, wallMs, newestMs).sequence;
      fact(newestMs, end);
      return end;
    });
    written();
    if (newestMs > 0) this.newestMs = newestMs;
    this.depth += drafts.length;
    if (durability === 'disk') this.log.synced(last ?? this.events.end().sequence);
    else if (last !== undefined) this.log.written(last);
  }

  private transact<T>(durability: Durability, work: () => T): T {
    // Within another transaction the outer one has seen to it.
    if (durability === 'disk' && !this.db.inTransaction) this.log.mend();
    try {
      return this.disk.transact(durability, work);
    } catch (fault) {
      this.undone();
      if (fault instanceof Error && 'code' in fault && /^SQLITE_IOERR/.test(String(fault.code))) this.log.failed(fault);
      throw fault;
    }
  }

  private doubt(fault: Error): void {
    const { log } = this.options;
    log.error({ event: 'store.sync-failed', err: fault });
    try {
      this.disk.doubt();
    } catch (why) {
      log.error({ event: 'store.doubt-not-noted', err: why });
    }
  }

  private tellOfFault(why: Error): void {
    try {
      this.append([diskFaultAlarm(why)]);
    } catch (fault) {
      this.options.log.error({ event: 'store.alarm-failed', err: fault });
    }
  }

  /** A transaction was taken back, and with it perhaps events that were counted already. */
  private undone(): void {
    this.log.undone(this.events.end().sequence);
  }

  private thinned(drafts: readonly EventDraft[]): Thinned {
    if (drafts.length === 0) return NOTHING;
    return this.thinning.of(drafts, this.room.report(), this.options.clock.wall());
  }

  /** Takes everything that has been written past fsync: SQLite syncs the whole of its log with the next full transaction. */
  private sync(): void {
    this.disk.transact('disk', () => this.touch.run());
  }

  private tell(): void {
    for (const run of this.listeners) run();
  }
}
