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
/** Streams looked at in one step. */
const STREAMS = 1_000;

/** Walks every stream as far as it is whole, and returns the gaps that are due to be asked for: each to one caller alone. */
export async function advance(db: Database, nowMs: number): Promise<readonly Missing[]> {
  const missing: Missing[] = [];
  let after = '';
  for (;;) {
    const behind = await db.all<StreamRow>(
      `SELECT gateway, highest, contiguous, contiguous_hash, stuck_ms FROM gateway
       WHERE highest > contiguous AND gateway > $1 ORDER BY gateway LIMIT ${STREAMS}`,
      [after],
    );
    for (const stream of behind) missing.push(...(await advanceOne(db, stream, nowMs)));
    const last = behind.at(-1);
    if (last === undefined || behind.length < STREAMS) return missing;
    after = last.gateway;
  }
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
    // No further than what is known to exist, whatever the gateway says.
    const below = Math.min(oldest, row.highest + 1);
    const [held] = await sql.all<{ count: number }>(
      'SELECT count(*) AS count FROM event WHERE gateway = $1 AND sequence BETWEEN $2 AND $3',
      [gateway, from, below - 1],
    );
    if (held?.count === below - from) return;
    await sql.run('INSERT INTO lost (gateway, first, last, at_ms) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING', [
      gateway,
      from,
      below - 1,
      nowMs,
    ]);
    await sql.run("UPDATE gateway SET contiguous = $2, contiguous_hash = '', stuck_ms = NULL WHERE gateway = $1", [
      gateway,
      below - 1,
    ]);
    await raise(sql, [
      {
        id: `${gateway}!lost!${from}`,
        gateway,
        type: 'balise.headquarters.events-lost',
        atMs: nowMs,
        message: `Events ${from} to ${below - 1} are neither here nor at the gateway any more.`,
      },
    ]);
  });
}

/** What a gateway was heard to say of itself. */
export interface Heard {
  /** Its last event, said with an empty outbox: all up to here should be here. 0: it did not say. */
  readonly last: number;
  /** Its last event, and when it said so, Unix milliseconds by its own clock. */
  readonly end?: number;
  readonly endMs?: number;
}

/** Gateways were heard. One whose store ends before what is here is alarmed. */
export async function heard(db: Database, gateways: ReadonlyMap<string, Heard>, nowMs: number): Promise<void> {
  for (const [gateway, { last, end, endMs }] of [...gateways].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [row] = await db.all<{ highest: number }>(
      `INSERT INTO gateway (gateway, seen_ms, silent, highest, contiguous, contiguous_hash, asked_ms)
       VALUES ($1, $2, 0, $3, 0, '${'0'.repeat(64)}', 0)
       ON CONFLICT (gateway) DO UPDATE SET seen_ms = excluded.seen_ms,
         highest = CASE WHEN excluded.highest > gateway.highest THEN excluded.highest ELSE gateway.highest END
       RETURNING highest`,
      [gateway, nowMs, last],
    );
    if (row !== undefined && end !== undefined && endMs !== undefined && end < row.highest)
      await judgeEnd(db, gateway, end, endMs, row.highest, nowMs);
  }
}

/** By so much a gateway's word must be the later one, milliseconds: events overtake the status that was said before them. */
const LATER_MS = 60_000;

/** A gateway says that it ends at `end`, and more of it is here, written long before it said so: its store was put back, or cut. */
async function judgeEnd(db: Database, gateway: string, end: number, endMs: number, highest: number, nowMs: number) {
  const [next] = await db.all<{ at_ms: number }>('SELECT at_ms FROM event WHERE gateway = $1 AND sequence = $2', [
    gateway,
    end + 1,
  ]);
  if (next === undefined || next.at_ms > endMs - LATER_MS) return;
  const message = `It says that its last event is ${end}, and up to ${highest} are here: its store was replaced by an older one, or cut off.`;
  const type = 'balise.headquarters.store-older';
  await raise(db, [{ id: `${gateway}!older!${highest}`, gateway, type, atMs: nowMs, message }]);
}

/**
 * Raises an alarm for each gateway that has not been heard for `silentMs`, and clears it once it is heard again.
 * @param isSure whoever asks has listened for long enough to tell; else alarms are cleared alone.
 */
export async function watchSilence(
  db: Database,
  nowMs: number,
  silentMs: number,
  isSure = true,
): Promise<readonly string[]> {
  return db.transact(async (sql) => {
    if (!isSure) {
      await back(sql, nowMs, silentMs);
      return [];
    }
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

function brokenLink(gateway: string, sequence: number, nowMs: number): Alarm {
  return {
    id: `${gateway}!link!${sequence}`,
    gateway,
    type: 'balise.headquarters.chain-broken',
    atMs: nowMs,
    message: `Event ${sequence} is not linked to the one before it: the audit chain is broken there.`,
  };
}
