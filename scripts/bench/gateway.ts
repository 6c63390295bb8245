import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ended, minded } from './children.js';
import { cpuSeconds, isGone, memoryTogether } from './processes.js';
import { TooBusy } from './too-busy.js';

const program = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'gateway', 'main.js');

/** CPU of each of the gateway's processes since its start, seconds, by its part in the house. */
export type CpuByPart = Readonly<Record<string, number>>;

/** The whole program as a child process, started as on a site. Its log is kept in the site's folder. */
export class BenchGateway {
  readonly #child: ChildProcess;
  readonly #pids = new Map<string, number>();

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#pids.set('gateway', child.pid ?? 0);
  }

  /** Starts it; settles when it says that it is ready. Rejects with where its log is when it ends instead. */
  static async start(siteFolder: string, challenged: boolean): Promise<BenchGateway> {
    const { BALISE_BENCH_NO_CHALLENGE: _, ...environment } = process.env;
    const child = minded(
      spawn(process.execPath, ['--enable-source-maps', program, '--config', siteFolder, '--life-line'], {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: challenged ? environment : { ...environment, BALISE_BENCH_NO_CHALLENGE: '1' },
      }),
    );
    const logFile = join(siteFolder, 'gateway.log');
    const { stdout } = child;
    if (stdout === null) throw new Error('no pipe to the gateway');
    const gateway = new BenchGateway(child);
    stdout.pipe(createWriteStream(logFile));
    await new Promise<void>((resolve, reject) => {
      const lines = createInterface({ input: stdout });
      const gone = () => reject(new Error(`the gateway ended before it was ready; its log is ${logFile}`));
      child.once('exit', gone);
      lines.on('line', (line) => {
        const said = JSON.parse(line) as { event?: string; plane?: string; planePid?: number };
        if (said.event === 'plane.ready') gateway.#pids.set(said.plane ?? '', said.planePid ?? 0);
        if (said.event !== 'gateway.ready') return;
        child.removeListener('exit', gone);
        // Nobody parses the rest: that would cost the machine what is being measured.
        lines.removeAllListeners('line');
        lines.close();
        stdout.resume();
        resolve();
      });
    });
    return gateway;
  }

  /** Throws TooBusy when one of the processes is gone: the gateway gives up one that gets no processor for two seconds. */
  cpu(): CpuByPart {
    return this.#ask(() => Object.fromEntries([...this.#pids].map(([part, pid]) => [part, cpuSeconds(pid)])));
  }

  /** Throws TooBusy as `cpu` does. */
  memory(): ReturnType<typeof memoryTogether> {
    return this.#ask(() => memoryTogether([...this.#pids.values()]));
  }

  #ask<Answer>(question: () => Answer): Answer {
    try {
      return question();
    } catch (error) {
      if (!isGone(error)) throw error;
      throw new TooBusy('a process of the gateway was lost');
    }
  }

  stop(): Promise<void> {
    return ended(this.#child);
  }
}
