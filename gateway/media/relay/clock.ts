import { performance } from 'node:perf_hooks';

/** A timer that was asked for; cancelling twice is harmless. */
export interface RelayTimer {
  cancel(): void;
}

/**
 * The relay's own reading of CLOCK_MONOTONIC: milliseconds as a plain number, so that no packet costs a bigint.
 * The numbers count from the start of this process, so a double holds them to well under a microsecond.
 */
export interface RelayClock {
  now(): number;
  /** The instant `ns` (CLOCK_MONOTONIC nanoseconds, as they cross process borders) on the scale of `now()`. */
  fromNs(ns: bigint): number;
  /** Runs `run` once, never before `ms` milliseconds from now. */
  after(ms: number, run: () => void): RelayTimer;
}

/** setTimeout counts in 32 bits; a longer wait fires at once instead, which would end a call. */
const LONGEST_WAIT_MS = 2_000_000_000;
const READINGS = 32;
/** What doubles may round away, with room: a deadline is read that much early rather than a nanosecond late. */
const ROUNDING_NS = 1_000n;

/** performance.now() and hrtime read the same kernel clock; the pair with the least between its readings tells their offset. */
function zeroOfNow(): bigint {
  let best = Number.POSITIVE_INFINITY;
  let zeroNs = 0n;
  for (let i = 0; i < READINGS; i++) {
    const before = performance.now();
    const ns = process.hrtime.bigint();
    const after = performance.now();
    if (after - before >= best) continue;
    best = after - before;
    // The later reading is taken, so that an error of the calibration makes a deadline early and never late.
    zeroNs = ns - BigInt(Math.floor(after * 1e6)) + ROUNDING_NS;
  }
  return zeroNs;
}

export function relayClock(): RelayClock {
  const zeroNs = zeroOfNow();
  const now = (): number => performance.now();
  return {
    now,
    fromNs: (ns) => Number(ns - zeroNs) / 1e6,
    after(ms, run) {
      const at = now() + ms;
      let timer: NodeJS.Timeout;
      const wait = (): void => {
        timer = setTimeout(look, Math.min(LONGEST_WAIT_MS, Math.max(0, Math.ceil(at - now()))));
      };
      // setTimeout may fire up to a millisecond early.
      const look = (): void => (now() >= at ? run() : wait());
      wait();
      return { cancel: () => clearTimeout(timer) };
    },
  };
}
