import type { LawTables } from './g711.js';

export const SAMPLE_RATE = 8_000;
export const WARNING_HZ = 1_000;
const BEEP_MS = 200;
const GAP_MS = 120;
const RAMP_MS = 5;
/** About -13 dBm0: heard over speech, and no pain to an ear at the receiver. */
const LEVEL = 7_000;

const samples = (ms: number): number => (ms * SAMPLE_RATE) / 1_000;

/** Two short beeps, as 16-bit linear samples at 8 kHz; the ramps keep them from clicking. */
export const WARNING: Int16Array = (() => {
  const beep = samples(BEEP_MS);
  const ramp = samples(RAMP_MS);
  const tone = new Int16Array(beep + samples(GAP_MS) + beep);
  for (const start of [0, beep + samples(GAP_MS)]) {
    for (let i = 0; i < beep; i++) {
      const swell = Math.min(1, i / ramp, (beep - 1 - i) / ramp);
      tone[start + i] = Math.round(LEVEL * swell * Math.sin((2 * Math.PI * WARNING_HZ * i) / SAMPLE_RATE));
    }
  }
  return tone;
})();

/** ITU-T E.180: ring-back as most of Europe hears it, 425 Hz for one second in five. */
export const RING_BACK: Int16Array = (() => {
  const on = SAMPLE_RATE;
  const cycle = new Int16Array(5 * SAMPLE_RATE);
  const ramp = samples(RAMP_MS);
  for (let i = 0; i < on; i++) {
    const swell = Math.min(1, i / ramp, (on - 1 - i) / ramp);
    cycle[i] = Math.round((LEVEL / 2) * swell * Math.sin((2 * Math.PI * 425 * i) / SAMPLE_RATE));
  }
  return cycle;
})();

/**
 * Mixes a sound from sample `position` on over the G.711 payload at `from` in `packet`, which is changed in place.
 * Speech is halved under it, so that the sum seldom overflows; what does is held at full scale.
 */
export function mixSound(
  sound: Int16Array,
  packet: Buffer,
  from: number,
  to: number,
  position: number,
  law: LawTables,
): void {
  const { decode, encode } = law;
  for (let i = from, at = position; i < to; i++, at++) {
    const ours = at < sound.length ? (sound[at] as number) : 0;
    const sum = ((decode[packet[i] as number] as number) >> 1) + ours;
    packet[i] = encode[Math.max(0, Math.min(65_535, sum + 32_768))] as number;
  }
}

/** Writes a sound alone, `count` samples from `position` on, as G.711 to `packet` at `from`. */
export function writeSound(
  sound: Int16Array,
  packet: Buffer,
  from: number,
  count: number,
  position: number,
  law: LawTables,
): void {
  for (let i = 0; i < count; i++) {
    const at = position + i;
    const ours = at < sound.length ? (sound[at] as number) : 0;
    packet[from + i] = law.encode[ours + 32_768] as number;
  }
}
