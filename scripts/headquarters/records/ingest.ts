import type { CallEndedData } from '../../../config/schema/types.generated.js';
import { GENESIS } from '../../../gateway/store/chain.js';
import type { CheckedEvent } from './checked-event.js';
import type { Database, Row, Sql, SqlValue } from './database.js';
import { ALARM, CALL, CONFLICT, EVENT, GATEWAY, STATE } from './schema.js';
import { countResults } from './work-results.js';

/** The latest of a retained topic. */
export interface StateSaid {
  readonly gateway: string;
  readonly topic: string;
  readonly atMs: number;
  readonly body: string;
}

/** An alarm; of a gateway, or of headquarters about one. The same id again is the same alarm. */
export interface Alarm {
  readonly id: string;
  readonly gateway: string;
  readonly type: string;
  readonly atMs: number;
  readonly message: string;
  readonly handset?: string;
}

export interface Stored {
  /** Those that were not there before. */
  readonly fresh: readonly CheckedEvent[];
  readonly duplicates: number;
  /** Another event stands under the same number: these were kept apart. */
  readonly forks: readonly CheckedEvent[];
}

const keyOf = (gateway: SqlValue | undefined, sequence: SqlValue | undefined) => `${gateway}#${sequence}`;

/**
 * Stores events, states and what follows from them as one transaction. What it returns from is durable, each event is there
 * once however often it comes, and its call and its alarm are there exactly when it is.
 */
export function storeBatch(
  db: Database,
  events: readonly CheckedEvent[],
  states: readonly StateSaid[],
  nowMs: number,
): Promise<Stored> {
  const first = new Map<string, CheckedEvent>();
  for (const one of events) {
    const key = keyOf(one.gateway, one.event.sequence);
    if (!first.has(key)) first.set(key, one);
  }
  // One order for everybody: two that write the same rows wait for each other, and never in a ring.
  const distinct = [...first].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  return db.transact(async (sql) => {
    const written = await sql.insert(
      EVENT,
      distinct.map((one) => eventRow(one, nowMs)),
      '(gateway, sequence) DO NOTHING',
    );
    const isWritten = new Set(written.map((row) => keyOf(row.gateway, row.sequence)));
    const fresh = distinct.filter(({ gateway, event }) => isWritten.has(keyOf(gateway, event.sequence)));
    const isFresh = new Set(fresh);
    const again = events.filter((one) => !isFresh.has(one));
    const forks = again.length === 0 ? [] : await forksAmong(sql, again);
    await keepConflicts(sql, forks, nowMs);
    await sql.insert(CALL, fresh.flatMap(callRow), '(gateway, call) DO NOTHING');
    await countResults(sql, fresh);
    await raise(sql, [
      ...fresh.flatMap(alarmOf),
      ...fresh.flatMap((one) => unreadOf(one, nowMs)),
      ...forkAlarms(forks, nowMs),
    ]);
    await noteGateways(sql, distinct, nowMs);
    await sql.insert(
      STATE,
      latest(states).map(({ gateway, topic, atMs, body }) => [gateway, topic, atMs, body]),
      '(gateway, topic) DO UPDATE SET at_ms = excluded.at_ms, body = excluded.body WHERE excluded.at_ms >= state.at_ms',
    );
    return { fresh, duplicates: events.length - fresh.length - forks.length, forks };
  });
}

/** Writes alarms down; one that is there already stays as it is. Returns the ids of the new ones. */
export async function raise(sql: Sql, alarms: readonly Alarm[]): Promise<readonly string[]> {
  const rows = [...new Map(alarms.map((alarm) => [alarm.id, alarm])).values()].map(
    ({ id, gateway, type, atMs, message, handset }) => [id, gateway, type, atMs, message, handset ?? null],
  );
  return (await sql.insert(ALARM, rows, '(id) DO NOTHING')).map((row: Row) => String(row.id));
}

async function forksAmong(sql: Sql, again: readonly CheckedEvent[]): Promise<CheckedEvent[]> {
  const forks: CheckedEvent[] = [];
  for (const one of again) {
    const [held] = await sql.all<{ hash: string }>('SELECT hash FROM event WHERE gateway = $1 AND sequence = $2', [
      one.gateway,
      one.event.sequence,
    ]);
    if (held !== undefined && held.hash !== one.event.hash) forks.push(one);
  }
  return forks;
}

async function keepConflicts(sql: Sql, forks: readonly CheckedEvent[], nowMs: number): Promise<void> {
  const rows = forks.map(({ gateway, event, body }) => [gateway, event.sequence, event.hash, nowMs, body]);
  const once = new Map(rows.map((row) => [row.slice(0, 3).join(' '), row]));
  await sql.insert(CONFLICT, [...once.values()], '(gateway, sequence, hash) DO NOTHING');
}

const HOUR_MS = 3_600_000;

/** One an hour for each gateway: a store that was put back from an older copy goes on and on with numbers that are taken. */
function forkAlarms(forks: readonly CheckedEvent[], nowMs: number): Alarm[] {
  return forks.map(({ gateway, event }) => ({
    id: `${gateway}!fork!${Math.floor(nowMs / HOUR_MS)}`,
    gateway,
    type: 'balise.headquarters.fork',
    atMs: nowMs,
    message: `A second, different event came under the number ${event.sequence}: its store was replaced, or somebody speaks in its name.`,
  }));
}

function unreadOf({ gateway, event, dataFault }: CheckedEvent, nowMs: number): Alarm[] {
  if (dataFault === undefined) return [];
  const message = `Event ${event.sequence} (${event.type}) is kept, and was not understood: ${dataFault}.`;
  const id = `${gateway}!data!${event.sequence}`;
  return [{ id, gateway, type: 'balise.headquarters.event-not-understood', atMs: nowMs, message }];
}

async function noteGateways(sql: Sql, events: readonly CheckedEvent[], nowMs: number): Promise<void> {
  const highest = new Map<string, number>();
  for (const { gateway, event } of events) {
    highest.set(gateway, Math.max(highest.get(gateway) ?? 0, event.sequence));
  }
  await sql.insert(
    GATEWAY,
    [...highest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([gateway, top]) => [gateway, nowMs, 0, top, 0, GENESIS, 0]),
    `(gateway) DO UPDATE SET
       highest = CASE WHEN excluded.highest > gateway.highest THEN excluded.highest ELSE gateway.highest END,
       seen_ms = CASE WHEN excluded.seen_ms > gateway.seen_ms THEN excluded.seen_ms ELSE gateway.seen_ms END`,
  );
}

function latest(states: readonly StateSaid[]): StateSaid[] {
  const last = new Map<string, StateSaid>();
  for (const state of states) last.set(`${state.gateway} ${state.topic}`, state);
  return [...last].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, state]) => state);
}

function eventRow({ gateway, event, body }: CheckedEvent, nowMs: number): SqlValue[] {
  const { sequence, kind, type, time, hash, prevhash } = event;
  return [gateway, sequence, kind, type, Date.parse(time), nowMs, hash, prevhash, body];
}

function callRow({ gateway, event, dataFault }: CheckedEvent): SqlValue[][] {
  if (dataFault !== undefined) return [];
  if (event.type !== 'balise.call.ended' && event.type !== 'balise.call.refused') return [];
  const data = event.data as unknown as Partial<CallEndedData>;
  if (data.call === undefined || data.handset === undefined) return [];
  const ms = (instant: string | undefined) => (instant === undefined ? null : Date.parse(instant));
  const ended = ms(data.endedAt) ?? Date.parse(event.time);
  return [
    [
      gateway,
      data.call,
      data.handset,
      data.wing ?? null,
      data.person ?? null,
      data.numberToken ?? null,
      ms(data.requestedAt) ?? ended,
      ms(data.answeredAt),
      ended,
      Math.round(data.talkMs ?? 0),
      data.cause ?? 'unknown',
      data.rule ?? null,
      data.calleeZone ?? null,
    ],
  ];
}

function alarmOf({ gateway, event }: CheckedEvent): Alarm[] {
  if (event.kind !== 'alarm') return [];
  const { message, why, handset } = event.data as { message?: unknown; why?: unknown; handset?: unknown };
  const said = typeof message === 'string' ? message : String(why ?? event.type);
  return [
    {
      id: `${gateway}#${event.sequence}`,
      gateway,
      type: event.type,
      atMs: Date.parse(event.time),
      message: said,
      ...(typeof handset === 'string' ? { handset } : {}),
    },
  ];
}
