import type { Database } from 'better-sqlite3';

/** The newest instant that any row carries; rows carry the maximum so far, so the last ones of each table are enough. */
export function newestOnDisk(db: Database): number | undefined {
  const newest = db
    .prepare(
      `SELECT max(newest_ms) FROM (
         SELECT newest_ms FROM (SELECT newest_ms FROM event ORDER BY sequence DESC LIMIT 1)
         UNION ALL SELECT newest_ms FROM (SELECT newest_ms FROM ledger ORDER BY id DESC LIMIT 1)
         UNION ALL SELECT max(newest_ms) FROM journal)`,
    )
    .pluck()
    .get() as number | null;
  return newest === null || newest === 0 ? undefined : newest;
}
