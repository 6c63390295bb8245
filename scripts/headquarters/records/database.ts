/**
 * The little of SQL that headquarters needs, over PostgreSQL or SQLite. Statements are written once, with `$1` for values; what
 * the two engines do not share is in `postgres.ts` and `sqlite.ts`.
 */

export type SqlValue = string | number | null;
export type Row = Readonly<Record<string, SqlValue>>;

/** A table as far as bulk inserts need it. */
export interface Table {
  readonly name: string;
  readonly columns: readonly (readonly [name: string, type: 'text' | 'bigint'])[];
  /** The columns of its primary key. */
  readonly keys: readonly string[];
}

export interface Sql {
  all<T = Row>(text: string, values?: readonly SqlValue[]): Promise<readonly T[]>;
  /** Returns how many rows it changed. */
  run(text: string, values?: readonly SqlValue[]): Promise<number>;
  /**
   * Inserts many rows, values in the order of the table's columns, no key twice; `conflict` is what stands after ON CONFLICT.
   * Returns the keys of the rows that were written.
   */
  insert(table: Table, rows: readonly (readonly SqlValue[])[], conflict: string): Promise<readonly Row[]>;
}

export interface Database extends Sql {
  readonly engine: 'postgres' | 'sqlite';
  /** Runs `work` as one durable transaction, all or nothing. */
  transact<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Thrown when the database cannot be opened or is of a newer program; the message says what to do. */
export class DatabaseFault extends Error {
  override readonly name = 'DatabaseFault';
  readonly exitCode = 78;
}
