/** Keys that are no further apart than this belong together, nanoseconds. */
const TOGETHER_NS = 4_000_000_000n;
/** Codes and PINs have eight digits at the most, times of day fewer, and a menu wants one: more is a number. */
export const LONGEST_CODE = 8;

/** Notices a number that is keyed where keys dial nothing. It remembers how many digits came, and none of them. */
export class KeyRun {
  #length = 0;
  #lastNs = 0n;

  /** True once a run: with the digit that is one more than any code has. */
  isNumber(key: string, atNs: bigint): boolean {
    if (!/^[0-9]$/.test(key)) {
      this.#length = 0;
      return false;
    }
    if (atNs - this.#lastNs > TOGETHER_NS) this.#length = 0;
    this.#lastNs = atNs;
    this.#length += 1;
    return this.#length === LONGEST_CODE + 1;
  }
}
