/** Which bundle was sent to which gateway, by whom, and what the gateway said. */
import type { CommandAck } from '../../config/schema/types.generated.js';
import { bundleAckId, bundleDigest } from '../../gateway/policy-bundle/bundle.js';
import type { Sql } from './records/database.js';

/** Notes a bundle before it is sent; one that is sent again waits for a new answer. */
export async function notePolicy(
  sql: Sql,
  gateway: string,
  text: string,
  { version, by, nowMs }: { readonly version: number; readonly by: string; readonly nowMs: number },
): Promise<void> {
  await sql.run(
    `INSERT INTO policy_sent (gateway, digest, ack_id, version, body, by_whom, sent_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (gateway, digest) DO UPDATE SET by_whom = excluded.by_whom, sent_ms = excluded.sent_ms`,
    [gateway, bundleDigest(text), bundleAckId(text), version, text, by, nowMs],
  );
}

/** Keeps a gateway's answer to a bundle that was sent from here. */
export async function noteAnswer(sql: Sql, ack: CommandAck): Promise<void> {
  await sql.run('UPDATE policy_sent SET state = $3, ack = $4 WHERE gateway = $1 AND ack_id = $2', [
    ack.gateway,
    ack.id,
    ack.state,
    JSON.stringify(ack),
  ]);
}

/** The newest bundle that a gateway has taken from here; undefined: none. */
export async function newestPolicy(sql: Sql, gateway: string): Promise<string | undefined> {
  const [row] = await sql.all<{ body: string }>(
    "SELECT body FROM policy_sent WHERE gateway = $1 AND state = 'done' ORDER BY version DESC LIMIT 1",
    [gateway],
  );
  return row?.body;
}
