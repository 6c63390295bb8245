/**
 * How drachtio-srf reads messages, at a third of its cost. Its own reader asks the environment for each header's name, takes every
 * line to three regular expressions, and looks a header up by making all names small; a call has some eleven messages read
 * and some hundred headers looked up. What is read is the same to the letter: tests/signalling/sip-text.test.ts holds
 * both readers side by side. Where a later version of the library has no such place, its own reader stays.
 */
import { createRequire } from 'node:module';

/** A message as drachtio-srf's reader leaves it: values as they came, several of one name joined by commas. */
export interface ReadMessage {
  readonly method?: string;
  readonly uri?: string;
  readonly status?: number;
  readonly reason?: string;
  readonly version: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
  readonly payload: readonly { readonly type: string | undefined; readonly content: string | undefined }[];
}

interface Reader {
  parseSipMessage(text: string, isLazy: boolean): ReadMessage | undefined;
  getHeaderName(written: string): string;
}

interface Message {
  readonly headers: Record<string, string>;
  getHeaderName(name: string): string | undefined;
  get(name: string): string | undefined;
  has(name: string): boolean;
}

const RESPONSE = /^SIP\/(\d+\.\d+)\s+(\d+)\s*(.*)\s*$/;
const REQUEST = /^([\w\-.!%*_+`'~]+)\s([^\s]+)\sSIP\s*\/\s*(\d+\.\d+)/;
/** Lines that go on with the line before (RFC 3261 §7.3.1), and bodies of several parts. */
const UNUSUAL = ['\r\n ', '\r\n\t', 'multipart/'];
/** Names that somebody makes up are not remembered without end. */
const MOST_NAMES = 1_000;

/** Makes a drachtio-srf read as this file does. Harmless twice. */
export function readQuickly(): void {
  const require = createRequire(import.meta.url);
  const reader = require('drachtio-srf/lib/sip-parser/parser.js') as Partial<Reader>;
  const { prototype } = require('drachtio-srf/lib/sip-parser/message.js') as { prototype: Partial<Message> };
  const { parseSipMessage, getHeaderName } = reader;
  const isKnown = [parseSipMessage, getHeaderName, prototype.getHeaderName, prototype.get, prototype.has].every(
    (one) => typeof one === 'function',
  );
  if (!isKnown || parseSipMessage === undefined || getHeaderName === undefined || done.has(reader)) return;
  const names = new Names(getHeaderName);
  const quick = quickReader(names, parseSipMessage);
  reader.parseSipMessage = quick;
  reader.getHeaderName = (written) => names.of(written);
  Object.assign(prototype, lookUps(names));
  done.add(reader);
}

const done = new WeakSet<object>();

/** The names of headers as the library keeps them, by how they are written. */
class Names {
  readonly #known = new Map<string, string>();

  constructor(private readonly nameOf: (written: string) => string) {}

  of(written: string): string {
    const known = this.#known.get(written);
    if (known !== undefined) return known;
    const name = this.nameOf(written);
    if (this.#known.size < MOST_NAMES) this.#known.set(written, name);
    return name;
  }
}

/** Reads a message; whatever is out of the ordinary, and what is none, is left to `slow`. */
function quickReader(names: Names, slow: Reader['parseSipMessage']): Reader['parseSipMessage'] {
  return (text, isLazy) => {
    const headEnd = text.indexOf('\r\n\r\n');
    if (!isLazy || headEnd < 0 || UNUSUAL.some((one) => text.includes(one))) return slow(text, isLazy);
    let at = text.indexOf('\r\n');
    const start = startOf(text.slice(0, at));
    if (start === undefined) return slow(text, isLazy);
    const headers: Record<string, string> = {};
    while (at < headEnd) {
      const from = at + 2;
      at = text.indexOf('\r\n', from);
      const colon = text.indexOf(':', from);
      const written = colon >= 0 && colon < at ? text.slice(from, colon).trimEnd() : ' ';
      if (/\s/.test(written)) return slow(text, isLazy);
      const name = names.of(written);
      const value = text.slice(colon + 1, at).trimStart();
      const before = headers[name];
      headers[name] = before === undefined ? value : `${before},${value}`;
    }
    const rest = text.slice(headEnd + 4);
    const length = headers['content-length'];
    const most = Math.max(0, Math.min(Number(length), Buffer.byteLength(rest)));
    const body = length ? rest.substring(0, most) : rest.split('\r\n\r\n', 1)[0];
    return { ...start, headers, body, payload: [{ type: headers['content-type'], content: body }] };
  };
}

function startOf(line: string): Pick<ReadMessage, 'method' | 'uri' | 'status' | 'reason' | 'version'> | undefined {
  const response = line.startsWith('SIP/') ? RESPONSE.exec(line) : null;
  if (response !== null) {
    const [, version = '', status, reason = ''] = response;
    return { version, status: Number(status), reason };
  }
  const [, method, uri, version] = REQUEST.exec(line) ?? [];
  // A percent sign in a method would be an escape.
  if (method === undefined || uri === undefined || version === undefined || method.includes('%')) return undefined;
  return { method, uri, version };
}

function lookUps(names: Names): Pick<Message, 'getHeaderName' | 'get' | 'has'> & ThisType<Message> {
  return {
    getHeaderName(name) {
      const { headers } = this;
      if (Object.hasOwn(headers, name)) return name;
      const small = name.toLowerCase();
      for (const known in headers) if (known.length === small.length && known.toLowerCase() === small) return known;
      return undefined;
    },
    get(name) {
      const known = this.getHeaderName(names.of(name));
      return known === undefined ? undefined : this.headers[known];
    },
    has(name) {
      return this.getHeaderName(name) !== undefined;
    },
  };
}
