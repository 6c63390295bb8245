import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { serverPrograms } from './needs.js';

/** Whom the server runs as: PostgreSQL refuses root. */
function unprivileged(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** A PostgreSQL server of the test's own, from Debian's package: own folder, socket in it, no port. */
export class Postgres {
  private constructor(
    private readonly folder: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(t: Test): Promise<Postgres> {
    const bin = serverPrograms();
    if (bin === undefined) throw new Error('postgresql is not installed');
    const folder = mkdtempSync(join(tmpdir(), 'balise-pg-'));
    const who = unprivileged();
    if (who !== undefined) chownSync(folder, who.uid, who.gid);
    const data = join(folder, 'data');
    const env = { ...process.env, LC_ALL: 'C' };
    execFileSync(join(bin, 'initdb'), ['-D', data, '-A', 'trust', '-U', 'balise', '-E', 'UTF8', '--no-sync'], {
      ...who,
      env,
      cwd: folder,
      stdio: 'ignore',
    });
    const settings = [
      'listen_addresses=',
      `unix_socket_directories=${folder}`,
      'shared_buffers=32MB',
      'max_connections=50',
    ];
    const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
    const child = spawn(join(bin, 'postgres'), args, { ...who, env, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    const server = new Postgres(folder, child);
    t.teardown(() => server.close());
    let said = '';
    await new Promise<void>((settle, reject) => {
      child.stderr?.on('data', (chunk: Buffer) => {
        said = (said + chunk).slice(-4000);
        if (said.includes('ready to accept connections')) settle();
      });
      child.once('exit', (code) => reject(new Error(`postgres ended with status ${code}: ${said}`)));
    });
    return server;
  }

  get url(): string {
    return `postgres://balise@/postgres?host=${encodeURIComponent(this.folder)}`;
  }

  async close(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = once(this.child, 'exit');
      // SIGINT is its fast way to stop; the folder goes with it.
      this.child.kill('SIGINT');
      await gone;
    }
    if (existsSync(this.folder) && readdirSync(this.folder).length > 0)
      rmSync(this.folder, { recursive: true, force: true });
  }
}
