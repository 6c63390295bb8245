/**
 * When something is open. Hours are asked for the stretch around an instant, so that a decision costs a comparison and a
 * walk goes from boundary to boundary and never from minute to minute.
 */

/** A stretch of time, [from, to) in epoch milliseconds, all of it open or all of it closed. There may be more of the same on either side. */
export interface Stretch {
  readonly isOpen: boolean;
  readonly from: number;
  readonly to: number;
  /** Until when this may be remembered; before `to` where hours are laid out no further, and the stretch may be longer. */
  readonly answersTo: number;
}

export interface Hours {
  /** The stretch that holds an instant. */
  stretchAt(ms: number): Stretch;
}

const END = Number.POSITIVE_INFINITY;
const FOREVER: Stretch = { isOpen: true, from: Number.NEGATIVE_INFINITY, to: END, answersTo: END };
/** No rule: always open. */
export const ALWAYS: Hours = { stretchAt: () => FOREVER };
const CLOSED: Stretch = { ...FOREVER, isOpen: false };
export const NEVER: Hours = { stretchAt: () => CLOSED };

/** What nobody waits for: an opening further ahead than this counts as none, milliseconds. */
export const FURTHEST_MS = 400 * 86_400_000;

/** Open where every member is: the join of levels. The order of members, and one that stands twice, change nothing. */
class Together implements Hours {
  #last: Stretch | undefined;

  constructor(private readonly members: readonly Hours[]) {}

  stretchAt(ms: number): Stretch {
    const last = this.#last;
    if (last !== undefined && ms >= last.from && ms < last.answersTo) return last;
    let from = Number.NEGATIVE_INFINITY;
    let to = END;
    let answersTo = END;
    for (const member of this.members) {
      const stretch = member.stretchAt(ms);
      if (!stretch.isOpen) {
        // Closed from here until everything is open again, worked out once however often it is asked.
        const opens = this.#opensAfter(ms);
        this.#last = { isOpen: false, from: ms, to: opens, answersTo: opens };
        return this.#last;
      }
      from = Math.max(from, stretch.from);
      to = Math.min(to, stretch.to);
      answersTo = Math.min(answersTo, stretch.answersTo);
    }
    this.#last = { isOpen: true, from, to, answersTo };
    return this.#last;
  }

  #opensAfter(ms: number): number {
    const furthest = ms + FURTHEST_MS;
    for (let at = ms; at < furthest; ) {
      const closed = this.members.map((member) => member.stretchAt(at)).filter(({ isOpen }) => !isOpen);
      if (closed.length === 0) return at;
      at = Math.max(...closed.map(({ to }) => to));
    }
    // Not looked at any further: whoever comes then asks anew.
    return furthest;
  }
}

/** The hours in which all of these are open; of none, always. */
export function together(hours: readonly Hours[]): Hours {
  const [first, ...more] = [...new Set(hours)].filter((one) => one !== ALWAYS);
  if (first === undefined) return ALWAYS;
  return more.length === 0 ? first : new Together([first, ...more]);
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
