/**
 * A serial line that can be as slow and as bad as a real one: a pty for the agent (socat), and whatever stands at the far
 * end, with this wire between. It shares no code with the agent that speaks over it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';

/** What the wire does with an answer, which it takes to be what comes in one piece. */
export type WireFault =
  /** One bit of it is turned over. */
  | { readonly kind: 'noise' }
  /** Nothing of it comes. */
  | { readonly kind: 'silence' }
  /** The first half of it comes. */
  | { readonly kind: 'half' }
  /** It comes this much later, milliseconds. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** Its first half comes, and its second this much later, milliseconds. */
  | { readonly kind: 'torn'; readonly ms: number };

export interface WireOptions {
  /** Bits a second, 11 bits a byte; leave it out for a line that takes no time. */
  readonly baud?: number;
}

const START_MS = 5_000;
const LOOK_MS = 5;

async function appears(path: string): Promise<void> {
  for (let waitedMs = 0; !existsSync(path) || !existsSync(readlinkSync(path)); waitedMs += LOOK_MS) {
    if (waitedMs > START_MS) throw new Error(`socat made no ${path} within ${START_MS / 1_000} s; is it installed?`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** One end's pty and the socket on which its bytes come and go. */
class PtyEnd {
  readonly path: string;
  #socat: ChildProcess | undefined;

  constructor(
    folder: string,
    name: string,
    private readonly socket: string,
  ) {
    this.path = join(folder, name);
  }

  /** Settles when the device file is there. */
  async plug(): Promise<void> {
    this.#socat = spawn('socat', [`pty,raw,echo=0,link=${this.path}`, `unix-connect:${this.socket}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await appears(this.path);
  }

  /** The device file vanishes, as that of an adapter that is pulled. */
  async pull(): Promise<void> {
    await end(this.#socat);
    rmSync(this.path, { force: true });
  }
}

/** A queue of bytes that leave as fast as the line's speed lets them. */
class Pace {
  readonly #nsPerByte: bigint;
  #freeNs = 0n;

  constructor(baud: number | undefined) {
    this.#nsPerByte = baud === undefined ? 0n : 11_000_000_000n / BigInt(baud);
  }

  /** Runs `deliver` when the last of `bytes` bytes is through, and not before `notBeforeMs` from now. */
  after(bytes: number, notBeforeMs: number, deliver: () => void): void {
    const nowNs = process.hrtime.bigint();
    if (this.#freeNs < nowNs) this.#freeNs = nowNs;
    this.#freeNs += this.#nsPerByte * BigInt(bytes) + BigInt(Math.round(notBeforeMs * 1e6));
    waitUntil(this.#freeNs, deliver);
  }
}

/** A timer's millisecond is as long as a frame at 115,200 baud: the last two are waited for turn by turn. */
function waitUntil(atNs: bigint, run: () => void): void {
  const leftNs = atNs - process.hrtime.bigint();
  if (leftNs <= 0n) run();
  else if (leftNs < 2_000_000n) setImmediate(() => waitUntil(atNs, run));
  else setTimeout(() => waitUntil(atNs, run), Number(leftNs / 1_000_000n) - 1);
}

/** The line: the agent's pty is `path`; the far end is another pty (`farPath`) or a stream of the caller's. */
export class SerialWire {
  /** Where the agent's serial port is. */
  readonly path: string;
  /** Where the far end's is, when it is a pty. */
  readonly farPath: string;
  /** Bytes so far: questions, answers. */
  readonly bytes = { out: 0, back: 0 };
  readonly #folder = mkdtempSync(join(tmpdir(), 'balise-wire-'));
  readonly #near: PtyEnd;
  readonly #far: PtyEnd;
  readonly #pace: Pace;
  readonly #servers: Server[] = [];
  readonly #faults: WireFault[] = [];
  #standing: WireFault | undefined;
  #nearStream: Duplex | undefined;
  #farStream: Duplex | undefined;

  constructor(options: WireOptions = {}) {
    this.#pace = new Pace(options.baud);
    this.#near = new PtyEnd(this.#folder, 'agent', join(this.#folder, 'near.sock'));
    this.#far = new PtyEnd(this.#folder, 'boards', join(this.#folder, 'far.sock'));
    this.path = this.#near.path;
    this.farPath = this.#far.path;
  }

  /** Lays the line. Without `far` its far end is a pty too. Rejects when socat is not there. */
  async start(far?: Duplex): Promise<void> {
    await this.#listen('near.sock', (stream) => this.#joinNear(stream));
    if (far === undefined) {
      await this.#listen('far.sock', (stream) => this.#joinFar(stream));
      await this.#far.plug();
    } else this.#joinFar(far);
    await this.plug();
  }

  plug(): Promise<void> {
    return this.#near.plug();
  }

  pull(): Promise<void> {
    return this.#near.pull();
  }

  /** The next `count` answers suffer this. */
  fault(fault: WireFault, count = 1): void {
    for (let one = 0; one < count; one++) this.#faults.push(fault);
  }

  /** Every answer suffers this until `standing(undefined)`. */
  standing(fault: WireFault | undefined): void {
    this.#standing = fault;
  }

  /** Faults that wait for an answer to suffer them. */
  get faultsLeft(): number {
    return this.#faults.length;
  }

  async close(): Promise<void> {
    await this.#near.pull();
    await this.#far.pull();
    this.#nearStream?.destroy();
    this.#farStream?.destroy();
    await Promise.all(this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #listen(name: string, joined: (stream: Socket) => void): Promise<void> {
    const server = createServer(joined);
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(join(this.#folder, name), resolve);
    });
  }

  #joinNear(stream: Socket): void {
    this.#nearStream = stream;
    // A pulled adapter breaks it; the next one comes as a connection of its own.
    stream.on('error', () => stream.destroy());
    stream.on('data', (bytes: Buffer) => {
      this.bytes.out += bytes.length;
      this.#pace.after(bytes.length, 0, () => this.#farStream?.write(bytes));
    });
  }

  #joinFar(stream: Duplex): void {
    this.#farStream = stream;
    stream.on('error', () => stream.destroy());
    stream.on('data', (bytes: Buffer) => {
      this.bytes.back += bytes.length;
      this.#answer(bytes);
    });
  }

  #answer(bytes: Buffer): void {
    const fault = this.#faults.shift() ?? this.#standing;
    const half = Math.ceil(bytes.length / 2);
    switch (fault?.kind) {
      case undefined:
        this.#back(bytes);
        break;
      case 'noise': {
        const spoilt = Buffer.from(bytes);
        spoilt[half] = (spoilt[half] ?? 0) ^ 0x10;
        this.#back(spoilt);
        break;
      }
      case 'silence':
        break;
      case 'half':
        this.#back(bytes.subarray(0, half));
        break;
      case 'slow':
        this.#back(bytes, fault.ms);
        break;
      case 'torn':
        this.#back(bytes.subarray(0, half));
        this.#back(bytes.subarray(half), fault.ms);
        break;
    }
  }

  #back(bytes: Buffer, laterMs = 0): void {
    this.#pace.after(bytes.length, laterMs, () => {
      if (this.#nearStream?.writable === true) this.#nearStream.write(bytes);
    });
  }
}
