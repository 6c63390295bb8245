/** SIPp as handsets and as a carrier: one run of calls, and what each of the two saw of it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ended, minded } from './children.js';
import { isUdpPortTaken } from './processes.js';

export const SIPP_PACKAGE = 'sip-tester';

export const hasSipp = (): boolean => spawnSync('sipp', ['-v'], { stdio: 'ignore' }).error === undefined;

/** One message as a peer itself saw it, from SIPp's short trace. */
export interface SeenMessage {
  /** The peer's own time stamp, wall clock, epoch milliseconds with microseconds behind the point. */
  readonly atMs: number;
  readonly direction: 'sent' | 'received';
  readonly callId: string;
  /** E.g. `2 INVITE`. */
  readonly cseq: string;
  /** The request line or status line. */
  readonly start: string;
}

export interface SippOptions {
  /** Made for this run alone; SIPp writes its files there. */
  readonly folder: string;
  readonly scenario: string;
  /** Lines of the injection file, one a call, used in turn. */
  readonly lines: readonly string[];
  readonly port: number;
  /** host:port; absent for a scenario that waits for calls. */
  readonly remote?: string;
  /** Ends by itself after this, whatever happens. */
  readonly timeoutS: number;
  /** Keep the short trace and the log of audio ports. */
  readonly traced: boolean;
  readonly args?: readonly string[];
}

export interface SippCounts {
  readonly created: number;
  readonly successful: number;
  readonly retransmissions: number;
  /** From the first call to the end of the last, seconds. */
  readonly elapsedS: number;
}

const BIND_TRIES = 500;

/** A SIPp process in the foreground. */
export class Sipp {
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  readonly #options: SippOptions;

  private constructor(options: SippOptions) {
    this.#options = options;
    const { folder, scenario, lines, port, remote, timeoutS, traced, args = [] } = options;
    writeFileSync(join(folder, 'scenario.xml'), scenario);
    writeFileSync(join(folder, 'lines.csv'), `SEQUENTIAL\n${lines.join('\n')}\n`);
    const traces = traced
      ? ['-trace_shortmsg', '-shortmessage_file', 'short.csv', '-trace_logs', '-log_file', 'ports.txt']
      : [];
    this.#child = minded(
      spawn(
        'sipp',
        [
          ...(remote === undefined ? [] : [remote]),
          ...['-sf', 'scenario.xml', '-inf', 'lines.csv', '-i', '127.0.0.1', '-p', String(port), '-nostdin'],
          // SIPp's own [local_port] is 0 on a socket that a second call uses (-t ui).
          ...['-key', 'own_port', String(port)],
          ...['-trace_stat', '-stf', 'stat.csv', '-fd', '1', '-trace_err', '-error_file', 'errors.txt'],
          ...['-buff_size', '1000000', '-timeout', String(timeoutS), ...traces, ...args],
        ],
        { cwd: folder, stdio: 'ignore' },
      ),
    );
    this.exited = once(this.#child, 'exit').then(() => undefined);
  }

  /** Starts SIPp; settles when its port is bound. Rejects when it ends before that. */
  static async start(options: SippOptions): Promise<Sipp> {
    const sipp = new Sipp(options);
    for (let tries = 0; !isUdpPortTaken(options.port); tries += 1) {
      if (sipp.#child.exitCode !== null || tries === BIND_TRIES)
        throw new Error(`sipp did not take port ${options.port}: ${sipp.errors}`);
      await wait(10);
    }
    return sipp;
  }

  get errors(): string {
    return this.#read('errors.txt').slice(0, 2_000);
  }

  /** What SIPp has counted; final once it has ended. */
  get counts(): SippCounts {
    const [head = '', ...rows] = this.#read('stat.csv').trim().split('\n');
    const names = head.split(';');
    const last = rows.at(-1)?.split(';') ?? [];
    const count = (name: string) => Number(last[names.indexOf(name)] ?? 0);
    // Each time is written as date, time and epoch seconds, with tabs between.
    const seconds = (name: string) => Number(last[names.indexOf(name)]?.split('\t')[2] ?? 0);
    return {
      created: count('TotalCallCreated'),
      successful: count('SuccessfulCall(C)'),
      retransmissions: count('Retransmissions(C)'),
      elapsedS: seconds('CurrentTime') - seconds('StartTime'),
    };
  }

  /** Every message of the run so far. */
  get messages(): SeenMessage[] {
    return this.#read('short.csv')
      .split('\n')
      .flatMap((line) => {
        const [, , epochS, direction, callId, cseq, start] = line.split('\t');
        if (start === undefined || callId === undefined || cseq === undefined) return [];
        return {
          atMs: Number(epochS) * 1_000,
          direction: direction === 'S' ? ('sent' as const) : ('received' as const),
          callId,
          cseq: cseq.replace('CSeq:', ''),
          start,
        };
      });
  }

  /** The two audio ports of each call, by SIPp's number of it: this peer's own, and the relay's that it was told. */
  get audioPorts(): ReadonlyMap<string, { readonly own: number; readonly relay: number }> {
    const lines = this.#read('ports.txt').trim().split('\n');
    return new Map(
      lines
        .map((line) => line.split(' '))
        .map(([call = '', own, relay]) => [call, { own: Number(own), relay: Number(relay) }]),
    );
  }

  end(): Promise<void> {
    return ended(this.#child);
  }

  #read(name: string): string {
    try {
      return readFileSync(join(this.#options.folder, name), 'utf8');
    } catch (error) {
      // SIPp makes each file with the first thing that it has to say.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    }
  }
}
