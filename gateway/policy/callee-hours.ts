import type { CallingHours, Window } from '../../config/schema/types.generated.js';
import { type Hours, NEVER, together } from './hours.js';
import { type LimitSet, limitSet } from './limits.js';
import type { Normal } from './number.js';
import { NumberZones, type ZoneTables } from './number-zones.js';
import { PublicHolidays } from './public-holidays.js';
import { calendarOf, Schedule } from './schedule.js';
import { ZoneClock } from './zone-clock.js';

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
  silenceDays: 60,
};

/** Where a callee may be, and when all of it is open. */
export interface CalleePlace {
  readonly country: string;
  /** Every zone that the callee may be in; never empty. */
  readonly zones: readonly string[];
  /** Open where every zone is. */
  readonly hours: Hours;
  readonly limits: LimitSet;
  /** How long a number that refused is left alone, days; 0: the country says nothing of it. */
  readonly silenceDays: number;
  /** The first of the zones that is closed at an instant. */
  closedZone(ms: number): string | undefined;
  isHoliday(zone: string, ms: number): boolean;
}

/** The callee's side of the windows: every zone that the callee may be in must be open. */
export class CalleeHours {
  readonly #hours: ReadonlyMap<string, CallingHours>;
  readonly #zones: NumberZones;
  /** By the set of zones, each of which is one array, and the country. */
  readonly #places = new Map<readonly string[], Map<string, CalleePlace>>();
  readonly #single = new Map<string, readonly string[]>();
  /** By number as it was read, which the reader remembers: where a number may be is looked up once. */
  readonly #ofNumber = new WeakMap<object, CalleePlace>();

  constructor(hours: readonly CallingHours[], tables: ZoneTables) {
    this.#hours = new Map(hours.map((one) => [one.country, one]));
    this.#zones = new NumberZones(tables);
  }

  /**
   * Where the callee of a number may be: in its contact's own zone where one is given, else in every zone that the number
   * may be in. Undefined where no zone is known.
   */
  placeOf(asked: Extract<Normal, { ok: true }>, ownZone?: string): CalleePlace | undefined {
    if (ownZone !== undefined) return this.#look(asked, ownZone);
    const known = this.#ofNumber.get(asked) ?? this.#look(asked);
    if (known !== undefined) this.#ofNumber.set(asked, known);
    return known;
  }

  #look({ number, country, mobile }: Extract<Normal, { ok: true }>, ownZone?: string): CalleePlace | undefined {
    if (country === undefined) return undefined;
    const zones = ownZone === undefined ? this.#zones.candidates(number, country, !mobile) : this.#only(ownZone);
    if (zones.length === 0) return undefined;
    return this.#known(country, zones);
  }

  /** The same callee under another country's calling hours as well, that of a campaign's law; undefined where it is the same country. */
  under(law: string, { country, zones }: CalleePlace): CalleePlace | undefined {
    return law === country ? undefined : this.#known(law, zones);
  }

  /** Where somebody in a country may be of whom no number is known: in one zone of it, or in any. Undefined for an unknown country. */
  placeIn(country: string, zone?: string): CalleePlace | undefined {
    const zones = this.#zones.candidates('', country, false);
    if (zones.length === 0) return undefined;
    return this.#place(country, zone === undefined ? zones : this.#only(zone));
  }

  /** What is on file for a country, or the strictest set. */
  ruleOf(country: string): Omit<CallingHours, 'country'> {
    return this.#hours.get(country) ?? STRICTEST;
  }

  #known(country: string, zones: readonly string[]): CalleePlace {
    let places = this.#places.get(zones);
    if (places === undefined) {
      places = new Map();
      this.#places.set(zones, places);
    }
    const known = places.get(country) ?? this.#place(country, zones);
    places.set(country, known);
    return known;
  }

  #only(zone: string): readonly string[] {
    const known = this.#single.get(zone) ?? [zone];
    this.#single.set(zone, known);
    return known;
  }

  #place(country: string, zones: readonly string[]): CalleePlace {
    const rule = this.ruleOf(country);
    const holidays = new PublicHolidays(country, rule.holidayRegions);
    const calendar = calendarOf(rule.exceptions, (day) => holidays.has(day));
    const windows = rule.closedOnHolidays ? rule.windows.map(notOnHolidays) : rule.windows;
    const ofZone = new Map(zones.map((zone) => [zone, new Schedule(zone, windows, calendar)]));
    return {
      country,
      zones,
      hours: rule.windows.length === 0 ? NEVER : together([...ofZone.values()]),
      limits: limitSet(rule.limits ?? []),
      silenceDays: rule.silenceDays ?? 0,
      closedZone: (ms) => zones.find((zone) => ofZone.get(zone)?.stretchAt(ms).isOpen === false),
      isHoliday: (zone, ms) => rule.closedOnHolidays && calendar.isHoliday(ZoneClock.of(zone).dayAt(ms)),
    };
  }
}

const notOnHolidays = (window: Window): Window => ({ ...window, holidays: 'never' });
