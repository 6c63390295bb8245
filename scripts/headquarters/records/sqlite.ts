import Sqlite, { type Database as SqliteHandle } from 'better-sqlite3';
import type { Database, Row, Sql, SqlValue, Table } from './database.js';

/** SQLite: for one headquarters process with a small fleet, and for the demo. Work is done one transaction after the other. */
export class SqliteDatabase implements Database {
  readonly engine = 'sqlite';
  readonly #db: SqliteHandle;
  readonly #statements = new Map<string, Sqlite.Statement>();
  #last: Promise<unknown> = Promise.resolve();

  /** @param file a path, or `:memory:`. Throws when it cannot be opened. */
  constructor(file: string) {
    this.#db = new Sqlite(file, { timeout: 5_000 });
    this.#db.pragma('journal_mode = WAL');
    this.#db.pragma('synchronous = FULL');
  }

  all<T = Row>(text: string, values?: readonly SqlValue[]): Promise<readonly T[]> {
    return this.#inTurn(() => this.#sql.all<T>(text, values));
  }

  run(text: string, values?: readonly SqlValue[]): Promise<number> {
    return this.#inTurn(() => this.#sql.run(text, values));
  }

  insert(table: Table, rows: readonly (readonly SqlValue[])[], conflict: string): Promise<readonly Row[]> {
    return this.transact((sql) => sql.insert(table, rows, conflict));
  }

  transact<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      this.#db.exec('BEGIN IMMEDIATE');
      try {
        const result = await work(this.#sql);
        this.#db.exec('COMMIT');
        return result;
      } catch (fault) {
        if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
        throw fault;
      }
    });
  }

  async close(): Promise<void> {
    await this.#inTurn(async () => this.#db.close());
  }

  /** One connection: whatever is awaited inside a transaction must not let another statement in. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work);
    // Whoever asked hears of a fault; the next in the line does not.
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  readonly #sql: Sql = {
    all: async <T>(text: string, values: readonly SqlValue[] = []) => this.#prepared(text).all(named(values)) as T[],
    run: async (text, values = []) => {
      const statement = this.#prepared(text);
      if (statement.reader) return statement.all(named(values)).length;
      return statement.run(named(values)).changes;
    },
    insert: async (table, rows, conflict) => {
      const names = table.columns.map(([name]) => name);
      const text = `INSERT INTO ${table.name} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})
        ON CONFLICT ${conflict} RETURNING ${table.keys.join(', ')}`;
      const statement = this.#prepared(text);
      return rows.flatMap((row) => statement.all(...row) as Row[]);
    },
  };

  #prepared(text: string): Sqlite.Statement {
    let statement = this.#statements.get(text);
    if (statement === undefined) {
      statement = this.#db.prepare(text.replace(/\$(\d+)/g, '@v$1'));
      this.#statements.set(text, statement);
    }
    return statement;
  }
}

/** A value may stand at several places, as `$1` may in PostgreSQL; better-sqlite3 takes such values by name. */
function named(values: readonly SqlValue[]): Record<string, SqlValue> {
  return Object.fromEntries(values.map((value, index) => [`v${index + 1}`, value]));
}
