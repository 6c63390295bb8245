import type { Temporal } from 'temporal-polyfill';
import type { ClockTrust } from '../clock/clock.js';
import type { HandsetId, PersonId, WingId } from './ids.js';

/** What a handset asks for: the digits exactly as they came (a SIP user part, a tel URI, keyed digits). */
export interface DialRequest {
  readonly handset: HandsetId;
  readonly person?: PersonId;
  readonly dialled: string;
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
}

/** What has been used so far, for one subject (a handset, a person, a number). Calls in progress count as used. */
export interface UsageCount {
  /** Attempts that went out to a trunk since the subject's day began. */
  readonly attemptsToday: number;
  /** Answered calls since the day began. */
  readonly callsToday: number;
  /** Talk since the day began, milliseconds, with the whole lease of each call in progress counted. */
  readonly talkMsToday: number;
  readonly lastEndedAt?: Temporal.Instant;
  /** Calls in progress now. */
  readonly live: number;
}

export interface Usage {
  readonly handset: UsageCount;
  readonly number: UsageCount;
}

export const NO_USAGE: UsageCount = { attemptsToday: 0, callsToday: 0, talkMsToday: 0, live: 0 };
