/**
 * What headquarters knows of each gateway's stream: up to where it is whole and linked, what is missing, who has gone silent.
 * All of it is in the database, so that any number of headquarters processes share it and any of them may die.
 */
import type { Database, Sql } from './database.js';
import { type Alarm, raise } from './ingest.js';

export interface Missing {
  readonly gateway: string;
  /** Both ends included. */
  readonly from: number;
  readonly to: number;
}

interface StreamRow {
  readonly gateway: string;
  readonly highest: number;
  readonly contiguous: number;
  readonly contiguous_hash: string;
  readonly stuck_ms: number | null;
}

/** A number that did not come is waited for this long before it is asked for, milliseconds: another process may just store it. */
const PATIENCE_MS = 2_000;
/** The same gateway is asked again no sooner than this, milliseconds. */
const ASK_EVERY_MS = 5_000;
/** The most that is asked for at once, events. */
const MOST_ASKED = 10_000;
/** Gaps with fewer events than this between them are asked for as one. */
const NEAR = 200;
const MOST_RANGES = 20;
/** Events walked in one step. */
const WALK = 2_000;

/** Walks every stream as far as it is whole, and returns the gaps that are due to be asked for: each to one caller alone. */
export async function advance(db: Database, nowMs: number): Promise<readonly Missing[]> {
  const behind = await db.all<StreamRow>(
    `SELECT gateway, highest, contiguous, contiguous_hash, stuck_ms FROM gateway WHERE highest > contiguous
     ORDER BY gateway LIMIT 1000`,
  );
  const missing: Missing[] = [];
  for (const stream of behind) {
    missing.push(...(await advanceOne(db, stream, nowMs)));
  }
  return missing;
}

async function advanceOne(db: Database, stream: StreamRow, nowMs: number): Promise<readonly Missing[]> {
  const { gateway } = stream;
  let { contiguous } = stream;
  let hash = stream.contiguous_hash;
  const broken: Alarm[] = [];
  let isGap = false;
  for (;;) {
    const rows = await db.all<{ sequence: number; hash: string; prevhash: string }>(
      'SELECT sequence, hash, prevhash FROM event WHERE gateway = $1 AND sequence > $2 ORDER BY sequence LIMIT $3',
      [gateway, contiguous, contiguous === stream.contiguous ? 200 : WALK],
    );
    const from = contiguous;
    for (const row of rows) {
      if (row.sequence !== contiguous + 1) {
        isGap = true;
        break;
      }
      // After something that is gone for good nothing is known of the link.
      if (hash !== '' && row.prevhash !== hash) broken.push(brokenLink(gateway, row.sequence, nowMs));
      contiguous = row.sequence;
      hash = row.hash;
    }
    if (isGap || contiguous === from || rows.length < 200) break;
  }
  const isStuck = contiguous < stream.highest;
  const stuckMs = isStuck ? (contiguous > stream.contiguous ? nowMs : (stream.stuck_ms ?? nowMs)) : null;
  if (contiguous > stream.contiguous || stuckMs !== stream.stuck_ms) {
    await db.transact(async (sql) => {
      await raise(sql, broken);
      await sql.run(
        `UPDATE gateway SET contiguous = $2, contiguous_hash = $3, stuck_ms = $4 WHERE gateway = $1 AND contiguous <= $2`,
        [gateway, contiguous, hash, stuckMs],
      );
    });
  }
  if (stuckMs === null || nowMs - stuckMs < PATIENCE_MS) return [];
  // Whoever changes the row is the one who asks.
  const mine = await db.run('UPDATE gateway SET asked_ms = $2 WHERE gateway = $1 AND asked_ms <= $3', [
    gateway,
    nowMs,
    nowMs - ASK_EVERY_MS,
  ]);
  return mine === 1 ? missingAfter(db, gateway, contiguous, stream.highest) : [];
}

/** The ranges that are missing next, small ones that are near each other as one: what we hold already is dropped when it comes. */
async function missingAfter(db: Database, gateway: string, contiguous: number, highest: number): Promise<Missing[]> {
  const end = Math.min(highest, contiguous + MOST_ASKED);
  const rows = await db.all<{ sequence: number }>(
    'SELECT sequence FROM event WHERE gateway = $1 AND sequence > $2 AND sequence <= $3 ORDER BY sequence',
    [gateway, contiguous, end],
  );
  const ranges: { readonly gateway: string; readonly from: number; to: number }[] = [];
  let before = contiguous;
  for (const sequence of [...rows.map((row) => row.sequence), end + 1]) {
    if (sequence > before + 1) {
      const last = ranges.at(-1);
      if (last !== undefined && before + 1 - last.to <= NEAR) last.to = sequence - 1;
      else ranges.push({ gateway, from: before + 1, to: sequence - 1 });
    }
    before = sequence;
  }
  return ranges.slice(0, MOST_RANGES);
}

/** The gateway says that nothing below `oldest` is on its disk any more: what is missing there will never come. */
export async function giveUpBelow(db: Database, gateway: string, oldest: number, nowMs: number): Promise<void> {
  await db.transact(async (sql) => {
    const [row] = await sql.all<StreamRow>('SELECT contiguous, highest FROM gateway WHERE gateway = $1', [gateway]);
    if (row === undefined || row.contiguous >= oldest - 1) return;
    const from = row.contiguous + 1;
    const [held] = await sql.all<{ count: number }>(
      'SELECT count(*) AS count FROM event WHERE gateway = $1 AND sequence BETWEEN $2 AND $3',
      [gateway, from, oldest - 1],
    );
    if (held?.count === oldest - from) return;
    await sql.run('INSERT INTO lost (gateway, first, last, at_ms) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING', [
      gateway,
      from,
      oldest - 1,
      nowMs,
    ]);
    await sql.run("UPDATE gateway SET contiguous = $2, contiguous_hash = '', stuck_ms = NULL WHERE gateway = $1", [
      gateway,
      oldest - 1,
    ]);
    await raise(sql, [
      {
        id: `${gateway}!lost!${from}`,
        gateway,
        type: 'balise.headquarters.events-lost',
        atMs: nowMs,
        message: `Events ${from} to ${oldest - 1} are neither here nor at the gateway any more.`,
      },
    ]);
  });
}

/** Gateways were heard, and say with an empty outbox that `last` is their last event. */
export async function heard(
  db: Database,
  gateways: ReadonlyMap<string, { readonly last: number }>,
  nowMs: number,
): Promise<void> {
  for (const [gateway, { last }] of [...gateways].sort(([a], [b]) => (a < b ? -1 : 1))) {
    await db.run(
      `INSERT INTO gateway (gateway, seen_ms, silent, highest, contiguous, contiguous_hash, asked_ms)
       VALUES ($1, $2, 0, $3, 0, '${'0'.repeat(64)}', 0)
       ON CONFLICT (gateway) DO UPDATE SET seen_ms = excluded.seen_ms,
         highest = CASE WHEN excluded.highest > gateway.highest THEN excluded.highest ELSE gateway.highest END`,
      [gateway, nowMs, last],
    );
  }
}

/** Raises an alarm for each gateway that has not been heard for `silentMs`, and clears it once it is heard again. */
export async function watchSilence(db: Database, nowMs: number, silentMs: number): Promise<readonly string[]> {
  return db.transact(async (sql) => {
    const gone = await sql.all<{ gateway: string; seen_ms: number }>(
      'UPDATE gateway SET silent = 1 WHERE silent = 0 AND seen_ms < $1 RETURNING gateway, seen_ms',
      [nowMs - silentMs],
    );
    await raise(
      sql,
      gone.map(({ gateway, seen_ms }) => ({
        id: `${gateway}!silent!${seen_ms}`,
        gateway,
        type: 'balise.headquarters.gateway-silent',
        atMs: nowMs,
        message: `Nothing has been heard of it for ${Math.round((nowMs - seen_ms) / 1_000)} s.`,
      })),
    );
    await back(sql, nowMs, silentMs);
    return gone.map(({ gateway }) => gateway);
  });
}

async function back(sql: Sql, nowMs: number, silentMs: number): Promise<void> {
  const again = await sql.all<{ gateway: string }>(
    'UPDATE gateway SET silent = 0 WHERE silent = 1 AND seen_ms >= $1 RETURNING gateway',
    [nowMs - silentMs],
  );
  for (const { gateway } of again) {
    await sql.run(
      `UPDATE alarm SET cleared_ms = $2
       WHERE gateway = $1 AND type = 'balise.headquarters.gateway-silent' AND cleared_ms IS NULL`,
      [gateway, nowMs],
    );
  }
}

/** Drops what is older than `keepMs`; only of streams that are whole up to there. Returns how many events went. */
export async function dropOld(db: Database, nowMs: number, keepMs: number): Promise<number> {
  const before = nowMs - keepMs;
  const events = await db.run(
    `DELETE FROM event WHERE at_ms < $1
     AND sequence < (SELECT contiguous FROM gateway WHERE gateway.gateway = event.gateway)`,
    [before],
  );
  await db.run('DELETE FROM call WHERE ended_ms < $1', [before]);
  await db.run('DELETE FROM alarm WHERE at_ms < $1 AND acked_ms IS NOT NULL', [before]);
  await db.run('DELETE FROM work_outcome WHERE hour_ms < $1', [before]);
  await db.run('DELETE FROM work_score WHERE at_ms < $1', [before]);
  await db.run('DELETE FROM ordered WHERE sent_ms < $1', [before]);
  await db.run('DELETE FROM session WHERE expires_ms < $1', [nowMs]);
  return events;
}

function brokenLink(gateway: string, sequence: number, nowMs: number): Alarm {
  return {
    id: `${gateway}!link!${sequence}`,
    gateway,
    type: 'balise.headquarters.chain-broken',
    atMs: nowMs,
    message: `Event ${sequence} is not linked to the one before it: the audit chain is broken there.`,
  };
}
