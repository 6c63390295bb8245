import { createSocket, type Socket } from 'node:dgram';

export const RTP_HEADER = 12;
export const RTP_PAYLOAD = 160;
const RECEIVE_BYTES = 4_000_000;

/** Binds so many UDP sockets on ports from the kernel. */
export async function bindRtp(count: number, address: string): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = createSocket({
      type: 'udp4',
      recvBufferSize: RECEIVE_BYTES,
      lookup: (host, _options, found) => found(null, host, 4),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ port: 0, address }, resolve);
    });
    sockets.push(socket);
  }
  return sockets;
}

/** A G.711 packet of 20 ms, its SSRC by the stream's index. */
export function rtpPacket(index: number, payloadType: number): Buffer {
  const packet = Buffer.alloc(RTP_HEADER + RTP_PAYLOAD, 0xd5);
  packet[0] = 0x80;
  packet[1] = payloadType;
  packet.writeUInt32BE(index + 1, 8);
  return packet;
}
