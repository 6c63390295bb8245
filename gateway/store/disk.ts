import type { Database, Transaction } from 'better-sqlite3';

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
    if (this.current !== durability) {
      // Never a prepared statement: SQLite obeys this pragma while it compiles it, and a first run of one does nothing.
      this.db.exec(`PRAGMA synchronous = ${durability === 'disk' ? 'FULL' : 'NORMAL'}`);
      this.current = durability;
    }
    return this.wrapped.immediate(work) as T;
  }
}
