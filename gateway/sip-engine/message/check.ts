import { parseCSeq } from './cseq.js';
import type { SipMessage } from './message.js';
import { parseNameAddr, splitList, tagOf } from './name-addr.js';
import { fault, type ParseFault } from './parse.js';
import { parseUri } from './uri.js';

/** Headers that may stand once (RFC 3261 §7.3.1, §20; RFC 4475 §3.3.8). */
const SINGLE = ['from', 'to', 'call-id', 'cseq', 'max-forwards', 'content-length', 'content-type'] as const;

/**
 * What a Call-ID and a tag may hold: printable ASCII (RFC 3261 §25.1, word and token, and what stacks write beside), but neither
 * the bar nor the semicolon, which part the fields of drachtio's protocol and the two halves of a dialog's name.
 */
const NAME_OF_DIALOG = /^[!-:<-{}~]+$/;

/** 0 to 255 (RFC 3261 §20.22). */
const HOPS = /^0*(?:\d{1,2}|1\d\d|2[0-4]\d|25[0-5])$/;

/** A telephone number, global or local, with parameters (RFC 3966 §3). */
const TEL = /^tel:\+?[0-9A-Fa-f*#().-]+(;[^\s;]+)*$/i;

/**
 * What every message from the network must have and be (RFC 3261 §8.1.1, §8.2), judged once, so that nobody behind it meets
 * a message without: undefined when all is well, else what is wrong and the status that RFC 4475 gives such a message.
 */
export function checkMandatory(message: SipMessage): ParseFault | undefined {
  for (const name of SINGLE) {
    const first = message.names.indexOf(name);
    if (first >= 0 && message.names.indexOf(name, first + 1) >= 0) {
      return fault('bad-header', `more than one ${name}`, 400, message);
    }
  }
  const from = message.get('from');
  const to = message.get('to');
  const callId = message.get('call-id');
  const cseqText = message.get('cseq');
  if (!from || !to || !callId || !cseqText) return fault('missing-header', 'missing mandatory header', 400, message);
  if (!isParty(from)) return fault('bad-header', 'malformed From', 400, message);
  if (!isParty(to)) return fault('bad-header', 'malformed To', 400, message);
  if (!NAME_OF_DIALOG.test(callId)) return fault('bad-header', 'malformed Call-ID', 400, message);
  if (!isTag(from)) return fault('bad-header', 'malformed From tag', 400, message);
  if (!isTag(to)) return fault('bad-header', 'malformed To tag', 400, message);
  const cseq = parseCSeq(cseqText);
  if (cseq === undefined) return fault('bad-header', 'malformed CSeq', 400, message);
  const contact = message.get('contact');
  if (contact !== undefined && !message.all('contact').every(isContactList)) {
    return fault('bad-header', 'malformed Contact', 400, message);
  }
  if (!message.isRequest) {
    return message.version === 'SIP/2.0' ? undefined : fault('version', 'another version', 505, message);
  }
  if (cseq.method !== message.method) return fault('cseq-method', 'CSeq method does not match request', 400, message);
  if (message.version.toUpperCase() !== 'SIP/2.0') return fault('version', 'Version Not Supported', 505, message);
  const hops = message.get('max-forwards');
  if (hops !== undefined && !HOPS.test(hops)) return fault('bad-header', 'malformed Max-Forwards', 400, message);
  const target = checkTarget(message);
  if (target !== undefined) return target;
  // Where nobody can be reached is no target, whichever request names it (RFC 768: port 0 is nobody's).
  if (contact !== undefined && contact !== '*' && message.all('contact').some(namesNoPort)) {
    return fault('bad-header', 'port 0 in the Contact', 400, message);
  }
  // A dialog needs the peer's target (RFC 3261 §8.1.1.8).
  if (message.method === 'INVITE' && (contact === undefined || contact === '*')) {
    return fault('missing-header', 'missing Contact', 400, message);
  }
  return undefined;
}

/** The Request-URI: of a scheme that we serve (RFC 3261 §8.2.2.1), well-formed, and without headers of its own (§19.1.1). */
function checkTarget(message: SipMessage): ParseFault | undefined {
  const { uri } = message;
  const scheme = uri.slice(0, uri.indexOf(':')).toLowerCase();
  if (scheme === 'tel') {
    return TEL.test(uri) ? undefined : fault('start-line', 'malformed Request-URI', 400, message);
  }
  if (scheme !== 'sip' && scheme !== 'sips') return fault('uri-scheme', 'Unsupported URI Scheme', 416, message);
  const parsed = parseUri(uri);
  if (parsed === undefined) return fault('start-line', 'malformed Request-URI', 400, message);
  return parsed.headers === '' ? undefined : fault('start-line', 'headers in the Request-URI', 400, message);
}

function isTag(value: string): boolean {
  const tag = tagOf(value);
  return tag === undefined || (NAME_OF_DIALOG.test(tag) && !tag.includes('"'));
}

/** From and To: one value, of which every part can be told. */
function isParty(value: string): boolean {
  return parseNameAddr(value) !== undefined;
}

function isContactList(value: string): boolean {
  return value === '*' || splitList(value).every((one) => parseNameAddr(one) !== undefined);
}

function namesNoPort(value: string): boolean {
  if (!value.includes(':0')) return false;
  return splitList(value).some((one) => parseUri(parseNameAddr(one)?.uri ?? '')?.port === 0);
}
