import { Temporal } from 'temporal-polyfill';
import type { Clock, ClockTrust, Timer } from '../../gateway/clock/clock.js';

interface Waiting {
  readonly atNs: bigint;
  readonly run: () => void;
  readonly handle: NodeJS.Timeout;
}

/** The machine's clock, which a test can put forward; what was waited for in between runs at once. */
export class TestClock implements Clock {
  #aheadMs = 0;
  readonly #waiting = new Set<Waiting>();

  wall(): Temporal.Instant {
    return Temporal.Now.instant().add({ milliseconds: this.#aheadMs });
  }

  monotonicNs(): bigint {
    return process.hrtime.bigint() + BigInt(this.#aheadMs) * 1_000_000n;
  }

  trust(): ClockTrust {
    return { trusted: true };
  }

  after(ms: number, run: () => void): Timer {
    const wait = Math.max(0, Math.ceil(ms));
    const handle = setTimeout(() => {
      this.#waiting.delete(waiting);
      run();
    }, wait);
    const waiting: Waiting = { atNs: this.monotonicNs() + BigInt(wait) * 1_000_000n, run, handle };
    this.#waiting.add(waiting);
    return {
      cancel: () => {
        clearTimeout(handle);
        this.#waiting.delete(waiting);
      },
    };
  }

  forward(ms: number): void {
    this.#aheadMs += ms;
    const now = this.monotonicNs();
    for (const waiting of [...this.#waiting].sort((a, b) => Number(a.atNs - b.atNs))) {
      if (waiting.atNs > now || !this.#waiting.delete(waiting)) continue;
      clearTimeout(waiting.handle);
      waiting.run();
    }
  }

  stop(): void {
    for (const { handle } of this.#waiting) clearTimeout(handle);
    this.#waiting.clear();
  }
}
