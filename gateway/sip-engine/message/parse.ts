import { canonicalName } from './header-names.js';
import type { MessageLimits } from './limits.js';
import { SipMessage } from './message.js';
import { topViaEnd } from './via.js';

/** Why a text is no message that can be worked on. */
export interface ParseFault {
  readonly fault:
    | 'not-sip'
    | 'start-line'
    | 'version'
    | 'too-large'
    | 'too-many-headers'
    | 'header-too-large'
    | 'header-line'
    | 'content-length'
    | 'body-short'
    | 'missing-header'
    | 'bad-header'
    | 'uri-scheme'
    | 'cseq-method';
  /** For people: it goes into the reason phrase of a 400 (RFC 3261 §21.4.1). */
  readonly why: string;
  /** The answer, where the message is a request that says whom to answer. */
  readonly status: number;
  /** What was understood of it; undefined when not even the start line was. */
  readonly message: SipMessage | undefined;
}

const METHOD = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
// ASCII alone: whatever else a URI holds is escaped (RFC 3261 §25.1, RFC 3986 §2). A reader that splits at spaces must never see one.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const URI_TEXT = /^[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20\x7f-\xff<>]+$/;
const HEADER_NAME = /^[A-Za-z0-9\-.!%*_+`'~]+$/;

export function fault(name: ParseFault['fault'], why: string, status: number, message?: SipMessage): ParseFault {
  return { fault: name, why, status, message };
}

export function isFault(result: SipMessage | ParseFault): result is ParseFault {
  return !(result instanceof SipMessage);
}

function parseStartLine(whole: string, message: SipMessage): ParseFault | undefined {
  const line = whole.trimEnd();
  if (line.includes('\r')) return fault('start-line', 'carriage return in the start line', 400);
  if (line.startsWith('SIP/')) {
    const space = line.indexOf(' ');
    const digits = line.slice(space + 1, space + 4);
    const status = /^\d{3}$/.test(digits) ? Number(digits) : 0;
    const behind = line.charCodeAt(space + 4);
    if (space < 0 || !(status >= 100 && status <= 699) || !(Number.isNaN(behind) || behind === 32)) {
      return fault('start-line', 'malformed status line', 400);
    }
    message.version = line.slice(0, space);
    message.status = status;
    message.reason = line.slice(space + 5);
    return undefined;
  }
  const first = line.indexOf(' ');
  const last = line.lastIndexOf(' ');
  const version = line.slice(last + 1);
  if (first <= 0 || !/^SIP\/\d+\.\d+$/i.test(version)) return fault('not-sip', 'not a SIP message', 400);
  message.method = line.slice(0, first);
  message.uri = line.slice(first + 1, last);
  message.version = version;
  if (!METHOD.test(message.method)) return fault('start-line', 'malformed method', 400);
  if (last === first || !URI_TEXT.test(message.uri)) return fault('start-line', 'malformed Request-URI', 400, message);
  // One space between the parts and none behind them (RFC 3261 §7.1; RFC 4475 §3.1.2.10).
  return line.length === whole.length ? undefined : fault('start-line', 'space behind the version', 400, message);
}

/**
 * Parses a whole message. `stream` says that the transport has cut it out by its Content-Length; a datagram may hold bytes
 * behind the body, which are discarded (RFC 3261 §18.3). Never throws.
 */
export function parseMessage(text: string, limits: MessageLimits): SipMessage | ParseFault {
  if (text.length > limits.messageBytes) {
    // Its head may still say whom to tell.
    const head = parseMessage(text.slice(0, limits.messageBytes), limits);
    return fault('too-large', 'Message Too Large', 513, isFault(head) ? head.message : head);
  }
  const message = new SipMessage();
  message.raw = text;
  const end = text.indexOf('\n');
  if (end < 0) return fault('not-sip', 'not a SIP message', 400);
  if (text.charCodeAt(end - 1) !== 13) message.clean = false;
  const early = parseStartLine(text.slice(0, text.charCodeAt(end - 1) === 13 ? end - 1 : end), message);
  if (early !== undefined && early.message === undefined) return early;
  const late = parseHeaders(text, end + 1, message, limits);
  return early ?? late ?? message;
}

function parseHeaders(text: string, from: number, message: SipMessage, limits: MessageLimits): ParseFault | undefined {
  const { names, written, values } = message;
  let problem: ParseFault | undefined;
  let start = from;
  for (;;) {
    let end = text.indexOf('\n', start);
    if (end < 0) {
      // A datagram that ends without the empty line: what is there is taken, and the body is empty.
      if (start < text.length) problem ??= fault('header-line', 'headers end in mid-line', 400, message);
      message.clean = false;
      message.raw = text;
      return problem;
    }
    let stop = end;
    if (text.charCodeAt(end - 1) === 13) stop = end - 1;
    else message.clean = false;
    if (stop === start) {
      start = end + 1;
      break;
    }
    // Folding: a line that starts with white space belongs to the one before (RFC 3261 §7.3.1).
    let folded = false;
    for (let next = text.charCodeAt(end + 1); next === 32 || next === 9; next = text.charCodeAt(end + 1)) {
      const more = text.indexOf('\n', end + 1);
      if (more < 0) break;
      folded = true;
      end = more;
      stop = text.charCodeAt(more - 1) === 13 ? more - 1 : more;
    }
    if (stop - start > limits.headerBytes) {
      problem ??= fault('header-too-large', 'header too large', 400, message);
      start = end + 1;
      continue;
    }
    const colon = text.indexOf(':', start);
    let nameEnd = colon;
    while (nameEnd > start && (text.charCodeAt(nameEnd - 1) === 32 || text.charCodeAt(nameEnd - 1) === 9)) nameEnd--;
    if (colon < 0 || colon >= stop || nameEnd === start) {
      problem ??= fault('header-line', 'malformed header line', 400, message);
      start = end + 1;
      continue;
    }
    const name = text.slice(start, nameEnd);
    const canonical = canonicalName(name);
    let valueStart = colon + 1;
    while (valueStart < stop && (text.charCodeAt(valueStart) === 32 || text.charCodeAt(valueStart) === 9)) valueStart++;
    let valueEnd = stop;
    while (valueEnd > valueStart && text.charCodeAt(valueEnd - 1) <= 32) valueEnd--;
    let value = text.slice(valueStart, valueEnd);
    if (folded) {
      value = unfolded(value);
      message.clean = false;
    }
    if (value.includes('\r')) {
      // It ends no line, and whoever takes it for an end sees another message than we do.
      problem ??= fault('header-line', 'carriage return in a header', 400, message);
      value = value.replaceAll('\r', ' ');
    }
    if (canonical === 'via' && message.viaStart < 0) {
      message.viaStart = valueStart;
      message.viaEnd = valueStart + topViaEnd(value);
    }
    if (names.length >= limits.headers) {
      return problem ?? fault('too-many-headers', 'too many headers', 400, message);
    }
    // What is read by others goes on with names in full; and an escape in a name is no letter (RFC 4475 §3.1.1.5).
    if (name.length === 1 || name.includes('%')) message.clean = false;
    if (!HEADER_NAME.test(name)) problem ??= fault('header-line', 'malformed header name', 400, message);
    names.push(canonical);
    written.push(name);
    values.push(value);
    start = end + 1;
  }
  return takeBody(text, start, message, limits, problem);
}

/** A folded value on one line (RFC 3261 §7.3.1). Linear in its length, whatever it holds. */
function unfolded(value: string): string {
  return value
    .split('\n')
    .map((line) => line.trim())
    .join(' ')
    .trim();
}

function takeBody(
  text: string,
  start: number,
  message: SipMessage,
  limits: MessageLimits,
  problem: ParseFault | undefined,
): ParseFault | undefined {
  const declared = message.get('content-length');
  if (declared === undefined) {
    message.body = text.slice(start);
    return problem;
  }
  if (!/^\d{1,9}$/.test(declared)) {
    return problem ?? fault('content-length', 'malformed Content-Length', 400, message);
  }
  const length = Number(declared);
  if (length > limits.messageBytes) return problem ?? fault('too-large', 'Message Too Large', 513, message);
  const there = text.length - start;
  if (length > there) return problem ?? fault('body-short', 'body shorter than Content-Length', 400, message);
  message.body = length === there ? text.slice(start) : text.slice(start, start + length);
  if (length < there) message.raw = text.slice(0, start + length);
  return problem;
}
