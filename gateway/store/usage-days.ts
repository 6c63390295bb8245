import type { Database, Statement } from 'better-sqlite3';
import { Temporal } from 'temporal-polyfill';
import type { EventDraft } from '../calls/ports.js';

/** A day of a zone that is over. */
export interface UsageDay {
  /** e.g. 2026-03-04. */
  readonly name: string;
  readonly zone: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** A gateway that was off for longer adds up no further back: the ledger keeps 62 days. */
const MOST_DAYS = 60;

/** The days of a zone from the one after `last` to yesterday, at most 60; with no `last`, yesterday alone. */
export function daysOver(last: string | undefined, zone: string, nowMs: number): readonly UsageDay[] {
  const today = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(zone).toPlainDate();
  const furthest = today.subtract({ days: MOST_DAYS });
  const next = last === undefined ? today.subtract({ days: 1 }) : Temporal.PlainDate.from(last).add({ days: 1 });
  const days: UsageDay[] = [];
  for (
    let day = Temporal.PlainDate.compare(next, furthest) < 0 ? furthest : next;
    Temporal.PlainDate.compare(day, today) < 0;
    day = day.add({ days: 1 })
  ) {
    const starts = (date: Temporal.PlainDate) => date.toZonedDateTime(zone).epochMilliseconds;
    days.push({ name: day.toString(), zone, fromMs: starts(day), toMs: starts(day.add({ days: 1 })) });
  }
  return days;
}

interface DaySums {
  readonly attempts: number;
  readonly calls: number;
  readonly talkMs: number;
  readonly refused: number;
}

/** The ledger's days, added up: kept when the calls themselves are long forgotten. */
export class UsageDays {
  readonly #add: Statement;
  readonly #sums: Statement;
  readonly #causes: Statement;

  constructor(db: Database) {
    this.#add = db.prepare(
      `INSERT OR REPLACE INTO usage_day (day, handset, person, attempts, calls, talk_ms, refused)
       SELECT ?, handset, ifnull(person, ''), total(attempted), total(answered), total(talk_ms), total(cause = 'refused')
       FROM ledger WHERE started_ms >= ? AND started_ms < ? GROUP BY handset, ifnull(person, '')`,
    );
    this.#sums = db.prepare(
      `SELECT total(attempted) AS attempts, total(answered) AS calls, total(talk_ms) AS talkMs,
              total(cause = 'refused') AS refused
       FROM ledger WHERE started_ms >= ? AND started_ms < ?`,
    );
    this.#causes = db.prepare(
      'SELECT cause, count(*) AS count FROM ledger WHERE started_ms >= ? AND started_ms < ? GROUP BY cause ORDER BY cause',
    );
  }

  /** In a transaction of the caller's; a day that is added up again gives the same. */
  add({ name, fromMs, toMs }: UsageDay): void {
    this.#add.run(name, fromMs, toMs);
  }

  /** What headquarters is told of the day. */
  event({ name, zone, fromMs, toMs }: UsageDay): EventDraft {
    const sums = this.#sums.get(fromMs, toMs) as DaySums;
    const causes = this.#causes.all(fromMs, toMs) as readonly { readonly cause: string; readonly count: number }[];
    const byCause = Object.fromEntries(causes.map(({ cause, count }) => [cause, count]));
    return { kind: 'event', type: 'balise.ledger.day', data: { day: name, zone, ...sums, byCause } };
  }
}
