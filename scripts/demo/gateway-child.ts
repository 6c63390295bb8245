import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What the gateway says of itself when it is ready. */
export interface GatewayFacts {
  readonly cellPort: number;
  readonly consolePort: number;
  /** The link by which the first person logs in at the console. */
  readonly firstLink?: string;
}

const program = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'gateway', 'main.js');

/** The gateway of the demo: the same program, started the same way as on a real site; its log goes to a file. */
export class GatewayChild {
  readonly #child: ChildProcess;
  readonly facts: Promise<GatewayFacts>;
  readonly exited: Promise<number>;

  constructor(siteFolder: string, logFile: string) {
    this.#child = spawn(process.execPath, ['--enable-source-maps', program, '--config', siteFolder, '--life-line'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('no pipe to the gateway');
    const log = createWriteStream(logFile);
    this.exited = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        log.end();
        resolve(code ?? 1);
      });
    });
    this.facts = new Promise((resolve, reject) => {
      let firstLink: string | undefined;
      createInterface({ input: stdout }).on('line', (line) => {
        log.write(`${line}\n`);
        const said = readLine(line);
        if (said?.event === 'console.first-link') firstLink = said.url;
        const facts = readReady(said);
        if (facts !== undefined) resolve({ ...facts, ...(firstLink === undefined ? {} : { firstLink }) });
      });
      void this.exited.then((code) =>
        reject(new Error(`the gateway ended with status ${code}; its log is ${logFile}`)),
      );
    });
    // Whoever waits for `facts` hears of the failure; nobody waits for it any more once the demo runs.
    this.facts.catch(() => undefined);
  }

  /** Asks the gateway to end its calls and itself; settles when it is gone. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.exited;
  }
}

interface Said {
  readonly event?: string;
  readonly url?: string;
  readonly ports?: { readonly cell?: number; readonly console?: number };
}

function readLine(line: string): Said | undefined {
  try {
    return JSON.parse(line) as Said;
  } catch {
    // What is no JSON is in the log for people to read.
    return undefined;
  }
}

function readReady(said: Said | undefined): GatewayFacts | undefined {
  if (said?.event !== 'gateway.ready') return undefined;
  return { cellPort: said.ports?.cell ?? 0, consolePort: said.ports?.console ?? 0 };
}
