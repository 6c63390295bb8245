/** RFC 3550 appendix A.1: how far ahead a packet may jump, and how far behind it may come. */
export const MAX_DROPOUT = 3_000;
export const MAX_MISORDER = 100;
const MODULUS = 65_536;
const NONE = -1;

/**
 * The window of sequence numbers that a stream may use next, and the count of packets that never came.
 * A number outside it is refused, until two packets in order show that the sender really did start anew.
 */
export class SequenceWindow {
  #highest = NONE;
  #suspect = NONE;
  #expected = 0;
  #received = 0;

  /** Whether this packet belongs; numbers run from 0 to 65,535. Allocates nothing. */
  accept(sequence: number): boolean {
    if (this.#highest === NONE) {
      this.#begin(sequence);
      return true;
    }
    const ahead = (sequence - this.#highest) & (MODULUS - 1);
    if (ahead < MAX_DROPOUT) {
      this.#highest = sequence;
      this.#expected += ahead;
    } else if (ahead <= MODULUS - MAX_MISORDER) {
      if (sequence !== this.#suspect) {
        this.#suspect = (sequence + 1) & (MODULUS - 1);
        return false;
      }
      this.#begin(sequence);
      return true;
    }
    this.#received++;
    return true;
  }

  /** The sender may start anew at any number: it changed its SSRC, or the counted part of the call begins. */
  restart(): void {
    this.#highest = NONE;
    this.#suspect = NONE;
  }

  /** Forgets what was counted too. */
  reset(): void {
    this.restart();
    this.#expected = 0;
    this.#received = 0;
  }

  /** Packets expected and never received; duplicates count against it, as in RFC 3550 §6.4.1, and it is never below zero. */
  get lost(): number {
    return Math.max(0, this.#expected - this.#received);
  }

  #begin(sequence: number): void {
    this.#highest = sequence;
    this.#suspect = NONE;
    this.#expected++;
    this.#received++;
  }
}
