import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, type FSWatcher, mkdtempSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { freePort } from '../../scripts/peers/free-port.js';

/** One SIP message as the peer itself saw it on the wire. */
export interface SeenMessage {
  /** The peer's own time stamp, wall clock, epoch milliseconds. */
  readonly atMs: number;
  readonly direction: 'sent' | 'received';
  /** Method of a request, or status of a response. */
  readonly kind: string;
  readonly text: string;
}

export interface SippOptions {
  /** Path of the scenario file. */
  readonly scenario: string;
  /** host:port of the other side; absent for a scenario that waits for calls. */
  readonly remote?: string;
  readonly calls?: number;
  /** The port that is the peer's own; default: one from the kernel. */
  readonly port?: number;
  /** `-key name value` pairs, `[name]` in the scenario. */
  readonly keys?: Readonly<Record<string, string | number>>;
  readonly args?: readonly string[];
  /** Seconds after which the peer ends by itself, whatever happens. */
  readonly timeoutS?: number;
}

const SEPARATOR = /^-{20,} (\d{4}-\d\d-\d\d[ T\t]\d\d:\d\d:\d\d\.\d+)/;

/** A SIPp process in the foreground, as a handset or as a carrier, with everything that it saw on the wire. */
export class Sipp {
  readonly port: number;
  readonly exited: Promise<{ readonly code: number; readonly output: string }>;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #trace: string;
  readonly #watcher: FSWatcher;
  #waiting: (() => void)[] = [];

  private constructor(t: Test, options: SippOptions, port: number) {
    this.port = port;
    this.#folder = mkdtempSync(join(tmpdir(), 'balise-sipp-'));
    this.#trace = join(this.#folder, 'messages.log');
    const keys = Object.entries(options.keys ?? {}).flatMap(([name, value]) => ['-key', name, String(value)]);
    const calls = options.calls === undefined ? [] : ['-m', String(options.calls)];
    this.#child = spawn(
      'sipp',
      [
        ...(options.remote === undefined ? [] : [options.remote]),
        ...['-sf', options.scenario, '-i', '127.0.0.1', '-p', String(port), '-nostdin', '-trace_msg'],
        ...['-message_file', this.#trace, '-trace_err', '-error_file', join(this.#folder, 'errors.log')],
        ...['-timeout', String(options.timeoutS ?? 60), ...calls, ...keys, ...(options.args ?? [])],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], cwd: this.#folder },
    );
    let output = '';
    const keep = (chunk: Buffer) => {
      output = (output + chunk).slice(-8000);
    };
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    this.#watcher = watch(this.#folder, () => this.#wake());
    this.exited = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        resolve({ code: code ?? -1, output: output + this.errors });
        this.#wake();
      });
    });
    t.teardown(async () => {
      this.#watcher.close();
      this.#child.kill('SIGKILL');
      await this.exited;
      rmSync(this.#folder, { recursive: true, force: true });
    });
  }

  static async start(t: Test, options: SippOptions): Promise<Sipp> {
    return new Sipp(t, options, options.port ?? (await freePort()));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  get errors(): string {
    const file = join(this.#folder, 'errors.log');
    return existsSync(file) ? readFileSync(file, 'utf8').slice(0, 4000) : '';
  }

  /** Everything on the wire so far, in order. */
  get messages(): SeenMessage[] {
    if (!existsSync(this.#trace)) return [];
    const seen: SeenMessage[] = [];
    let atMs = 0;
    let block: string[] = [];
    const close = () => {
      const [head = '', , ...rest] = block;
      const direction = /message (sent|received)/.exec(head)?.[1] as 'sent' | 'received' | undefined;
      const text = rest.join('\n').trim();
      const kind = /^SIP\/2\.0 (\d{3})/.exec(text)?.[1] ?? /^([A-Z]+) /.exec(text)?.[1];
      if (direction !== undefined && kind !== undefined) seen.push({ atMs, direction, kind, text });
    };
    for (const line of readFileSync(this.#trace, 'utf8').split('\n')) {
      const stamp = SEPARATOR.exec(line)?.[1];
      if (stamp === undefined) block.push(line);
      else {
        close();
        block = [];
        atMs = Date.parse(stamp.replace(/[ \t]/, 'T'));
        // Date.parse keeps milliseconds only; what is finer is added back.
        atMs += Number(`0.${stamp.split('.')[1] ?? '0'}`) * 1000 - new Date(atMs).getMilliseconds();
      }
    }
    close();
    return seen;
  }

  /** Waits for a message that `wanted` accepts; rejects when the peer ends without it. */
  async saw(wanted: (message: SeenMessage) => boolean): Promise<SeenMessage> {
    for (;;) {
      const found = this.messages.find(wanted);
      if (found !== undefined) return found;
      if (this.#child.exitCode !== null) {
        const { code, output } = await this.exited;
        throw new Error(`sipp ended with status ${code} before it saw what was awaited: ${output}`);
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** The audio port in the newest SDP that came from the other side. */
  async audioPort(): Promise<number> {
    const withAudio = (message: SeenMessage) =>
      message.direction === 'received' && /^m=audio [1-9]/m.test(message.text);
    await this.saw(withAudio);
    return Number(/^m=audio (\d+)/m.exec(this.messages.findLast(withAudio)?.text ?? '')?.[1]);
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}
