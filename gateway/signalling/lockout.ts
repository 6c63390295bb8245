import type { Clock } from '../clock/clock.js';

const MINUTE_NS = 60_000_000_000n;
const MOST_FAILURES = 10;
const BLOCK_NS = 5n * MINUTE_NS;
const MOST_ADDRESSES = 5_000;

interface Failures {
  count: number;
  readonly sinceNs: bigint;
  blockedUntilNs: bigint;
}

/** Counts failed log-ins by address: ten in a minute, and the address is blocked for five. */
export class Lockout {
  readonly #failures = new Map<string, Failures>();

  constructor(private readonly clock: Clock) {}

  isBlocked(address: string): boolean {
    return this.secondsLeft(address) > 0;
  }

  /** How long the address is still blocked, whole seconds; 0 when it is not. */
  secondsLeft(address: string): number {
    const leftNs = (this.#failures.get(address)?.blockedUntilNs ?? 0n) - this.clock.monotonicNs();
    return leftNs > 0n ? Math.ceil(Number(leftNs) / 1e9) : 0;
  }

  /** One failure; true when this is the one that blocks the address. */
  failed(address: string): boolean {
    const now = this.clock.monotonicNs();
    const known = this.#failures.get(address);
    if (known === undefined || now - known.sinceNs > MINUTE_NS) {
      if (known === undefined && this.#failures.size >= MOST_ADDRESSES) this.#makeRoom(now);
      this.#failures.set(address, { count: 1, sinceNs: now, blockedUntilNs: known?.blockedUntilNs ?? 0n });
      return false;
    }
    known.count += 1;
    if (known.count < MOST_FAILURES || known.blockedUntilNs > now) return false;
    known.blockedUntilNs = now + BLOCK_NS;
    return true;
  }

  get size(): number {
    return this.#failures.size;
  }

  /** Source addresses can be made up: the oldest quarter goes, those that are blocked last of all. */
  #makeRoom(now: bigint): void {
    const aim = (MOST_ADDRESSES * 3) / 4;
    for (const [address, { sinceNs, blockedUntilNs }] of this.#failures) {
      if (now - sinceNs > MINUTE_NS && blockedUntilNs < now) this.#failures.delete(address);
    }
    for (const spareBlocked of [true, false]) {
      for (const [address, { blockedUntilNs }] of this.#failures) {
        if (this.#failures.size <= aim) return;
        if (!spareBlocked || blockedUntilNs < now) this.#failures.delete(address);
      }
    }
  }
}
