/** How many wrong codes or PINs in a row lock a person's code or a handset. */
export const MOST_FAILURES = 5;
const FIRST_LOCK_MS = 15 * 60_000;
const LONGEST_LOCK_MS = 24 * 3_600_000;

/** The failures of one person's code or of one handset since its last success. */
export interface Failures {
  readonly count: number;
  /** Nothing is taken before this instant, epoch milliseconds; 0: it is not locked. */
  readonly lockedUntilMs: number;
}

export const NO_FAILURES: Failures = { count: 0, lockedUntilMs: 0 };

export const isLocked = ({ lockedUntilMs }: Failures, nowMs: number): boolean => nowMs < lockedUntilMs;

/**
 * The failures after one more. At the fifth, and at each that follows, it is locked: for 15 minutes, then twice as long each
 * time, a day at the most. `locks`: this one did it, which is an alarm.
 */
export function afterFailure(before: Failures, nowMs: number): Failures & { readonly locks: boolean } {
  const count = before.count + 1;
  if (count < MOST_FAILURES) return { count, lockedUntilMs: before.lockedUntilMs, locks: false };
  const forMs = Math.min(LONGEST_LOCK_MS, FIRST_LOCK_MS * 2 ** Math.min(20, count - MOST_FAILURES));
  return { count, lockedUntilMs: nowMs + forMs, locks: true };
}
