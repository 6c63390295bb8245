import type { Limit } from '../../config/schema/types.generated.js';

/** Limits by what they limit: the tightest for each. An empty set limits nothing. */
export type LimitSet = ReadonlyMap<string, Limit>;

export const NO_LIMITS: LimitSet = new Map();

/** What a limit limits: two with one key are about the same thing, and the tighter of them counts. */
export function keyOf(limit: Limit): string {
  return limit.of === 'gap' || limit.of === 'concurrent'
    ? `${limit.of} ${limit.per}`
    : `${limit.of} ${limit.per} ${limit.in}`;
}

/** How loose a limit is: of two for the same thing, the lower is the tighter. */
function looseness(limit: Limit): number {
  return limit.of === 'gap' ? -limit.leastS : limit.most;
}

export function limitSet(limits: Iterable<Limit>): LimitSet {
  const set = new Map<string, Limit>();
  for (const limit of limits) {
    const key = keyOf(limit);
    const other = set.get(key);
    if (other === undefined || looseness(limit) < looseness(other)) set.set(key, limit);
  }
  return set;
}

/** Both sets at once: commutative, associative, and never looser than either. */
export function joinLimits(a: LimitSet, b: LimitSet): LimitSet {
  if (a.size === 0) return b;
  return b.size === 0 ? a : limitSet([...a.values(), ...b.values()]);
}

/** Whether whatever `a` lets through, `b` lets through too. */
export function isNoLooser(a: LimitSet, b: LimitSet): boolean {
  return [...b].every(([key, limit]) => {
    const other = a.get(key);
    return other !== undefined && looseness(other) <= looseness(limit);
  });
}

/** Limits by what they are on: a decision asks for one kind after the other. */
export type LimitsOn = Readonly<Record<Limit['of'], readonly Limit[]>>;

/** Each set is sorted out once. */
const sorted = new WeakMap<LimitSet, LimitsOn>();

function sortedOut(set: LimitSet): LimitsOn {
  const known = sorted.get(set);
  if (known !== undefined) return known;
  const on = { attempts: [], gap: [], calls: [], talk: [], concurrent: [] } as Record<Limit['of'], Limit[]>;
  for (const limit of set.values()) on[limit.of].push(limit);
  sorted.set(set, on);
  return on;
}

const NOTHING_ON = sortedOut(NO_LIMITS);

/** The limits of several sets beside one another, in the order of the sets: none takes another's place. */
export function limitsOn(first?: LimitSet, second?: LimitSet, third?: LimitSet): LimitsOn {
  return beside(beside(beside(NOTHING_ON, first), second), third);
}

function beside(all: LimitsOn, set: LimitSet | undefined): LimitsOn {
  if (set === undefined || set.size === 0) return all;
  return all === NOTHING_ON ? sortedOut(set) : both(all, sortedOut(set));
}

const both = (a: LimitsOn, b: LimitsOn): LimitsOn => ({
  attempts: [...a.attempts, ...b.attempts],
  gap: [...a.gap, ...b.gap],
  calls: [...a.calls, ...b.calls],
  talk: [...a.talk, ...b.talk],
  concurrent: [...a.concurrent, ...b.concurrent],
});
