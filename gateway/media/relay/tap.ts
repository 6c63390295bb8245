import { createSocket, type Socket } from 'node:dgram';

/** Copies of what one side's stream carried, as RTP to a port of this machine: for a recorder, or for a listener. */
export interface TapEnd {
  readonly address: string;
  readonly port: number;
}

/** The one socket from which every tap's copies go out. It takes nothing in. */
export class TapSocket {
  #socket: Socket | undefined;

  /** Sends a copy; what the kernel does not take is lost, and the call itself never waits for it. */
  send(packet: Buffer, { address, port }: TapEnd): void {
    if (this.#socket === undefined) {
      this.#socket = createSocket('udp4');
      this.#socket.on('error', () => undefined);
      this.#socket.unref();
    }
    this.#socket.send(packet, port, address);
  }
}
