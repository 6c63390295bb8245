/**
 * Whether hours are open, minute by minute and by definition: nothing here is of policy's own making but the meaning of a
 * window. It is slow and asks only what the wall clock shows.
 */
import { Temporal } from 'temporal-polyfill';
import type { Window } from '../../config/schema/types.generated.js';

export const MINUTE = 60_000;
const DAY = 86_400_000;
const NAMES = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
/** No zone sets its clocks back by more than this. */
const FOLD = 3 * 60 * MINUTE;

export interface WallRule {
  readonly zone: string;
  readonly windows: readonly Window[];
  /** ISO dates. */
  readonly holidays?: ReadonlySet<string>;
  /** The only hours of a date. */
  readonly exceptions?: Readonly<Record<string, readonly { readonly from: string; readonly to: string }[]>>;
}

interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
  readonly offsetMs: number;
}
const stretches = new Map<string, Stretch>();

/** What the wall clock shows, milliseconds as if it were UTC. */
export function wallAt(zone: string, ms: number): number {
  const known = stretches.get(zone);
  if (known !== undefined && ms >= known.fromMs && ms < known.toMs) return ms + known.offsetMs;
  const there = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone);
  const offsetMs = there.offsetNanoseconds / 1e6;
  const next = there.getTimeZoneTransition('next')?.epochMilliseconds ?? Number.POSITIVE_INFINITY;
  const begun = there.add({ nanoseconds: 1 }).getTimeZoneTransition('previous')?.epochMilliseconds;
  stretches.set(zone, { fromMs: begun ?? Number.NEGATIVE_INFINITY, toMs: next, offsetMs });
  return ms + offsetMs;
}

/** Remembers what a text or a day comes to: the walk asks for the same few, minute after minute. */
function once<K, V>(work: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    const found = known.get(key) ?? work(key);
    known.set(key, found);
    return found;
  };
}
const dateOf = once((day: number): string => new Date(day * DAY).toISOString().slice(0, 10));
const minutes = once((text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5)));

/** Whether a wall time is inside the hours, as a person would read them. */
export function isWithin(rule: WallRule, wall: number): boolean {
  const day = Math.floor(wall / DAY);
  const minute = (wall - day * DAY) / MINUTE;
  const only = rule.exceptions?.[dateOf(day)] ?? rule.exceptions?.[dateOf(day).slice(5)];
  if (only !== undefined && !only.some(({ from, to }) => minute >= minutes(from) && minute < minutes(to))) return false;
  const opensOn = ({ days, holidays }: Window, of: number): boolean => {
    if (holidays !== undefined && rule.holidays?.has(dateOf(of)) === true) return holidays === 'always';
    return (days as readonly string[]).includes(NAMES[(((of + 3) % 7) + 7) % 7] ?? '');
  };
  return rule.windows.some((window) => {
    const [open, close] = [minutes(window.from), minutes(window.to)];
    if (close > open) return opensOn(window, day) && minute >= open && minute < close;
    if (opensOn(window, day) && minute >= open) return true;
    const isCut = window.holidays === 'never' && rule.holidays?.has(dateOf(day)) === true;
    return opensOn(window, day - 1) && minute < close && !isCut;
  });
}

/**
 * Whether an instant is open in the narrow reading: the clock shows a time inside, it will not show the opening again, and
 * it has not shown the closing before.
 */
export function isOpenAt(rule: WallRule, ms: number): boolean {
  const wall = wallAt(rule.zone, ms);
  if (!isWithin(rule, wall)) return false;
  // Only where the clock goes back within reach is there anything more to see.
  const ahead = wallAt(rule.zone, ms + FOLD) - wall - FOLD;
  const behind = wall - wallAt(rule.zone, ms - FOLD) - FOLD;
  if (ahead >= 0 && behind >= 0) return true;
  for (let at = ms + MINUTE; at <= ms + FOLD; at += MINUTE) {
    const shown = wallAt(rule.zone, at);
    // The minute before is asked too: an opening is shown again when it is shown to the minute.
    if (shown <= wall && !allWithin(rule, shown - MINUTE, wall)) return false;
  }
  for (let at = ms - MINUTE; at >= ms - FOLD; at -= MINUTE) {
    const shown = wallAt(rule.zone, at);
    if (shown > wall && !allWithin(rule, wall, shown)) return false;
  }
  return true;
}

/** Whether the hours hold without a break from one wall time to another. */
function allWithin(rule: WallRule, from: number, to: number): boolean {
  for (let wall = from; wall <= to; wall += MINUTE) if (!isWithin(rule, wall)) return false;
  return true;
}

/** The first whole minute from `ms` on at which all rules are open; undefined when there is none before `until`. */
export function firstOpen(rules: readonly WallRule[], ms: number, until: number): number | undefined {
  for (let at = Math.ceil(ms / MINUTE) * MINUTE; at < until; at += MINUTE) {
    if (rules.every((rule) => isOpenAt(rule, at))) return at;
  }
  return undefined;
}

/** The first whole minute after `ms` at which one of the rules is closed; undefined when there is none before `until`. */
export function firstClosed(rules: readonly WallRule[], ms: number, until: number): number | undefined {
  for (let at = Math.ceil((ms + 1) / MINUTE) * MINUTE; at < until; at += MINUTE) {
    if (!rules.every((rule) => isOpenAt(rule, at))) return at;
  }
  return undefined;
}
