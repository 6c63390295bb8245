import Holidays from 'date-holidays';
import type { Window } from '../../config/schema/types.generated.js';
import { Schedule } from './schedule.js';
import { meet, type Span } from './spans.js';
import { DAY_MS } from './zone-clock.js';

/** What is on file for a country (config/calling-hours/): when its people may be called, in their own time. */
export interface CallingHours {
  readonly country: string;
  readonly status: string;
  readonly source: string;
  readonly windows: readonly Window[];
  /** Public holidays are closed. */
  readonly closedOnHolidays: boolean;
  /** Dates with other hours: "12-24" each year, or "2026-05-04" once; an empty list is closed. */
  readonly exceptions?: Readonly<Record<string, readonly { readonly from: string; readonly to: string }[]>>;
}

const WORKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri'] as const;

/** The strictest hours on file, for a country that has none of its own. */
export const STRICTEST: Omit<CallingHours, 'country'> = {
  status: 'the strictest set on file',
  source: 'decree 2022-1313 (France), taken as the narrowest',
  windows: [
    { days: [...WORKDAYS], from: '10:00', to: '13:00' },
    { days: [...WORKDAYS], from: '14:00', to: '20:00' },
  ],
  closedOnHolidays: true,
};

/** The callee's side of the windows: every zone that the callee may be in must be open. */
export class CalleeHours {
  readonly #hours: ReadonlyMap<string, CallingHours>;
  readonly #schedules = new Map<string, Schedule>();
  readonly #holidays = new Map<string, ReadonlySet<number>>();
  readonly #calendars = new Map<string, Holidays | undefined>();

  constructor(
    hours: readonly CallingHours[],
    private readonly zonesOf: Readonly<Record<string, readonly string[]>>,
  ) {
    this.#hours = new Map(hours.map((one) => [one.country, one]));
  }

  /** The candidate zones of a number's country: all of them, because a number tells where it was sold and not where it is. */
  zones(country: string): readonly string[] {
    return this.zonesOf[country] ?? [];
  }

  /** The instants at which every candidate zone of the country is open. */
  spansAround(country: string, ms: number): readonly Span[] {
    let all: readonly Span[] | undefined;
    for (const zone of this.zones(country)) {
      const spans = this.#schedule(country, zone).spansAround(ms);
      all = all === undefined ? spans : meet(all, spans);
    }
    return all ?? [];
  }

  /** The zone that is closed at an instant, for the fact that a person is told; the first of them. */
  closedZone(country: string, ms: number): string | undefined {
    return this.zones(country).find(
      (zone) =>
        !this.#schedule(country, zone)
          .spansAround(ms)
          .some(({ from, to }) => ms >= from && ms < to),
    );
  }

  isHoliday(country: string, day: number): boolean {
    const hours = this.#hours.get(country) ?? STRICTEST;
    return hours.closedOnHolidays && this.#holidaysOf(country, new Date(day * DAY_MS).getUTCFullYear()).has(day);
  }

  hoursOf(country: string): Omit<CallingHours, 'country'> {
    return this.#hours.get(country) ?? STRICTEST;
  }

  #schedule(country: string, zone: string): Schedule {
    const key = `${country} ${zone}`;
    const known = this.#schedules.get(key);
    if (known !== undefined) return known;
    const hours = this.hoursOf(country);
    const made = new Schedule(zone, hours.windows, (day) => this.#exception(country, hours, day));
    this.#schedules.set(key, made);
    return made;
  }

  #exception(country: string, hours: Omit<CallingHours, 'country'>, day: number) {
    const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
    const given = hours.exceptions?.[date] ?? hours.exceptions?.[date.slice(5)];
    if (given !== undefined) return given;
    return this.isHoliday(country, day) ? [] : undefined;
  }

  #holidaysOf(country: string, year: number): ReadonlySet<number> {
    const key = `${country} ${year}`;
    const known = this.#holidays.get(key);
    if (known !== undefined) return known;
    if (!this.#calendars.has(country)) {
      const calendar = new Holidays();
      const countries = calendar.getCountries();
      this.#calendars.set(country, countries[country] === undefined ? undefined : new Holidays(country));
    }
    const days = new Set<number>();
    for (const holiday of this.#calendars.get(country)?.getHolidays(year) ?? []) {
      if (holiday.type !== 'public') continue;
      days.add(Math.floor(Date.parse(`${holiday.date.slice(0, 10)}T00:00:00Z`) / DAY_MS));
    }
    this.#holidays.set(key, days);
    return days;
  }
}
