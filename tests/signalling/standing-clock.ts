import { Temporal } from 'temporal-polyfill';
import type { Clock, ClockTrust, Timer } from '../../gateway/clock/clock.js';

/** A clock that stands still until it is put forward; timers run when their time has come. */
export class StandingClock implements Clock {
  #nowMs = 1_000_000;
  #timers: { readonly atMs: number; readonly run: () => void }[] = [];

  wall(): Temporal.Instant {
    return Temporal.Instant.fromEpochMilliseconds(this.#nowMs);
  }

  monotonicNs(): bigint {
    return BigInt(this.#nowMs) * 1_000_000n;
  }

  trust(): ClockTrust {
    return { trusted: true };
  }

  after(ms: number, run: () => void): Timer {
    const timer = { atMs: this.#nowMs + ms, run };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((one) => one !== timer);
      },
    };
  }

  forward(ms: number): void {
    this.#nowMs += ms;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.#nowMs);
    for (const { run } of due) run();
  }
}
