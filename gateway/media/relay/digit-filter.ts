import { u32 } from './rtp.js';

/** RFC 4733 §3.2: the event codes 0 to 15 in their order. */
const DIGITS = '0123456789*#ABCD';
const EVENT_BYTES = 4;
const NO_DIGIT = -1;

/** Which keyed digits may go from the handset to the trunk. None, unless the profile lists them. */
export class DigitFilter {
  readonly #allowed = new Uint8Array(256);
  #lastDropped = NO_DIGIT;
  /** Digits kept from the trunk; one key press is many packets with one timestamp. */
  dropped = 0;

  constructor(allowed: string) {
    for (const digit of allowed.toUpperCase()) {
      const code = DIGITS.indexOf(digit);
      if (code >= 0) this.#allowed[code] = 1;
    }
  }

  /** Whether the event between `start` and `end` of the packet may pass. */
  passes(packet: Buffer, start: number, end: number): boolean {
    // Four bytes each (RFC 4733 §2.3); what is longer could carry a second event behind an allowed one.
    if (end - start === EVENT_BYTES && this.#allowed[packet[start] as number] === 1) return true;
    const timestamp = u32(packet, 4);
    if (timestamp !== this.#lastDropped) {
      this.#lastDropped = timestamp;
      this.dropped++;
    }
    return false;
  }
}
