import type { Clock } from '../clock/clock.js';

const WINDOW_NS = 600_000_000_000n;
const MOST_WRONG = 10;
const BLOCK_NS = 900_000_000_000n;
const MOST_ADDRESSES = 2_000;

interface Wrong {
  count: number;
  readonly sinceNs: bigint;
  blockedUntilNs: bigint;
}

/** Counts requests for what there is not, by address: ten in ten minutes, and the address gets nothing for fifteen. */
export class Guesses {
  readonly #wrong = new Map<string, Wrong>();

  constructor(private readonly clock: Clock) {}

  isBlocked(address: string): boolean {
    return (this.#wrong.get(address)?.blockedUntilNs ?? 0n) > this.clock.monotonicNs();
  }

  /** One wrong request; true when this is the one that blocks the address. */
  wrong(address: string): boolean {
    const now = this.clock.monotonicNs();
    const known = this.#wrong.get(address);
    if (known === undefined || now - known.sinceNs > WINDOW_NS) {
      if (known === undefined && this.#wrong.size >= MOST_ADDRESSES) this.#makeRoom();
      this.#wrong.set(address, { count: 1, sinceNs: now, blockedUntilNs: known?.blockedUntilNs ?? 0n });
      return false;
    }
    known.count += 1;
    if (known.count < MOST_WRONG || known.blockedUntilNs > now) return false;
    known.blockedUntilNs = now + BLOCK_NS;
    return true;
  }

  /** The oldest quarter goes; a network of cells has no so many addresses, unless somebody makes them up. */
  #makeRoom(): void {
    const surplus = Math.ceil(MOST_ADDRESSES / 4);
    for (const address of [...this.#wrong.keys()].slice(0, surplus)) this.#wrong.delete(address);
  }
}
