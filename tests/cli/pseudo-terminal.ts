import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Test } from 'tap';
import { projectRoot } from '../../gateway/config/paths.js';

/** util-linux's `script` runs a command at a pseudo-terminal, with our pipes at its other side. */
export class PseudoTerminal {
  text = '';
  readonly exited: Promise<number>;
  readonly #child: ChildProcess;
  #wake: () => void = () => undefined;

  /**
   * Runs a program of ours with these arguments, as it was built, at a terminal: `balise` unless told otherwise.
   * @param columns How wide the terminal is; else it does not say.
   */
  constructor(
    t: Test,
    args: readonly string[],
    program = join(projectRoot(), 'scripts', 'balise.mjs'),
    columns?: number,
  ) {
    const words = [process.execPath, program, ...args].map((part) => `'${part.replaceAll("'", "'\\''")}'`).join(' ');
    // Whichever the shell is, it must not stay between the terminal and the program: dash would, and die of a Ctrl-C itself.
    const running = `exec ${words}`;
    const command = columns === undefined ? running : `stty cols ${columns} rows 50; ${running}`;
    this.#child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, TERM: 'xterm' },
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.text += text;
      this.#wake();
    });
    this.exited = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        resolve(code ?? -1);
        this.#wake();
      });
    });
    t.teardown(() => this.#child.kill());
  }

  /** Waits until a text has been shown so often. */
  async shows(wanted: string, times = 1): Promise<void> {
    while (this.text.split(wanted).length <= times) {
      if (this.#child.exitCode !== null) throw new Error(`it ended, and showed ${JSON.stringify(this.text)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Waits until a text has been shown behind a place in all that was. */
  async showsFrom(place: number, wanted: string): Promise<void> {
    await this.shows(wanted, this.text.slice(0, place).split(wanted).length);
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }
}
