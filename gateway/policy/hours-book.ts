import type { Exceptions, Window } from '../../config/schema/types.generated.js';
import { ALWAYS, type Hours, together } from './hours.js';
import { calendarOf, Schedule } from './schedule.js';

/** What a level says of its hours. */
export interface HoursPart {
  readonly windows?: readonly Window[];
  readonly exceptions?: Exceptions;
}

const EVERY_DAY: Window = { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '00:00', to: '24:00' };

/** Hours that are written alike are one: a thousand handsets of one profile share what was worked out. */
export class HoursBook {
  readonly #schedules = new Map<string, Schedule>();
  readonly #ids = new Map<Hours, number>();
  readonly #joined = new Map<string, Hours>();

  constructor(
    private readonly zone: string,
    private readonly isHoliday: (day: number) => boolean,
  ) {}

  of({ windows, exceptions }: HoursPart): Hours {
    if (windows === undefined && exceptions === undefined) return ALWAYS;
    const key = JSON.stringify([windows, exceptions]);
    const known =
      this.#schedules.get(key) ??
      new Schedule(this.zone, windows ?? [EVERY_DAY], calendarOf(exceptions, this.isHoliday));
    this.#schedules.set(key, known);
    return known;
  }

  together(hours: readonly Hours[]): Hours {
    const some = [...new Set(hours)].filter((one) => one !== ALWAYS);
    const key = some
      .map((one) => this.#idOf(one))
      .sort((a, b) => a - b)
      .join(' ');
    const known = this.#joined.get(key) ?? together(some);
    this.#joined.set(key, known);
    return known;
  }

  #idOf(hours: Hours): number {
    const known = this.#ids.get(hours) ?? this.#ids.size;
    this.#ids.set(hours, known);
    return known;
  }
}
