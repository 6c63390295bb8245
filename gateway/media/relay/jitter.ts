/** Interarrival jitter as RFC 3550 §6.4.1 and appendix A.8 estimate it, in milliseconds whatever the codec's clock. */
export class Jitter {
  #arrivedMs = 0;
  #timestamp = 0;
  #begun = false;
  ms = 0;

  /** `atMs` is when the packet came, `timestamp` its RTP timestamp, of a clock of `unitsPerMs`. */
  packet(atMs: number, timestamp: number, unitsPerMs: number): void {
    if (this.#begun) {
      // ToInt32 takes the difference modulo 2^32, so that the timestamp's wrap does not show.
      const sentMs = ((timestamp - this.#timestamp) | 0) / unitsPerMs;
      this.ms += (Math.abs(atMs - this.#arrivedMs - sentMs) - this.ms) / 16;
    }
    this.#arrivedMs = atMs;
    this.#timestamp = timestamp;
    this.#begun = true;
  }

  /** Another source: its timestamps have another zero. */
  restart(): void {
    this.#begun = false;
  }
}
