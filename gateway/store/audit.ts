import { statSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { type ChainEnd, GENESIS } from './chain.js';
import { StoreFault } from './fault.js';
import { SCHEMA_VERSION } from './migrations.js';
import { DATABASE_FILE } from './open.js';
import { PRUNED } from './outbox.js';

/** The audit chain of a data folder, read beside a gateway that may be running: nothing is locked, changed or repaired. */
export class AuditReader {
  readonly #db: Database;

  /** Opens the folder's database for reading. Throws a `StoreFault` when there is none, or it is no store of ours. */
  constructor(readonly folder: string) {
    const file = join(folder, DATABASE_FILE);
    if (statSync(file, { throwIfNoEntry: false }) === undefined) {
      throw new StoreFault('store.unusable', file, 'there is no such file', "name the site's data folder");
    }
    try {
      this.#db = new Sqlite(file, { readonly: true, fileMustExist: true, timeout: 2_000 });
      const version = this.#db.pragma('user_version', { simple: true }) as number;
      if (version === 0 || version > SCHEMA_VERSION) {
        const what = `it is of version ${version}, and this program knows 1 to ${SCHEMA_VERSION}`;
        throw new StoreFault('store.newer', file, what, 'use the program that wrote it');
      }
    } catch (fault) {
      if (fault instanceof StoreFault) throw fault;
      const what = `it cannot be read (${fault instanceof Error ? fault.message : String(fault)})`;
      throw new StoreFault('store.corrupt', file, what, 'verify a copy, or an export that headquarters holds');
    }
  }

  /** The gateway whose chain this is, `<site>/<gateway>`. */
  gateway(): string {
    return this.#db.prepare("SELECT value FROM meta WHERE name = 'gateway'").pluck().get() as string;
  }

  /** What stands before the first event on disk: the beginning of all, or the end of what was pruned. */
  before(): ChainEnd {
    const pruned = this.#db.prepare('SELECT value FROM meta WHERE name = ?').pluck().get(PRUNED) as string | undefined;
    return pruned === undefined ? { sequence: 0, hash: GENESIS } : (JSON.parse(pruned) as ChainEnd);
  }

  /** The events from `from` to `to`, both included, in order: each a CloudEvent as JSON text. */
  bodies(from = 0, to = Number.MAX_SAFE_INTEGER): IterableIterator<string> {
    return this.#db
      .prepare('SELECT body FROM event WHERE sequence BETWEEN ? AND ? ORDER BY sequence')
      .pluck()
      .iterate(from, to) as IterableIterator<string>;
  }

  close(): void {
    this.#db.close();
  }
}
