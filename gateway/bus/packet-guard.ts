import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/**
 * Follows the framing of an MQTT stream (3.1.1, §2.2) just far enough to know each packet's length before it has come:
 * the broker collects a packet whole, however long it says that it is.
 */
export class PacketLengths {
  readonly #limit: number;
  #bodyLeft = 0;
  #head = 0;
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
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

/** The socket as the broker sees it: it ends at the first packet that says it is longer than `limit` bytes. */
export function guarded(socket: Socket, limit: number, onTooLong: () => void): Duplex {
  const lengths = new PacketLengths(limit);
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
    if (!lengths.areWithin(chunk)) {
      onTooLong();
      duplex.destroy();
    } else if (!duplex.push(chunk)) socket.pause();
  });
  socket.once('end', () => duplex.push(null));
  socket.on('error', (error) => duplex.destroy(error));
  socket.once('close', () => duplex.destroy());
  return duplex;
}
