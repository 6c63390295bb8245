import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { freshSecret } from '../../gateway/bus/identities.js';
import { until } from './harness.js';

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), 'fixtures', 'gateway-side.js');

/** The gateway's bus and line plane in a process of their own; it can be killed and started again on the same port. */
export class GatewaySide {
  readonly secret = freshSecret();
  readonly statuses: string[] = [];
  port = 0;
  #child: ChildProcess | undefined;

  constructor(
    private readonly handsets: readonly string[],
    private readonly env: NodeJS.ProcessEnv = {},
  ) {}

  /** Settles when its bus listens. */
  async start(t: Test, policy: 'may' | 'may-not' = 'may'): Promise<void> {
    const child = spawn(process.execPath, [SCRIPT, this.secret, String(this.port), policy, ...this.handsets], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...this.env },
    });
    this.#child = child;
    this.statuses.length = 0;
    t.teardown(() => this.kill('SIGKILL'));
    let listens = false;
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const { port, status } = JSON.parse(line) as { port?: number; status?: string };
      if (status !== undefined) this.statuses.push(status);
      if (port === undefined) return;
      this.port = port;
      listens = true;
    });
    await until('the bus listens', () => listens);
  }

  order(command: 'may' | 'may-not' | 'bus-stop' | 'bus-start' | 'vouch'): void {
    this.#child?.stdin?.write(`${command}\n`);
  }

  get isUsable(): boolean {
    return this.statuses.at(-1) === 'ok';
  }

  /** Settles when the process is gone; for SIGSTOP and SIGCONT, at once. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    if (signal === 'SIGKILL' || signal === 'SIGTERM') await exited;
  }
}
