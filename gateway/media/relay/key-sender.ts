import { randomBytes } from 'node:crypto';
import type { RelayClock, RelayTimer } from './clock.js';
import { DIGITS } from './digit-filter.js';
import { RTP_HEADER, timestampOf } from './rtp.js';

/** RFC 4733 §2.3: an event of four bytes; the power of its tones, -dBm0; the bit that says it is over. */
const EVENT_BYTES = 4;
const VOLUME = 10;
const END = 0x80;
const MARKER = 0x80;
/** A receiver is sure of a key after 40 ms (Q.24); in steps of the events' clock, 8 kHz (§2.1). */
const LEAST_LENGTH = 800;
const STEP = 160;
const STEP_MS = 20;
/** The last packet goes out three times, because it may be lost (§2.5.1.4). */
const ENDINGS = 3;
/** Speech between two keys, so that they are two (Q.24: 40 ms). */
const APART = 3;
/** So long a stream under it is waited for, milliseconds; then it counts as silent. */
const PATIENCE_MS = 60;
/** A key that goes on in no packet for so long, milliseconds, is over. */
const GIVE_UP_MS = 500;
/** Keys that wait their turn; nobody types ahead of that. */
const MOST_WAITING = 16;

/** The stream toward the trunk, as a key needs it. */
export interface KeyTarget {
  /** The payload type of events that the trunk has agreed to. */
  readonly payloadType: number;
  /** It may carry something now. */
  readonly isOpen: () => boolean;
  /** Sends a packet of ours if the call still may talk. */
  readonly send: (packet: Buffer) => boolean;
}

/**
 * Sends keys as RFC 4733 events that did not come as such. As a telephone would: in the place of its speech, packet for
 * packet, with that stream's numbers; in packets of our own, with their own SSRC, only where there is no speech to replace.
 */
export class KeySender {
  readonly #clock: RelayClock;
  readonly #target: KeyTarget;
  readonly #packet = Buffer.alloc(RTP_HEADER + EVENT_BYTES);
  readonly #own = Buffer.alloc(RTP_HEADER);
  readonly #waiting: number[] = [];
  #isOn = false;
  /** The packets of the key that goes out are ours alone. */
  #isAlone = false;
  /** Of the key that goes out; -1 before its first packet. */
  #start = -1;
  #length = 0;
  #endings = 0;
  /** Packets of speech until the next key may begin. */
  #pause = 0;
  #timer: RelayTimer | undefined;

  constructor(clock: RelayClock, target: KeyTarget) {
    this.#clock = clock;
    this.#target = target;
    this.#own[0] = 0x80;
    randomBytes(10).copy(this.#own, 2);
  }

  /** A key is on its way or waits for its turn. */
  get isOn(): boolean {
    return this.#isOn;
  }

  get hasRoom(): boolean {
    return this.#waiting.length < MOST_WAITING;
  }

  /** Sends one of 0-9 * # A-D, after those that wait. */
  press(key: string): void {
    this.#waiting.push(DIGITS.indexOf(key));
    if (!this.#isOn) this.#next();
  }

  /** What goes out in place of a packet of the handset's speech: the key's next packet, good until the next call, or that packet. */
  inPlaceOf(packet: Buffer): Buffer {
    if (this.#isAlone) return packet;
    if (this.#pause > 0) {
      this.#pause--;
      return packet;
    }
    this.#timer?.cancel();
    packet.copy(this.#packet, 0, 0, RTP_HEADER);
    this.#write(timestampOf(packet));
    // A handset that falls silent in a key of its own leaves the receiver to end it (RFC 4733 §2.5.2.2).
    if (this.#start >= 0) this.#timer = this.#clock.after(GIVE_UP_MS, () => this.#over());
    return this.#packet;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#waiting.length = 0;
    this.#isOn = false;
  }

  #next(): void {
    this.#timer?.cancel();
    this.#isOn = this.#waiting.length > 0;
    this.#isAlone = false;
    this.#start = -1;
    this.#endings = 0;
    if (this.#isOn) this.#timer = this.#clock.after(PATIENCE_MS + this.#pause * STEP_MS, () => this.#alone());
  }

  #alone(): void {
    this.#isAlone = true;
    if (!this.#target.isOpen()) {
      this.stop();
      return;
    }
    const own = this.#own;
    own.writeUInt16BE((own.readUInt16BE(2) + 1) & 0xffff, 2);
    own.writeUInt32BE((own.readUInt32BE(4) + STEP) >>> 0, 4);
    own.copy(this.#packet);
    this.#write(timestampOf(own));
    if (!this.#target.send(this.#packet)) this.stop();
    else if (this.#isOn && this.#isAlone) this.#timer = this.#clock.after(STEP_MS, () => this.#alone());
  }

  /** The next packet of the key, at this instant of its stream; the header's version, number and SSRC are there already. */
  #write(at: number): void {
    const packet = this.#packet;
    const isFirst = this.#start < 0;
    if (isFirst) this.#start = at;
    if (this.#endings === 0) this.#length = Math.min(0xffff, ((at - this.#start) >>> 0) + STEP);
    const isOver = this.#length >= LEAST_LENGTH;
    packet[0] = 0x80;
    packet[1] = this.#target.payloadType | (isFirst ? MARKER : 0);
    packet.writeUInt32BE(this.#start, 4);
    packet[RTP_HEADER] = this.#waiting[0] as number;
    packet[RTP_HEADER + 1] = VOLUME | (isOver ? END : 0);
    packet.writeUInt16BE(this.#length, RTP_HEADER + 2);
    if (!isOver || ++this.#endings < ENDINGS) return;
    this.#over();
  }

  #over(): void {
    this.#waiting.shift();
    this.#pause = APART;
    this.#next();
  }
}
