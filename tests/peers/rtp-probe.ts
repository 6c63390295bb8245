import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Test } from 'tap';

const SAMPLES = 160;
const HEADER = 12;

/** The audio end of a peer: sends G.711 µ-law at 20 ms and notes the instant of every packet that it hears. */
export class RtpProbe {
  readonly #socket: Socket;
  readonly #packet = Buffer.alloc(HEADER + SAMPLES, 0xff);
  #sending: NodeJS.Timeout | undefined;
  #sequence = 1;
  #sent = 0;
  #waiting: (() => void)[] = [];
  /** When each packet of ours was sent, by its number; and the number of the last that came of each SSRC. */
  readonly #sentNs = new Map<number, bigint>();
  readonly #lastOf = new Map<number, number>();
  /** Arrival of each packet, CLOCK_MONOTONIC nanoseconds, in order. */
  readonly heardNs: bigint[] = [];
  /** Every payload, in order, once it is given an array. */
  payloads: Buffer[] | undefined;
  /** The last packet's payload. */
  lastPayload: Buffer = Buffer.alloc(0);
  /** Largest sample heard, on the µ-law scale (0 is silence): a warning tone shows here. */
  loudest = 0;

  private constructor(
    socket: Socket,
    readonly port: number,
  ) {
    this.#socket = socket;
    this.#packet[0] = 0x80;
    this.#packet[1] = 0;
    this.#packet.writeUInt32BE(port, 8);
    socket.on('message', (packet) => {
      this.heardNs.push(process.hrtime.bigint());
      if (packet.length >= HEADER) this.#lastOf.set(packet.readUInt32BE(8), packet.readUInt16BE(2));
      this.lastPayload = packet.subarray(HEADER);
      this.payloads?.push(this.lastPayload);
      for (let i = HEADER; i < packet.length; i += 1)
        this.loudest = Math.max(this.loudest, 0x7f - ((packet[i] ?? 0xff) & 0x7f));
      this.#wake();
    });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  static async open(t: Test): Promise<RtpProbe> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const probe = new RtpProbe(socket, socket.address().port);
    t.teardown(() => probe.close());
    return probe;
  }

  /** Sends a packet every 20 ms to this port until closed or stopped. */
  talkTo(port: number): void {
    this.stopTalking();
    const silence = Buffer.alloc(SAMPLES, 0xff);
    this.#sending = setInterval(() => this.#send(silence, port), 20);
  }

  #send(payload: Buffer, port: number): void {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#packet.writeUInt16BE(this.#sequence, 2);
    this.#packet.writeUInt32BE((this.#sequence * SAMPLES) >>> 0, 4);
    payload.copy(this.#packet, HEADER);
    this.#sentNs.set(this.#sequence, process.hrtime.bigint());
    this.#socket.send(Buffer.from(this.#packet), port, '127.0.0.1', () => {
      this.#sent += 1;
      this.#wake();
    });
  }

  /** Sends these payloads of 20 ms, one after the other; settles with the last. */
  play(payloads: readonly Buffer[], port: number): Promise<void> {
    this.stopTalking();
    const rest = [...payloads];
    return new Promise((resolve) => {
      this.#sending = setInterval(() => {
        const next = rest.shift();
        if (next === undefined) {
          this.stopTalking();
          resolve();
          return;
        }
        this.#send(next, port);
      }, 20);
    });
  }

  /** The stretches in which packets came: first and last of each, with no gap longer than `gapMs` within. */
  stretches(gapMs = 700): readonly { readonly firstNs: bigint; readonly lastNs: bigint }[] {
    const found: { firstNs: bigint; lastNs: bigint }[] = [];
    for (const atNs of this.heardNs) {
      const last = found.at(-1);
      if (last !== undefined && atNs - last.lastNs < BigInt(gapMs) * 1_000_000n) last.lastNs = atNs;
      else found.push({ firstNs: atNs, lastNs: atNs });
    }
    return found;
  }

  stopTalking(): void {
    clearInterval(this.#sending);
  }

  /** Settles when `count` packets have been heard in all. */
  async heard(count: number): Promise<void> {
    while (this.heardNs.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Settles when it has sent so many more packets, whoever hears them. */
  async said(more: number): Promise<void> {
    const until = this.#sent + more;
    while (this.#sent < until) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** When the other probe sent the last of its packets that came here: however late this process was to read it. */
  lastPassedNs(from: RtpProbe): bigint {
    return from.#sentNs.get(this.#lastOf.get(from.port) ?? -1) ?? 0n;
  }

  get lastHeardNs(): bigint {
    return this.heardNs.at(-1) ?? 0n;
  }

  close(): void {
    this.stopTalking();
    try {
      this.#socket.close();
    } catch {
      // Closed already.
    }
  }
}
