import { Temporal } from 'temporal-polyfill';
import type { Clock } from './clock.js';

/**
 * The instant at which a call ends by itself, on both clocks.
 * `wall` is what people are told and what is written to disk; `monotonicNs` is what the planes obey, because nobody can
 * set it back. Whichever comes first ends the call, so a clock step can shorten a call and never lengthen it.
 */
export interface Deadline {
  readonly wall: Temporal.Instant;
  readonly monotonicNs: bigint;
  /** The boot that `monotonicNs` belongs to; after a reboot the number means nothing. */
  readonly bootId: string;
}

/** The deadline at the wall instant `wall`, read against both clocks now. A past instant gives a deadline that has passed. */
export function deadlineAt(clock: Clock, wall: Temporal.Instant, bootId: string): Deadline {
  const leftNs = BigInt(wall.epochNanoseconds - clock.wall().epochNanoseconds);
  return { wall, monotonicNs: clock.monotonicNs() + leftNs, bootId };
}

/** Milliseconds left until the deadline by whichever clock says less; zero or negative when it has passed. */
export function msLeft(clock: Clock, deadline: Deadline): number {
  const byMonotonic = Number(deadline.monotonicNs - clock.monotonicNs()) / 1e6;
  const byWall = Number(deadline.wall.epochNanoseconds - clock.wall().epochNanoseconds) / 1e6;
  return Math.min(byMonotonic, byWall);
}

/** The earlier of two wall instants. */
export function earlier(a: Temporal.Instant, b: Temporal.Instant): Temporal.Instant {
  return Temporal.Instant.compare(a, b) <= 0 ? a : b;
}
