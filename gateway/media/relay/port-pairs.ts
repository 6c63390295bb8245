import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

/** RTP on an even port, RTCP on the next odd one (RFC 3550 §11). */
export interface SocketPair {
  readonly rtp: Socket;
  readonly rtcp: Socket;
  readonly port: number;
  /** Errors of either socket. */
  readonly errors: number;
  /** Closes both and gives the ports back. Harmless a second time. */
  close(): void;
}

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** How often the kernel is asked for a pair before we say that it has none. */
const KERNEL_TRIES = 64;

export class PortsExhausted extends Error {}

/** Where a call's sockets come from, on one address: a range that the firewall knows, or the kernel's choice. */
export class PortPairs {
  readonly #address: string;
  readonly #range: PortRange | null;
  readonly #onSocketError: (error: Error) => void;
  /** Of the range, those that nobody has; the one that was given up last comes last: what is still on its way to it finds nobody. */
  readonly #free: number[] = [];

  constructor(address: string, range: PortRange | null, onSocketError: (error: Error) => void) {
    this.#address = address;
    this.#range = range;
    this.#onSocketError = onSocketError;
    if (range !== null) for (let port = firstEven(range); port < range.to; port += 2) this.#free.push(port);
  }

  /** A bound pair. Rejects with PortsExhausted, or with the system's error when the address itself cannot be bound. */
  async open(): Promise<SocketPair> {
    return this.#range ? this.#fromRange() : this.#fromKernel();
  }

  async #fromRange(): Promise<SocketPair> {
    for (let tries = this.#free.length; tries > 0; tries--) {
      const port = this.#free.shift();
      if (port === undefined) break;
      const pair = await this.#bindPair(port).catch((error: unknown) => {
        this.#free.push(port);
        throw error;
      });
      if (pair !== undefined) return pair;
      this.#free.push(port);
    }
    throw new PortsExhausted(`no free pair of ports on ${this.#address}`);
  }

  async #fromKernel(): Promise<SocketPair> {
    for (let tries = 0; tries < KERNEL_TRIES; tries++) {
      const probe = await bind(this.#address, 0);
      const { port } = probe.address();
      const isEven = port % 2 === 0;
      const other = await bindIfFree(this.#address, isEven ? port + 1 : port - 1);
      if (other === undefined) probe.close();
      else return isEven ? this.#pair(probe, other, port) : this.#pair(other, probe, port - 1);
    }
    throw new PortsExhausted(`the kernel has no free pair of ports on ${this.#address}`);
  }

  async #bindPair(port: number): Promise<SocketPair | undefined> {
    const rtp = await bindIfFree(this.#address, port);
    if (rtp === undefined) return undefined;
    const rtcp = await bindIfFree(this.#address, port + 1).catch((error: unknown) => {
      rtp.close();
      throw error;
    });
    if (rtcp !== undefined) return this.#pair(rtp, rtcp, port);
    rtp.close();
    return undefined;
  }

  #pair(rtp: Socket, rtcp: Socket, port: number): SocketPair {
    let open = true;
    let errors = 0;
    const failed = (error: Error): void => {
      errors++;
      // A peer that cannot be reached fails with every packet; the first says it all.
      if (errors === 1) this.#onSocketError(error);
    };
    for (const socket of [rtp, rtcp]) socket.on('error', failed);
    return {
      rtp,
      rtcp,
      port,
      get errors() {
        return errors;
      },
      close: () => {
        if (!open) return;
        open = false;
        rtp.close();
        rtcp.close();
        if (this.#range !== null) this.#free.push(port);
      },
    };
  }
}

const firstEven = ({ from }: PortRange): number => from + (from % 2);

function bind(address: string, port: number): Promise<Socket> {
  const family = isIPv6(address) ? 6 : 4;
  return new Promise((resolve, reject) => {
    const socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      // Every target is an address already; the resolver would cost each packet a turn of the event loop.
      lookup: (host, _options, found) => found(null, host, family),
    });
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

/** The socket, or undefined when somebody else has the port. */
async function bindIfFree(address: string, port: number): Promise<Socket | undefined> {
  try {
    return await bind(address, port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
}
