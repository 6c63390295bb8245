import type { Temporal } from 'temporal-polyfill';
import type { Campaign, LimitSubject, Person } from '../../config/schema/types.generated.js';
import type { ClockTrust } from '../clock/clock.js';
import type { HandsetId, PersonId, WingId } from './ids.js';

/** What policy judges a person by. */
export type PersonFacts = Pick<Person, 'id'> & Partial<Pick<Person, 'windows' | 'exceptions' | 'limits' | 'suspended'>>;

/** What policy judges a campaign by. */
export type CampaignFacts = Pick<Campaign, 'id'> &
  Partial<
    Pick<
      Campaign,
      'windows' | 'exceptions' | 'limits' | 'attempts' | 'law' | 'doNotCall' | 'silenceDays' | 'maxTalkS' | 'ringS'
    >
  >;

/** What is known of the contact that a campaign calls. */
export interface ContactFacts {
  /** Attempts at it in this campaign, before this one. */
  readonly attempts: number;
  /** It asked to be called now: the campaign's spacing does not hold, everything else does. */
  readonly isAgreed?: boolean;
}

/** What a handset asks for: the digits exactly as they came (a SIP user part, a tel URI, keyed digits). */
export interface DialRequest {
  readonly handset: HandsetId;
  /** Who is signed on at the handset. */
  readonly person?: PersonId;
  /** What the person may, beside what the handset may: it only ever narrows. Of the same id, or the call is refused. */
  readonly personFacts?: PersonFacts;
  /** For which campaign it is, and what that may: it only ever narrows. */
  readonly campaign?: CampaignFacts;
  readonly contact?: ContactFacts;
  readonly dialled: string;
  /** The contact's own zone, where it is known. */
  readonly calleeZone?: string;
  /** The gateway's own work desk is asked for, and no number. */
  readonly desk?: true;
  /**
   * Of the desk: for how long it listens after the handset's hours, so that it is still said how the call went that they ended,
   * milliseconds; and until when it does where somebody's time there is over already, epoch milliseconds.
   */
  readonly wrapUp?: { readonly forMs: number; readonly untilMs?: number };
  /** The gateway chose a contact: nobody has keyed this number, so a handset that may key codes alone may call it. */
  readonly isContact?: true;
}

/** What the wire of a handset says. `fitted: false`: this handset has no line controller in the site's configuration. */
export interface LineFacts {
  readonly fitted: boolean;
  readonly hook: 'on' | 'off' | 'unknown';
  /** The controller is in contact and its last report is fresh. */
  readonly supervised: boolean;
  readonly relay: 'connected' | 'open' | 'unknown';
}

/** A cutoff order in force. */
export interface Lockdown {
  readonly target:
    | { readonly kind: 'site' }
    | { readonly kind: 'wing'; readonly wing: WingId }
    | { readonly kind: 'handset'; readonly handset: HandsetId }
    | { readonly kind: 'person'; readonly person: PersonId };
  readonly from: Temporal.Instant;
  /** Absent: until released. */
  readonly until?: Temporal.Instant;
  readonly reason: string;
}

/** Everything that is true of the world at the instant of judgement and is not policy or usage. */
export interface Facts {
  readonly clock: ClockTrust;
  readonly line: LineFacts;
  readonly lockdowns: readonly Lockdown[];
  /** How it stands with the signed policy; absent: the site has none and needs none. */
  readonly policy?: PolicyState;
  /** The do-not-call lists at hand; absent: none is. */
  readonly doNotCall?: DoNotCallLists;
}

export type PolicyState =
  /** In force, until headquarters has not been heard of for too long. */
  | { readonly is: 'good'; readonly expiresMs: number }
  | { readonly is: 'missing' }
  /** What is on disk is signed by no key of this site, or is damaged. */
  | { readonly is: 'unsigned' };

/** A do-not-call list, or why it cannot be asked. */
export type DoNotCallList =
  | {
      readonly isThere: true;
      readonly madeMs: number;
      readonly has: (number: string) => boolean;
      /** Numbers on it; absent where nobody has counted. */
      readonly size?: number;
    }
  | { readonly isThere: false; readonly why: string };

export interface DoNotCallLists {
  list(name: string): DoNotCallList;
  /** What a number itself has said; undefined or absent: nothing. */
  word?(number: string): ContactWord | undefined;
}

/** What a called number has said of being called, epoch milliseconds of when it did. */
export interface ContactWord {
  /** It asked not to be called again. */
  readonly neverSinceMs?: number;
  /** It refused: silence for as long as its country or the profile wants. */
  readonly refusedMs?: number;
}

/** What use is counted by: a handset, a person, a called number or a campaign, with its id. */
export interface Subject {
  readonly kind: LimitSubject;
  readonly id: string;
}

/** What a subject has used since an instant. Calls in progress count as used, whenever they began. */
export interface UsageCount {
  /** Attempts that went out to a trunk. */
  readonly attempts: number;
  /** Answered calls; one in progress may be answered yet. */
  readonly calls: number;
  /** Talk, milliseconds, with the whole lease of each call in progress. */
  readonly talkMs: number;
  /** The end of the last call, however long ago. */
  readonly lastEndedAt?: Temporal.Instant;
  /** Calls in progress now, and their part of the talk. */
  readonly live: number;
  readonly liveTalkMs: number;
}

/** A call that has ended and that went out to a trunk. */
export interface PastCall {
  readonly startedMs: number;
  readonly talkMs: number;
  readonly answered: boolean;
}

/** The ledger, as policy asks it. What it throws comes through. */
export interface UsageBook {
  /** What was used by calls asked for at `sinceMs`, epoch milliseconds, or later. */
  used(subject: Subject, sinceMs: number): UsageCount;
  /** The ended calls of which `used` tells the sums. */
  callsSince(subject: Subject, sinceMs: number): readonly PastCall[];
}

export const NO_USAGE: UsageCount = { attempts: 0, calls: 0, talkMs: 0, live: 0, liveTalkMs: 0 };
/** A ledger with nothing in it. */
export const UNUSED: UsageBook = { used: () => NO_USAGE, callsSince: () => [] };
