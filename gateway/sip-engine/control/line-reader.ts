/** Cuts a stream into lines. A line longer than the limit breaks the stream for good. */
export class LineReader {
  #pending = '';

  constructor(readonly maxLength = 65_536) {}

  /** Gives the lines that a chunk completes; false when one is too long. */
  take(chunk: string, onLine: (line: string) => void): boolean {
    this.#pending += chunk;
    for (let end = this.#pending.indexOf('\n'); end >= 0; end = this.#pending.indexOf('\n')) {
      const line = this.#pending.slice(0, end).trim();
      this.#pending = this.#pending.slice(end + 1);
      if (line !== '') onLine(line);
    }
    return this.#pending.length <= this.maxLength;
  }
}
