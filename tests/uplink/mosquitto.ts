import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { answers, freePort } from '../../scripts/peers/free-port.js';

const PROGRAMS = ['/usr/sbin/mosquitto', '/usr/bin/mosquitto', '/usr/local/sbin/mosquitto'];

/** The mosquitto of this machine, or undefined when Debian's package `mosquitto` is missing. */
export const mosquittoProgram = PROGRAMS.find(existsSync);

/** A mosquitto of the test's own: own port, own folder, what it was told survives a restart. */
export class Mosquitto {
  private child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly folder: string,
  ) {}

  /** @param more lines of its configuration that follow the listener's. */
  static async start(more: readonly string[] = []): Promise<Mosquitto> {
    const broker = new Mosquitto(await freePort(), mkdtempSync(join(tmpdir(), 'balise-mosquitto-')));
    writeFileSync(
      join(broker.folder, 'mosquitto.conf'),
      [
        `listener ${broker.port} 127.0.0.1`,
        ...more,
        ...(more.some((line) => line.startsWith('allow_anonymous')) ? [] : ['allow_anonymous true']),
        'persistence true',
        `persistence_location ${broker.folder}/`,
        // A receiver that lags behind must not make the broker drop what it has confirmed.
        'max_queued_messages 0',
        'max_inflight_messages 100',
        // Without it a small packet waits up to 40 ms for the one before it to be acknowledged.
        'set_tcp_nodelay true',
        // Mosquitto drops its privileges when root starts it, and could then not write to our folder.
        ...(process.getuid?.() === 0 ? ['user root'] : []),
        '',
      ].join('\n'),
    );
    await broker.restart();
    return broker;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  /** Starts it, and settles when it takes connections. */
  async restart(): Promise<void> {
    if (mosquittoProgram === undefined) throw new Error('mosquitto is not installed');
    const child = spawn(mosquittoProgram, ['-c', join(this.folder, 'mosquitto.conf')], { stdio: 'ignore' });
    this.child = child;
    while (!(await answers(this.port))) {
      if (child.exitCode !== null) throw new Error(`mosquitto ended with status ${child.exitCode}`);
      await setImmediate();
    }
  }

  /** SIGTERM writes out what it holds; SIGKILL loses what it has confirmed since. */
  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  async close(): Promise<void> {
    await this.stop('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
