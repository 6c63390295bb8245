import type { Exceptions, Window } from '../../config/schema/types.generated.js';
import type { Hours, Stretch, WeekBound } from './hours.js';
import { joined, onlyWithin, type Span } from './spans.js';
import { DAY_MS, ZoneClock } from './zone-clock.js';

const WEEKDAYS = ['thu', 'fri', 'sat', 'sun', 'mon', 'tue', 'wed'] as const;
/** Hours are laid out for so many days at a time, and for so many more, so that each of them sees what comes after it. */
const LAID_DAYS = 28;
const AHEAD_DAYS = 21;
/** A replay goes back and forth between a few days. */
const MOST_LAID = 4;

export type HoursOfDay = readonly Pick<Window, 'from' | 'to'>[];

/** What differs from the week on a date (days since 1970). */
export interface Calendar {
  /** The only hours of a date, within its weekly ones; undefined: it has none of its own. */
  exception(day: number): HoursOfDay | undefined;
  isHoliday(day: number): boolean;
}

export const PLAIN_CALENDAR: Calendar = { exception: () => undefined, isHoliday: () => false };

/** The calendar of dates with hours of their own, "12-24" each year or "2026-12-24" once, and of some holidays. */
export function calendarOf(exceptions: Exceptions | undefined, isHoliday: (day: number) => boolean): Calendar {
  if (exceptions === undefined) return { ...PLAIN_CALENDAR, isHoliday };
  const exception = (day: number) => {
    const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
    return exceptions[date] ?? exceptions[date.slice(5)];
  };
  return { exception, isHoliday };
}

interface Laid {
  readonly spans: readonly Span[];
  /** The local days, [from, to), in which this layout answers. */
  readonly from: number;
  readonly to: number;
  readonly end: number;
}

/**
 * Weekly hours in one zone. Windows are joined as the wall clock shows them and only then become instants, in the narrow
 * reading: so hours that touch have no seam on a night on which the clocks change.
 */
export class Schedule implements Hours {
  readonly bounds: readonly WeekBound[];
  readonly #clock: ZoneClock;
  readonly #laid = new Map<number, Laid>();
  #last: Stretch | undefined;

  constructor(
    readonly zone: string,
    private readonly windows: readonly Window[],
    private readonly calendar: Calendar = PLAIN_CALENDAR,
  ) {
    this.#clock = ZoneClock.of(zone);
    // Dates and holidays only ever close, but for windows that open on every holiday.
    this.bounds = [{ zone, week: weekOf(windows) }];
  }

  stretchAt(ms: number): Stretch {
    const last = this.#last;
    if (last !== undefined && ms >= last.from && ms < last.answersTo) return last;
    const { spans, from, to, end } = this.#around(ms);
    const next = firstEndingAfter(spans, ms);
    const span = spans[next];
    const stretch =
      span !== undefined && span.from <= ms
        ? { isOpen: true, ...span }
        : { isOpen: false, from: spans[next - 1]?.to ?? from, to: span?.from ?? end };
    // A stretch that runs off the layout is longer than it says: the days after these are laid out with more beyond them.
    this.#last = { ...stretch, answersTo: stretch.to < end ? stretch.to : to };
    return this.#last;
  }

  #around(ms: number): Laid {
    const block = Math.floor(this.#clock.dayAt(ms) / LAID_DAYS);
    const known = this.#laid.get(block);
    if (known !== undefined) return known;
    const first = block * LAID_DAYS;
    const next = first + LAID_DAYS;
    const spans = joined(
      this.#wall(first - 2, next + AHEAD_DAYS).map(({ from, to }) => ({
        from: this.#clock.instantOf(from, 'opens'),
        to: this.#clock.instantOf(to, 'closes'),
      })),
    );
    const midnight = (of: number) => this.#clock.instantOf(of * DAY_MS, 'closes');
    const made = { spans, from: midnight(first), to: midnight(next), end: midnight(next + AHEAD_DAYS) };
    if (this.#laid.size >= MOST_LAID) this.#laid.clear();
    this.#laid.set(block, made);
    return made;
  }

  /** Open spans of local time between two days, as the wall clock shows it, in milliseconds as if it were UTC. */
  #wall(fromDay: number, toDay: number): readonly Span[] {
    const spans: Span[] = [];
    for (let day = fromDay; day <= toDay; day += 1) {
      for (const window of this.windows) if (this.#opensOn(window, day)) spans.push(this.#span(window, day));
    }
    let all = joined(spans);
    for (let day = fromDay; day <= toDay; day += 1) {
      const only = this.calendar.exception(day);
      if (only === undefined) continue;
      const within = { from: day * DAY_MS, to: (day + 1) * DAY_MS };
      all = onlyWithin(
        all,
        within,
        only.map(({ from, to }) => wallSpan(day, minutes(from), minutes(to))),
      );
    }
    return all;
  }

  #opensOn({ days, holidays }: Window, day: number): boolean {
    if (holidays !== undefined && this.calendar.isHoliday(day)) return holidays === 'always';
    const weekday = WEEKDAYS[((day % 7) + 7) % 7];
    return weekday !== undefined && days.includes(weekday);
  }

  #span({ from, to, holidays }: Window, day: number): Span {
    const opens = minutes(from);
    const closes = minutes(to);
    if (closes > opens) return wallSpan(day, opens, closes);
    // Over midnight, but not into a holiday that the window does not have.
    const isCut = holidays === 'never' && this.calendar.isHoliday(day + 1);
    return wallSpan(day, opens, isCut ? 24 * 60 : 24 * 60 + closes);
  }
}

/** The times of a week in which windows may be open on some date, wall time from Thursday 00:00. */
function weekOf(windows: readonly Window[]): readonly Span[] {
  const week = WEEKDAYS.length * DAY_MS;
  const spans = windows.flatMap(({ days, from, to, holidays }) => {
    const [opens, closes] = [minutes(from), minutes(to)];
    return WEEKDAYS.flatMap((weekday, day) => {
      // A holiday may fall on any day.
      if (holidays !== 'always' && !days.includes(weekday)) return [];
      return [wallSpan(day, opens, closes > opens ? closes : 24 * 60 + closes)];
    });
  });
  // What runs over the end of the week stands at its beginning.
  return joined([
    ...spans.map(({ from, to }) => ({ from, to: Math.min(to, week) })),
    ...spans.map(({ to }) => ({ from: 0, to: to - week })),
  ]);
}

/** Where the first span stands that ends after an instant; the spans' count where none does. */
function firstEndingAfter(spans: readonly Span[], ms: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((spans[middle]?.to ?? 0) > ms) high = middle;
    else low = middle + 1;
  }
  return low;
}

function wallSpan(day: number, fromMinute: number, toMinute: number): Span {
  return { from: day * DAY_MS + fromMinute * 60_000, to: day * DAY_MS + toMinute * 60_000 };
}

function minutes(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
}
