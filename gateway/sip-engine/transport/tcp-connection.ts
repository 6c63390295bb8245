import type { Socket } from 'node:net';
import type { Limits } from '../config.js';
import type { Counters } from '../counters.js';
import type { QueuedTimer, TimerQueues } from '../transaction/timers.js';
import type { Listener } from './listener.js';
import { TcpFramer } from './tcp-framer.js';

/** Whoever waits for a connection to carry something: told once when it breaks. Never called from within `send`. */
export type OnBroken = () => void;

/** One TCP connection to a peer, whoever opened it. */
export class TcpConnection {
  readonly #framer: TcpFramer;
  readonly #waiting = new Set<OnBroken>();
  #messageTimer: QueuedTimer | undefined;
  /** Dialogs that live on this connection: it is not idle while there is one. */
  holds = 0;
  open = true;
  readonly address: string;
  readonly port: number;

  constructor(
    readonly listener: Listener,
    readonly socket: Socket,
    place: { readonly address: string; readonly port: number },
    readonly limits: Limits,
    timers: TimerQueues,
    readonly counters: Counters,
    onMessage: (connection: TcpConnection, text: string) => void,
    onClosed: (connection: TcpConnection) => void,
  ) {
    this.address = place.address;
    this.port = place.port;
    this.#framer = new TcpFramer(limits.message);
    socket.setNoDelay(true);
    socket.setTimeout(limits.tcpIdleMs);
    socket.on('timeout', () => {
      if (this.holds > 0) return;
      counters.tcpIdle++;
      socket.destroy();
    });
    socket.on('data', (chunk: Buffer) => {
      const { messages, pings, broken } = this.#framer.take(chunk.toString('latin1'));
      // A ping is answered (RFC 5626 §4.4.1), many at once like one.
      if (pings > 0) socket.write('\r\n');
      for (const text of messages) onMessage(this, text);
      if (broken !== undefined) {
        counters.tcpBroken++;
        socket.removeAllListeners('data').resume();
        socket.destroySoon();
      } else this.#watchMessage(limits, timers);
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.open = false;
      this.#messageTimer?.cancel();
      onClosed(this);
      for (const tell of this.#waiting) tell();
      this.#waiting.clear();
    });
  }

  /** A message that never becomes whole must not hold the connection (slow-loris). */
  #watchMessage(limits: Limits, timers: TimerQueues): void {
    if (!this.#framer.inMessage) {
      this.#messageTimer?.cancel();
      this.#messageTimer = undefined;
    } else this.#messageTimer ??= timers.start(limits.tcpMessageMs, this, 'message');
  }

  onTimer(): void {
    this.counters.tcpSlow++;
    this.socket.destroy();
  }

  /** Writes a message; `onBroken` is kept until `forget` and told when the connection breaks. */
  send(text: string, onBroken?: OnBroken): void {
    if (onBroken !== undefined) this.#waiting.add(onBroken);
    this.socket.write(text, 'latin1');
    if (this.socket.writableLength <= this.limits.tcpUnsentBytes) return;
    this.counters.tcpUnread++;
    this.socket.destroy();
  }

  forget(onBroken: OnBroken): void {
    this.#waiting.delete(onBroken);
  }
}
