import { closeSync, fdatasync, openSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import type { Clock, Timer } from '../clock/clock.js';

/** Events that are not past fsync yet wait no longer than this for it, milliseconds: one fsync for all of them. */
const SYNC_MS = 25;
/** After a disk that did not take it, milliseconds. */
const SYNC_AGAIN_MS = 1_000;

type Done = (fault?: Error) => void;

/** Takes a file past fsync and calls back, beside the event loop: `fdatasync` of Node, unless a test has its own. */
export type SyncFile = (file: number, done: (fault: Error | null) => void) => void;

export interface SyncedLogOptions {
  readonly clock: Clock;
  /** Events up to here are past fsync. */
  readonly onSynced: (through: number) => void;
  readonly onFault: (fault: Error) => void;
  /** Brings all that is written to the disk though an fsync has failed, by another way than one more; throws when it cannot. */
  readonly renew: () => void;
  /** All is on the disk again; `why` it was not. */
  readonly onSound: (why: Error) => void;
  /** For tests. */
  readonly syncFile?: SyncFile | undefined;
}

/**
 * SQLite's write-ahead log, and how far it is past fsync. A transaction that has been committed is in the log, whole (SQLite, "WAL
 * mode file format" §4.3), so that an fsync of that file makes it durable; it is done in a thread of its own, and whoever
 * comes meanwhile shares the next one. A call that waits for the disk holds up no other.
 *
 * After an fsync that failed, no later one is believed (see `renewLog`): nothing counts as past fsync until all of it has been
 * renewed. That is tried each second, and whenever somebody waits for the disk.
 */
export class SyncedLog {
  readonly #name: string;
  #file: number;
  readonly #options: SyncedLogOptions;
  readonly #syncFile: SyncFile;
  /** The last event past fsync, and the last one that was written. */
  #through: number;
  #last: number;
  #waiting: Done[] = [];
  #timer: Timer | undefined;
  #isBusy = false;
  #isClosed = false;
  /** Why fsync is not to be believed; undefined: it is. */
  #fault: Error | undefined;

  /** `last`: the last event; all that is on disk is past fsync. */
  constructor(db: Database, last: number, options: SyncedLogOptions) {
    // SQLite locks the database and its index, never this file: that another handle to it is closed frees no lock of ours.
    this.#name = `${db.name}-wal`;
    this.#file = openSync(this.#name, 'r');
    this.#options = options;
    this.#syncFile = options.syncFile ?? fdatasync;
    this.#through = last;
    this.#last = last;
  }

  /** The last event that no power cut can undo. */
  get through(): number {
    return this.#through;
  }

  /** Whether all that this process has written is past fsync. */
  get isSynced(): boolean {
    return this.#through >= this.#last;
  }

  /** Whether what the disk says of an fsync is believed. While it is not, no call is to be taken. */
  get isSound(): boolean {
    return this.#fault === undefined;
  }

  /** The disk did not take a transaction of SQLite's own: what it says from now on is not believed. */
  failed(fault: Error): void {
    this.#fault ??= fault;
    this.#options.onFault(fault);
    this.#soon(SYNC_AGAIN_MS);
  }

  /** An earlier process has left events up to `last`, and the disk had not taken all of them. */
  doubted(last: number): void {
    this.#last = last;
    this.failed(new Error('the disk did not take what an earlier process wrote'));
  }

  /** Sees that all that is written is on the disk, if an fsync has failed. Throws when it is not. */
  mend(): void {
    const fault = this.#fault;
    if (fault === undefined) return;
    const last = this.#last;
    this.#options.renew();
    if (!this.#isBusy) this.#reopen();
    this.#fault = undefined;
    this.synced(last);
    this.#options.onSound(fault);
  }

  /** Events up to `last` are in the kernel's hands; they are past fsync within 25 ms. */
  written(last: number): void {
    this.#last = last;
    this.#soon(SYNC_MS);
  }

  /** A transaction that SQLite itself has taken past fsync took all before it along. */
  synced(last: number): void {
    this.#last = last;
    if (this.#fault !== undefined) return;
    for (const done of this.#taken()) done();
    this.#arrived(last);
  }

  /** What was written last has been taken back: the events end at `last` again. */
  undone(last: number): void {
    this.#last = last;
    this.#through = Math.min(this.#through, last);
    // The last one may be another process's.
    this.#soon(SYNC_MS);
  }

  /** Calls `done` once everything that is written by now is past fsync, or with why it is not. */
  after(done: Done): void {
    this.#waiting.push(done);
    if (this.#isBusy) return;
    this.#isBusy = true;
    // What is written in the same turn of the loop goes along.
    setImmediate(() => this.#sync());
  }

  /** Takes nothing more past fsync. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const done of this.#taken()) done(new Error('the store was closed'));
    if (!this.#isBusy) closeSync(this.#file);
  }

  #soon(ms: number): void {
    if (this.#timer !== undefined || this.#isBusy) return;
    if (this.#through >= this.#last && this.#fault === undefined) return;
    this.#timer = this.#options.clock.after(ms, () => {
      this.#timer = undefined;
      // What is under way, or about to be, looks for the rest at its end.
      if (this.#isBusy) return;
      this.#isBusy = true;
      this.#sync();
    });
  }

  #taken(): readonly Done[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  #sync(): void {
    if (this.#isClosed) {
      closeSync(this.#file);
      return;
    }
    this.#timer?.cancel();
    this.#timer = undefined;
    const last = this.#last;
    if (this.#fault !== undefined) {
      this.#isBusy = false;
      this.#tryToMend();
      return;
    }
    const waiting = this.#taken();
    if (waiting.length === 0 && last <= this.#through) {
      this.#isBusy = false;
      return;
    }
    this.#syncFile(this.#file, (said) => {
      this.#isBusy = false;
      if (said !== null) {
        this.#fault ??= said;
        this.#options.onFault(said);
      }
      // Another fsync may have failed meanwhile, and taken with it what this one says.
      const fault = this.#fault;
      for (const done of waiting) done(fault);
      if (this.#isClosed) closeSync(this.#file);
      else {
        if (fault === undefined) this.#arrived(last);
        this.#next(fault === undefined ? SYNC_MS : SYNC_AGAIN_MS);
      }
    });
  }

  #tryToMend(): void {
    try {
      this.mend();
    } catch (fault) {
      const why = fault instanceof Error ? fault : new Error(String(fault));
      this.#options.onFault(why);
      for (const done of this.#taken()) done(why);
      this.#soon(SYNC_AGAIN_MS);
    }
  }

  /** A descriptor that knows nothing of faults before it. */
  #reopen(): void {
    closeSync(this.#file);
    this.#file = openSync(this.#name, 'r');
  }

  #next(ms: number): void {
    if (this.#isBusy) return;
    if (this.#waiting.length === 0) this.#soon(ms);
    else {
      this.#isBusy = true;
      this.#sync();
    }
  }

  #arrived(last: number): void {
    if (last <= this.#through) return;
    this.#through = last;
    this.#options.onSynced(last);
  }
}
