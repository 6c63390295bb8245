import { connect, type Socket } from 'node:net';
import type { Transport } from './transport.js';

/** An open line to the boards. */
export interface Wire {
  /** Between two frames, milliseconds. */
  readonly gapMs: number;
  /** How long `bytes` bytes take, milliseconds. */
  onWireMs(bytes: number): number;
  write(bytes: Buffer): void;
  onData: (bytes: Buffer) => void;
  /** The line went away; called once, never after `close`. */
  onLost: (why: string) => void;
  close(): void;
}

const CONNECT_MS = 2_000;

/** The silence between two frames of a serial line, milliseconds: 3.5 characters, and never less than 1.75 ms (V1.02, §2.5.1.1). */
export function silenceMs(baud: number): number {
  return Math.max(1.75, 38_500 / baud);
}

/** Between two attempts to open a transport, milliseconds: doubled each time up to the longest, for ever. */
const REOPEN_MS = 100;
const LONGEST_REOPEN_MS = 2_000;

/** How long to wait before the next attempt to open a transport. */
export class Reopening {
  #nextMs = REOPEN_MS;

  /** Milliseconds; longer each time. */
  next(): number {
    const waitMs = this.#nextMs;
    this.#nextMs = Math.min(waitMs * 2, LONGEST_REOPEN_MS);
    return waitMs;
  }

  /** It was opened. */
  done(): void {
    this.#nextMs = REOPEN_MS;
  }
}

/** Opens the transport once. Rejects when that fails: the caller decides when to try again. */
export function openWire(transport: Transport): Promise<Wire> {
  return transport.kind === 'serial' ? openSerial(transport) : openTcp(transport);
}

async function openSerial({ path, baud, parity, stopBits }: Extract<Transport, { kind: 'serial' }>): Promise<Wire> {
  // Only here: an agent behind a device server has no use for 8 MB of serial port.
  const { SerialPort } = await import('serialport');
  return new Promise((resolve, reject) => {
    const port = new SerialPort({ path, baudRate: baud, parity, stopBits, dataBits: 8, autoOpen: false });
    let over = false;
    const wire: Wire = {
      gapMs: silenceMs(baud),
      onWireMs: (bytes) => (bytes * 11_000) / baud,
      write: (bytes) => void port.write(bytes),
      onData: () => undefined,
      onLost: () => undefined,
      close() {
        over = true;
        if (port.isOpen) port.close();
      },
    };
    const lost = (why: string) => {
      if (over) return;
      over = true;
      if (port.isOpen) port.close();
      wire.onLost(why);
    };
    port.open((error) => {
      if (error) return reject(error);
      port.on('data', (bytes: Buffer) => wire.onData(bytes));
      port.on('close', () => lost('the port was closed'));
      port.on('error', (fault) => lost(fault.message));
      // What came before we were here is nobody's answer.
      port.flush(() => resolve(wire));
    });
  });
}

function openTcp({ host, port }: Extract<Transport, { kind: 'rtu-over-tcp' }>): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ host, port, noDelay: true, keepAlive: true, timeout: CONNECT_MS });
    let over = false;
    const wire: Wire = {
      gapMs: 0,
      onWireMs: () => 0,
      write: (bytes) => void socket.write(bytes),
      onData: () => undefined,
      onLost: () => undefined,
      close() {
        over = true;
        socket.destroy();
      },
    };
    let why = 'the device server closed the connection';
    socket.once('timeout', () => socket.destroy(new Error(`no connection within ${CONNECT_MS / 1_000} s`)));
    socket.on('error', (error) => {
      why = error.message;
      reject(error);
    });
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.on('data', (bytes) => wire.onData(bytes));
      socket.once('end', () => socket.destroy());
      socket.once('close', () => {
        if (!over) wire.onLost(why);
      });
      resolve(wire);
    });
  });
}
