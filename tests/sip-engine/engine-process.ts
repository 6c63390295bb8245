import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

const MAIN = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'gateway', 'sip-engine', 'main.js');

export interface ReadyLine {
  readonly event: 'ready';
  readonly pid: number;
  readonly client: { readonly address: string; readonly port: number };
  readonly listeners: readonly { readonly name: string; readonly transport: string; readonly port: number }[];
}

/** The engine as a process of its own, started with drachtio's arguments; ended with the test. */
export class EngineProcess {
  readonly exited: Promise<number | null>;

  private constructor(
    readonly child: ChildProcess,
    readonly ready: ReadyLine,
    /** Its log, a line a message. */
    readonly lines: string[],
  ) {
    // Not at its exit: its last lines may be on their way still.
    this.exited = once(child, 'close').then(([code]) => code);
  }

  /** Rejects with what the process said when it ends before it is ready. */
  static async start(test: Pick<Test, 'teardown'>, args: readonly string[]): Promise<EngineProcess> {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    test.teardown(() => child.kill('SIGKILL'));
    const lines: string[] = [];
    const ready = await new Promise<ReadyLine>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`it ended with status ${code}: ${lines.join('\n')}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        lines.push(line);
        if (line.includes('"event":"ready"')) resolve(JSON.parse(line) as ReadyLine);
      });
    });
    return new EngineProcess(child, ready, lines);
  }

  get port(): number {
    return this.ready.listeners[0]?.port ?? 0;
  }
}
