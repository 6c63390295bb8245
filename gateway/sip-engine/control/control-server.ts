import { createHash, timingSafeEqual } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { QueuedTimer, TimerQueues } from '../transaction/timers.js';
import { LineReader } from './line-reader.js';
import { readOrder } from './order-check.js';
import { type ControlNotice, type ControlOrder, SILENCE_MS } from './protocol.js';

export type Tell = (notice: ControlNotice) => void;

export interface ControlEvents {
  /** Every order but hello and beat. */
  order(order: Exclude<ControlOrder, { do: 'hello' } | { do: 'beat' }>, tell: Tell): void;
  /** A client that is more than an observer has said hello. */
  watched(): void;
  /** The last of them is gone, or silent: why. */
  unwatched(why: string): void;
}

function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** One control connection. */
class ControlLink {
  welcome = false;
  observer = true;
  silence: QueuedTimer | undefined;

  constructor(readonly socket: Socket) {}

  /** Answers to orders that came in one piece leave in one piece. */
  tell(notice: ControlNotice): void {
    if (this.socket.destroyed) return;
    this.socket.cork();
    this.socket.write(`${JSON.stringify(notice)}\n`);
    process.nextTick(() => this.socket.uncork());
  }
}

/** The control socket: who may order, and whether anybody watches. */
export class ControlServer {
  readonly #server: Server;
  readonly #links = new Set<ControlLink>();

  constructor(
    readonly config: { readonly socket: string; readonly secret: string },
    readonly timers: TimerQueues,
    readonly events: ControlEvents,
  ) {
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Opens the socket; one that an engine before this one left behind is taken over. */
  open(): Promise<void> {
    rmSync(this.config.socket, { force: true });
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.config.socket, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const link of this.#links) {
        link.silence?.cancel();
        link.observer = true;
        link.socket.end();
        link.socket.unref();
      }
    });
  }

  /** Tells everybody who has said hello. */
  tellAll(notice: ControlNotice): void {
    for (const link of this.#links) if (link.welcome) link.tell(notice);
  }

  #accept(socket: Socket): void {
    const link = new ControlLink(socket);
    const reader = new LineReader();
    this.#links.add(link);
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      if (!reader.take(chunk, (line) => this.#line(link, line))) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#links.delete(link);
      this.#gone(link, 'control connection closed');
    });
    this.#expectBeat(link);
  }

  #line(link: ControlLink, line: string): void {
    const order = readOrder(line);
    if (order === undefined) {
      link.tell({ event: 'failed', id: 0, why: 'not an order' });
      return;
    }
    if (!link.welcome) {
      this.#hello(link, order);
      return;
    }
    if (order.do === 'hello') return;
    this.#expectBeat(link);
    if (order.do === 'beat') link.tell({ event: 'beat' });
    else this.events.order(order, (notice) => link.tell(notice));
  }

  #hello(link: ControlLink, order: ControlOrder): void {
    if (order.do !== 'hello' || !sameSecret(order.secret, this.config.secret)) {
      link.socket.destroy();
      return;
    }
    link.welcome = true;
    link.observer = order.observer === true;
    link.tell({ event: 'welcome' });
    this.#expectBeat(link);
    if (!link.observer) this.events.watched();
  }

  /** Whoever says nothing for 2 s is closed. */
  #expectBeat(link: ControlLink): void {
    link.silence?.cancel();
    const silent = {
      onTimer: () => {
        this.#gone(link, 'control client silent');
        link.socket.destroy();
      },
    };
    link.silence = this.timers.start(SILENCE_MS, silent, 'silence');
  }

  #gone(link: ControlLink, why: string): void {
    link.silence?.cancel();
    if (link.observer) return;
    link.observer = true;
    for (const other of this.#links) if (other !== link && !other.observer) return;
    this.events.unwatched(why);
  }
}
