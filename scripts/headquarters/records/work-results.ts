/** What came of the work: counted in the transaction that stores the events, and read for the page. */
import type { WorkContactData, WorkScoreData } from '../../../config/schema/types.generated.js';
import { messageFault } from '../message-check.js';
import type { CheckedEvent } from './checked-event.js';
import type { Database, Sql, SqlValue } from './database.js';

import { OUTCOME, SCORE } from './schema.js';

const HOUR_MS = 3_600_000;

/** Counts outcomes and keeps scores of events that were not there before; what has another form is left out. */
export async function countResults(sql: Sql, fresh: readonly CheckedEvent[]): Promise<void> {
  const counts = new Map<string, { readonly row: readonly SqlValue[]; calls: number }>();
  const scores = new Map<string, readonly SqlValue[]>();
  for (const { gateway, event } of fresh) {
    if (event.type === 'balise.work.contact' && messageFault('work-contact', event.data) === undefined) {
      const { campaign, language = '', disposition, mystery } = event.data as unknown as WorkContactData;
      const hourMs = Math.floor(Date.parse(event.time) / HOUR_MS) * HOUR_MS;
      const row = [gateway, hourMs, campaign, language, disposition, mystery === true ? 1 : 0];
      const key = row.join(' ');
      counts.set(key, { row, calls: (counts.get(key)?.calls ?? 0) + 1 });
    }
    if (event.type === 'balise.work.score' && messageFault('work-score', event.data) === undefined) {
      const { call, campaign, scores: given } = event.data as unknown as WorkScoreData;
      for (const { criterion, points } of given) {
        const row = [gateway, call, criterion, event.sequence, campaign, Date.parse(event.time), points];
        const key = `${gateway} ${call} ${criterion}`;
        if (Number(scores.get(key)?.[3] ?? 0) < event.sequence) scores.set(key, row);
      }
    }
  }
  // One order for everybody, so that two that write the same rows never wait for each other in a ring.
  const inOrder = <T>(map: ReadonlyMap<string, T>): T[] =>
    [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
  await sql.insert(
    OUTCOME,
    inOrder(counts).map(({ row, calls }) => [...row, calls]),
    `(${OUTCOME.keys.join(', ')}) DO UPDATE SET calls = work_outcome.calls + excluded.calls`,
  );
  await sql.insert(
    SCORE,
    inOrder(scores),
    `(${SCORE.keys.join(', ')}) DO UPDATE SET sequence = excluded.sequence, at_ms = excluded.at_ms, points = excluded.points
     WHERE excluded.sequence > work_score.sequence`,
  );
}

export interface WorkResults {
  /** Counts by campaign, language, outcome and hour of the day; contacts that try the work apart. */
  readonly outcomes: readonly {
    readonly campaign: string;
    readonly language: string;
    readonly outcome: string;
    /** 0 to 23, by the clock of the zone that was asked for. */
    readonly hour: number;
    readonly isMystery: boolean;
    readonly calls: number;
  }[];
  readonly scores: readonly {
    readonly campaign: string;
    readonly criterion: string;
    readonly calls: number;
    /** 0 to 5. */
    readonly mean: number;
  }[];
}

/** Results since `sinceMs`. Throws a RangeError for a zone that is none. */
export async function workResults(db: Database, sinceMs: number, zone: string): Promise<WorkResults> {
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', hourCycle: 'h23' });
  const rows = await db.all<Readonly<Record<string, SqlValue>>>(
    `SELECT hour_ms, campaign, language, outcome, mystery, sum(calls) AS calls FROM work_outcome WHERE hour_ms >= $1
     GROUP BY hour_ms, campaign, language, outcome, mystery`,
    [sinceMs - HOUR_MS + 1],
  );
  const sums = new Map<string, WorkResults['outcomes'][number]>();
  for (const { hour_ms: hourMs, campaign, language, outcome, mystery, calls } of rows) {
    const hour = Number(clock.format(Number(hourMs)));
    const key = [campaign, language, outcome, hour, mystery].join(' ');
    const said = { campaign: String(campaign), language: String(language), outcome: String(outcome), hour };
    const before = sums.get(key)?.calls ?? 0;
    sums.set(key, { ...said, isMystery: mystery === 1, calls: before + Number(calls) });
  }
  const scores = await db.all<Readonly<Record<string, SqlValue>>>(
    `SELECT campaign, criterion, count(*) AS calls, sum(points) AS points FROM work_score WHERE at_ms >= $1
     GROUP BY campaign, criterion ORDER BY campaign, criterion`,
    [sinceMs],
  );
  return {
    outcomes: [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one),
    scores: scores.map(({ campaign, criterion, calls, points }) => ({
      ...{ campaign: String(campaign), criterion: String(criterion), calls: Number(calls) },
      mean: Number(points) / Number(calls),
    })),
  };
}
