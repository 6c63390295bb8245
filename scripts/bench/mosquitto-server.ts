import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answers, freePort } from '../peers/free-port.js';

export const mosquittoProgram = ['/usr/sbin/mosquitto', '/usr/bin/mosquitto', '/usr/local/sbin/mosquitto'].find(
  existsSync,
);

/** A mosquitto for benchmarks: own port, own folder, nothing kept. */
export class BenchMosquitto {
  private constructor(
    readonly url: string,
    private readonly folder: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(): Promise<BenchMosquitto> {
    if (mosquittoProgram === undefined) throw new Error('mosquitto is not installed');
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'balise-bench-mosquitto-'));
    const lines = [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous true',
      'max_queued_messages 0',
      'max_inflight_messages 1000',
    ];
    const file = join(folder, 'mosquitto.conf');
    writeFileSync(file, [...lines, 'set_tcp_nodelay true', ''].join('\n'));
    const child = spawn(mosquittoProgram, ['-c', file], { stdio: 'ignore' });
    for (;;) {
      if (await answers(port)) return new BenchMosquitto(`mqtt://127.0.0.1:${port}`, folder, child);
      if (child.exitCode !== null) throw new Error(`mosquitto ended with status ${child.exitCode}`);
    }
  }

  async close(): Promise<void> {
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
