import { printedName } from '../message/header-names.js';
import type { SipMessage } from '../message/message.js';
import { parseNameAddr, withTag } from '../message/name-addr.js';
import { parseUri } from '../message/uri.js';
import { randomToken } from '../token.js';
import type { SentRequest } from '../transaction/sent-request.js';
import type { ResponseFrame } from '../transaction/server-transaction.js';
import { type Flow, viaTransport } from '../transport/flow.js';

/**
 * The application sends sketches; here they become messages. What the server writes itself is never taken from a sketch;
 * everything else goes out as it was given, in its order.
 */

/** Names a listener; for the engine alone, and never sent. */
export const LISTENER_HEADER = 'x-balise-listener';

const SERVERS_OWN = new Set([
  'via',
  'max-forwards',
  'from',
  'to',
  'call-id',
  'cseq',
  'contact',
  'route',
  'record-route',
  'content-type',
  'content-length',
  LISTENER_HEADER,
]);

/** The headers of the sketch that nobody else writes. */
export function otherHeadersOf(sketch: SipMessage): string {
  let text = '';
  const { names, written, values } = sketch;
  for (let i = 0; i < names.length; i++) {
    const name = names[i] ?? '';
    if (!SERVERS_OWN.has(name)) text += `${printedName(name, written[i] ?? name)}: ${values[i]}\r\n`;
  }
  return text;
}

/** Content-Type (told from the body where the sketch has none), Content-Length, the empty line and the body. */
function bodyPart(sketch: SipMessage): string {
  const { body } = sketch;
  if (body === '') return 'Content-Length: 0\r\n\r\n';
  const type = sketch.get('content-type') ?? (body.startsWith('v=0') ? 'application/sdp' : 'text/plain');
  return `Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** The value with `localhost` replaced by the sending listener's address and port, and a bare URI in brackets. */
export function localised(value: string, flow: Flow): string {
  const parsed = parseNameAddr(value);
  if (parsed === undefined) return value;
  const uri = parsed.uri.includes('localhost') ? localUri(parsed.uri, flow) : parsed.uri;
  return `${parsed.display === '' ? '' : `${parsed.display} `}<${uri}>${parsed.params}`;
}

function localUri(uri: string, flow: Flow): string {
  const parsed = parseUri(uri);
  if (parsed === undefined || parsed.host !== 'localhost') return uri;
  const user = parsed.user === undefined ? '' : `${parsed.user}@`;
  return `${parsed.scheme}:${user}${flow.listener.hostPort}${parsed.params}${parsed.headers}`;
}

/** `;transport=tcp` where it is not UDP, which is what a URI means without. */
function transportParam(flow: Flow): string {
  return flow.transport === 'udp' ? '' : `;transport=${flow.transport}`;
}

/** Our own Contact on a listener. */
function ownContact(flow: Flow): string {
  return `<sip:${flow.listener.hostPort}${transportParam(flow)}>`;
}

/** The sketch's Contact, or our own where the message must have one. */
function contactOf(sketch: SipMessage, flow: Flow, needed: boolean): string {
  const given = sketch.get('contact');
  if (given === undefined) return needed ? `Contact: ${ownContact(flow)}\r\n` : '';
  if (!given.includes('localhost'))
    return `Contact: ${given.includes('<') || given === '*' ? given : `<${given}>`}\r\n`;
  const contact = localised(given, flow);
  const withTransport =
    flow.transport === 'udp' || contact.includes(';transport=')
      ? contact
      : contact.replace('>', `${transportParam(flow)}>`);
  return `Contact: ${withTransport}\r\n`;
}

/** Requests that give the peer a target must have a Contact (RFC 3261 §8.1.1.8, 3515, 6665, 3311). */
function needsContact(method: string): boolean {
  return (
    method === 'INVITE' || method === 'SUBSCRIBE' || method === 'NOTIFY' || method === 'REFER' || method === 'UPDATE'
  );
}

export interface RequestParts {
  readonly method: string;
  readonly uri: string;
  readonly routes: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly cseq: number;
  /** CANCEL alone repeats the branch of another request. */
  readonly branch?: string;
}

/** Completes a request. */
export function completeRequest(parts: RequestParts, sketch: SipMessage, flow: Flow): SentRequest {
  const branch = parts.branch ?? `z9hG4bK${randomToken()}`;
  const via = `SIP/2.0/${viaTransport(flow)} ${flow.listener.sentBy};rport;branch=${branch}`;
  const routes = parts.routes.length === 0 ? '' : `Route: ${parts.routes.join(', ')}\r\n`;
  const text =
    `${parts.method} ${parts.uri} SIP/2.0\r\nVia: ${via}\r\n${routes}` +
    `Max-Forwards: ${sketch.get('max-forwards') ?? '70'}\r\nFrom: ${parts.from}\r\nTo: ${parts.to}\r\n` +
    `Call-ID: ${parts.callId}\r\nCSeq: ${parts.cseq} ${parts.method}\r\n` +
    `${contactOf(sketch, flow, needsContact(parts.method))}${otherHeadersOf(sketch)}${bodyPart(sketch)}`;
  const { method, uri, from, to, callId, cseq } = parts;
  return { method, uri, via, branch, routes: parts.routes, from, to, callId, cseq, text };
}

/** Completes a response of the application. `contact` says whether it must have one (it answers an INVITE with a 2xx). */
export function completeResponse(
  sketch: SipMessage,
  frame: ResponseFrame,
  tag: string,
  flow: Flow,
  contact: boolean,
  more = '',
): string {
  const { status } = sketch;
  const to = status === 100 ? frame.to : withTag(frame.to, tag);
  return (
    `SIP/2.0 ${status} ${sketch.reason}\r\n${frame.vias}${status > 100 && status < 300 ? frame.recordRoutes : ''}` +
    `From: ${frame.from}\r\nTo: ${to}\r\nCall-ID: ${frame.callId}\r\nCSeq: ${frame.cseq}\r\n` +
    `${contactOf(sketch, flow, contact)}${more}${otherHeadersOf(sketch)}${bodyPart(sketch)}`
  );
}

/** A response that the server makes itself. */
export function ownResponse(status: number, reason: string, frame: ResponseFrame, tag: string, more = ''): string {
  const to = status === 100 ? frame.to : withTag(frame.to, tag);
  return (
    `SIP/2.0 ${status} ${reason}\r\n${frame.vias}From: ${frame.from}\r\nTo: ${to}\r\n` +
    `Call-ID: ${frame.callId}\r\nCSeq: ${frame.cseq}\r\n${more}Content-Length: 0\r\n\r\n`
  );
}

/** The answer that nobody sent to a request of the application. */
export function madeUpResponse(status: number, reason: string, sent: SentRequest): string {
  return (
    `SIP/2.0 ${status} ${reason}\r\nVia: ${sent.via}\r\nFrom: ${sent.from}\r\nTo: ${withTag(sent.to, randomToken())}\r\n` +
    `Call-ID: ${sent.callId}\r\nCSeq: ${sent.cseq} ${sent.method}\r\nContent-Length: 0\r\n\r\n`
  );
}
