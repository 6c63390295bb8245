import { Temporal } from 'temporal-polyfill';

/** As many as windows end at in a day. */
const MOST = 64;
const known = new Map<number, Temporal.Instant>();

/** The instant of epoch milliseconds. Calls end with few windows, so the instants of the last few dozen are made once. */
export function instantAt(ms: number): Temporal.Instant {
  const made = known.get(ms);
  if (made !== undefined) return made;
  const instant = Temporal.Instant.fromEpochMilliseconds(ms);
  if (known.size >= MOST) known.clear();
  known.set(ms, instant);
  return instant;
}
