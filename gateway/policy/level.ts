import { ALWAYS, type Hours, together } from './hours.js';
import { joinLimits, type LimitSet, NO_LIMITS } from './limits.js';
import type { NumberList } from './number-list.js';

/**
 * What one level of policy lets through: site, wing, handset, country. Levels are joined and never overruled: joining is
 * commutative, associative, and never wider than either side, so that the most restrictive wins whatever the order.
 */
export interface Level {
  /** Calls may be where these are open. */
  readonly hours: Hours;
  readonly limits: LimitSet;
  /** A number must be in each of these; a level without a list has no say. */
  readonly allow: ReadonlySet<NumberList>;
  /** A number in any of these is refused. */
  readonly block: ReadonlySet<NumberList>;
}

/** The level that lets everything through: joined with any other it gives that other. */
export const WIDEST: Level = { hours: ALWAYS, limits: NO_LIMITS, allow: new Set(), block: new Set() };

/** Both levels at once. `hoursTogether` may remember hours that were put together before. */
export function join(a: Level, b: Level, hoursTogether: (hours: readonly Hours[]) => Hours = together): Level {
  return {
    hours: hoursTogether([a.hours, b.hours]),
    limits: joinLimits(a.limits, b.limits),
    allow: new Set([...a.allow, ...b.allow]),
    block: new Set([...a.block, ...b.block]),
  };
}

export const isBlocked = ({ block }: Level, number: string): boolean => some(block, number);

/** Whether every allow list has the number; a level with none allows none to be asked. */
export function isAllowed({ allow }: Level, number: string): boolean {
  for (const list of allow) if (!list.has(number)) return false;
  return true;
}

function some(lists: ReadonlySet<NumberList>, number: string): boolean {
  for (const list of lists) if (list.has(number)) return true;
  return false;
}
