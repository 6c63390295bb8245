import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Clock } from '../clock/clock.js';

/**
 * Follows the framing of an MQTT stream (3.1.1, §2.2) just far enough to know each packet's length before it has come:
 * the broker collects a packet whole, however long it says that it is.
 */
export class PacketLengths {
  readonly #limit: number;
  #bodyLeft = 0;
  #head = 0;
  #length = 0;
  #packets = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Packets that have begun so far. */
  get packets(): number {
    return this.#packets;
  }

  /** Whether every packet that begins in these bytes is within the limit. */
  areWithin(bytes: Buffer): boolean {
    let at = 0;
    while (at < bytes.length) {
      if (this.#bodyLeft > 0) {
        const taken = Math.min(this.#bodyLeft, bytes.length - at);
        this.#bodyLeft -= taken;
        at += taken;
        continue;
      }
      const byte = bytes[at] ?? 0;
      at += 1;
      if (this.#head === 0) {
        this.#head = 1;
        this.#length = 0;
        this.#packets += 1;
        continue;
      }
      // Remaining length: seven bits a byte, at most four bytes (§2.2.3).
      if (this.#head > 4) return false;
      this.#length += (byte & 0x7f) << (7 * (this.#head - 1));
      this.#head += 1;
      if (this.#length > this.#limit) return false;
      if ((byte & 0x80) === 0) {
        this.#bodyLeft = this.#length;
        this.#head = 0;
      }
    }
    return true;
  }
}

/** What one connection may do. */
export interface PacketLimits {
  /** The longest packet, bytes. */
  readonly bytes: number;
  /** So many packets at once, and so many in a second from then on. */
  readonly burst: number;
  readonly perSecond: number;
}

/** A bucket of packets that fills with time: who takes more than there is takes too much. */
class PacketRate {
  #left: number;
  #lastNs: bigint;

  constructor(
    private readonly limits: PacketLimits,
    private readonly clock: Pick<Clock, 'monotonicNs'>,
  ) {
    this.#left = limits.burst;
    this.#lastNs = clock.monotonicNs();
  }

  /** Whether so many more packets may come now. */
  takes(packets: number): boolean {
    const nowNs = this.clock.monotonicNs();
    const filled = (Number(nowNs - this.#lastNs) / 1e9) * this.limits.perSecond;
    this.#left = Math.min(this.limits.burst, this.#left + filled) - packets;
    this.#lastNs = nowNs;
    return this.#left >= 0;
  }
}

/** The socket as the broker sees it: it ends at the first packet that is too long, or one too many. */
export function guarded(
  socket: Socket,
  limits: PacketLimits,
  clock: Pick<Clock, 'monotonicNs'>,
  onTooMuch: (limit: 'size' | 'rate') => void,
): Duplex {
  const lengths = new PacketLengths(limits.bytes);
  const rate = new PacketRate(limits, clock);
  const duplex = new Duplex({
    allowHalfOpen: false,
    read: () => void socket.resume(),
    write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, done),
    final: (done) => void socket.end(done),
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    const before = lengths.packets;
    const isShort = lengths.areWithin(chunk);
    if (!isShort || !rate.takes(lengths.packets - before)) {
      onTooMuch(isShort ? 'rate' : 'size');
      duplex.destroy();
    } else if (!duplex.push(chunk)) socket.pause();
  });
  socket.once('end', () => duplex.push(null));
  socket.on('error', (error) => duplex.destroy(error));
  socket.once('close', () => duplex.destroy());
  return duplex;
}
