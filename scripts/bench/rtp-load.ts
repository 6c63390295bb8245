/** The load of the relay's benchmark, `rtp_load.py`: a process of its own, spoken to in lines of JSON. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { projectRoot } from '../../gateway/config/paths.js';
import { minded } from './children.js';

const PYTHON = '/usr/bin/python3';
export const PYTHON_PACKAGE = 'python3';
export const hasPython = (): boolean => existsSync(PYTHON);

/** One way of one call: from which of the load's sockets, to which port of the relay. */
export interface LoadStream {
  readonly socket: number;
  readonly port: number;
}

/**
 * `even`: each packet leaves within a fifth of a millisecond of its own instant, as those of many telephones do.
 * `bursts`: those of a millisecond leave together, which is the harder on whoever takes one after the other.
 */
export type Pacing = 'even' | 'bursts';

export type LoadOrder =
  | { readonly do: 'bind'; readonly sockets: number; readonly address: string }
  | {
      readonly do: 'run';
      readonly address: string;
      readonly streams: readonly LoadStream[];
      readonly warmUpS: number;
      readonly seconds: number;
      readonly pacing: Pacing;
    };

export interface LoadResult {
  readonly sent: number;
  readonly received: number;
  readonly p50DelayMs: number;
  readonly p99DelayMs: number;
  readonly maxDelayMs: number;
}

type LoadSays =
  | { readonly says: 'bound'; readonly ports: readonly number[] }
  | { readonly says: 'measuring' }
  | { readonly says: 'measured' }
  | { readonly says: 'done'; readonly result: LoadResult };

/** A running load. */
export class RtpLoad {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #exited: Promise<unknown>;
  readonly #said: LoadSays[] = [];
  #wake: () => void = () => undefined;
  #isGone = false;

  constructor() {
    const script = join(projectRoot(), 'scripts', 'bench', 'rtp_load.py');
    this.#child = minded(spawn(PYTHON, ['-B', script], { stdio: ['pipe', 'pipe', 'inherit'] }));
    this.#exited = once(this.#child, 'close').then(() => {
      this.#isGone = true;
      this.#wake();
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#said.push(JSON.parse(line) as LoadSays);
      this.#wake();
    });
  }

  order(what: LoadOrder): void {
    this.#child.stdin.write(`${JSON.stringify(what)}\n`);
  }

  /** Settles with the next thing of this kind that it says. Rejects when it ends before. */
  async said<Kind extends LoadSays['says']>(kind: Kind): Promise<Extract<LoadSays, { says: Kind }>> {
    for (;;) {
      const at = this.#said.findIndex(({ says }) => says === kind);
      if (at >= 0) return this.#said.splice(at, 1)[0] as Extract<LoadSays, { says: Kind }>;
      if (this.#isGone) throw new Error('the load ended');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Ends it, and settles when it is gone. */
  async stop(): Promise<void> {
    this.#child.stdin.end();
    await this.#exited;
  }
}
