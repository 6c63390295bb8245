import type { Temporal } from 'temporal-polyfill';
import type { E164, HandsetId, PersonId, TrunkId, WingId } from './ids.js';

/** The stable ids of every rule that can refuse a call, in the order of judgement. People see them; they never change. */
export const RULES = [
  'clock.untrusted',
  'policy.missing',
  'policy.expired',
  'policy.unsigned',
  'lockdown.site',
  'lockdown.wing',
  'lockdown.handset',
  'lockdown.person',
  'handset.unknown',
  'handset.disabled',
  'line.unsupervised',
  'line.not-off-hook',
  'person.not-signed-on',
  'person.suspended',
  'dial.malformed',
  'dial.free-dialling',
  'number.class',
  'number.blocked',
  'number.not-sanctioned',
  'dnc.listed',
  'dnc.stale',
  'contact.refused',
  'window.site',
  'window.wing',
  'window.handset',
  'window.person',
  'window.campaign',
  'window.callee',
  'holiday.callee',
  'limit.attempts',
  'limit.gap',
  'limit.calls',
  'limit.talk',
  'limit.concurrent',
  // Not of policy, but refusals all the same, given by `calls` when a plane or the disk cannot take a call.
  'store.full',
  'fault.media',
  'fault.signalling',
  'fault.store',
] as const;
export type RuleId = (typeof RULES)[number];

/** What bound a grant's end: the rule whose instant came first. */
export type EndsBy =
  | 'max-talk'
  | 'limit.talk'
  | 'window.site'
  | 'window.wing'
  | 'window.handset'
  | 'window.person'
  | 'window.campaign'
  | 'window.callee'
  | 'lockdown'
  /** The signed policy holds no longer without news of headquarters. */
  | 'policy';

/** A call that may not be. */
export interface Refusal {
  readonly outcome: 'refusal';
  readonly rule: RuleId;
  /** One plain sentence with the fact that decided, e.g. "in Ankara it is 20:14; calls until 20:00". Never a called number. */
  readonly fact: string;
  /** The first instant at which the same request would pass; absent when waiting does not help. */
  readonly nextAllowed?: Temporal.Instant;
  /** The final SIP status given to the handset. */
  readonly sipStatus: number;
}

/** A call that may be, until `notAfter` and for `maxTalkMs` of talk, whichever ends first. Immutable. */
export interface Grant {
  readonly outcome: 'grant';
  readonly handset: HandsetId;
  readonly wing: WingId;
  readonly person?: PersonId;
  readonly number: E164;
  /** The zones that the callee may be in, by which `notAfter` was narrowed. */
  readonly calleeZones: readonly string[];
  /** No talk after this instant: the end of every window, and of a lockdown already scheduled. */
  readonly notAfter: Temporal.Instant;
  /** The most talk that this call may have, milliseconds: the profile's maximum or the quota left, the smaller. */
  readonly maxTalkMs: number;
  /** The rule that bounds `notAfter`, and the one that bounds `maxTalkMs`. The deadline's binding rule is one of the two. */
  readonly notAfterBy: EndsBy;
  readonly maxTalkBy: EndsBy;
  readonly trunks: readonly TrunkId[];
  /** The calling identity shown to the callee: the trunk's or campaign's, never the handset's. */
  readonly callerIdentity: string;
  readonly ringMs: number;
  /** Seconds before the deadline at which a warning tone sounds, descending, e.g. [60, 10]. */
  readonly warningsS: readonly number[];
  /** Early media from the trunk may reach the handset, after a 183 with our SDP; else a 180 alone, and its own ring-back. */
  readonly earlyMedia: boolean;
  /** RFC 4733 digits that the handset may send, e.g. "0123456789*#"; empty is none. */
  readonly digitsAllowed: string;
  /** What happens when the line's controller is lost in the call. */
  readonly controllerLost: 'end' | 'alarm';
  /** The wire must say off-hook for as long as the call lasts. */
  readonly hookRequired: boolean;
}

export type Decision = Refusal | Grant;
