/** The fixed header of RTP, RFC 3550 §5.1, read in place. */
export const RTP_HEADER = 12;
/** 120 ms of G.711, beyond which no telephone packs a packet. */
const MAX_PAYLOAD = 960;
/** That payload with every contributing source and a short header extension. */
export const MAX_PACKET = 1_200;
const MALFORMED = -1;

/** Big-endian; written out because Buffer's own readers check their bounds again for every packet. */
export const u16 = (packet: Buffer, at: number): number => ((packet[at] as number) << 8) | (packet[at + 1] as number);
export const u32 = (packet: Buffer, at: number): number => ((u16(packet, at) << 16) | u16(packet, at + 2)) >>> 0;

export const ssrcOf = (packet: Buffer): number => u32(packet, 8);
export const sequenceOf = (packet: Buffer): number => u16(packet, 2);
export const timestampOf = (packet: Buffer): number => u32(packet, 4);
export const payloadTypeOf = (packet: Buffer): number => (packet[1] as number) & 0x7f;

/** Where the payload begins, or -1 for what is no RTP of version 2 of a sane length. The packet holds RTP_HEADER bytes at least. */
export function payloadStart(packet: Buffer): number {
  const first = packet[0] as number;
  if (first >> 6 !== 2 || packet.length > MAX_PACKET) return MALFORMED;
  let start = RTP_HEADER + (first & 0x0f) * 4;
  if (first & 0x10) {
    if (packet.length < start + 4) return MALFORMED;
    start += 4 + u16(packet, start + 2) * 4;
  }
  const payload = packet.length - start;
  return payload >= 1 && payload <= MAX_PAYLOAD ? start : MALFORMED;
}

/** Where the payload ends: before the padding, if there is any; -1 when the padding leaves nothing of it. */
export function payloadEnd(packet: Buffer, start: number): number {
  if (((packet[0] as number) & 0x20) === 0) return packet.length;
  const padding = packet[packet.length - 1] as number;
  return padding >= 1 && packet.length - padding > start ? packet.length - padding : MALFORMED;
}
