import { readFileSync, rmSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import type { Clock } from '../clock/clock.js';

/** Changes of one moment are one write, milliseconds. */
const WRITE_MS = 100;

export interface RetainedOptions {
  /** The file that they are kept in. */
  readonly file: string;
  /** The boot in which they were said: instants of another mean nothing. */
  readonly bootId: string;
  readonly clock: Pick<Clock, 'after'>;
  /** The file cannot be written; what was said is known all the same, until the gateway ends. */
  readonly onFault: (fault: unknown) => void;
}

/**
 * The last state of each line, kept across a restart of the gateway, so that the next one knows the hooks before the agents
 * are back. It is not believed before an agent vouches for it: healths are never kept.
 */
export class RetainedStates {
  readonly #options: RetainedOptions;
  readonly #states = new Map<string, string>();
  #isDue = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: RetainedOptions) {
    this.#options = options;
    for (const [topic, payload] of readStates(options)) this.#states.set(topic, payload);
  }

  entries(): Iterable<[string, string]> {
    return this.#states;
  }

  /** Keeps what was said of a topic; an empty payload is the end of it (MQTT 3.1.1 §3.3.1.3). */
  keep(topic: string, payload: string): void {
    if (payload === '') this.#states.delete(topic);
    else this.#states.set(topic, payload);
    if (this.#isDue) return;
    this.#isDue = true;
    this.#options.clock.after(WRITE_MS, () => void this.flush());
  }

  /** Settles when all that was kept is written, or cannot be. */
  flush(): Promise<void> {
    if (!this.#isDue) return this.#writing;
    this.#isDue = false;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const { file, bootId, onFault } = this.#options;
    try {
      await writeFile(`${file}.new`, JSON.stringify({ bootId, states: [...this.#states] }), { mode: 0o600 });
      await rename(`${file}.new`, file);
    } catch (fault) {
      onFault(fault);
    }
  }
}

/** What the file holds of this boot; nothing, when it is not there, or is none of ours. */
function readStates({ file, bootId, onFault }: RetainedOptions): [string, string][] {
  try {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as { bootId?: unknown; states?: unknown };
    if (kept.bootId !== bootId || !Array.isArray(kept.states)) return [];
    return kept.states.filter(
      (one): one is [string, string] =>
        Array.isArray(one) && one.length === 2 && one.every((part) => typeof part === 'string'),
    );
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return [];
    // Half a file, or somebody else's: the agents say everything anew within seconds.
    onFault(fault);
    rmSync(file, { force: true });
    return [];
  }
}
