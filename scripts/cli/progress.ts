import type { Writable } from 'node:stream';

const WIDTH = 30;
const REDRAW_MS = 100;

/** A bar on a terminal that says how far a long work is; on anything else it says nothing. */
export class Progress {
  #drawnMs = 0;

  constructor(
    private readonly stream: Writable & { readonly isTTY?: boolean },
    private readonly what: string,
    private readonly whole: number,
  ) {}

  at(done: number): void {
    const nowMs = performance.now();
    const isEnd = done >= this.whole;
    if (this.stream.isTTY !== true || (!isEnd && nowMs - this.#drawnMs < REDRAW_MS)) return;
    this.#drawnMs = nowMs;
    const full = this.whole === 0 ? WIDTH : Math.floor((done / this.whole) * WIDTH);
    const bar = `${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}`;
    this.stream.write(`\r${this.what} [${bar}] ${done} of ${this.whole}${isEnd ? '\n' : ''}`);
  }
}
