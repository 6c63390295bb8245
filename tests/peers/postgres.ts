import type { Test } from 'tap';
import { PostgresServer } from '../../scripts/bench/postgres-server.js';

export const Postgres = {
  /** A PostgreSQL server of the test's own, from Debian's package; it goes with the test. */
  async start(t: Test): Promise<PostgresServer> {
    const server = await PostgresServer.start();
    t.teardown(() => server.close());
    return server;
  },
};
