/** G.711 and its events count time in samples of 8 kHz. */
const UNITS_PER_MS = 8;

/** Interarrival jitter as RFC 3550 §6.4.1 and appendix A.8 estimate it. */
export class Jitter {
  #transit = 0;
  #units = 0;
  #begun = false;

  /** `atMs` is when the packet came, `timestamp` is its RTP timestamp. */
  packet(atMs: number, timestamp: number): void {
    // ToInt32 takes both modulo 2^32, so that neither clock's wrap shows.
    const transit = (Math.round(atMs * UNITS_PER_MS) - timestamp) | 0;
    if (this.#begun) this.#units += (Math.abs((transit - this.#transit) | 0) - this.#units) / 16;
    this.#transit = transit;
    this.#begun = true;
  }

  /** Another source: its timestamps have another zero. */
  restart(): void {
    this.#begun = false;
  }

  get ms(): number {
    return this.#units / UNITS_PER_MS;
  }
}
