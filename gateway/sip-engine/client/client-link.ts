import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { FrameReader } from './frame-reader.js';

/** An application that reads nothing is as good as gone, bytes. */
const MOST_UNREAD = 64 * 1024 * 1024;

/** One application's connection. What is written within one turn of the event loop goes out in one piece. */
export class ClientLink {
  authenticated = false;
  open = true;
  /** It was shown the door. */
  hungUp = false;
  /** The verbs that it handles, lower case. */
  readonly routes = new Set<string>();
  /** What it calls itself. The real server chooses applications by them where it asks a web service; here they are kept and no more. */
  tags: readonly string[] = [];
  #unsent = '';
  #flushing = false;

  constructor(
    readonly socket: Socket,
    maxFrameBytes: number,
    onFrame: (link: ClientLink, payload: string) => void,
    onClosed: (link: ClientLink) => void,
    onRefused: () => void,
  ) {
    const reader = new FrameReader(maxFrameBytes);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      if (reader.take(chunk, (payload) => onFrame(this, payload))) return;
      onRefused();
      socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    // Half of a connection is none: an application that cannot be asked holds no calls.
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      this.open = false;
      onClosed(this);
    });
  }

  /** Sends a payload under a message id of its own: what an application waits for, such as a message from the network. */
  send(payload: string): void {
    this.#add(payload);
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => this.#flush());
  }

  /**
   * Sends a payload that nobody waits for, such as the echo of what was sent: within a millisecond or two, or with whatever
   * else goes out before. Half of the writes, and half of the application's wake-ups, are saved by it.
   */
  sendSoon(payload: string): void {
    if (this.#unsent === '') setTimeout(() => this.#flush(), 1);
    this.#add(payload);
  }

  #add(payload: string): void {
    // An id is 36 characters and a bar.
    if (this.open) this.#unsent += `${payload.length + 37}#${randomUUID()}|${payload}`;
  }

  /** Closes the connection behind whatever has been sent; nothing that comes after that is read. */
  end(): void {
    this.#flush();
    this.hungUp = true;
    this.socket.end();
  }

  #flush(): void {
    const text = this.#unsent;
    this.#unsent = '';
    this.#flushing = false;
    if (text === '' || !this.open || this.socket.destroyed) return;
    this.socket.write(text, 'latin1');
    if (this.socket.writableLength > MOST_UNREAD) this.socket.destroy();
  }
}
