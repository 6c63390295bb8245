import type { Exceptions, Limit, Window } from '../../config/schema/types.generated.js';
import { type Hours, NEVER, together } from './hours.js';
import { type LimitSet, limitSet } from './limits.js';
import { PublicHolidays } from './public-holidays.js';
import { calendarOf, Schedule } from './schedule.js';
import { ZoneClock } from './zone-clock.js';

/** What is on file for a country (config/calling-hours/): when its people may be called, in their own time. */
export interface CallingHours {
  readonly country: string;
  readonly status: string;
  readonly source: string;
  readonly windows: readonly Window[];
  /** Public holidays are closed. */
  readonly closedOnHolidays: boolean;
  /** Dates with the only hours of their own, within the weekly ones: "12-24" each year, or "2026-05-04" once; none is closed. */
  readonly exceptions?: Exceptions;
  /** Limits of its law, by the called number. */
  readonly limits?: readonly Limit[];
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

/** Where a callee may be, and when all of it is open. */
export interface CalleePlace {
  readonly country: string;
  /** Every zone that the callee may be in; never empty. */
  readonly zones: readonly string[];
  /** Open where every zone is. */
  readonly hours: Hours;
  readonly limits: LimitSet;
  /** The first of the zones that is closed at an instant. */
  closedZone(ms: number): string | undefined;
  isHoliday(zone: string, ms: number): boolean;
}

/** The callee's side of the windows: every zone that the callee may be in must be open. */
export class CalleeHours {
  readonly #hours: ReadonlyMap<string, CallingHours>;
  readonly #places = new Map<string, CalleePlace | undefined>();

  constructor(
    hours: readonly CallingHours[],
    private readonly zonesOf: Readonly<Record<string, readonly string[]>>,
  ) {
    this.#hours = new Map(hours.map((one) => [one.country, one]));
  }

  /**
   * Where a number of the country may be: in any of its zones, because a number tells where it was sold and not where it
   * is. Undefined for a country of which no zone is known.
   */
  placeOf(country: string): CalleePlace | undefined {
    if (this.#places.has(country)) return this.#places.get(country);
    const made = this.#place(country, this.zonesOf[country] ?? []);
    this.#places.set(country, made);
    return made;
  }

  #place(country: string, zones: readonly string[]): CalleePlace | undefined {
    if (zones.length === 0) return undefined;
    const rule = this.#hours.get(country) ?? STRICTEST;
    const holidays = new PublicHolidays(country);
    const calendar = calendarOf(rule.exceptions, (day) => holidays.has(day));
    const windows = rule.closedOnHolidays ? rule.windows.map(notOnHolidays) : rule.windows;
    const ofZone = new Map(zones.map((zone) => [zone, new Schedule(zone, windows, calendar)]));
    return {
      country,
      zones,
      hours: rule.windows.length === 0 ? NEVER : together([...ofZone.values()]),
      limits: limitSet(rule.limits ?? []),
      closedZone: (ms) => zones.find((zone) => ofZone.get(zone)?.stretchAt(ms).isOpen === false),
      isHoliday: (zone, ms) => rule.closedOnHolidays && calendar.isHoliday(ZoneClock.of(zone).dayAt(ms)),
    };
  }
}

const notOnHolidays = (window: Window): Window => ({ ...window, holidays: 'never' });
