import type { MessageLimits } from '../message/limits.js';

/** What a chunk brought. */
export interface Taken {
  readonly messages: readonly string[];
  /** How many double line ends asked for a sign of life (RFC 5626 §3.5.1). */
  readonly pings: number;
  /** Why the connection cannot go on: nobody can tell where the next message begins. */
  readonly broken?: string;
}

/** Cuts a stream into messages by their Content-Length (RFC 3261 §18.3). A stream that breaks a limit is broken for good. */
export class TcpFramer {
  #pending = '';
  #searchedTo = 0;
  /** Length of the message whose headers are complete; -1 while they are not. */
  #wanted = -1;
  /** Line ends since the last message. */
  #lineEnds = 0;

  constructor(readonly limits: MessageLimits) {}

  /** Whether a message has begun and is not whole. */
  get inMessage(): boolean {
    return this.#pending !== '';
  }

  /** Takes a chunk and gives the messages that it completes, or why the connection cannot go on. */
  take(chunk: string): Taken {
    this.#pending += chunk;
    const messages: string[] = [];
    let pings = 0;
    for (;;) {
      if (this.#wanted < 0) {
        pings += this.#skipLineEnds();
        const broken = this.#findEnd(messages);
        if (broken !== undefined) return { messages, pings, broken };
        if (this.#wanted < 0) return { messages, pings };
      }
      if (this.#pending.length < this.#wanted) return { messages, pings };
      messages.push(this.#pending.slice(0, this.#wanted));
      this.#pending = this.#pending.slice(this.#wanted);
      this.#wanted = -1;
      this.#searchedTo = 0;
    }
  }

  /** Line ends before a start line are passed over (RFC 3261 §7.5); two of them are a ping. */
  #skipLineEnds(): number {
    if (this.#searchedTo > 0) return 0;
    let start = 0;
    let pings = 0;
    for (; start < this.#pending.length; start++) {
      const code = this.#pending.charCodeAt(start);
      if (code === 10) {
        this.#lineEnds++;
        if (this.#lineEnds % 2 === 0) pings++;
      } else if (code !== 13) {
        this.#lineEnds = 0;
        break;
      }
    }
    if (start > 0) this.#pending = this.#pending.slice(start);
    return pings;
  }

  #findEnd(messages: string[]): string | undefined {
    const end = this.#pending.indexOf('\r\n\r\n', Math.max(0, this.#searchedTo - 3));
    this.#searchedTo = this.#pending.length;
    if (end < 0) {
      return this.#pending.length > this.limits.messageBytes ? 'headers without end' : undefined;
    }
    const length = contentLength(this.#pending.slice(0, end + 2));
    if (length !== undefined && end + 4 + length <= this.limits.messageBytes) {
      this.#wanted = end + 4 + length;
      return undefined;
    }
    // The head alone goes up, where it is refused in so many words.
    messages.push(this.#pending.slice(0, end + 4));
    return length === undefined ? 'malformed Content-Length' : 'message too large';
  }
}

/**
 * The Content-Length of a head; 0 without one: a stream cannot do without it (RFC 3261 §20.14). Undefined when it is no
 * number, or when two of them leave open where the message ends.
 */
function contentLength(head: string): number | undefined {
  let found: number | undefined;
  for (let at = head.indexOf('\n') + 1; at > 0 && at < head.length; at = head.indexOf('\n', at) + 1) {
    const letter = head.charCodeAt(at) | 0x20;
    if (letter !== 0x6c && letter !== 0x63) continue;
    const colon = head.indexOf(':', at);
    if (colon < 0 || colon - at > 32) continue;
    const name = head.slice(at, colon).trimEnd().toLowerCase();
    if (name !== 'content-length' && name !== 'l') continue;
    const value = head.slice(colon + 1, endOfFolded(head, colon)).trim();
    if (found !== undefined || !/^\d{1,9}$/.test(value)) return undefined;
    found = Number(value);
  }
  return found ?? 0;
}

/** Where the header's line ends, lines that continue it included. */
function endOfFolded(head: string, from: number): number {
  let end = head.indexOf('\n', from);
  while (end >= 0 && (head.charCodeAt(end + 1) === 32 || head.charCodeAt(end + 1) === 9))
    end = head.indexOf('\n', end + 1);
  return end < 0 ? head.length : end;
}
