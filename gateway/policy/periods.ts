import type { UseLimit } from '../../config/schema/types.generated.js';
import { DAY_MS, ZoneClock } from './zone-clock.js';

const ROLLING_MS = { '24-hours': DAY_MS, '30-days': 30 * DAY_MS } as const;
type Rolling = keyof typeof ROLLING_MS;

const isRolling = (period: UseLimit['in']): period is Rolling => period in ROLLING_MS;

/** A period around an instant: what began at `sinceMs` or later is in it, and `endsMs` is where the next one begins. */
export interface Around {
  readonly sinceMs: number;
  /** Absent for rolling periods, which have no end but the age of what they count. */
  readonly endsMs?: number;
}

/**
 * The period of a limit around an instant. Where several zones are candidates, it begins with the first to have begun it
 * and ends with the last to end it: the reading in which most has been used.
 */
export function periodAt(period: UseLimit['in'], zones: readonly string[], ms: number): Around {
  if (isRolling(period)) return { sinceMs: ms - ROLLING_MS[period] };
  const known = remembered.get(zones)?.[period];
  if (known !== undefined && ms >= known.holdsFrom && ms < known.holdsTo) return known;
  const made = work(period, zones, ms);
  remembered.set(zones, { ...remembered.get(zones), [period]: made });
  return made;
}

type Calendar = Exclude<UseLimit['in'], Rolling>;

/** A period, and the instants between which it is the answer for every zone. */
interface Held extends Around {
  readonly endsMs: number;
  readonly holdsFrom: number;
  readonly holdsTo: number;
}

/** The period asked for last, by the list of zones: a day is worked out once. */
const remembered = new WeakMap<readonly string[], { readonly [period in Calendar]?: Held }>();

function work(period: Calendar, zones: readonly string[], ms: number): Held {
  const edges = zones.map((zone) => {
    const clock = ZoneClock.of(zone);
    const [first, next] = daysOf(period, clock.dayAt(ms));
    return [clock.instantOf(first * DAY_MS, 'closes'), clock.instantOf(next * DAY_MS, 'closes')] as const;
  });
  const begins = edges.map(([from]) => from);
  const ends = edges.map(([, to]) => to);
  return {
    sinceMs: Math.min(...begins),
    endsMs: Math.max(...ends),
    holdsFrom: Math.max(...begins),
    holdsTo: Math.min(...ends),
  };
}

/** When a call asked for at this instant no longer counts in a rolling period, epoch milliseconds. */
export function forgottenAt(period: UseLimit['in'], startedMs: number): number {
  return isRolling(period) ? startedMs + ROLLING_MS[period] + 1 : Number.POSITIVE_INFINITY;
}

/** The first day of the period that holds a day, and the first of the next; days since 1970. Weeks begin on Monday (ISO 8601). */
function daysOf(period: Calendar, day: number): readonly [number, number] {
  if (period === 'day') return [day, day + 1];
  if (period === 'week') {
    const monday = day - ((((day + 3) % 7) + 7) % 7);
    return [monday, monday + 7];
  }
  const date = new Date(day * DAY_MS);
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth();
  return [Date.UTC(year, month, 1) / DAY_MS, Date.UTC(year, month + 1, 1) / DAY_MS];
}
