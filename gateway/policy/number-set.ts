/**
 * Millions of numbers, looked up exactly, in two bytes each and a little: numbers that share all but their last 65,536ths
 * stand in one bucket, sorted. A number of 15 digits is a safe integer, so no big integers are needed.
 */
export interface NumberSetParts {
  /** number div 65,536 of each bucket, ascending. */
  readonly keys: Float64Array;
  /** Where each bucket begins in `lows`; one more at the end. */
  readonly starts: Uint32Array;
  /** number mod 65,536, ascending within its bucket. */
  readonly lows: Uint16Array;
}

export const BUCKET = 65_536;

export class NumberSet {
  constructor(private readonly parts: NumberSetParts) {}

  get size(): number {
    return this.parts.lows.length;
  }

  /** Whether an E.164 number, with its +, is in the set. */
  has(number: string): boolean {
    const value = Number(number.slice(1));
    const { keys, starts, lows } = this.parts;
    const bucket = indexOf(keys, Math.floor(value / BUCKET), 0, keys.length);
    if (bucket < 0) return false;
    return indexOf(lows, value % BUCKET, starts[bucket] ?? 0, starts[bucket + 1] ?? 0) >= 0;
  }
}

/** Binary search in a sorted stretch [from, to); -1 when the value is not there. */
function indexOf(sorted: Float64Array | Uint16Array, value: number, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low < to && sorted[low] === value ? low : -1;
}
