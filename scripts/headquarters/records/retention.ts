import type { Database } from './database.js';

/** Rows of one transaction: whoever stores meanwhile does not wait for long. */
const ROWS = 5_000;

/**
 * Drops what is older than `keepMs`. Of events only the beginning of a stream that is whole up to there, and of a gateway whose
 * checkpoints are countersigned nothing after the last of them: what goes is vouched for by both. Returns how many events went.
 */
export async function dropOld(db: Database, nowMs: number, keepMs: number): Promise<number> {
  const before = nowMs - keepMs;
  let events = 0;
  for (let rows = ROWS; rows === ROWS; events += rows) {
    rows = await db.run(
      `DELETE FROM event WHERE (gateway, sequence) IN (
         SELECT event.gateway, event.sequence FROM event JOIN gateway ON gateway.gateway = event.gateway
         WHERE event.at_ms < $1 AND event.sequence < gateway.contiguous AND event.sequence <= coalesce(
           (SELECT max(sequence) FROM checkpoint
            WHERE checkpoint.gateway = event.gateway AND countersigned IS NOT NULL), event.sequence)
         ORDER BY event.at_ms, event.sequence LIMIT ${ROWS})`,
      [before],
    );
  }
  await db.run('DELETE FROM conflict WHERE received_ms < $1', [before]);
  await db.run('DELETE FROM call WHERE ended_ms < $1', [before]);
  await db.run('DELETE FROM alarm WHERE at_ms < $1 AND acked_ms IS NOT NULL', [before]);
  await db.run('DELETE FROM work_outcome WHERE hour_ms < $1', [before]);
  await db.run('DELETE FROM work_score WHERE at_ms < $1', [before]);
  await db.run('DELETE FROM ordered WHERE sent_ms < $1', [before]);
  await db.run('DELETE FROM session WHERE expires_ms < $1', [nowMs]);
  return events;
}
