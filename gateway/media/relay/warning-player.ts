import { randomBytes } from 'node:crypto';
import type { RelayClock, RelayTimer } from './clock.js';
import type { LawTables } from './g711.js';
import type { PayloadTypes } from './payload-types.js';
import { MAX_PACKET, RTP_HEADER } from './rtp.js';
import type { Overlay } from './stream.js';
import { mixWarning, SAMPLE_RATE, WARNING, writeWarning } from './warning-tone.js';

const PACKET_MS = 20;
const PACKET_SAMPLES = (SAMPLE_RATE * PACKET_MS) / 1_000;
/** The trunk's stream counts as silent after three packets that did not come. */
const SILENT_MS = 60;

export interface WarningTarget {
  /** When the trunk's stream last reached the handset, on the relay's clock. */
  readonly lastForwardedMs: number;
  /** Sends a packet of ours to the handset if the call still may talk; false ends the warning. */
  send(packet: Buffer): boolean;
}

/**
 * Sounds the warning to the handset: over the trunk's speech while there is some, in packets of its own while there is none.
 * Our packets have their own SSRC, so that the numbers of the trunk's stream stay whole.
 */
export class WarningPlayer implements Overlay {
  readonly #clock: RelayClock;
  readonly #types: PayloadTypes;
  readonly #target: WarningTarget;
  readonly #mixed = Buffer.alloc(MAX_PACKET);
  readonly #own = Buffer.alloc(RTP_HEADER + PACKET_SAMPLES);
  #position: number = WARNING.length;
  #sequence = 0;
  #timestamp = 0;
  #tick: RelayTimer | undefined;
  #tickMs = 0;

  constructor(clock: RelayClock, types: PayloadTypes, target: WarningTarget) {
    this.#clock = clock;
    this.#types = types;
    this.#target = target;
    this.#own[0] = 0x80;
    randomBytes(4).copy(this.#own, 8);
  }

  get playing(): boolean {
    return this.#position < WARNING.length;
  }

  start(): void {
    this.stop();
    this.#position = 0;
    this.#tickMs = this.#clock.now();
    this.#fillSilence(true);
  }

  stop(): void {
    this.#tick?.cancel();
    this.#position = WARNING.length;
  }

  mix(packet: Buffer, start: number, end: number, law: LawTables): Buffer {
    packet.copy(this.#mixed, 0, 0, packet.length);
    mixWarning(this.#mixed, start, end, this.#position, law);
    this.#position += end - start;
    return this.#mixed.subarray(0, packet.length);
  }

  #fillSilence(first: boolean): void {
    const nowMs = this.#clock.now();
    if (nowMs - this.#target.lastForwardedMs > SILENT_MS && !this.#sendOwn(first)) this.stop();
    if (!this.playing) return;
    this.#tickMs += PACKET_MS;
    this.#tick = this.#clock.after(this.#tickMs - nowMs, () => this.#fillSilence(false));
  }

  #sendOwn(first: boolean): boolean {
    const { first: format } = this.#types;
    if (format === undefined) return false;
    const packet = this.#own;
    packet[1] = format.payloadType | (first ? 0x80 : 0);
    packet.writeUInt16BE(this.#sequence, 2);
    packet.writeUInt32BE(this.#timestamp, 4);
    writeWarning(packet, RTP_HEADER, PACKET_SAMPLES, this.#position, format.law);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + PACKET_SAMPLES) >>> 0;
    this.#position += PACKET_SAMPLES;
    return this.#target.send(packet);
  }
}
