import { createHash } from 'node:crypto';
import type { SipMessage } from '../message/message.js';
import { tagOf, withTag } from '../message/name-addr.js';
import type { ParseFault } from '../message/parse.js';
import { paramOf } from '../message/uri.js';
import { parseVia, stampVia, topViaEnd, type Via } from '../message/via.js';
import type { ResponseFrame } from '../transaction/server-transaction.js';
import { defaultPort } from '../transport/destination.js';
import type { Flow } from '../transport/flow.js';
import type { Room } from './room.js';
import { ownResponse } from './sketch.js';

/** The request's topmost Via, parsed, and its Via lines with what we saw of the sender (RFC 3261 §18.2.1, RFC 3581 §4). */
export interface StampedVia {
  readonly via: Via;
  readonly stamped: string;
  /** All Via lines, for responses. */
  readonly lines: string;
  /** The way of the responses. */
  readonly back: Flow;
}

/**
 * Responses go to where the request came from, with two exceptions: over a stream whose connection is gone (Flow.returnPort), and to
 * a peer that asks for no rport (RFC 3581 §4) and whose sent-by is the very address that we see: nothing translates between us, and it
 * may listen at another port than it sends from (RFC 3261 §18.2.2).
 */
export function stampedVia(request: SipMessage, flow: Flow): StampedVia | undefined {
  const first = request.get('via');
  if (first === undefined) return undefined;
  const top = first.slice(0, topViaEnd(first));
  const via = parseVia(top);
  if (via === undefined) return undefined;
  const isSymmetric =
    flow.transport !== 'udp' || paramOf(via.params, 'rport') !== undefined || via.host !== flow.address;
  const port = isSymmetric ? flow.port : (via.port ?? defaultPort(flow.transport));
  const stamped = stampVia(top, via, flow.address, flow.port);
  let lines = `Via: ${stamped}${first.slice(top.length)}\r\n`;
  if (request.count('via') > 1) for (const more of request.all('via').slice(1)) lines += `Via: ${more}\r\n`;
  return { via, stamped, lines, back: port === flow.port ? flow : { ...flow, port } };
}

/** What a response copies from its request; a header that the request lacks is empty. */
export function frameOf(request: SipMessage, vias: string): ResponseFrame {
  let recordRoutes = '';
  if (request.has('record-route')) {
    for (const route of request.all('record-route')) recordRoutes += `Record-Route: ${route}\r\n`;
  }
  return {
    vias,
    from: request.get('from') ?? '',
    to: request.get('to') ?? '',
    callId: request.get('call-id') ?? '',
    cseq: request.get('cseq') ?? '',
    recordRoutes,
  };
}

/** A tag that is the same for every repetition of a request (RFC 3261 §8.2.7). */
function statelessTag(frame: ResponseFrame): string {
  return createHash('sha1').update(`${frame.vias}${frame.callId}`, 'latin1').digest('hex').slice(0, 16);
}

/** Answers without keeping a transaction: the repetition of the request gets the same answer again. */
export function answerStateless(
  room: Room,
  flow: Flow,
  request: SipMessage,
  lines: string,
  status: number,
  reason: string,
  more = '',
): void {
  const frame = frameOf(request, lines);
  const tag = tagOf(frame.to) ?? statelessTag(frame);
  room.transports.send(flow, ownResponse(status, reason, frame, tag, more));
}

const OVER_A_LIMIT: ReadonlySet<ParseFault['fault']> = new Set(['too-large', 'too-many-headers', 'header-too-large']);

/** Answers a request that cannot be worked on, where it says whom to answer and what it was; noise is met with silence. */
export function answerFault(room: Room, flow: Flow, fault: ParseFault): void {
  room.counters.parseErrors++;
  if (OVER_A_LIMIT.has(fault.fault)) room.counters.refusedByMessage++;
  const request = fault.message;
  if (request === undefined || !request.isRequest || request.method === 'ACK') return;
  if (!request.has('via') || !room.desk.mayAnswer(flow.address)) return;
  const stamped = stampedVia(request, flow);
  // A Via that cannot be read is repeated as it is: the answer goes to where the request came from all the same.
  const vias =
    stamped?.lines ??
    request
      .all('via')
      .map((via) => `Via: ${via}\r\n`)
      .join('');
  room.transports.send(stamped?.back ?? flow, refusalOf(request, vias, fault));
}

/** The refusal of a request that may lack what every other has: it repeats what is there (RFC 4475 §3.3.1). */
function refusalOf(request: SipMessage, vias: string, { status, why }: ParseFault): string {
  const frame = frameOf(request, vias);
  let text = `SIP/2.0 ${status} ${why}\r\n${vias}`;
  if (frame.from !== '') text += `From: ${frame.from}\r\n`;
  if (frame.to !== '') text += `To: ${withTag(frame.to, statelessTag(frame))}\r\n`;
  if (frame.callId !== '') text += `Call-ID: ${frame.callId}\r\n`;
  if (frame.cseq !== '') text += `CSeq: ${frame.cseq}\r\n`;
  return `${text}Content-Length: 0\r\n\r\n`;
}
