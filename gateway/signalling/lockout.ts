import type { Clock } from '../clock/clock.js';

const MINUTE_NS = 60_000_000_000n;
const MOST_FAILURES = 10;
const BLOCK_NS = 5n * MINUTE_NS;
const MOST_ADDRESSES = 5_000;

/** Counts failed log-ins by address: ten in a minute, and the address is blocked for five. */
export class Lockout {
  readonly #failures = new Map<string, { count: number; sinceNs: bigint; blockedUntilNs: bigint }>();

  constructor(private readonly clock: Clock) {}

  isBlocked(address: string): boolean {
    const known = this.#failures.get(address);
    return known !== undefined && known.blockedUntilNs > this.clock.monotonicNs();
  }

  /** One failure; true when this is the one that blocks the address. */
  failed(address: string): boolean {
    const now = this.clock.monotonicNs();
    const known = this.#failures.get(address);
    if (known === undefined || now - known.sinceNs > MINUTE_NS) {
      if (this.#failures.size >= MOST_ADDRESSES) this.#forget(now);
      this.#failures.set(address, { count: 1, sinceNs: now, blockedUntilNs: known?.blockedUntilNs ?? 0n });
      return false;
    }
    known.count += 1;
    if (known.count < MOST_FAILURES || known.blockedUntilNs > now) return false;
    known.blockedUntilNs = now + BLOCK_NS;
    return true;
  }

  #forget(now: bigint): void {
    for (const [address, { sinceNs, blockedUntilNs }] of this.#failures) {
      if (now - sinceNs > MINUTE_NS && blockedUntilNs < now) this.#failures.delete(address);
    }
  }
}
