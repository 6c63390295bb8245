import type { Database, Statement } from 'better-sqlite3';
import type { ContactMark } from '../do-not-call/own-list.js';

/** What numbers have said of being called; rows are never taken off. */
export class Contacts {
  readonly #put: Statement;
  readonly #all: Statement;

  constructor(db: Database) {
    this.#put = db.prepare(
      `INSERT INTO contact (kind, subject, since_ms) VALUES (?, ?, ?)
       ON CONFLICT (kind, subject) DO UPDATE SET since_ms = max(since_ms, excluded.since_ms)`,
    );
    this.#all = db.prepare('SELECT kind, subject, since_ms AS sinceMs FROM contact');
  }

  /** In a transaction of the caller's. */
  add(marks: readonly ContactMark[]): void {
    for (const { kind, subject, sinceMs } of marks) this.#put.run(kind, subject, sinceMs);
  }

  all(): readonly ContactMark[] {
    return this.#all.all() as readonly ContactMark[];
  }
}
