import type { Socket } from 'node:dgram';
import type { BlockList } from 'node:net';
import type { PeerAddress } from '../control-protocol.js';
import { SourceLatch } from './source-latch.js';

type Sent = (error: Error | null) => void;

/** One peer as the relay sees it: our two sockets toward it, and where its packets come from and go to. */
export class Side {
  readonly rtp: Socket;
  readonly rtcp: Socket;
  /** Absent until its SDP is known. */
  latch: SourceLatch | undefined;
  /** Absent also when it takes no RTCP; the same as `latch` when RTP and RTCP share one port. */
  rtcpLatch: SourceLatch | undefined;

  constructor({ rtp, rtcp }: { readonly rtp: Socket; readonly rtcp: Socket }) {
    this.rtp = rtp;
    this.rtcp = rtcp;
  }

  /** Its SDP is known, or another one. */
  expect({ address, port, rtcpPort }: Omit<PeerAddress, 'networks'>, networks: BlockList): void {
    this.latch = new SourceLatch({ address, port }, networks);
    if (rtcpPort === 0) this.rtcpLatch = undefined;
    else if (rtcpPort === port) this.rtcpLatch = this.latch;
    else this.rtcpLatch = new SourceLatch({ address, port: rtcpPort }, networks);
  }

  get isMuxed(): boolean {
    return this.rtcpLatch !== undefined && this.rtcpLatch === this.latch;
  }

  /** The far end answered. */
  answered(nowMs: number): void {
    this.latch?.answered(nowMs);
    this.rtcpLatch?.answered(nowMs);
  }

  /** Sends a packet to where its speech goes; whoever asks is told whether the kernel took it. */
  send(packet: Buffer, sent?: Sent): void {
    if (this.latch !== undefined) this.rtp.send(packet, this.latch.port, this.latch.address, sent);
  }

  /** Sends a report to where its reports go. */
  sendReport(report: Buffer): void {
    const to = this.rtcpLatch;
    if (to === undefined) return;
    if (to === this.latch) this.send(report);
    else this.rtcp.send(report, to.port, to.address);
  }
}
