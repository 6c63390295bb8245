import { u32 } from './rtp.js';

const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const HEAD = 8;
const SENDER_INFO = 20;
const REPORT_BLOCK = 24;
/** LSR and DLSR count in 1/65,536 s (RFC 3550 §6.4.1). */
const UNITS_PER_MS = 65.536;

/**
 * How long a packet goes from us to one side and back: that side answers each sender report that we pass on with its time
 * stamp and with how long it kept it (RFC 3550 §6.4.1).
 */
export class RoundTrip {
  #stamp = 0;
  #sentMs = Number.NEGATIVE_INFINITY;
  /** The last one measured; absent before. */
  ms: number | undefined;

  /** A report goes out to that side. */
  sent(report: Buffer, nowMs: number): void {
    if (report[1] !== SENDER_REPORT) return;
    this.#stamp = middleOfNtp(report);
    this.#sentMs = nowMs;
  }

  /** A report came from that side. */
  received(report: Buffer, nowMs: number): void {
    const type = report[1];
    if (this.#stamp === 0 || (type !== SENDER_REPORT && type !== RECEIVER_REPORT)) return;
    let at = HEAD + (type === SENDER_REPORT ? SENDER_INFO : 0);
    for (let block = (report[0] as number) & 0x1f; block > 0 && at + REPORT_BLOCK <= report.length; block--) {
      if (u32(report, at + 16) === this.#stamp) {
        const ms = nowMs - this.#sentMs - u32(report, at + 20) / UNITS_PER_MS;
        if (ms >= 0) this.ms = ms;
        return;
      }
      at += REPORT_BLOCK;
    }
  }
}

/** The middle 32 bits of the 64 of the NTP time stamp, as LSR has them. */
const middleOfNtp = (report: Buffer): number => u32(report, HEAD + 2);
