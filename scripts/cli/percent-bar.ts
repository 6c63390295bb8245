import type { Terminal } from './command.js';

/** A bar on stderr: at a terminal drawn over itself, elsewhere one line each tenth; of what has no size, how much was read. */
export class PercentBar {
  #done = 0;
  #told = -1;
  readonly #isTTY: boolean;

  constructor(
    private readonly terminal: Terminal,
    private readonly size: number | undefined,
  ) {
    this.#isTTY = (terminal.stderr as { isTTY?: boolean }).isTTY === true;
  }

  read(bytes: number): void {
    this.#done += bytes;
    if (this.size === undefined) {
      if (this.#done < 1_000_000) return;
      this.#tell(Math.floor(this.#done / 1e6), (megabytes) => `${megabytes} MB read`, this.#isTTY);
      return;
    }
    if (this.size < 1_000_000) return;
    const percent = Math.min(100, Math.floor((this.#done / this.size) * 100));
    const bar = '█'.repeat(Math.floor(percent / 4)).padEnd(25, '·');
    this.#tell(percent, () => `${bar} ${percent} %`, this.#isTTY || percent % 10 === 0);
  }

  end(): void {
    if (this.#told >= 0) this.terminal.stderr.write('\n');
  }

  #tell(step: number, words: (step: number) => string, isDue: boolean): void {
    if (step === this.#told || !isDue) return;
    this.#told = step;
    this.terminal.stderr.write(this.#isTTY ? `\r${words(step)}` : `${words(step)}\n`);
  }
}
