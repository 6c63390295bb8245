import type { LawTables } from './g711.js';

/** ITU-T Q.23: the two groups of frequencies, Hz, and the digit at each crossing. */
const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477, 1633];
const DIGITS = '123A456B789C*0#D';
const SAMPLE_RATE = 8_000;
/** 12.75 ms: bins of 78 Hz still keep the rows apart, take in tones that are 1.5 % off, and fill twice in a key of 40 ms (Q.24 annex A). */
const BLOCK = 102;
/** About -36 dBm0 for each tone: a receiver need not hear less. */
const LEAST_ENERGY = BLOCK * 300 * 300;
/** Of all energy, what the two tones must hold; speech has harmonics and noise beside them. */
const PURITY = 0.66;
/**
 * Q.24: the column may be 8 dB above the row, the row 4 dB above the column. A block this short takes some of either tone for the
 * other, by their phases: of keys that Q.24 allows the worst reads as 10.7 and as 3.8, and this is above both.
 */
const TWIST = 11.5;
const REVERSE_TWIST = 4.5;
/** How much stronger than any other of its group a tone must be; of those keys the worst, 1.5 % off, is 4.5 times. */
const OVER_OTHERS = 4.2;

const coefficient = (hz: number): number => 2 * Math.cos((2 * Math.PI * hz) / SAMPLE_RATE);
const COEFFICIENTS = Float64Array.from([...ROWS, ...COLUMNS], coefficient);

/** Listens for keys in speech of G.711: Goertzel's filters over blocks of 12.75 ms, whatever the packets' length. */
export class ToneEar {
  readonly #samples = new Float64Array(BLOCK);
  readonly #powers = new Float64Array(COEFFICIENTS.length);
  #filled = 0;
  #energy = 0;

  /** The digit that a block ending in this payload holds, or '' for none. Allocates nothing. */
  hear(packet: Buffer, start: number, end: number, { decode }: LawTables): string {
    let heard = '';
    for (let i = start; i < end; i++) {
      const sample = decode[packet[i] as number] as number;
      this.#samples[this.#filled++] = sample;
      this.#energy += sample * sample;
      if (this.#filled < BLOCK) continue;
      const digit = this.#judge();
      if (digit !== '') heard = digit;
      this.#filled = 0;
      this.#energy = 0;
    }
    return heard;
  }

  #judge(): string {
    // Most of a call is silence or a listener's noise, and costs no filter.
    if (this.#energy < LEAST_ENERGY) return '';
    const powers = this.#powers;
    for (let k = 0; k < COEFFICIENTS.length; k++) powers[k] = this.#power(COEFFICIENTS[k] as number);
    const row = strongest(powers, 0);
    const column = strongest(powers, ROWS.length);
    const low = powers[row] as number;
    const high = powers[column] as number;
    if (low + high < (PURITY * this.#energy * BLOCK) / 2) return '';
    if (high > low * TWIST || low > high * REVERSE_TWIST) return '';
    if (!standsOut(powers, 0, row) || !standsOut(powers, ROWS.length, column)) return '';
    return DIGITS[row * COLUMNS.length + column - ROWS.length] ?? '';
  }

  #power(by: number): number {
    let before = 0;
    let last = 0;
    for (let i = 0; i < BLOCK; i++) {
      const next = (this.#samples[i] as number) + by * last - before;
      before = last;
      last = next;
    }
    return before * before + last * last - by * before * last;
  }
}

function strongest(powers: Float64Array, from: number): number {
  let best = from;
  for (let k = from + 1; k < from + ROWS.length; k++) if ((powers[k] as number) > (powers[best] as number)) best = k;
  return best;
}

function standsOut(powers: Float64Array, from: number, best: number): boolean {
  for (let k = from; k < from + ROWS.length; k++)
    if (k !== best && (powers[k] as number) * OVER_OTHERS > (powers[best] as number)) return false;
  return true;
}
