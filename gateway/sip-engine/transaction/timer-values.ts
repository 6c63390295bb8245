/** RFC 3261 §17, table 4. T1 is the round trip that is assumed, T2 the longest interval of a retransmission, T4 the longest life of a message in the network; milliseconds. */
export interface TimerValues {
  readonly t1Ms: number;
  readonly t2Ms: number;
  readonly t4Ms: number;
}

export const RFC_TIMERS: TimerValues = { t1Ms: 500, t2Ms: 4_000, t4Ms: 5_000 };

/** Timers A to L of RFC 3261 and M of RFC 6026; X gives up waiting for the final answer to an INVITE that we cancelled (RFC 3261 §9.1). */
export type TimerName = 'A' | 'B' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M' | 'X';

/** How long the timer runs; `last` is its run before, for those that double. 0: it runs out at once (a reliable transport). */
export function timerLength(
  timer: TimerName,
  reliable: boolean,
  proceeding: boolean,
  values: TimerValues,
  last: number,
): number {
  switch (timer) {
    case 'A':
      return last === 0 ? values.t1Ms : last * 2;
    case 'E':
      if (proceeding) return values.t2Ms;
      return last === 0 ? values.t1Ms : Math.min(last * 2, values.t2Ms);
    case 'G':
      return last === 0 ? values.t1Ms : Math.min(last * 2, values.t2Ms);
    case 'B':
    case 'F':
    case 'H':
    case 'L':
    case 'M':
    case 'X':
      return 64 * values.t1Ms;
    // D is "at least 32 s" (§17.1.1.2), which is 64·T1 wherever T1 has its default.
    case 'D':
    case 'J':
      return reliable ? 0 : 64 * values.t1Ms;
    case 'I':
    case 'K':
      return reliable ? 0 : values.t4Ms;
  }
}
