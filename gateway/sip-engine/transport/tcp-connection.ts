import type { Socket } from 'node:net';
import { checkServerIdentity, TLSSocket } from 'node:tls';
import type { Limits } from '../config.js';
import type { Counters } from '../counters.js';
import type { QueuedTimer, TimerQueues } from '../transaction/timers.js';
import type { Listener } from './listener.js';
import { TcpFramer } from './tcp-framer.js';

/** Whoever waits for a connection to carry something: told once when it breaks. Never called from within `send`. */
export type OnBroken = () => void;

export interface ConnectionEvents {
  message(connection: TcpConnection, text: string): void;
  closed(connection: TcpConnection): void;
}

/** One TCP connection to a peer, bare or with TLS, whoever opened it. */
export class TcpConnection {
  readonly #framer: TcpFramer;
  readonly #waiting = new Set<OnBroken>();
  #messageTimer: QueuedTimer | undefined;
  /** Dialogs that live on this connection: it is not idle while there is one. */
  holds = 0;
  open = true;

  constructor(
    readonly listener: Listener,
    readonly socket: Socket,
    readonly address: string,
    readonly port: number,
    readonly limits: Limits,
    readonly timers: TimerQueues,
    readonly counters: Counters,
    events: ConnectionEvents,
  ) {
    this.#framer = new TcpFramer(limits.message);
    socket.setNoDelay(true);
    socket.setTimeout(limits.tcpIdleMs);
    socket.on('timeout', () => this.#idle());
    socket.on('data', (chunk: Buffer) => this.#take(chunk, events));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.open = false;
      this.#messageTimer?.cancel();
      events.closed(this);
      for (const tell of this.#waiting) tell();
      this.#waiting.clear();
    });
  }

  /** Whether the peer has shown a certificate that we trust. */
  get authenticated(): boolean {
    return this.socket instanceof TLSSocket && this.socket.authorized;
  }

  /** Whether the certificate of an authenticated peer is for that name or address (RFC 5922 §7.2). */
  isFor(name: string): boolean {
    if (!(this.socket instanceof TLSSocket) || !this.socket.authorized) return false;
    return checkServerIdentity(name, this.socket.getPeerCertificate()) === undefined;
  }

  onTimer(): void {
    this.counters.tcpSlow++;
    this.socket.destroy();
  }

  /** Writes a message; `onBroken` is kept until `forget` and told when the connection breaks. */
  send(text: string, onBroken?: OnBroken): void {
    if (onBroken !== undefined) this.#waiting.add(onBroken);
    this.socket.write(text, 'latin1');
    if (this.socket.destroyed || this.socket.writableLength <= this.limits.tcpUnsentBytes) return;
    this.counters.tcpUnread++;
    this.socket.destroy();
  }

  forget(onBroken: OnBroken): void {
    this.#waiting.delete(onBroken);
  }

  #idle(): void {
    if (this.holds > 0) return;
    this.counters.tcpIdle++;
    this.socket.destroy();
  }

  #take(chunk: Buffer, events: ConnectionEvents): void {
    const { messages, pings, broken } = this.#framer.take(chunk.toString('latin1'));
    // A ping is answered (RFC 5626 §4.4.1), many at once like one; not to a peer that does not read what it has been sent.
    if (pings > 0 && this.socket.writableLength === 0) this.socket.write('\r\n');
    for (const text of messages) events.message(this, text);
    if (broken === undefined) {
      this.#watchMessage(messages.length > 0);
      return;
    }
    this.counters.tcpBroken++;
    this.socket.removeAllListeners('data').resume();
    this.socket.destroySoon();
  }

  /** A message that never becomes whole must not hold the connection (slow-loris). */
  #watchMessage(isNext: boolean): void {
    // What is begun now is another message than the one that was waited for: a busy stream is never without a beginning.
    if (isNext || !this.#framer.inMessage) {
      this.#messageTimer?.cancel();
      this.#messageTimer = undefined;
    }
    if (this.#framer.inMessage) this.#messageTimer ??= this.timers.start(this.limits.tcpMessageMs, this, 'message');
  }
}
