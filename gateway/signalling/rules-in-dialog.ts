import type Srf from 'drachtio-srf';
import type { LegName } from '../calls/record.js';
import type { HandsetId } from '../policy/ids.js';
import { staysWithin } from './contact.js';
import { showsRedirection } from './redirection.js';
import type { Direction, Session } from './session.js';

/** What nobody may ask for, inside a call or outside of one, and what he is told. */
export const FORBIDDEN: Readonly<Record<string, { readonly status: number; readonly alarm: boolean }>> = {
  refer: { status: 603, alarm: true },
  message: { status: 405, alarm: false },
  notify: { status: 405, alarm: false },
  subscribe: { status: 405, alarm: false },
  publish: { status: 405, alarm: false },
};

/** What may be asked of us (RFC 3261 §20.5). */
export const ALLOW = 'INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO';

/** Extensions that we have (RFC 3262, RFC 4028). */
const SUPPORTED: ReadonlySet<string> = new Set(['100rel', 'timer']);

/** What a request requires of us that we do not have (RFC 3261 §8.2.2.3), as Unsupported says it; undefined when nothing. */
export function unsupported(request: Srf.SrfRequest): string | undefined {
  if (!request.has('require')) return undefined;
  const tags = request.get('require').split(',');
  const missing = tags.map((tag) => tag.trim()).filter((tag) => tag !== '' && !SUPPORTED.has(tag.toLowerCase()));
  return missing.length === 0 ? undefined : missing.join(', ');
}

/** One leg, as its rules know it. */
export interface LegFacts {
  readonly leg: LegName;
  readonly handset: HandsetId;
  /** Whether the peer may speak from this address. */
  readonly isPeer: (address: string) => boolean;
  /** What is spoken; undefined before the answer. */
  readonly session: Session | undefined;
  /** The number that was dialled, where this leg may know it. */
  readonly number?: string;
}

/** What becomes of a request in a dialog. */
export interface Ruling {
  /** Absent: it goes on to drachtio-srf, which knows ACK and BYE. */
  readonly answer?: { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string };
  /** To be counted under this code, and no more. */
  readonly count?: string;
  readonly alarm?: { readonly code: string; readonly detail: string };
  /** What the peer speaks and hears from now on, in its own words. */
  readonly direction?: Direction;
  /** A digit was keyed: one of 0-9 * # A-D, or '' where it cannot be read. Whether it goes further is for others to judge. */
  readonly keyed?: string;
  /** The far end has sent the call elsewhere. */
  readonly redirected?: true;
}

const ANSWER_HEADERS = { Contact: '<sip:localhost>' };
const DIGITS = /^application\/dtmf(-relay)?$/i;

/** Judges a request in a dialog of ours (RFC 3261 §12.2.2, narrowed to what a call needs). */
export function rule(request: Srf.SrfRequest, facts: LegFacts): Ruling {
  const { method, source_address: from } = request;
  const { leg, handset } = facts;
  const isOurs = request.source === 'application';
  if (method === 'ACK' || (method === 'BYE' && isOurs)) return {};
  if (!facts.isPeer(from)) {
    const alarm = {
      code: 'sip.foreign-source',
      detail: `${from} sent ${method} in the ${leg}'s leg of ${handset}'s call`,
    };
    // A call that may have been ended by a stranger is ended all the same: no call is kept up against a doubt.
    return method === 'BYE' ? { alarm } : { alarm, answer: { status: 403 } };
  }
  if (method === 'BYE') return {};
  if (facts.number !== undefined && showsRedirection(request, facts.number))
    return { redirected: true, answer: { status: 403 } };
  if (method === 'INVITE' || method === 'UPDATE') {
    const missing = unsupported(request);
    if (missing !== undefined) return { answer: { status: 420, headers: { Unsupported: missing } } };
    // These two say where we are to speak from now on (RFC 3261 §12.2). Carriers have proxies and names; a handset has none.
    if (leg === 'trunk' || !request.has('contact') || staysWithin(request, facts.isPeer))
      return offered(request, facts);
    const detail = `${handset} would have us speak elsewhere`;
    return { answer: { status: 403 }, alarm: { code: 'sip.foreign-contact', detail } };
  }
  if (method === 'INFO') return told(request);
  if (method === 'OPTIONS') return { answer: { status: 200, headers: { Allow: ALLOW } } };
  // The PRACK of what we did say reliably is the engine's to answer (RFC 3262 §3): this one acknowledges nothing.
  if (method === 'PRACK') return { answer: { status: 481 } };
  const name = String(method).toLowerCase();
  const { status, alarm } = FORBIDDEN[name] ?? { status: 405, alarm: false };
  const answer = { status, headers: { Allow: ALLOW } };
  const detail = `the ${leg} of ${handset}'s call sent ${method}`;
  return alarm ? { answer, alarm: { code: `sip.${name}`, detail } } : { answer, count: `sip.${name}` };
}

/** Session refresh and hold keep addresses and codecs; anything else is another call. */
function offered(request: Srf.SrfRequest, { leg, handset, session }: LegFacts): Ruling {
  if (request.has('replaces') || request.has('join')) {
    const detail = `the ${leg} of ${handset}'s call tried to take over a call`;
    return { answer: { status: 481 }, alarm: { code: 'sip.replaces', detail } };
  }
  const { method, body } = request;
  const isEmpty = body === undefined || body === '';
  if (isEmpty && method === 'UPDATE') return { answer: { status: 200, headers: ANSWER_HEADERS } };
  // A handset that lets us speak first could answer anything in its ACK, when it is too late to refuse.
  const answer = isEmpty ? (leg === 'trunk' ? session?.offer() : undefined) : session?.answer(body);
  if (answer === undefined) return { answer: { status: 488 }, count: 'sip.media-change' };
  const headers = { ...ANSWER_HEADERS, 'Content-Type': 'application/sdp' };
  const direction = isEmpty || session === undefined ? {} : { direction: session.asked };
  return { answer: { status: 200, headers, body: answer }, ...direction };
}

/** The key in the body of an INFO: `Signal=5` of dtmf-relay, or the key alone. */
const keyOf = (body: string): string => /^\s*(?:signal\s*=\s*)?([0-9*#A-D])\s*$/im.exec(body)?.[1]?.toUpperCase() ?? '';

/** Digits in INFO are taken, and reach the far end in no INFO: they are judged like those in the sound. Nothing else is understood. */
function told(request: Srf.SrfRequest): Ruling {
  if (request.body === undefined || request.body === '') return { answer: { status: 200 } };
  const type = (request.has('content-type') ? request.get('content-type') : '').split(';')[0]?.trim() ?? '';
  if (DIGITS.test(type)) return { answer: { status: 200 }, count: 'sip.info-digit', keyed: keyOf(request.body) };
  const headers = { Accept: 'application/dtmf-relay, application/dtmf' };
  return { answer: { status: 415, headers }, count: 'sip.info' };
}
