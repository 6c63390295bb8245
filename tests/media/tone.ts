type Law = keyof typeof LAWS;

import { LAWS } from '../../gateway/media/relay/g711.js';

const SAMPLE_RATE = 8_000;

/** G.711 to 16-bit linear samples. */
export const decoded = (payload: Buffer, codec: Law): number[] =>
  Array.from(payload, (byte) => LAWS[codec].decode[byte] ?? 0);

/** The share of a signal's energy that lies at `hz` (Goertzel), 0 to 1. */
export function shareAt(samples: readonly number[], hz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / SAMPLE_RATE);
  let before = 0;
  let last = 0;
  let energy = 0;
  for (const sample of samples) {
    const next = sample + coefficient * last - before;
    before = last;
    last = next;
    energy += sample * sample;
  }
  const power = before * before + last * last - coefficient * before * last;
  return energy === 0 ? 0 : power / ((energy * samples.length) / 2);
}

/** Root of the mean square. */
export const loudness = (samples: readonly number[]): number =>
  Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length));

/** How alike two stretches of sound are, 1 for the same. */
export function likeness(one: readonly number[], other: readonly number[]): number {
  const length = Math.min(one.length, other.length);
  let product = 0;
  for (let i = 0; i < length; i++) product += (one[i] ?? 0) * (other[i] ?? 0);
  return product / (loudness(one.slice(0, length)) * loudness(other.slice(0, length)) * length);
}
