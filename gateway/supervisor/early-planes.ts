import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { spawnPlane } from './spawn-plane.js';

/** A program to be started ahead of its configuration. */
export interface EarlyProgram {
  readonly script: string;
  readonly nodeFlags?: readonly string[];
}

/**
 * Planes' processes that load their programs while the gateway still loads its own. They hold nothing and listen on nothing
 * before their configuration comes; one that nobody takes is ended.
 */
export class EarlyPlanes {
  readonly #children = new Map<string, ChildProcess>();

  constructor(programs: readonly EarlyProgram[]) {
    for (const { script, nodeFlags } of programs) {
      const child = spawnPlane(script, nodeFlags);
      // One that could not be started is found dead by whoever takes it, who then starts another.
      child.once('error', () => this.#children.delete(script));
      this.#children.set(script, child);
    }
  }

  /** Hands a process over, once; undefined when there is none. */
  take(script: string): ChildProcess | undefined {
    const child = this.#children.get(script);
    this.#children.delete(script);
    return child;
  }

  /** Ends those that nobody took; settles when they are gone. */
  async end(): Promise<void> {
    const children = [...this.#children.values()];
    this.#children.clear();
    await Promise.all(
      children.map((child) => {
        const gone = once(child, 'close');
        child.kill('SIGKILL');
        return gone;
      }),
    );
  }
}
