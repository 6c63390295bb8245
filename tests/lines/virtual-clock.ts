import { Temporal } from 'temporal-polyfill';
import type { Clock, Timer } from '../../gateway/clock/clock.js';

interface Waiting {
  readonly atNs: bigint;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that goes only when it is told to. */
export class VirtualClock implements Clock {
  #nowNs = 1_000_000_000_000n;
  #wallNs: bigint;
  #order = 0;
  readonly #waiting = new Set<Waiting>();

  /** `wallMs`: of its wall clock, since the epoch, at the beginning. */
  constructor(wallMs = 1_800_000_000_000) {
    this.#wallNs = BigInt(wallMs) * 1_000_000n;
  }

  wall(): Temporal.Instant {
    return Temporal.Instant.fromEpochNanoseconds(this.#wallNs);
  }

  monotonicNs(): bigint {
    return this.#nowNs;
  }

  trust() {
    return { trusted: true } as const;
  }

  after(ms: number, run: () => void): Timer {
    const waiting = {
      atNs: this.#nowNs + BigInt(Math.max(0, Math.ceil(ms * 1e6))),
      order: this.#order++,
      run,
    };
    this.#waiting.add(waiting);
    return { cancel: () => void this.#waiting.delete(waiting) };
  }

  /** Sets the wall clock alone. */
  step(ms: number): void {
    this.#wallNs += BigInt(ms) * 1_000_000n;
  }

  /** Goes on by `ms` milliseconds, running each timer at its instant. */
  go(ms: number): void {
    const endNs = this.#nowNs + BigInt(Math.round(ms * 1e6));
    for (;;) {
      const next = [...this.#waiting]
        .filter(({ atNs }) => atNs <= endNs)
        .sort((a, b) => (a.atNs === b.atNs ? a.order - b.order : a.atNs < b.atNs ? -1 : 1))[0];
      if (next === undefined) break;
      this.#waiting.delete(next);
      this.#to(next.atNs);
      next.run();
    }
    this.#to(endNs);
  }

  #to(atNs: bigint): void {
    if (atNs <= this.#nowNs) return;
    this.#wallNs += atNs - this.#nowNs;
    this.#nowNs = atNs;
  }
}
