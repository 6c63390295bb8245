import { connect, type Server, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Test } from 'tap';
import { Inbox } from './inbox.js';

/** A SIP peer on a stream: sends texts, cuts what comes into messages, waits for what is expected. */
export class StreamPeer {
  /** Line ends that came between messages. */
  lineEnds = '';
  #pending = '';
  readonly #inbox = new Inbox();
  readonly closed: Promise<void>;

  constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.#pending += chunk.toString('latin1');
      this.#cut();
    });
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        resolve();
        this.#inbox.end();
      });
    });
  }

  get port(): number {
    return this.socket.localPort ?? 0;
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** All that came, in order. */
  get received(): string[] {
    return this.#inbox.received;
  }

  /** The next message that `wanted` accepts, skipping others; rejects after `withinMs`, or when the stream has ended without it. */
  next(wanted: (text: string) => boolean, withinMs = 5_000): Promise<string> {
    return this.#inbox.next(wanted, withinMs);
  }

  #cut(): void {
    for (;;) {
      const ends = /^[\r\n]+/.exec(this.#pending)?.[0] ?? '';
      this.lineEnds += ends;
      this.#pending = this.#pending.slice(ends.length);
      const head = this.#pending.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/\r\nContent-Length\s*:\s*(\d+)/i.exec(this.#pending.slice(0, head + 2))?.[1] ?? 0);
      if (this.#pending.length < head + 4 + length) return;
      this.#inbox.put(this.#pending.slice(0, head + 4 + length));
      this.#pending = this.#pending.slice(head + 4 + length);
    }
  }
}

/** Connects by TCP, from an address where one is given; closed with the test. */
export async function connectPeer(test: Test, port: number, localAddress = '127.0.0.1'): Promise<StreamPeer> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  test.teardown(() => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return new StreamPeer(socket);
}

/** Connects by TLS; rejects when the handshake fails. */
export async function connectTlsPeer(test: Test, port: number, options: ConnectionOptions): Promise<StreamPeer> {
  const socket = connectTls({ port, host: '127.0.0.1', ...options });
  test.teardown(() => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  return new StreamPeer(socket);
}

/** Waits for the next connection to a server. */
export function accepted(server: Server, event = 'connection'): Promise<StreamPeer> {
  return new Promise((resolve) => {
    server.once(event, (socket: Socket) => resolve(new StreamPeer(socket)));
  });
}
