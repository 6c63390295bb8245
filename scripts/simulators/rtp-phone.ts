import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const PACKET_MS = 20;
const SAMPLES = 160;
const HEADER = 12;
/** RFC 4733 §3.2: the event codes 0 to 11 in their order; the payload type is that of the SDP below. */
const KEYS = '0123456789*#';
const EVENTS = 101;
/** A key, packet by packet: its duration so far in samples, and whether it is over (RFC 4733 §2.5.1.4). */
const KEY_PACKETS = [160, 320, 480, 480, 480].map((duration, at) => ({ duration, isOver: at >= 2 }));
/** Between two keys, packets. */
const KEY_PAUSE = 2;
/** The beeps of one warning are closer together than this. */
const TONE_PAUSE_NS = 1_000_000_000n;
/** Silence would do, but a human-like level makes captures readable: a µ-law ramp that repeats. */
const PAYLOAD = Buffer.from(Array.from({ length: SAMPLES }, (_, i) => 0x80 + ((i * 7) % 0x70)));

/** The audio half of a simulated phone: sends G.711 µ-law every 20 ms and remembers when it heard something last. */
export class RtpPhone {
  readonly #socket: Socket;
  readonly #packet = Buffer.alloc(HEADER + SAMPLES);
  #timer: NodeJS.Timeout | undefined;
  #sequence = Math.floor(Math.random() * 0x8000);
  #timestamp = Math.floor(Math.random() * 0x7fffffff);
  /** Packets heard, and when the last one came (CLOCK_MONOTONIC, nanoseconds). */
  received = 0;
  lastReceivedNs = 0n;
  #toneSinceNs = 0n;
  #toneTaken = true;
  /** Packets of keys that wait for their turn; undefined is a pause. */
  #keys: ((() => Buffer) | undefined)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#packet[0] = 0x80;
    this.#packet.writeUInt32BE(Math.floor(Math.random() * 0xffffffff), 8);
    PAYLOAD.copy(this.#packet, HEADER);
    socket.on('message', (packet) => {
      this.received += 1;
      this.lastReceivedNs = process.hrtime.bigint();
      // The far end of the simulators says the same all the time: anything else was mixed in on the way.
      if (packet.length > HEADER && PAYLOAD.compare(packet, HEADER) !== 0) this.#heardTone();
    });
    socket.on('error', () => this.close());
  }

  static async open(address: string): Promise<RtpPhone> {
    const socket = createSocket('udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    return new RtpPhone(socket);
  }

  /** An SDP body that offers or answers with this phone's port. */
  sdp(): string {
    const { address, port } = this.#socket.address();
    return [
      'v=0',
      `o=- ${port} 1 IN IP4 ${address}`,
      's=-',
      `c=IN IP4 ${address}`,
      't=0 0',
      `m=audio ${port} RTP/AVP 0 101`,
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=ptime:20',
      'a=sendrecv',
      '',
    ].join('\r\n');
  }

  /** Talks to the address in the peer's SDP until closed. */
  talkTo(sdp: string): void {
    const address = /^c=IN IP4 (\S+)/m.exec(sdp)?.[1];
    const port = Number(/^m=audio (\d+)/m.exec(sdp)?.[1] ?? 0);
    if (address === undefined || port === 0) return;
    clearInterval(this.#timer);
    const startNs = process.hrtime.bigint();
    let sent = 0;
    const send = () => {
      const key = this.#keys.shift()?.();
      this.#sequence = (this.#sequence + 1) & 0xffff;
      this.#timestamp = (this.#timestamp + SAMPLES) >>> 0;
      this.#packet[1] = sent === 0 ? 0x80 : 0;
      this.#packet.writeUInt16BE(this.#sequence, 2);
      this.#packet.writeUInt32BE(this.#timestamp, 4);
      key?.writeUInt16BE(this.#sequence, 2);
      this.#socket.send(key ?? this.#packet, port, address);
      sent += 1;
      const elapsedMs = Number(process.hrtime.bigint() - startNs) / 1e6;
      this.#timer = setTimeout(send, Math.max(0, sent * PACKET_MS - elapsedMs));
    };
    send();
  }

  /** Keys digits, `*` and `#` in place of speech, as RFC 4733 events, to wherever it talks to. */
  press(keys: string): void {
    for (const key of keys) {
      const code = KEYS.indexOf(key);
      if (code < 0) throw new Error(`${key} is no key`);
      let beganAt = 0;
      this.#keys.push(
        ...KEY_PACKETS.map(({ duration, isOver }, at) => () => {
          // Every packet of an event has the timestamp of its beginning.
          if (at === 0) beganAt = this.#timestamp;
          const packet = Buffer.alloc(HEADER + 4);
          this.#packet.copy(packet, 0, 0, HEADER);
          packet[1] = (at === 0 ? 0x80 : 0) | EVENTS;
          packet.writeUInt32BE(beganAt, 4);
          packet[HEADER] = code;
          packet[HEADER + 1] = (isOver ? 0x80 : 0) | 10;
          packet.writeUInt16BE(duration, HEADER + 2);
          return packet;
        }),
        ...Array.from({ length: KEY_PAUSE }, () => undefined),
      );
    }
  }

  /** Whether a warning tone has begun since the last question. */
  takeTone(): boolean {
    const begun = !this.#toneTaken;
    this.#toneTaken = true;
    return begun;
  }

  #heardTone(): void {
    if (this.lastReceivedNs - this.#toneSinceNs > TONE_PAUSE_NS) this.#toneTaken = false;
    this.#toneSinceNs = this.lastReceivedNs;
  }

  close(): void {
    clearTimeout(this.#timer);
    try {
      this.#socket.close();
    } catch {
      // Already closed: closing twice is harmless.
    }
  }
}
