import { randomBytes } from 'node:crypto';
import type { RelayClock, RelayTimer } from './clock.js';
import type { LawTables } from './g711.js';
import type { PayloadTypes } from './payload-types.js';
import { MAX_PACKET, RTP_HEADER } from './rtp.js';
import type { Overlay } from './stream.js';
import { mixSound, SAMPLE_RATE, writeSound } from './warning-tone.js';

const PACKET_MS = 20;
const PACKET_SAMPLES = (SAMPLE_RATE * PACKET_MS) / 1_000;
/** The stream counts as silent after three packets that did not come. */
const SILENT_MS = 60;
const NOTHING = new Int16Array(0);

export interface SoundTarget {
  /** When the stream under the sound last reached its receiver, on the relay's clock. */
  readonly lastForwardedMs: number;
  /** Sends a packet of ours if the call still may talk; false ends the sound. */
  send(packet: Buffer): boolean;
}

/**
 * Sounds a tone or a prompt to one side: over the other side's speech while there is some, in packets of its own while there
 * is none. Our packets have their own SSRC, so that the numbers of the stream under them stay whole.
 */
export class SoundPlayer implements Overlay {
  readonly #clock: RelayClock;
  readonly types: PayloadTypes;
  readonly #target: SoundTarget;
  readonly #mixed = Buffer.alloc(MAX_PACKET);
  readonly #own = Buffer.alloc(RTP_HEADER + PACKET_SAMPLES);
  #sound: Int16Array = NOTHING;
  #position = 0;
  #sequence = 0;
  #timestamp = 0;
  #tick: RelayTimer | undefined;
  #tickMs = 0;
  #done: (() => void) | undefined;

  constructor(clock: RelayClock, types: PayloadTypes, target: SoundTarget) {
    this.#clock = clock;
    this.types = types;
    this.#target = target;
    this.#own[0] = 0x80;
    randomBytes(4).copy(this.#own, 8);
  }

  /** Whether there is a codec in which it can be heard at all. */
  get audible(): boolean {
    return this.types.first !== undefined;
  }

  get playing(): boolean {
    return this.#position < this.#sound.length;
  }

  /** Plays 16-bit samples at 8 kHz from their beginning; what was playing is over. `done`: they have all been played. */
  start(sound: Int16Array, done?: () => void): void {
    this.stop();
    this.#sound = sound;
    this.#position = 0;
    this.#done = done;
    this.#tickMs = this.#clock.now();
    this.#fillSilence(true);
  }

  /** Ends it in mid-word; `done` is not called. */
  stop(): void {
    this.#tick?.cancel();
    this.#done = undefined;
    this.#sound = NOTHING;
    this.#position = 0;
  }

  mix(packet: Buffer, start: number, end: number, law: LawTables): Buffer {
    packet.copy(this.#mixed, 0, 0, packet.length);
    mixSound(this.#sound, this.#mixed, start, end, this.#position, law);
    this.#position += end - start;
    return this.#mixed.subarray(0, packet.length);
  }

  #fillSilence(first: boolean): void {
    if (!this.playing) {
      const done = this.#done;
      this.stop();
      done?.();
      return;
    }
    const nowMs = this.#clock.now();
    if (nowMs - this.#target.lastForwardedMs > SILENT_MS && !this.#sendOwn(first)) {
      this.stop();
      return;
    }
    this.#tickMs += PACKET_MS;
    this.#tick = this.#clock.after(this.#tickMs - nowMs, () => this.#fillSilence(false));
  }

  #sendOwn(first: boolean): boolean {
    const { first: format } = this.types;
    if (format === undefined) return false;
    const packet = this.#own;
    packet[1] = format.payloadType | (first ? 0x80 : 0);
    packet.writeUInt16BE(this.#sequence, 2);
    packet.writeUInt32BE(this.#timestamp, 4);
    writeSound(this.#sound, packet, RTP_HEADER, PACKET_SAMPLES, this.#position, format.law);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + PACKET_SAMPLES) >>> 0;
    this.#position += PACKET_SAMPLES;
    return this.#target.send(packet);
  }
}
