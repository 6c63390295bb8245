import type { RemoteInfo } from 'node:dgram';
import type { RelayClock } from './clock.js';
import type { DigitFilter } from './digit-filter.js';
import type { LawTables } from './g711.js';
import type { KeySender } from './key-sender.js';
import type { Lease } from './lease.js';
import { EVENT, type PayloadTypes, REFUSED, UNITS_PER_MS } from './payload-types.js';
import { StreamQuality } from './quality.js';
import type { RoundTrip } from './round-trip.js';
import { cleanReport, isReport, REPORT_ROOM } from './rtcp.js';
import { payloadEnd, payloadStart, payloadTypeOf, RTP_HEADER, sequenceOf, ssrcOf, timestampOf, u32 } from './rtp.js';
import type { Side } from './side.js';

/** Something of ours sounded over a stream. */
export interface Overlay {
  readonly playing: boolean;
  /** The packet with our sound mixed into its payload: a copy in a buffer of its own, good until the next call. */
  mix(packet: Buffer, start: number, end: number, law: LawTables): Buffer;
}

/** One packet in so many is asked after: whether the kernel took it. */
const ASKED_AFTER = 50;

/**
 * One direction of a call's media: what one side sends, checked packet by packet, and handed to the other side unchanged.
 * The order of the checks is the design's: deadline and contact, source, form, digits, gate.
 */
export class Stream {
  readonly #clock: RelayClock;
  readonly #lease: Lease;
  readonly #from: Side;
  #to: Side;
  readonly quality = new StreamQuality();
  #isHeld = false;
  #report: Buffer | undefined;
  /** Absent until the trunk's SDP is known. */
  types: PayloadTypes | undefined;
  /** Judges RFC 4733 events; absent: they pass. */
  digits: DigitFilter | undefined;
  overlay: Overlay | undefined;
  /** Keys that did not come as events, on their way. */
  keys: KeySender | undefined;
  open = false;
  /** It goes to nobody: the gateway itself listens, and what it has heard is not dropped. */
  isForUs = false;
  /** How far the sender of this stream is, and how far its receiver. */
  fromTrip: RoundTrip | undefined;
  toTrip: RoundTrip | undefined;
  /** Where copies of what is forwarded go. */
  tap: ((packet: Buffer) => void) | undefined;
  forwarded = 0;
  dropped = 0;
  droppedAfterDeadline = 0;
  lastForwardedMs = Number.NEGATIVE_INFINITY;

  constructor(clock: RelayClock, lease: Lease, from: Side, to: Side) {
    this.#clock = clock;
    this.#lease = lease;
    this.#from = from;
    this.#to = to;
    from.rtp.on('message', this.rtp);
    from.rtcp.on('message', this.rtcp);
  }

  readonly #sent = (error: Error | null): void => {
    if (error !== null) this.#to.rtp.emit('error', error);
  };

  /** Held by a re-INVITE: checked and counted like any other, and not forwarded. */
  get held(): boolean {
    return this.#isHeld;
  }

  set held(held: boolean) {
    if (held === this.#isHeld) return;
    this.#isHeld = held;
    this.quality.paused(held, this.#clock.now());
  }

  /** The far end answered: what came before it is no part of the statistics. */
  answered(): void {
    this.quality.begin(this.#clock.now());
    this.open = true;
  }

  /** What this side sends goes back to itself; of its reports, nothing. */
  sendBack(): void {
    this.#to = this.#from;
  }

  /** One RTP packet. No allocation and no copy here, but for the warning's. */
  readonly rtp = (packet: Buffer, from: RemoteInfo): void => {
    const nowMs = this.#clock.now();
    if (!this.#lease.holds(nowMs)) this.#late();
    else if (this.#from.isMuxed && isReport(packet)) this.#reported(packet, from, nowMs);
    else if (!this.#forward(packet, from, nowMs)) this.dropped++;
  };

  /** One RTCP packet: rare, checked alike, and rewritten so that it tells nothing of its sender. */
  readonly rtcp = (packet: Buffer, from: RemoteInfo): void => {
    const nowMs = this.#clock.now();
    if (!this.#lease.holds(nowMs)) this.#late();
    else if (this.#from.isMuxed) this.dropped++;
    else this.#reported(packet, from, nowMs);
  };

  #reported(packet: Buffer, from: RemoteInfo, nowMs: number): void {
    if (!this.#forwardReport(packet, from, nowMs)) this.dropped++;
  }

  #forward(packet: Buffer, from: RemoteInfo, nowMs: number): boolean {
    const { latch } = this.#from;
    if (latch === undefined || this.types === undefined || packet.length < RTP_HEADER) return false;
    const ssrc = ssrcOf(packet);
    if (!latch.allows(from.address, from.port, ssrc, nowMs)) return false;

    const start = payloadStart(packet);
    const payloadType = payloadTypeOf(packet);
    const kind = this.types.kind(payloadType);
    if (start < 0 || kind === REFUSED) return false;
    const end = payloadEnd(packet, start);
    if (end < 0) return false;
    if (latch.take(from.address, from.port, ssrc)) {
      this.quality.window.restart();
      this.quality.jitter.restart();
    }
    if (!this.quality.window.accept(sequenceOf(packet))) return false;
    this.quality.heard(nowMs);

    if (kind !== EVENT) this.quality.jitter.packet(nowMs, timestampOf(packet), this.types.unitsPerMs(payloadType));
    else if (this.digits !== undefined && !this.digits.passes(packet, start, end)) return this.isForUs;

    if (!this.open || this.#isHeld || this.#to.latch === undefined) return this.isForUs;
    const law = this.types.law(payloadType);
    if (law !== undefined && kind !== EVENT) this.digits?.listen(packet, start, end, law, nowMs);
    let out = packet;
    // Events have a clock of 8 kHz: of another one's stream they can be no part.
    if (this.keys?.isOn && kind !== EVENT && this.types.unitsPerMs(payloadType) === UNITS_PER_MS)
      out = this.keys.inPlaceOf(packet);
    if (out === packet && this.overlay?.playing && kind !== EVENT) {
      // What cannot be mixed gives way to the sound, which then goes in packets of its own.
      if (law === undefined) return true;
      out = this.overlay.mix(packet, start, end, law);
    }
    this.tap?.(packet);
    // Node says nothing of what the kernel refuses unless it is asked, and asking costs a turn of the loop.
    if (this.forwarded % ASKED_AFTER === 0) this.#to.send(out, this.#sent);
    else this.#to.send(out);
    this.forwarded++;
    this.lastForwardedMs = nowMs;
    return true;
  }

  #forwardReport(packet: Buffer, from: RemoteInfo, nowMs: number): boolean {
    const latch = this.#from.rtcpLatch;
    if (latch === undefined || this.#to.rtcpLatch === undefined) return false;
    if (this.#to === this.#from || packet.length < 8) return false;
    const ssrc = u32(packet, 4);
    if (!latch.allows(from.address, from.port, ssrc, nowMs)) return false;
    this.#report ??= Buffer.alloc(REPORT_ROOM);
    const length = cleanReport(packet, this.#report);
    if (length === 0) return false;
    // Where they share a port, it is for the speech to say where that is.
    if (!this.#from.isMuxed) latch.take(from.address, from.port, ssrc);
    this.fromTrip?.received(packet, nowMs);
    if (!this.#lease.armed) return false;
    this.toTrip?.sent(packet, nowMs);
    this.#to.sendReport(this.#report.subarray(0, length));
    return true;
  }

  #late(): void {
    if (this.#lease.passed) this.droppedAfterDeadline++;
    else this.dropped++;
  }
}
