/**
 * When something is open. Hours are asked for the stretch around an instant, so that a decision costs a comparison and a
 * walk goes from boundary to boundary and never from minute to minute.
 */
import { joined, meet, type Span } from './spans.js';

/** A stretch of time, [from, to) in epoch milliseconds, all of it open or all of it closed. There may be more of the same on either side. */
export interface Stretch {
  readonly isOpen: boolean;
  readonly from: number;
  readonly to: number;
  /** Until when this may be remembered; before `to` where hours are laid out no further, and the stretch may be longer. */
  readonly answersTo: number;
}

/** The times of a zone's week outside which hours are never open, whatever the date; wall time from Thursday 00:00, milliseconds. */
export interface WeekBound {
  readonly zone: string;
  readonly week: readonly Span[];
}

export interface Hours {
  /** The stretch that holds an instant. */
  stretchAt(ms: number): Stretch;
  /** All of them hold, one a zone. Absent: nothing is known but what is asked. */
  readonly bounds?: readonly WeekBound[];
}

const END = Number.POSITIVE_INFINITY;
const FOREVER: Stretch = { isOpen: true, from: Number.NEGATIVE_INFINITY, to: END, answersTo: END };
/** No rule: always open. */
export const ALWAYS: Hours = { stretchAt: () => FOREVER };
const CLOSED: Stretch = { ...FOREVER, isOpen: false };
export const NEVER: Hours = { stretchAt: () => CLOSED };

const DAY_MS = 86_400_000;
/** What nobody waits for: an opening further ahead than this counts as none, milliseconds. */
export const FURTHEST_MS = 400 * DAY_MS;
/** How much further is looked where the last look ended without an opening. */
const FURTHER_MS = 30 * DAY_MS;

/**
 * Open where every member is: the join of levels. The order of members, and one that stands twice, change nothing. What was
 * looked through and is closed is remembered as one stretch, so that each day is looked through once however often it is asked.
 */
class Together implements Hours {
  #open: Stretch | undefined;
  #closed: Stretch | undefined;

  constructor(
    private readonly members: readonly Hours[],
    readonly bounds: readonly WeekBound[],
  ) {}

  stretchAt(ms: number): Stretch {
    for (const known of [this.#open, this.#closed])
      if (known !== undefined && ms >= known.from && ms < known.answersTo) return known;
    let from = Number.NEGATIVE_INFINITY;
    let to = END;
    let answersTo = END;
    for (const member of this.members) {
      const stretch = member.stretchAt(ms);
      if (!stretch.isOpen) return this.#closedAt(ms);
      from = Math.max(from, stretch.from);
      to = Math.min(to, stretch.to);
      answersTo = Math.min(answersTo, stretch.answersTo);
    }
    this.#open = { isOpen: true, from, to, answersTo };
    return this.#open;
  }

  #closedAt(ms: number): Stretch {
    const before = this.#closed;
    const goesOn = before !== undefined && before.to === ms;
    const to = this.#opensAfter(ms, ms + (goesOn ? FURTHER_MS : FURTHEST_MS));
    this.#closed = { isOpen: false, from: goesOn ? before.from : ms, to, answersTo: to };
    return this.#closed;
  }

  /** The first opening from a closed instant on; where there is none before `furthest`, an instant until which all is closed. */
  #opensAfter(ms: number, furthest: number): number {
    const known = this.#closed;
    for (let at = ms; ; ) {
      if (known !== undefined && at >= known.from && at < known.to) at = known.to;
      let later = at;
      for (const member of this.members) {
        const { isOpen, to } = member.stretchAt(at);
        if (!isOpen && to > later) later = to;
      }
      if (later === at || later >= furthest) return later;
      at = later;
    }
  }
}

/**
 * The hours in which all of these are open; of none, always. Those whose weeks in one zone have nothing in common are never
 * open, and nothing is looked through to find that out.
 */
export function together(hours: readonly Hours[]): Hours {
  const [first, ...more] = [...new Set(hours)].filter((one) => one !== ALWAYS);
  if (first === undefined) return ALWAYS;
  if (more.length === 0) return first;
  const all = [first, ...more];
  const bounds = boundsOf(all);
  const isNever = all.includes(NEVER) || bounds.some(({ week }) => week.length === 0);
  return isNever ? NEVER : new Together(all, bounds);
}

function boundsOf(hours: readonly Hours[]): readonly WeekBound[] {
  const weeks = new Map<string, readonly Span[]>();
  for (const { zone, week } of hours.flatMap(({ bounds = [] }) => bounds)) {
    const known = weeks.get(zone);
    weeks.set(zone, known === undefined ? joined(week) : meet(known, week));
  }
  return [...weeks].map(([zone, week]) => ({ zone, week }));
}

/** The first instant from `ms` on at which hours are open; undefined when that is more than 400 days away. */
export function opensFrom(hours: Hours, ms: number): number | undefined {
  for (let at = ms; at <= ms + FURTHEST_MS; ) {
    const { isOpen, to } = hours.stretchAt(at);
    if (isOpen) return at;
    at = to;
  }
  return undefined;
}

/** Pairs that were put together before: what was looked through of them stays known. */
const met = new WeakMap<Hours, WeakMap<Hours, Hours>>();

/** The hours in which both are open; the same two give the same hours each time. */
export function both(a: Hours, b: Hours): Hours {
  if (a === ALWAYS || a === b) return b;
  if (b === ALWAYS) return a;
  const others = met.get(a) ?? new WeakMap<Hours, Hours>();
  const known = others.get(b) ?? together([a, b]);
  met.set(a, others.set(b, known));
  return known;
}
