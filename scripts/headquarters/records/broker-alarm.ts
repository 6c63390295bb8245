import type { Database } from './database.js';
import { raise } from './ingest.js';

/** Where headquarters speaks of itself, in the place of a gateway. */
const SELF = 'headquarters';

/** Alarms once that a headquarters process has been without a broker since `sinceMs`; undefined: it has one again. */
export async function watchBroker(
  db: Database,
  process: string,
  sinceMs: number | undefined,
  nowMs: number,
): Promise<void> {
  const type = 'balise.headquarters.broker-lost';
  if (sinceMs === undefined) {
    const text = `UPDATE alarm SET cleared_ms = $4
      WHERE gateway = $1 AND type = $2 AND message LIKE $3 AND cleared_ms IS NULL`;
    await db.run(text, [SELF, type, `${process} %`, nowMs]);
    return;
  }
  const message = `${process} has had no broker for ${Math.round((nowMs - sinceMs) / 1_000)} s: nothing is heard, and no order goes out.`;
  await raise(db, [{ id: `${SELF}!broker!${process}!${sinceMs}`, gateway: SELF, type, atMs: nowMs, message }]);
}
