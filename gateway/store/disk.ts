import { closeSync, existsSync, openSync, rmSync } from 'node:fs';
import type { Database, Transaction } from 'better-sqlite3';
import { renewLog } from './renewed-log.js';

/**
 * How far a transaction has gone when it returns. `disk`: past fsync, it survives a power cut. `kernel`: in the write-ahead
 * log, but not forced out; it survives the death of the process, because the kernel has it, and a power cut may undo the
 * last of them, never a part of one.
 */
export type Durability = 'disk' | 'kernel';

/** One database connection whose transactions each say how durable they are. */
export class Disk {
  private current: Durability | undefined;
  /** Made once: better-sqlite3 makes four functions for each transaction that it wraps. */
  private readonly wrapped: Transaction<(work: () => unknown) => unknown>;

  constructor(readonly db: Database) {
    this.wrapped = db.transaction((work: () => unknown) => work());
  }

  /** Runs `work` as one transaction. Throws what `work` throws, or when the disk cannot take it; then nothing has happened. */
  transact<T>(durability: Durability, work: () => T): T {
    // Inside another transaction the outer one decides; the setting cannot change there (SQLite, PRAGMA synchronous).
    if (this.db.inTransaction) return this.wrapped(work) as T;
    this.set(durability);
    return this.wrapped.immediate(work) as T;
  }

  /** An fsync has failed, and what is written has not been brought to the disk since; by an earlier process, perhaps. */
  get isDoubted(): boolean {
    return existsSync(this.doubts);
  }

  /** Has the next process doubt the disk too, until it is renewed. Throws when the folder cannot be written. */
  doubt(): void {
    if (!this.isDoubted) closeSync(openSync(this.doubts, 'a', 0o600));
  }

  /** Brings all that is committed to the disk though an fsync has failed (`renewLog`). Throws when it cannot. */
  renew(): void {
    this.set('disk');
    renewLog(this.db);
    rmSync(this.doubts, { force: true });
  }

  private get doubts(): string {
    return `${this.db.name}-doubted`;
  }

  private set(durability: Durability): void {
    if (this.current === durability) return;
    // Never a prepared statement: SQLite obeys this pragma while it compiles it, and a first run of one does nothing.
    this.db.exec(`PRAGMA synchronous = ${durability === 'disk' ? 'FULL' : 'NORMAL'}`);
    this.current = durability;
  }
}
