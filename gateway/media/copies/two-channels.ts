import { LAWS } from '../relay/g711.js';
import { payloadEnd, payloadStart, payloadTypeOf, RTP_HEADER, ssrcOf, timestampOf } from '../relay/rtp.js';
import { SAMPLE_RATE } from '../relay/warning-tone.js';

const PER_MS = SAMPLE_RATE / 1_000;
/** How long a packet is waited for before silence is written in its place. */
const WAIT_MS = 200;
const ROOM = SAMPLE_RATE * 4;
const LATEST = ROOM - SAMPLE_RATE;
const { silence: SILENCE, encode: TO_ALAW } = LAWS.pcma;
const ALAW = 8;
const MULAW = 0;

/** The handset's on the left, the trunk's on the right. */
export type Channel = 'handset' | 'trunk';

/** One side's samples on the recording's own time, with what has not come yet as silence. */
class Track {
  readonly #samples = new Uint8Array(ROOM).fill(SILENCE);
  #ssrc = -1;
  /** Where the stream's timestamp 0 lies on the recording's time. */
  #offset = 0;

  put(packet: Buffer, position: number, written: number): void {
    const start = payloadStart(packet);
    const end = start < 0 ? -1 : payloadEnd(packet, start);
    const type = payloadTypeOf(packet);
    if (end < 0 || (type !== ALAW && type !== MULAW)) return;
    const timestamp = timestampOf(packet);
    let at = (timestamp + this.#offset) | 0;
    // Another source, or one whose clock has left ours: where it comes is where it is.
    if (ssrcOf(packet) !== this.#ssrc || Math.abs(at - position) > SAMPLE_RATE) {
      this.#ssrc = ssrcOf(packet);
      this.#offset = position - timestamp;
      at = position;
    }
    for (let i = start; i < end; i++, at++) {
      if (at < written || at >= written + LATEST) continue;
      const byte = packet[i] as number;
      this.#samples[at % ROOM] =
        type === ALAW ? byte : (TO_ALAW[(LAWS.pcmu.decode[byte] as number) + 32_768] as number);
    }
  }

  /** The sample, which is then forgotten. */
  take(at: number): number {
    const sample = this.#samples[at % ROOM] as number;
    this.#samples[at % ROOM] = SILENCE;
    return sample;
  }
}

/**
 * Two streams of RTP (G.711 of either law) as one of A-law samples, left and right in turn. Each packet lies where its
 * timestamp says; what does not come within 200 ms is silence, so that both channels keep the call's own time.
 */
export class TwoChannels {
  readonly #tracks = { handset: new Track(), trunk: new Track() };
  readonly #beginMs: number;
  #written = 0;

  constructor(beginMs: number) {
    this.#beginMs = beginMs;
  }

  put(channel: Channel, packet: Buffer, nowMs: number): void {
    if (packet.length <= RTP_HEADER) return;
    this.#tracks[channel].put(packet, Math.round((nowMs - this.#beginMs) * PER_MS), this.#written);
  }

  /** What is old enough to be written. `last`: all of it. */
  drain(nowMs: number, last = false): Buffer {
    const until = Math.round((nowMs - this.#beginMs - (last ? 0 : WAIT_MS)) * PER_MS);
    const count = Math.max(0, until - this.#written);
    const out = Buffer.alloc(count * 2);
    for (let i = 0; i < count; i++, this.#written++) {
      out[i * 2] = this.#tracks.handset.take(this.#written);
      out[i * 2 + 1] = this.#tracks.trunk.take(this.#written);
    }
    return out;
  }
}
