import pg from 'pg';
import type { Database, Row, Sql, SqlValue, Table } from './database.js';

/** int8 as a number: instants in milliseconds and sequence numbers stay far below 2^53. */
const INT8 = 20;
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : (pg.types.getTypeParser(oid, format as 'text') as (text: string) => unknown),
};

/** PostgreSQL, 13 or newer: for fleets, and for several headquarters processes side by side. */
export class PostgresDatabase implements Database {
  readonly engine = 'postgres';
  readonly #pool: pg.Pool;

  /** @param url `postgres://user:password@host:5432/name`, or `postgres:///name?host=/folder/of/the/socket`. */
  constructor(url: string, onFault: (fault: Error) => void) {
    this.#pool = new pg.Pool({ connectionString: url, max: 8, types: types as pg.CustomTypesConfig });
    // A connection that dies while idle: the pool makes another; without a listener it would end the program.
    this.#pool.on('error', onFault);
  }

  all<T = Row>(text: string, values?: readonly SqlValue[]): Promise<readonly T[]> {
    return over(this.#pool).all<T>(text, values);
  }

  run(text: string, values?: readonly SqlValue[]): Promise<number> {
    return over(this.#pool).run(text, values);
  }

  insert(table: Table, rows: readonly (readonly SqlValue[])[], conflict: string): Promise<readonly Row[]> {
    return over(this.#pool).insert(table, rows, conflict);
  }

  async transact<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    try {
      await client.query('BEGIN');
      const result = await work(over(client));
      await client.query('COMMIT');
      return result;
    } catch (fault) {
      await client.query('ROLLBACK').catch((lost: Error) => {
        broken = lost;
      });
      throw fault;
    } finally {
      client.release(broken);
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

function over(client: pg.Pool | pg.PoolClient): Sql {
  return {
    all: async <T>(text: string, values: readonly SqlValue[] = []) =>
      (await client.query(text, [...values])).rows as readonly T[],
    run: async (text, values = []) => (await client.query(text, [...values])).rowCount ?? 0,
    insert: async (table, rows, conflict) => {
      if (rows.length === 0) return [];
      const names = table.columns.map(([name]) => name).join(', ');
      // One array a column: one statement of one shape, however many rows.
      const arrays = table.columns.map(([, type], index) => `$${index + 1}::${type}[]`).join(', ');
      const text = `INSERT INTO ${table.name} (${names}) SELECT * FROM unnest(${arrays})
        ON CONFLICT ${conflict} RETURNING ${table.keys.join(', ')}`;
      const values = table.columns.map((_, index) => rows.map((row) => row[index]));
      return (await client.query({ name: nameOf(text), text, values })).rows as Row[];
    },
  };
}

/** Names under which the server keeps its plan for a statement, one a text. */
const names = new Map<string, string>();

function nameOf(text: string): string {
  const name = names.get(text) ?? `balise-${names.size + 1}`;
  names.set(text, name);
  return name;
}
