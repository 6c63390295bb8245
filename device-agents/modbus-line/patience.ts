import { msBetween } from '../clock.js';

/** A board is lost after this many failures in a row, and no less than this long since anything was done with it, milliseconds. */
const LOST_FAILURES = 3;
const LOST_MS = 1_000;
/** Before the next try: doubled with each failure, up to the longest; a board in use is tried more often. */
const RETRY_MS = 10;
const LONGEST_RETRY_MS = 1_000;
const LONGEST_RETRY_IN_USE_MS = 40;

/** How often a board failed since something was last done with it, and what follows from that. */
export class Patience {
  #failures = 0;
  #doneNs = 0n;

  /** Something was done. */
  done(nowNs: bigint): void {
    this.#failures = 0;
    this.#doneNs = nowNs;
  }

  /** It failed once more. Tells how long to wait before the next try, milliseconds, and whether the board is lost by now. */
  failed(nowNs: bigint, isInUse: boolean): { readonly againMs: number; readonly isLost: boolean } {
    this.#failures += 1;
    const longestMs = isInUse ? LONGEST_RETRY_IN_USE_MS : LONGEST_RETRY_MS;
    return {
      againMs: Math.min(RETRY_MS * 2 ** Math.min(this.#failures - 1, 10), longestMs),
      isLost: this.#failures >= LOST_FAILURES && msBetween(this.#doneNs, nowNs) >= LOST_MS,
    };
  }
}
