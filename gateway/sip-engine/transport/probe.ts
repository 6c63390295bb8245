import { createSocket, type Socket } from 'node:dgram';
import type { QueuedTimer, TimerQueues } from '../transaction/timers.js';
import type { Listener } from './listener.js';

/** How long a probe listens for the report, milliseconds. */
const LISTEN_MS = 1_000;
/** So many destinations at a time; more are not probed. */
const AT_ONCE = 64;

/**
 * Learns within milliseconds that nobody listens at a UDP port. An unconnected socket is not told of ICMP's "port
 * unreachable", a connected one is; so beside the first request to a peer that we have not heard of lately goes an empty
 * datagram from a connected socket. A SIP peer ignores it (RFC 3261 §18.3 leaves nothing to parse).
 */
export class PortProbe {
  readonly #open = new Map<string, Socket>();
  readonly #timers = new Set<QueuedTimer>();

  constructor(
    readonly timers: TimerQueues,
    readonly onClosed: (address: string, port: number) => void,
  ) {}

  /** Asks; the answer, if there is one, comes by `onClosed`. */
  ask(listener: Listener, address: string, port: number): void {
    const key = `${listener.name} ${address}:${port}`;
    const known = this.#open.get(key);
    if (known !== undefined) {
      this.#knock(known);
      return;
    }
    if (this.#open.size >= AT_ONCE) return;
    const type = address.includes(':') ? 'udp6' : 'udp4';
    const socket = createSocket({ type, lookup: (host, _options, done) => done(null, host, type === 'udp6' ? 6 : 4) });
    this.#open.set(key, socket);
    socket.on('error', () => this.onClosed(address, port));
    socket.unref();
    socket.bind(0, listener.address, () => socket.connect(port, address, () => this.#knock(socket)));
    const owner = {
      onTimer: () => {
        this.#timers.delete(timer);
        this.#open.delete(key);
        socket.close();
      },
    };
    const timer = this.timers.start(LISTEN_MS, owner, 'probe');
    this.#timers.add(timer);
  }

  /** A connected socket is told of the report at its next call: the first knock draws it, the second hears of it. */
  #knock(socket: Socket): void {
    try {
      socket.send('');
    } catch {
      // Not connected yet, or closed: then it is as if nobody had asked.
      return;
    }
  }

  close(): void {
    for (const timer of this.#timers) timer.cancel();
    for (const socket of this.#open.values()) socket.close();
    this.#open.clear();
    this.#timers.clear();
  }
}
