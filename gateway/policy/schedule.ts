import type { Window } from '../../config/schema/types.generated.js';
import { joined, type Span } from './spans.js';
import { DAY_MS, ZoneClock } from './zone-clock.js';

const WEEKDAYS = ['thu', 'fri', 'sat', 'sun', 'mon', 'tue', 'wed'] as const;
/** Spans are laid out this far ahead: the longest that a person is told to wait. */
export const HORIZON_DAYS = 21;

/** Weekly hours in one zone, with the dates on which they do not hold. */
export class Schedule {
  readonly #clock: ZoneClock;
  #laid: { day: number; spans: readonly Span[] } | undefined;

  constructor(
    readonly zone: string,
    private readonly windows: readonly Window[],
    /** Hours of a date (days since 1970) that replace the weekly ones; undefined where they hold. */
    private readonly exception: (day: number) => readonly Pick<Window, 'from' | 'to'>[] | undefined = () => undefined,
  ) {
    this.#clock = ZoneClock.of(zone);
  }

  /** Every open span around an instant: from two days before it to three weeks after. */
  spansAround(ms: number): readonly Span[] {
    const day = this.#clock.dayAt(ms);
    if (this.#laid?.day === day) return this.#laid.spans;
    const spans: Span[] = [];
    for (let d = day - 2; d <= day + HORIZON_DAYS; d += 1) {
      for (const { from, to } of this.#hoursOf(d)) spans.push(this.#span(d, from, to));
    }
    this.#laid = { day, spans: joined(spans) };
    return this.#laid.spans;
  }

  #hoursOf(day: number): readonly Pick<Window, 'from' | 'to'>[] {
    const exception = this.exception(day);
    if (exception !== undefined) return exception;
    const weekday = WEEKDAYS[((day % 7) + 7) % 7];
    return this.windows.filter((window) => weekday !== undefined && window.days.includes(weekday));
  }

  #span(day: number, from: string, to: string): Span {
    const open = minutes(from);
    const close = minutes(to);
    const closeDay = close <= open ? day + 1 : day;
    return {
      from: this.#clock.instantOf(day * DAY_MS + open * 60_000, 'opens'),
      to: this.#clock.instantOf(closeDay * DAY_MS + close * 60_000, 'closes'),
    };
  }
}

function minutes(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
}
