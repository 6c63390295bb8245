import { readFileSync } from 'node:fs';
import { Temporal } from 'temporal-polyfill';
import type { Clock, ClockTrust, Timer } from './clock.js';

/** Reads whether the wall clock is to be believed, called once for each judgement; must be cheap. */
export type TrustSource = () => ClockTrust;

/** The machine's own clocks. `trust` decides what `trust()` answers; see `trust.ts` for the real sources. */
export function systemClock(trust: TrustSource): Clock {
  return {
    wall: () => Temporal.Now.instant(),
    monotonicNs: () => process.hrtime.bigint(),
    trust,
    after(ms: number, run: () => void): Timer {
      const dueNs = process.hrtime.bigint() + BigInt(Math.ceil(ms * 1e6));
      let timer: NodeJS.Timeout;
      // Node's timer counts whole milliseconds of its own, and may fire up to one of them early.
      const look = () => (process.hrtime.bigint() >= dueNs ? run() : wait());
      const wait = () => {
        timer = setTimeout(look, Math.max(0, Math.ceil(Number(dueNs - process.hrtime.bigint()) / 1e6)));
      };
      wait();
      return { cancel: () => clearTimeout(timer) };
    },
  };
}

/** The id of this boot of the machine, as Linux gives it; the monotonic clock counts from it. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
