/**
 * One SIP message: start line, headers in their order as they came, body. Text is Latin-1 throughout, one character a byte,
 * so that lengths are lengths in bytes and whatever came goes on unchanged. Structured headers are parsed by those who
 * want them, when they want them (via.ts, name-addr.ts, cseq.ts).
 */
export class SipMessage {
  /** Of a request; empty for a response. */
  method = '';
  uri = '';
  /** Of a response; 0 for a request. */
  status = 0;
  reason = '';
  version = 'SIP/2.0';
  /** Canonical names (header-names.ts), names as they were written, and values, side by side. */
  readonly names: string[] = [];
  readonly written: string[] = [];
  readonly values: string[] = [];
  body = '';
  /** The text that it was parsed from, and where in it the first Via's value and the end of the headers are. */
  raw = '';
  viaStart = -1;
  viaEnd = -1;
  /** True when `raw` may be passed on as it is: CRLF everywhere and nothing behind the body. */
  clean = true;

  get isRequest(): boolean {
    return this.status === 0;
  }

  /** The value of the first header of that canonical name. */
  get(name: string): string | undefined {
    const at = this.names.indexOf(name);
    return at < 0 ? undefined : this.values[at];
  }

  /** The values of all headers of that canonical name, in order. */
  all(name: string): string[] {
    const found: string[] = [];
    for (let at = this.names.indexOf(name); at >= 0; at = this.names.indexOf(name, at + 1)) {
      found.push(this.values[at] ?? '');
    }
    return found;
  }

  has(name: string): boolean {
    return this.names.includes(name);
  }

  /** How often the header stands in the message. */
  count(name: string): number {
    let count = 0;
    for (let at = this.names.indexOf(name); at >= 0; at = this.names.indexOf(name, at + 1)) count++;
    return count;
  }
}
