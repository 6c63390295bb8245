/**
 * Which handsets are at the desk, and what each of their calls is there: the call to the desk itself, which holds the handset's
 * leg under its own lease, and for a while the call to a contact that is joined to it under a lease of its own. Who watches calls
 * tells it; it tells the sessions.
 */
import type { Temporal } from 'temporal-polyfill';
import type { HandsetPhase, PhaseDetail } from '../calls/ports.js';
import type { CallRecord, EndCause } from '../calls/record.js';
import type { CallId, HandsetId } from '../policy/ids.js';
import type { CallCut, ContactCallEnd, EndWhy } from './session-state.js';

/** What a handset at the desk is told. */
export interface Said {
  readonly language: string;
  readonly pieces: readonly string[];
}

/** The call that a contact's is joined to is the desk's; both are calls of the one machine. */
export interface PlacesSeam {
  say(desk: CallId, said: Said, ring: boolean): void;
  hush(desk: CallId): void;
  backAtDesk(desk: CallId): void;
  /** The handset's leg would not come back: nobody could hear it any more. */
  lostHandset(desk: CallId): void;
  /** The handset has another call to the desk. */
  replaced(desk: CallId): void;
}

/** The sessions, as the desk's calls tell them. `WorkDesk` is them. */
export interface Sessions {
  opened(handset: HandsetId): void;
  digit(handset: HandsetId, digit: string): void;
  hookOn(handset: HandsetId): void;
  answered(handset: HandsetId, token: string): void;
  ended(handset: HandsetId, token: string, how: ContactCallEnd, why?: EndWhy): void;
}

interface ContactCall {
  readonly call: CallId;
  readonly token: string;
  isAnswered: boolean;
}

interface Place {
  readonly desk: CallId;
  contact?: ContactCall | undefined;
  /** The contact's call before, over for the session; the trunk has not had the last word of it. */
  ending?: CallId | undefined;
  /** The next contact, to be called after that. */
  next?: { readonly token: string; readonly dial: () => void } | undefined;
  /** The handset's sound is in the contact's call, or on its way back. */
  isAway: boolean;
  /** To be said when it is back. */
  waiting?: Said | undefined;
}

type Ended = Pick<CallRecord, 'call' | 'handset' | 'cause' | 'answeredAt' | 'rule' | 'nextAllowed' | 'endsBy'>;

const NOBODY: Said = { language: 'en', pieces: [] };

export class DeskPlaces {
  readonly #places = new Map<HandsetId, Place>();
  /** By call, those to the desk that are not up yet included. */
  readonly #handsets = new Map<CallId, HandsetId>();

  constructor(
    private readonly seam: PlacesSeam,
    private readonly sessions: () => Sessions,
  ) {}

  /** A handset asks for the desk. */
  asked(call: CallId, handset: HandsetId): void {
    this.#handsets.set(call, handset);
  }

  /** The call that holds a handset's leg at the desk; undefined when it has none, or has a contact on it. */
  freeDesk(handset: HandsetId): CallId | undefined {
    const place = this.#places.get(handset);
    return place === undefined || place.contact !== undefined || place.isAway ? undefined : place.desk;
  }

  /** The call to the desk that holds a handset's leg. */
  deskOf(handset: HandsetId): CallId | undefined {
    return this.#places.get(handset)?.desk;
  }

  /**
   * Calls `dial` at once, or as soon as the handset's call before has its record and its leg is back at the desk: until then that
   * counts as a call of the handset in progress, which policy may allow one of, and there is no leg to join. The call machine gives up on a trunk that never answers, so it has one soon.
   */
  whenOver(handset: HandsetId, token: string, dial: () => void): void {
    const place = this.#places.get(handset);
    if (place === undefined || isFree(place)) dial();
    else place.next = { token, dial };
  }

  /** A contact that waits for its call is not called after all; false: none waits. */
  forget(handset: HandsetId): boolean {
    const place = this.#places.get(handset);
    const next = place?.next;
    if (place === undefined || next === undefined) return false;
    place.next = undefined;
    this.sessions().ended(handset, next.token, 'not-called');
    return true;
  }

  /** A contact's call begins on the handset's leg. */
  joined(handset: HandsetId, call: CallId, token: string): void {
    const place = this.#places.get(handset);
    if (place === undefined) return;
    place.contact = { call, token, isAnswered: false };
    this.#handsets.set(call, handset);
  }

  contactCallOf(handset: HandsetId): CallId | undefined {
    return this.#places.get(handset)?.contact?.call;
  }

  /** The handset's leg is the desk's again; false: it would not be. */
  back(handset: HandsetId, call: CallId, isBack: boolean): void {
    const place = this.#places.get(handset);
    // Another contact, or another sitting, since then.
    if (place === undefined || (place.contact !== undefined && place.contact.call !== call)) return;
    if (!isBack) {
      this.seam.lostHandset(place.desk);
      return;
    }
    const wasAway = place.isAway;
    place.isAway = false;
    if (wasAway) this.seam.backAtDesk(place.desk);
    const { waiting } = place;
    place.waiting = undefined;
    if (waiting !== undefined) this.seam.say(place.desk, waiting, false);
    this.#dialNext(place);
  }

  say(handset: HandsetId, said: Said): void {
    const place = this.#places.get(handset);
    if (place === undefined) return;
    if (place.isAway) place.waiting = said;
    else this.seam.say(place.desk, said, false);
  }

  hush(handset: HandsetId): void {
    const place = this.#places.get(handset);
    if (place === undefined) return;
    place.waiting = undefined;
    if (!place.isAway) this.seam.hush(place.desk);
  }

  /** A key of a call; false when it is none of the desk's. Barge-in: what is being said stops. */
  key(call: CallId, key: string): boolean {
    const handset = this.#handsets.get(call);
    const place = handset === undefined ? undefined : this.#places.get(handset);
    if (handset === undefined || place === undefined) return handset !== undefined;
    if (call === place.desk && place.contact === undefined) this.hush(handset);
    this.sessions().digit(handset, key);
    return true;
  }

  /** A key beside a handset, of a line card; false when the handset is not at the desk, and its keys dial. */
  keyAt(handset: HandsetId, key: string): boolean {
    const place = this.#places.get(handset);
    return place !== undefined && this.key(place.contact?.call ?? place.desk, key);
  }

  phase(handset: HandsetId, phase: HandsetPhase, detail: PhaseDetail): void {
    const { call } = detail;
    if (this.#handsets.get(call) !== handset) return;
    const place = this.#places.get(handset);
    if (place?.contact?.call === call) this.#contactPhase(handset, place, phase, detail);
    else if (phase === 'talking' && place?.desk !== call) {
      if (place !== undefined) this.#replaced(handset, place);
      this.#places.set(handset, { desk: call, isAway: false });
      this.sessions().opened(handset);
    } else if (phase === 'ended' && place?.desk === call) this.#left(handset);
  }

  /** A handset that lost its call without a BYE, as by a power cut, has dialled anew: nobody is in the old one. */
  #replaced(handset: HandsetId, { desk }: Place): void {
    this.#handsets.delete(desk);
    this.#left(handset);
    this.seam.replaced(desk);
  }

  #contactPhase(handset: HandsetId, place: Place, phase: HandsetPhase, detail: PhaseDetail): void {
    const { contact } = place;
    if (contact === undefined) return;
    // The far end rings; the ring-back is ours, whatever the carrier would have sent.
    if (phase === 'ringing') this.seam.say(place.desk, NOBODY, true);
    if (phase === 'talking') {
      contact.isAnswered = true;
      place.isAway = true;
      this.sessions().answered(handset, contact.token);
    }
    // Of an answered call the session need not wait for the last word of the trunk.
    if (phase !== 'ended' || !contact.isAnswered) return;
    place.ending = contact.call;
    this.#over(handset, place, contact, 'talked', cutOf(detail));
  }

  /** A call has its record. */
  ended(record: Ended): void {
    const { call, handset, cause, answeredAt } = record;
    const place = this.#places.get(handset);
    if (place?.contact?.call === call)
      this.#over(handset, place, place.contact, howOf(cause, answeredAt), { ...refusalOf(record), ...cutOf(record) });
    this.#handsets.delete(call);
    if (place === undefined || place.ending !== call) return;
    place.ending = undefined;
    this.#dialNext(place);
  }

  #dialNext(place: Place): void {
    const { next } = place;
    if (next === undefined || !isFree(place)) return;
    place.next = undefined;
    next.dial();
  }

  #over(handset: HandsetId, place: Place, contact: ContactCall, how: ContactCallEnd, why: EndWhy): void {
    place.contact = undefined;
    if (!contact.isAnswered) this.seam.hush(place.desk);
    this.sessions().ended(handset, contact.token, how, why);
  }

  /** The handset has hung up at the desk, or the desk's lease is over. A contact on its leg is ended by its leg. */
  #left(handset: HandsetId): void {
    const { contact, next } = this.#places.get(handset) ?? {};
    this.#places.delete(handset);
    this.sessions().hookOn(handset);
    if (next !== undefined) this.sessions().ended(handset, next.token, 'not-called');
    if (contact !== undefined)
      this.sessions().ended(handset, contact.token, contact.isAnswered ? 'talked' : 'not-connected');
  }
}

/** Nothing of the call before is in the way of another. */
const isFree = ({ ending, isAway }: Place): boolean => ending === undefined && !isAway;

function refusalOf({ rule, nextAllowed }: Ended): EndWhy {
  if (rule === undefined) return {};
  return { refusal: { rule, ...(nextAllowed !== undefined && { nextAllowedMs: nextAllowed.epochMilliseconds }) } };
}

/** Why the gateway ended a call; nothing where one of the two sides did. */
function cutOf({ cause, endsBy }: Pick<PhaseDetail, 'cause' | 'endsBy'>): EndWhy {
  const cut = cause === 'deadline' ? cutAtDeadline(endsBy) : cause === undefined ? undefined : CUTS[cause];
  return cut === undefined ? {} : { cut };
}

const CUTS: Readonly<Partial<Record<EndCause, CallCut>>> = {
  cutoff: 'order',
  'line.controller-lost': 'fault',
  'callee.redirected': 'fault',
  'fault.media': 'fault',
  'fault.signalling': 'fault',
  'fault.line': 'fault',
  'fault.store': 'fault',
};

function cutAtDeadline(endsBy: PhaseDetail['endsBy']): CallCut {
  // A policy that is too old to hold is headquarters' word, not the clock's.
  if (endsBy === 'lockdown' || endsBy === 'policy') return 'order';
  return endsBy === 'max-talk' || endsBy === 'limit.talk' ? 'limit' : 'window';
}

function howOf(cause: CallRecord['cause'], answeredAt: Temporal.Instant | undefined): ContactCallEnd {
  if (answeredAt !== undefined) return 'talked';
  if (cause === 'busy' || cause === 'no-answer') return cause;
  return cause === 'refused' ? 'not-called' : 'not-connected';
}
