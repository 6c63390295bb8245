import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Clock, Timer } from '../../clock/clock.js';
import type { CallId } from '../../policy/ids.js';
import { type Channel, TwoChannels } from './two-channels.js';

const LOOPBACK = '127.0.0.1';
const EVERY_MS = 100;

/** Where the relay is to copy a call's streams to: ports of this machine. */
export interface TapPorts {
  readonly address: string;
  readonly handsetPort: number;
  readonly trunkPort: number;
}

/** Begins a copy of a call's streams, or ends it (`to` absent); false when no such call is up. */
export type Tap = (call: CallId, tap: string, to?: TapPorts) => Promise<boolean>;

/** Hears one call by copies of its streams, and hands on what it heard every 100 ms: two channels of A-law, the handset's on the left. */
export class CallEars {
  readonly #clock: Clock;
  readonly #sound: TwoChannels;
  readonly #sockets: readonly [Socket, Socket];
  readonly #take: (sound: Buffer) => void;
  #timer: Timer | undefined;
  #isClosed = false;

  private constructor(clock: Clock, sockets: readonly [Socket, Socket], take: (sound: Buffer) => void) {
    this.#clock = clock;
    this.#sockets = sockets;
    this.#take = take;
    this.#sound = new TwoChannels(this.#nowMs());
    const channels: readonly Channel[] = ['handset', 'trunk'];
    for (const [i, socket] of sockets.entries()) {
      const channel = channels[i] as Channel;
      socket.on('message', (packet) => this.#sound.put(channel, packet, this.#nowMs()));
    }
    this.#again();
  }

  /** Rejects with the system's error when it has no port to give. */
  static async open(clock: Clock, take: (sound: Buffer) => void): Promise<CallEars> {
    const handset = await bound();
    try {
      return new CallEars(clock, [handset, await bound()], take);
    } catch (error) {
      handset.close();
      throw error;
    }
  }

  get ports(): TapPorts {
    const [handset, trunk] = this.#sockets;
    return { address: LOOPBACK, handsetPort: handset.address().port, trunkPort: trunk.address().port };
  }

  /** Hears no more; hands on the rest before it returns. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const socket of this.#sockets) socket.close();
    this.#take(this.#sound.drain(this.#nowMs(), true));
  }

  #again(): void {
    this.#timer = this.#clock.after(EVERY_MS, () => {
      this.#again();
      // Where this process was held up, what came meanwhile is read first: sockets have their turn between timers and this.
      setImmediate(() => {
        if (!this.#isClosed) this.#take(this.#sound.drain(this.#nowMs()));
      });
    });
  }

  #nowMs(): number {
    return Number(this.#clock.monotonicNs() / 1_000n) / 1_000;
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, LOOPBACK);
  await once(socket, 'listening');
  return socket;
}
