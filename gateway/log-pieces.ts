import type { DestinationStream } from 'pino';

/** Log lines are written together: so many characters, or what has come within so many milliseconds. A call has a dozen of them. */
const MOST = 8_192;
const SOON_MS = 10;

/** Where the log goes: `pino.destination` with a least length of 1, so that its flush waits for all that it was given. */
export interface LogDestination {
  write(text: string): unknown;
  flush(done?: (fault?: Error) => void): void;
  flushSync(): void;
}

/** A log's destination that is given lines in few pieces; a flush, and a fatal line, take all along that have come. */
export class LogPieces implements DestinationStream {
  #waiting = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly destination: LogDestination) {}

  write(line: string): void {
    this.#waiting += line;
    if (this.#waiting.length >= MOST) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), SOON_MS);
  }

  /** Calls `done` once all that was written has left the process, or with why it cannot. */
  flush(done?: (fault?: Error) => void): void {
    this.#send();
    this.destination.flush(done);
  }

  /** pino calls it after a fatal line, whose process may not live on. */
  flushSync(): void {
    this.#send();
    this.destination.flushSync();
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#waiting;
    this.#waiting = '';
    if (text !== '') this.destination.write(text);
  }
}
