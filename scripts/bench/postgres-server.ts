import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SERVERS = '/usr/lib/postgresql';

/** The folder of the newest PostgreSQL server's programs, which Debian keeps off the path; undefined when there is none. */
export function postgresPrograms(): string | undefined {
  if (!existsSync(SERVERS)) return undefined;
  return readdirSync(SERVERS)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(SERVERS, version, 'bin'))
    .find((folder) => existsSync(join(folder, 'initdb')));
}

/** Whom the server runs as: PostgreSQL refuses root. */
function unprivileged(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** A PostgreSQL server for tests and benchmarks, from Debian's package: a folder of its own with its socket in it, and no port. */
export class PostgresServer {
  private constructor(
    private readonly folder: string,
    private readonly child: ChildProcess,
  ) {}

  /** Settles when it takes connections. */
  static async start(): Promise<PostgresServer> {
    const bin = postgresPrograms();
    if (bin === undefined) throw new Error('postgresql is not installed');
    const folder = mkdtempSync(join(tmpdir(), 'balise-pg-'));
    const who = unprivileged();
    if (who !== undefined) chownSync(folder, who.uid, who.gid);
    const data = join(folder, 'data');
    const env = { ...process.env, LC_ALL: 'C' };
    const options = { ...who, env, cwd: folder };
    const make = ['-D', data, '-A', 'trust', '-U', 'balise', '-E', 'UTF8', '--no-sync'];
    execFileSync(join(bin, 'initdb'), make, { ...options, stdio: 'ignore' });
    const settings = ['listen_addresses=', `unix_socket_directories=${folder}`, 'shared_buffers=32MB'];
    const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
    const child = spawn(join(bin, 'postgres'), args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    await new Promise<void>((settle, reject) => {
      child.stderr?.on('data', (chunk: Buffer) => {
        said = (said + chunk).slice(-4000);
        if (said.includes('ready to accept connections')) settle();
      });
      child.once('exit', (code) => reject(new Error(`postgres ended with status ${code}: ${said}`)));
    });
    return new PostgresServer(folder, child);
  }

  get url(): string {
    return `postgres://balise@/postgres?host=${encodeURIComponent(this.folder)}`;
  }

  /** Stops it and takes its folder away. */
  async close(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = once(this.child, 'exit');
      // SIGINT is its fast way to stop.
      this.child.kill('SIGINT');
      await gone;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
