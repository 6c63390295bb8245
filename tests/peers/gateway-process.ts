import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

/** One line of the gateway's log. */
export interface LogLine {
  readonly event?: string;
  readonly plane?: string;
  readonly pid?: number;
  readonly [key: string]: unknown;
}

const program = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'gateway', 'main.js');

/** The whole program as a child process, as a site runs it; its log is read line by line and kept in the site's folder. */
export class GatewayProcess {
  readonly child: ChildProcess;
  readonly lines: LogLine[] = [];
  readonly stderr: string[] = [];
  /** Exit code, or the signal's name. */
  readonly exited: Promise<number | string>;
  #waiting: (() => void)[] = [];

  private constructor(
    t: Test,
    siteFolder: string,
    env: NodeJS.ProcessEnv = {},
    [node, main] = [process.execPath, program],
  ) {
    // It ends with the test, however that ends.
    this.child = spawn(node, ['--enable-source-maps', main, '--config', siteFolder, '--life-line'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    const kept = createWriteStream(join(siteFolder, 'gateway.log'), { flags: 'a' });
    if (this.child.stdout === null || this.child.stderr === null) throw new Error('no pipes to the gateway');
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      kept.write(`${line}\n`);
      this.#heard(line);
    });
    createInterface({ input: this.child.stderr }).on('line', (line) => this.stderr.push(line));
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        kept.end();
        resolve(code ?? signal ?? 'unknown');
        this.#wake();
      });
    });
    t.teardown(() => this.end());
  }

  /**
   * Starts the gateway and waits until it says that it is ready; rejects with its last words when it ends instead.
   * @param env What its environment has beside that of the tests.
   * @param how The Node and the program, where they are not those of the tests.
   */
  static async start(
    t: Test,
    siteFolder: string,
    env?: NodeJS.ProcessEnv,
    how?: [node: string, main: string],
  ): Promise<GatewayProcess> {
    const gateway = new GatewayProcess(t, siteFolder, env, how);
    await gateway.logged((line) => line.event === 'gateway.ready');
    return gateway;
  }

  /** Starts a gateway that is expected to refuse; settles with its exit code. */
  static async refused(t: Test, siteFolder: string): Promise<{ code: number | string; stderr: string }> {
    const gateway = new GatewayProcess(t, siteFolder);
    return { code: await gateway.exited, stderr: gateway.stderr.join('\n') };
  }

  #heard(text: string): void {
    try {
      this.lines.push(JSON.parse(text) as LogLine);
    } catch {
      this.lines.push({ event: 'not-json', text });
    }
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** The first line that `wanted` accepts, among those that came and those to come. */
  async logged(wanted: (line: LogLine) => boolean, from = 0): Promise<LogLine> {
    for (let next = from; ; next += 1) {
      while (next >= this.lines.length) {
        if (this.child.exitCode !== null || this.child.signalCode !== null) {
          throw new Error(
            `the gateway ended: ${this.stderr.slice(-20).join('\n')}\n${JSON.stringify(this.lines.slice(-5))}`,
          );
        }
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
      const line = this.lines[next];
      if (line !== undefined && wanted(line)) return line;
    }
  }

  get ready(): LogLine {
    return this.lines.find((line) => line.event === 'gateway.ready') ?? {};
  }

  /** A UDP or TCP port that the gateway listens on: `cell`, `carrier`, `console` or `bus`. */
  port(name: 'cell' | 'carrier' | 'console' | 'bus'): number {
    return Number((this.ready.ports as Record<string, unknown> | undefined)?.[name]);
  }

  /** The pid of a plane's newest process: `engine`, `relay`, or an agent's name. */
  pidOf(plane: string): number {
    const line = this.lines.findLast((said) => said.event === 'plane.ready' && said.plane === plane);
    return Number(line?.planePid);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Asks the gateway to end, and insists after 10 s. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGCONT');
    this.child.kill('SIGTERM');
    const insist = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    await once(this.child, 'close');
    clearTimeout(insist);
  }
}
