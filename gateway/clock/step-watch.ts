/**
 * Sees the wall clock step. Pure: it is told readings of both clocks and remembers their distance.
 *
 * The rule. CLOCK_MONOTONIC is slewed together with the wall clock (adjtimex(2)), and never stepped. So wall minus
 * monotonic is constant for as long as nobody sets the clock, and any change of it is a step. The first reading is the
 * anchor; a reading more than 2 s from the anchor, either way, is a step, and several small steps count together. From then
 * on the clock is not believed, even if it steps back to where it was: which of the two times was wrong is not ours to
 * guess. Only an acknowledgement ends that (an operator's, or a source of synchronisation that vouches for the clock
 * after the step), and the reading then becomes the new anchor. A machine that was suspended shows as a step as well.
 */

/** More than this between the two clocks is a step, milliseconds (policy.md, `clock.untrusted`). */
export const STEP_LIMIT_MS = 2_000;

/** Both clocks, read together. */
export interface Reading {
  readonly wallNs: bigint;
  readonly monotonicNs: bigint;
}

/** A step that nobody has acknowledged. */
export interface Step {
  /** How far the wall clock had moved from the anchor when it was seen, milliseconds; positive is forward. */
  readonly byMs: number;
  /** When it was seen, on the monotonic clock. */
  readonly seenAtNs: bigint;
}

export interface StepState {
  /** Wall minus monotonic, of the last reading that was vouched for. */
  readonly anchorNs: bigint;
  readonly step?: Step;
}

/** The state after a reading; `state` is undefined before the first. */
export function afterReading(state: StepState | undefined, reading: Reading): StepState {
  const distanceNs = reading.wallNs - reading.monotonicNs;
  if (state === undefined) return { anchorNs: distanceNs };
  if (state.step !== undefined) return state;
  const byMs = Number(distanceNs - state.anchorNs) / 1e6;
  if (Math.abs(byMs) <= STEP_LIMIT_MS) return state;
  return { anchorNs: state.anchorNs, step: { byMs, seenAtNs: reading.monotonicNs } };
}

/** The state after somebody has vouched for the clock as it reads now. */
export function afterAcknowledgement(reading: Reading): StepState {
  return { anchorNs: reading.wallNs - reading.monotonicNs };
}
