import type { MessageLimits } from '../message/limits.js';

/** Cuts a stream into messages by their Content-Length (RFC 3261 §18.3). A stream that breaks a limit is broken for good. */
export class TcpFramer {
  #pending = '';
  #searchedTo = 0;
  /** Length of the message whose headers are complete; -1 while they are not. */
  #wanted = -1;

  constructor(readonly limits: MessageLimits) {}

  /** Whether a message has begun and is not whole. */
  get inMessage(): boolean {
    return this.#pending !== '';
  }

  /** Takes a chunk and gives the messages that it completes, or why the connection cannot go on. */
  take(chunk: string): { readonly messages: readonly string[]; readonly broken?: string } {
    this.#pending += chunk;
    const messages: string[] = [];
    for (;;) {
      if (this.#wanted < 0) {
        const fault = this.#findEnd();
        if (fault !== undefined) return { messages, broken: fault };
        if (this.#wanted < 0) return { messages };
      }
      if (this.#pending.length < this.#wanted) return { messages };
      messages.push(this.#pending.slice(0, this.#wanted));
      this.#pending = this.#pending.slice(this.#wanted);
      this.#wanted = -1;
      this.#searchedTo = 0;
    }
  }

  #findEnd(): string | undefined {
    if (this.#searchedTo === 0) {
      // CRLF before a start line is a keep-alive (RFC 3261 §7.5).
      let start = 0;
      while (start < this.#pending.length && (this.#pending[start] === '\r' || this.#pending[start] === '\n')) start++;
      if (start > 0) this.#pending = this.#pending.slice(start);
    }
    const end = this.#pending.indexOf('\r\n\r\n', Math.max(0, this.#searchedTo - 3));
    this.#searchedTo = this.#pending.length;
    if (end < 0) {
      return this.#pending.length > this.limits.messageBytes ? 'headers without end' : undefined;
    }
    const length = contentLength(this.#pending.slice(0, end + 2));
    if (length === undefined) return 'malformed Content-Length';
    if (end + 4 + length > this.limits.messageBytes) return 'message too large';
    this.#wanted = end + 4 + length;
    return undefined;
  }
}

/** Without the header the body is empty: a stream cannot do without it (RFC 3261 §20.14). */
function contentLength(head: string): number | undefined {
  const match = /\r\n(?:content-length|l)[ \t]*:[ \t]*([^\r\n]*?)[ \t]*\r\n/i.exec(head);
  if (match === null) return 0;
  const digits = match[1] ?? '';
  return /^\d{1,9}$/.test(digits) ? Number(digits) : undefined;
}
