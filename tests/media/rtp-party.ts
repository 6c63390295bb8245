import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import { isIPv6 } from 'node:net';

const HEADER = 12;
/** 20 ms of G.711. */
export const PACKET_SAMPLES = 160;
const SILENCE_ALAW = 0xd5;

export interface RtpFields {
  readonly ssrc?: number;
  readonly sequence?: number;
  readonly timestamp?: number;
  readonly payloadType?: number;
  readonly payload?: Buffer;
}

/** A telephone or a carrier as the relay meets it: an RTP socket and an RTCP socket, and what came to them. */
export class RtpParty {
  readonly rtp: Socket;
  readonly rtcp: Socket;
  readonly received: Buffer[] = [];
  readonly sources: RemoteInfo[] = [];
  readonly reports: Buffer[] = [];
  readonly #news = new EventEmitter();
  #isClosed = false;
  ssrc: number;
  sequence = 100;
  timestamp = 1_000;

  private constructor(rtp: Socket, rtcp: Socket, ssrc: number) {
    this.rtp = rtp;
    this.rtcp = rtcp;
    this.ssrc = ssrc;
    rtp.on('message', (packet, from) => {
      this.received.push(packet);
      this.sources.push(from);
      this.#news.emit('packet');
    });
    rtcp.on('message', (packet) => {
      this.reports.push(packet);
      this.#news.emit('packet');
    });
  }

  static async at(address: string, ssrc: number): Promise<RtpParty> {
    return new RtpParty(await bound(address), await bound(address), ssrc);
  }

  get address(): string {
    return this.rtp.address().address;
  }

  get port(): number {
    return this.rtp.address().port;
  }

  get rtcpPort(): number {
    return this.rtcp.address().port;
  }

  /** As an order of the control protocol names it. */
  peer(networks: readonly string[] = []) {
    return { address: this.address, port: this.port, rtcpPort: this.rtcpPort, networks };
  }

  /** Sends the next packet of this party's stream, or one with other fields; settles when the kernel has it. */
  async send(to: { readonly address: string; readonly port: number }, fields: RtpFields = {}): Promise<Buffer> {
    this.sequence = (this.sequence + 1) & 0xffff;
    this.timestamp = (this.timestamp + PACKET_SAMPLES) >>> 0;
    const { ssrc, sequence, timestamp } = this;
    const packet = rtpPacket({ ssrc, sequence, timestamp, ...fields });
    await this.sendRaw(to, packet);
    return packet;
  }

  sendRaw(to: { readonly address: string; readonly port: number }, packet: Buffer): Promise<void> {
    return sent(this.rtp, to, packet);
  }

  sendReport(to: { readonly address: string; readonly port: number }, packet: Buffer): Promise<void> {
    return sent(this.rtcp, { address: to.address, port: to.port + 1 }, packet);
  }

  /** Settles with the first packet for which `fits` holds, of those that came and those that will. Rejects after 5 s. */
  async got(fits: (packet: Buffer) => boolean, among: readonly Buffer[] = this.received): Promise<Buffer> {
    const signal = AbortSignal.timeout(5_000);
    for (;;) {
      const found = among.find(fits);
      if (found !== undefined) return found;
      await once(this.#news, 'packet', { signal });
    }
  }

  has(packet: Buffer): boolean {
    return this.received.some((other) => other.equals(packet));
  }

  /** Harmless a second time. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.rtp.close();
    this.rtcp.close();
  }
}

export function rtpPacket(fields: Required<Pick<RtpFields, 'ssrc' | 'sequence' | 'timestamp'>> & RtpFields): Buffer {
  const { ssrc, sequence, timestamp, payloadType = 8, payload = Buffer.alloc(PACKET_SAMPLES, SILENCE_ALAW) } = fields;
  const packet = Buffer.alloc(HEADER + payload.length);
  packet[0] = 0x80;
  packet[1] = payloadType;
  packet.writeUInt16BE(sequence, 2);
  packet.writeUInt32BE(timestamp, 4);
  packet.writeUInt32BE(ssrc, 8);
  payload.copy(packet, HEADER);
  return packet;
}

/** A G.711 payload that carries the instant of its sending, so that a late reader cannot blame the relay. */
export function stampedPayload(): Buffer {
  const payload = Buffer.alloc(PACKET_SAMPLES, SILENCE_ALAW);
  payload.writeBigInt64BE(process.hrtime.bigint());
  return payload;
}

export const stampOf = (packet: Buffer): bigint => packet.readBigInt64BE(HEADER);

async function bound(address: string): Promise<Socket> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  return socket;
}

function sent(socket: Socket, to: { readonly address: string; readonly port: number }, packet: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(packet, to.port, to.address, (error) => (error ? reject(error) : resolve()));
  });
}
