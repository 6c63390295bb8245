import { u16 } from './rtp.js';

const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const SOURCE_DESCRIPTION = 202;
const CNAME = 1;
const OUR_NAME = Buffer.from('balise');
/** Header and SSRC; a sender report's own part; one report block (RFC 3550 §6.4). */
const HEAD = 8;
const SENDER_INFO = 20;
const REPORT_BLOCK = 24;
/** Room for the largest report that `cleanReport` writes. */
export const REPORT_ROOM = HEAD + SENDER_INFO + 31 * REPORT_BLOCK + 32;

/** Whether a packet on a shared port is RTCP: its second byte is then a type from 192 to 223 (RFC 5761 §4). */
export const isReport = (packet: Buffer): boolean => {
  const type = packet[1] as number;
  return packet.length >= HEAD && type >= 192 && type <= 223;
};

/**
 * Writes to `out` what of a compound RTCP packet may reach the other side, and tells its length; 0 for nothing.
 * Only the first report passes, with a source description of our own: a CNAME reads user@host, a BYE may carry text, and
 * APP packets carry anything.
 */
export function cleanReport(packet: Buffer, out: Buffer): number {
  if (packet.length < HEAD || (packet[0] as number) >> 6 !== 2) return 0;
  const type = packet[1] as number;
  if (type !== SENDER_REPORT && type !== RECEIVER_REPORT) return 0;
  const blocks = (packet[0] as number) & 0x1f;
  const length = HEAD + (type === SENDER_REPORT ? SENDER_INFO : 0) + blocks * REPORT_BLOCK;
  const said = (u16(packet, 2) + 1) * 4;
  if (said < length || said > packet.length) return 0;

  packet.copy(out, 0, 0, length);
  out[0] = 0x80 | blocks;
  out.writeUInt16BE(length / 4 - 1, 2);
  // Chunk: SSRC, item type, item length, text, then zeros to the next 32-bit boundary, one at least.
  const chunk = Math.ceil((4 + 2 + OUR_NAME.length + 1) / 4) * 4;
  out.fill(0, length, length + 4 + chunk);
  out[length] = 0x81;
  out[length + 1] = SOURCE_DESCRIPTION;
  out.writeUInt16BE(chunk / 4, length + 2);
  packet.copy(out, length + 4, 4, 8);
  out[length + 8] = CNAME;
  out[length + 9] = OUR_NAME.length;
  OUR_NAME.copy(out, length + 10);
  return length + 4 + chunk;
}
