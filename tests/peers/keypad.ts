import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Test } from 'tap';

/** RFC 4733 §3.2: the event codes 0 to 11 in their order. */
const KEYS = '0123456789*#';
const EVENTS = 101;
const PCMU = 0;
const SSRC = 0x0ba115e;

/** The ear and the keys of a handset: RFC 4733 events as a telephone sends them, and every packet that it hears. */
export class Keypad {
  #sequence = 1;
  #timestamp = 1_600;
  #talking: NodeJS.Timeout | undefined;
  readonly heard: Buffer[] = [];
  #waiting: (() => void)[] = [];

  private constructor(
    private readonly socket: Socket,
    readonly port: number,
  ) {
    socket.on('message', (packet) => {
      this.heard.push(packet);
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const wake of waiting) wake();
    });
  }

  static async open(t: Test): Promise<Keypad> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const keypad = new Keypad(socket, socket.address().port);
    t.teardown(() => {
      keypad.stopTalking();
      socket.close();
    });
    return keypad;
  }

  /** Each key as an event of five packets, the last three with the end bit (RFC 4733 §2.5.1.4). */
  press(keys: string, port: number): void {
    for (const key of keys) {
      this.#timestamp += 1_600;
      for (const [at, duration] of [160, 320, 480, 480, 480].entries()) {
        const packet = this.#packet(EVENTS, 4);
        packet[12] = KEYS.indexOf(key);
        packet[13] = (at >= 2 ? 0x80 : 0) | 10;
        packet.writeUInt16BE(duration, 14);
        this.socket.send(packet, port, '127.0.0.1');
      }
    }
  }

  /** One packet of speech. */
  speak(port: number): void {
    this.#timestamp += 160;
    this.socket.send(this.#packet(PCMU, 160).fill(0x2a, 12), port, '127.0.0.1');
  }

  /** A packet of speech every 20 ms, until it is stopped. */
  talkTo(port: number): void {
    this.stopTalking();
    this.#talking = setInterval(() => this.speak(port), 20);
  }

  stopTalking(): void {
    clearInterval(this.#talking);
  }

  /** Settles when `count` packets more than now have been heard. */
  async hears(count: number): Promise<void> {
    const until = this.heard.length + count;
    while (this.heard.length < until) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #packet(payloadType: number, bytes: number): Buffer {
    const packet = Buffer.alloc(12 + bytes);
    packet[0] = 0x80;
    packet[1] = payloadType;
    packet.writeUInt16BE(this.#sequence++ & 0xffff, 2);
    packet.writeUInt32BE(this.#timestamp, 4);
    packet.writeUInt32BE(SSRC, 8);
    return packet;
  }
}
