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
  /** For tests. */
  readonly syncFile?: SyncFile | undefined;
}

/**
 * SQLite's write-ahead log, and how far it is past fsync. A transaction that has been committed is in the log, whole (SQLite, "WAL
 * mode file format" §4.3), so that an fsync of that file makes it durable; it is done in a thread of its own, and whoever
 * comes meanwhile shares the next one. A call that waits for the disk holds up no other.
 */
export class SyncedLog {
  readonly #file: number;
  readonly #options: SyncedLogOptions;
  readonly #syncFile: SyncFile;
  /** The last event past fsync, and the last one that was written. */
  #through: number;
  #last: number;
  #waiting: Done[] = [];
  #timer: Timer | undefined;
  #isBusy = false;
  #isClosed = false;

  /** `last`: the last event; all that is on disk is past fsync. */
  constructor(db: Database, last: number, options: SyncedLogOptions) {
    // SQLite locks the database and its index, never this file: that another handle to it is closed frees no lock of ours.
    this.#file = openSync(`${db.name}-wal`, 'r');
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

  /** Events up to `last` are in the kernel's hands; they are past fsync within 25 ms. */
  written(last: number): void {
    this.#last = last;
    this.#soon(SYNC_MS);
  }

  /** A transaction that SQLite itself has taken past fsync took all before it along. */
  synced(last: number): void {
    this.#last = last;
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
    if (this.#timer !== undefined || this.#isBusy || this.#through >= this.#last) return;
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
    const waiting = this.#taken();
    if (waiting.length === 0 && last <= this.#through) {
      this.#isBusy = false;
      return;
    }
    this.#syncFile(this.#file, (fault) => {
      this.#isBusy = false;
      if (fault !== null) this.#options.onFault(fault);
      for (const done of waiting) done(fault ?? undefined);
      if (this.#isClosed) closeSync(this.#file);
      else {
        if (fault === null) this.#arrived(last);
        this.#next(fault === null ? SYNC_MS : SYNC_AGAIN_MS);
      }
    });
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
