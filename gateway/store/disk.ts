import type { Database } from 'better-sqlite3';

/**
 * How far a transaction has gone when it returns. `disk`: past fsync, it survives a power cut. `kernel`: in the write-ahead
 * log, but not forced out; it survives the death of the process, because the kernel has it, and a power cut may undo the
 * last of them, never a part of one.
 */
export type Durability = 'disk' | 'kernel';

/** One database connection whose transactions each say how durable they are. */
export class Disk {
  private current: Durability | undefined;

  constructor(readonly db: Database) {}

  /** Runs `work` as one transaction. Throws what `work` throws, or when the disk cannot take it; then nothing has happened. */
  transact<T>(durability: Durability, work: () => T): T {
    // Inside another transaction the outer one decides; the setting cannot change there (SQLite, PRAGMA synchronous).
    if (this.db.inTransaction) return this.db.transaction(work)();
    if (this.current !== durability) {
      // Never a prepared statement: SQLite obeys this pragma while it compiles it, and a first run of one does nothing.
      this.db.exec(`PRAGMA synchronous = ${durability === 'disk' ? 'FULL' : 'NORMAL'}`);
      this.current = durability;
    }
    return this.db.transaction(work).immediate();
  }
}
