import type { Exceptions, Window } from '../../config/schema/types.generated.js';
import type { Hours, Stretch } from './hours.js';
import { joined, onlyWithin, type Span } from './spans.js';
import { DAY_MS, ZoneClock } from './zone-clock.js';

const WEEKDAYS = ['thu', 'fri', 'sat', 'sun', 'mon', 'tue', 'wed'] as const;
/** Hours are laid out this far ahead at a time. */
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
  /** The local day, [from, to), in which this layout answers. */
  readonly from: number;
  readonly to: number;
  readonly end: number;
}

/**
 * Weekly hours in one zone. Windows are joined as the wall clock shows them and only then become instants, in the narrow
 * reading: so hours that touch have no seam on a night on which the clocks change.
 */
export class Schedule implements Hours {
  readonly #clock: ZoneClock;
  readonly #laid = new Map<number, Laid>();
  #last: Stretch | undefined;

  constructor(
    readonly zone: string,
    private readonly windows: readonly Window[],
    private readonly calendar: Calendar = PLAIN_CALENDAR,
  ) {
    this.#clock = ZoneClock.of(zone);
  }

  stretchAt(ms: number): Stretch {
    const last = this.#last;
    if (last !== undefined && ms >= last.from && ms < last.answersTo) return last;
    const { spans, from, to, end } = this.#around(ms);
    const next = spans.findIndex((span) => span.to > ms);
    const span = spans[next];
    const before = spans.at(next === -1 ? -1 : next - 1);
    const stretch =
      span !== undefined && span.from <= ms
        ? { isOpen: true, ...span }
        : { isOpen: false, from: next === 0 ? from : (before?.to ?? from), to: span?.from ?? end };
    // A stretch that runs off the layout is longer than it says: tomorrow it is laid out anew.
    this.#last = { ...stretch, answersTo: stretch.to < end ? stretch.to : to };
    return this.#last;
  }

  #around(ms: number): Laid {
    const day = this.#clock.dayAt(ms);
    const known = this.#laid.get(day);
    if (known !== undefined) return known;
    const spans = joined(
      this.#wall(day - 2, day + AHEAD_DAYS).map(({ from, to }) => ({
        from: this.#clock.instantOf(from, 'opens'),
        to: this.#clock.instantOf(to, 'closes'),
      })),
    );
    const midnight = (of: number) => this.#clock.instantOf(of * DAY_MS, 'closes');
    const made = { spans, from: midnight(day), to: midnight(day + 1), end: midnight(day + AHEAD_DAYS) };
    if (this.#laid.size >= MOST_LAID) this.#laid.clear();
    this.#laid.set(day, made);
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

function wallSpan(day: number, fromMinute: number, toMinute: number): Span {
  return { from: day * DAY_MS + fromMinute * 60_000, to: day * DAY_MS + toMinute * 60_000 };
}

function minutes(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
}
