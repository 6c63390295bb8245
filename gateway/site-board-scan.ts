import type { ChildProcess } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Clock } from './clock/clock.js';
import type { SiteFiles } from './config/site.js';
import type { FoundBoardView, PortView, ScanOrder, ScanPlace, ScanView } from './console/api/board-scan.js';
import { ConsoleFault } from './console/fault.js';
import { boardKinds } from './lines/agent-plan.js';
import { SMALL_HEAP } from './supervisor/node-flags.js';
import { spawnPlane } from './supervisor/spawn-plane.js';

const PROGRAM = join(
  dirname(dirname(fileURLToPath(import.meta.url))),
  'device-agents',
  'modbus-line',
  'scan-program.js',
);
const BY_ID = '/dev/serial/by-id';
/** Adapters' own device files, where udev gives them no lasting name. */
const ADAPTER = /^tty(USB|ACM|AMA)[0-9]+$/;
const [FIRST, LAST] = [1, 16];

/** One line of what the scanning process says. */
interface ScanWord {
  readonly unit?: number;
  readonly board?: FoundBoardView;
  readonly done?: true;
  readonly fault?: string;
}

/**
 * Scans of ports for boards, one at a time, each in a process of its own. A line has one master and no more (Modbus over
 * Serial Line V1.02 §2.1): a second one's questions would garble the agent's, and a garbled board opens its relays. So a
 * port that boards.json gives to an agent is not scanned, be it serial or a device server's, whoever starts that agent.
 */
export class BoardScan {
  #view: ScanView | undefined;
  #child: ChildProcess | undefined;
  /** It is asked whether the port may be scanned: that takes a moment. */
  #isBeginning = false;

  constructor(
    private readonly files: Pick<SiteFiles, 'boards'>,
    private readonly clock: Pick<Clock, 'wall'>,
    /** The view has changed. */
    private readonly changed: () => void,
  ) {}

  /** The scan that goes on, or the last one; undefined before the first. */
  get view(): ScanView | undefined {
    return this.#view;
  }

  /** The serial adapters of this machine, by their lasting names where they have one. */
  ports(): readonly PortView[] {
    const named = namesIn(BY_ID).map((name) => join(BY_ID, name));
    const known = new Set(named.map(deviceOf));
    const plain = namesIn('/dev').filter((name) => ADAPTER.test(name));
    const others = plain.map((name) => join('/dev', name)).filter((path) => !known.has(path));
    return [...named, ...others].map((path) => {
      const agent = this.#serialHolder(path);
      return { path, ...(agent === undefined ? {} : { agent }) };
    });
  }

  /** Begins a scan. Rejects with a `ConsoleFault` when one goes on, or when the port is no port or is held by an agent. */
  async begin({ place, from = FIRST, to = Math.max(from, LAST) }: ScanOrder): Promise<ScanView> {
    if (this.#child !== undefined || this.#isBeginning)
      throw new ConsoleFault(409, 'scan.busy', 'a scan goes on: let it end');
    if (to < from) throw new ConsoleFault(400, 'form', `body/to: expected ${from} or more, found ${to}`);
    this.#isBeginning = true;
    try {
      if (place.kind === 'serial') checkDevice(place.path);
      const agent = await this.#holder(place);
      if (agent !== undefined) {
        const why = `the agent ${agent} of this site holds this port: its boards are told of already, and a line takes no second master`;
        throw new ConsoleFault(409, 'scan.held', why);
      }
      return this.#spawn(place, from, to);
    } finally {
      this.#isBeginning = false;
    }
  }

  /** Ends a scan that goes on. */
  stop(): void {
    this.#child?.kill('SIGKILL');
  }

  #spawn(place: ScanPlace, from: number, to: number): ScanView {
    const startedAt = this.clock.wall().toString();
    const begun: ScanView = { place, from, to, startedAt, state: 'running', unit: from, boards: [] };
    const child = spawnPlane(PROGRAM, SMALL_HEAP);
    this.#child = child;
    this.#view = begun;
    let said = '';
    const fails = (why: string): void => {
      if (this.#view?.state === 'running') this.#take({ state: 'failed', why });
    };
    child.once('error', (fault) => fails(fault.message));
    child.once('close', (code, signal) => {
      this.#child = undefined;
      fails(said.trim() || `the scan ended before it was done (${signal ?? `exit code ${code}`})`);
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(0, 500);
    });
    // EPIPE: it died while starting, and its end says so.
    child.stdin?.on('error', () => undefined);
    child.stdin?.write(`${JSON.stringify({ transport: place, from, to, kinds: Object.fromEntries(boardKinds()) })}\n`);
    if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', (line) => this.#hear(line));
    return begun;
  }

  #hear(line: string): void {
    const { unit, board, done, fault } = JSON.parse(line) as ScanWord;
    if (unit !== undefined) this.#take({ unit });
    if (board !== undefined) this.#take({ boards: [...(this.#view?.boards ?? []), board] });
    if (done) this.#take({ state: 'done' });
    if (fault !== undefined) this.#take({ state: 'failed', why: fault });
  }

  #take(change: Partial<ScanView>): void {
    if (this.#view === undefined) return;
    this.#view = { ...this.#view, ...change };
    this.changed();
  }

  async #holder(place: ScanPlace): Promise<string | undefined> {
    if (place.kind === 'serial') return this.#serialHolder(place.path);
    const wanted = await addressOf(place.host);
    for (const { agent, transport } of this.files.boards) {
      if (transport.kind === 'serial' || transport.port !== place.port) continue;
      if (transport.host === place.host || (await addressOf(transport.host)) === wanted) return agent;
    }
    return undefined;
  }

  #serialHolder(path: string): string | undefined {
    const device = deviceOf(path);
    return this.files.boards.find(({ transport }) => transport.kind === 'serial' && deviceOf(transport.path) === device)
      ?.agent;
  }
}

/** The device behind a name, so that two names of one adapter are one. */
function deviceOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // It is not plugged in: its name is all that is known of it.
    return path;
  }
}

/** Nothing but a device file below /dev is opened, whatever links lead to it. */
function checkDevice(path: string): void {
  const refuse = (why: string): never => {
    throw new ConsoleFault(409, 'scan.port', `${path} ${why}`);
  };
  let device = '';
  try {
    device = realpathSync(path);
  } catch (fault) {
    refuse(
      `is not there (${(fault as NodeJS.ErrnoException).code}): see the path, and whether the adapter is plugged in`,
    );
  }
  if (!device.startsWith('/dev/') || !statSync(device).isCharacterDevice()) refuse('is no serial port');
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fault;
  }
}

/** The first address of a host; its name where it has none. */
async function addressOf(host: string): Promise<string> {
  try {
    return (await lookup(host)).address;
  } catch {
    return host;
  }
}
