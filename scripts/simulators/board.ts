/**
 * A simulated relay board: the slave's side of Modbus RTU over TCP, as a serial device server shows it. It shares no code
 * with the agent that speaks to it, so that a mistake of the one is no mistake of both. Register map:
 * `config/devices/generic-8r8i.json`.
 */
import { createServer, type Socket } from 'node:net';

export interface BoardOptions {
  /** 0 lets the kernel choose. */
  readonly port: number;
  readonly address?: string;
  /** The unit ids on this line, one board each. Default: one board, unit 1. */
  readonly units?: readonly number[];
  readonly relays?: number;
  readonly inputs?: number;
  /** The holding register of the watchdog's time in seconds; 0 in it is off. Null: the board has none. */
  readonly watchdogRegister?: number | null;
  /** What register 8 reads back, whatever was written: a board that does not take its watchdog. */
  readonly stubbornWatchdog?: number;
}

export interface SimulatedBoard {
  readonly unit: number;
  /** Lifts (`true`) or hangs up a handset. */
  setHook(input: number, off: boolean): void;
  /** Opens or closes the case. */
  setTamper(open: boolean): void;
  relay(index: number): boolean;
  /** Tells each relay that changes: its index, whether it is closed, and whether the watchdog did it. */
  onRelay(tell: (index: number, closed: boolean, byWatchdog: boolean) => void): void;
  /** The watchdog's time, milliseconds; 0 is off. */
  watchdog(): number;
  /** How many questions it has answered. */
  answered(): number;
  /** Does not answer any more, and does not hear: a board without power on a line that stands. */
  mute(on: boolean): void;
  /** The next `count` answers have a wrong check sum. */
  corrupt(count: number): void;
  /** Power off and on: relays open, registers as they leave the factory. */
  reset(): void;
  /** Writes a register from the board's own side. */
  poke(register: number, value: number): void;
}

export interface RunningBoards extends SimulatedBoard {
  readonly port: number;
  /** Every board of the line, in the order of `units`; the line itself speaks for the first. */
  readonly boards: readonly SimulatedBoard[];
  /** Ends every connection, as a device server that is rebooted; new ones are taken at once. */
  drop(): void;
  close(): Promise<void>;
}

const REGISTERS = 64;

class Slave implements SimulatedBoard {
  readonly unit: number;
  readonly #options: BoardOptions;
  readonly #relays: boolean[];
  readonly #inputs: boolean[];
  readonly #registers = new Uint16Array(REGISTERS);
  readonly #listeners: ((index: number, closed: boolean, byWatchdog: boolean) => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #answered = 0;
  #mute = false;
  #corrupt = 0;

  constructor(unit: number, options: BoardOptions) {
    this.unit = unit;
    this.#options = options;
    this.#relays = new Array<boolean>(options.relays ?? 8).fill(false);
    // The input after the last hook is the case.
    this.#inputs = new Array<boolean>((options.inputs ?? 8) + 1).fill(false);
  }

  setHook(input: number, off: boolean): void {
    this.#inputs[input] = off;
  }

  setTamper(open: boolean): void {
    this.#inputs[this.#inputs.length - 1] = open;
  }

  relay(index: number): boolean {
    return this.#relays[index] === true;
  }

  onRelay(tell: (index: number, closed: boolean, byWatchdog: boolean) => void): void {
    this.#listeners.push(tell);
  }

  watchdog(): number {
    const { watchdogRegister = 8 } = this.#options;
    return watchdogRegister === null ? 0 : (this.#registers[watchdogRegister] ?? 0) * 1_000;
  }

  answered(): number {
    return this.#answered;
  }

  mute(on: boolean): void {
    this.#mute = on;
  }

  corrupt(count: number): void {
    this.#corrupt = count;
  }

  reset(): void {
    this.#registers.fill(0);
    this.#openAll(false);
    this.stop();
  }

  poke(register: number, value: number): void {
    this.#registers[register] = value;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** The answer to a question whose check sum was right, without its own. */
  answer(fc: number, body: Buffer): Buffer | undefined {
    if (this.#mute) return undefined;
    this.#answered += 1;
    const reply = this.#do(fc, body);
    this.#feedWatchdog();
    return typeof reply === 'number' ? Buffer.from([this.unit, fc | 0x80, reply]) : reply;
  }

  spoil(frame: Buffer): Buffer {
    if (this.#corrupt === 0) return frame;
    this.#corrupt -= 1;
    frame[frame.length - 1] = (frame[frame.length - 1] ?? 0) ^ 0x5a;
    return frame;
  }

  /** The reply, or the code of the exception. */
  #do(fc: number, body: Buffer): Buffer | number {
    const first = body.readUInt16BE(0);
    const second = body.readUInt16BE(2);
    switch (fc) {
      case 1:
        return this.#bits(fc, this.#relays, first, second);
      case 2:
        return this.#bits(fc, this.#inputs, first, second);
      case 3: {
        if (second < 1 || first + second > REGISTERS) return 2;
        const data = Buffer.alloc(second * 2);
        for (let at = 0; at < second; at++) data.writeUInt16BE(this.#read(first + at), at * 2);
        return Buffer.concat([Buffer.from([this.unit, fc, data.length]), data]);
      }
      case 6:
        if (first >= REGISTERS) return 2;
        this.#registers[first] = second;
        return Buffer.concat([Buffer.from([this.unit, fc]), body.subarray(0, 4)]);
      case 15:
        if (second < 1 || first + second > this.#relays.length) return 2;
        for (let at = 0; at < second; at++) {
          this.#set(first + at, (((body[5 + (at >> 3)] ?? 0) >> (at & 7)) & 1) === 1, false);
        }
        return Buffer.concat([Buffer.from([this.unit, fc]), body.subarray(0, 4)]);
      default:
        return 1;
    }
  }

  #read(register: number): number {
    const { watchdogRegister = 8, stubbornWatchdog } = this.#options;
    if (register === watchdogRegister && stubbornWatchdog !== undefined) return stubbornWatchdog;
    return this.#registers[register] ?? 0;
  }

  #bits(fc: number, bits: readonly boolean[], base: number, count: number): Buffer | number {
    if (count < 1 || base + count > bits.length) return 2;
    const data = Buffer.alloc(Math.ceil(count / 8));
    for (let at = 0; at < count; at++) {
      if (bits[base + at]) data[at >> 3] = (data[at >> 3] ?? 0) | (1 << (at & 7));
    }
    return Buffer.concat([Buffer.from([this.unit, fc, data.length]), data]);
  }

  #set(index: number, closed: boolean, byWatchdog: boolean): void {
    if (this.#relays[index] === closed) return;
    this.#relays[index] = closed;
    for (const tell of this.#listeners) tell(index, closed, byWatchdog);
  }

  #openAll(byWatchdog: boolean): void {
    for (const index of this.#relays.keys()) this.#set(index, false, byWatchdog);
  }

  #feedWatchdog(): void {
    clearTimeout(this.#timer);
    const ms = this.watchdog();
    if (ms > 0) this.#timer = setTimeout(() => this.#openAll(true), ms);
  }
}

/** Bitwise, and not by table: the agent's is by table. */
function checkSum(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc;
}

function withCheckSum(bytes: Buffer): Buffer {
  const crc = checkSum(bytes);
  return Buffer.concat([bytes, Buffer.from([crc & 0xff, crc >> 8])]);
}

/** Length of a question by its function, or undefined while that cannot be known. */
function questionLength(bytes: Buffer): number | undefined {
  const fc = bytes[1];
  if (fc === undefined) return undefined;
  if (fc !== 15 && fc !== 16) return 8;
  const count = bytes[6];
  return count === undefined ? undefined : 9 + count;
}

function serve(socket: Socket, slaves: readonly Slave[]): void {
  let came: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    came = Buffer.concat([came, chunk]);
    for (;;) {
      const length = questionLength(came);
      if (length === undefined || came.length < length) return;
      const frame = came.subarray(0, length);
      if (checkSum(frame) !== 0) {
        // As a slave on a real line: wait for silence, which here is the end of what came.
        came = Buffer.alloc(0);
        return;
      }
      came = came.subarray(length);
      const slave = slaves.find(({ unit }) => unit === frame[0]);
      const reply = slave?.answer(frame[1] ?? 0, frame.subarray(2, -2));
      if (slave !== undefined && reply !== undefined) socket.write(slave.spoil(withCheckSum(reply)));
    }
  });
  // A connection that breaks is the agent's affair; the board goes on.
  socket.on('error', () => socket.destroy());
}

/** Starts a line of simulated boards; rejects when the port cannot be had. */
export async function startBoard(options: BoardOptions): Promise<RunningBoards> {
  const slaves = (options.units ?? [1]).map((unit) => new Slave(unit, options));
  const [first] = slaves;
  if (first === undefined) throw new Error('a line of boards has one board at least');
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    serve(socket, slaves);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.address ?? '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the board has no port');
  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: address.port,
    unit: first.unit,
    boards: slaves,
    setHook: (input, off) => first.setHook(input, off),
    setTamper: (open) => first.setTamper(open),
    relay: (index) => first.relay(index),
    onRelay: (tell) => first.onRelay(tell),
    watchdog: () => first.watchdog(),
    answered: () => first.answered(),
    mute: (on) => first.mute(on),
    corrupt: (count) => first.corrupt(count),
    reset: () => first.reset(),
    poke: (register, value) => first.poke(register, value),
    drop,
    async close() {
      for (const slave of slaves) slave.stop();
      drop();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
