import type { DayView, Interval } from '../../api/hours.js';
import { daysAfter, startOfDate } from './zone-time.js';

/** A stretch of time, milliseconds; it does not hold its end. */
export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** One row of the strip: a date of the site, and what of the three is open in it. */
export interface WeekRow extends Span {
  readonly date: string;
  readonly site: readonly Span[];
  readonly there: readonly Span[];
  readonly both: readonly Span[];
}

/** In order, those that touch made one. */
export function joined(spans: readonly Span[]): readonly Span[] {
  const sorted = [...spans].filter(({ fromMs, untilMs }) => untilMs > fromMs).sort((a, b) => a.fromMs - b.fromMs);
  const made: Span[] = [];
  for (const span of sorted) {
    const last = made.at(-1);
    if (last === undefined || span.fromMs > last.untilMs) made.push(span);
    else if (span.untilMs > last.untilMs) made[made.length - 1] = { ...last, untilMs: span.untilMs };
  }
  return made;
}

/** What is in both. */
export function overlap(one: readonly Span[], other: readonly Span[]): readonly Span[] {
  return joined(
    one.flatMap((a) =>
      other.map((b) => ({ fromMs: Math.max(a.fromMs, b.fromMs), untilMs: Math.min(a.untilMs, b.untilMs) })),
    ),
  );
}

const spanOf = ({ from, until }: Interval): Span => ({ fromMs: Date.parse(from), untilMs: Date.parse(until) });

/**
 * Seven rows from `first` on, each a date of the site's zone. The windows of the other zone are by dates of that zone, which
 * begin and end elsewhere: `days` holds a day before the first and one after the last, so that no row lacks its edges.
 */
export function weekRows(first: string, siteZone: string, days: readonly DayView[]): readonly WeekRow[] {
  const site = joined(days.flatMap(({ siteWindows }) => siteWindows.map(spanOf)));
  const there = joined(days.flatMap(({ zoneWindows }) => zoneWindows.map(spanOf)));
  return Array.from({ length: 7 }, (_, n) => {
    const date = daysAfter(first, n);
    const day = { fromMs: startOfDate(date, siteZone), untilMs: startOfDate(daysAfter(date, 1), siteZone) };
    const own = overlap([day], site);
    const their = overlap([day], there);
    return { date, ...day, site: own, there: their, both: overlap(own, their) };
  });
}
