import type { Temporal } from 'temporal-polyfill';
import type { Deadline } from '../clock/deadline.js';
import type { EndsBy, Grant, Refusal } from '../policy/decision.js';
import type { TrunkId } from '../policy/ids.js';
import type { CallRequest, PlaneName } from './ports.js';
import type { CallRecord, EndCause, LegDialog, MediaStats, PlaneRelease } from './record.js';

/** Both clocks, read together by whoever runs the machine. */
export interface Now {
  readonly wall: Temporal.Instant;
  readonly monotonicNs: bigint;
  readonly bootId: string;
}

/** A call that has been asked for. */
export interface Asked {
  readonly request: CallRequest;
  /** The handset has a line controller: the line plane holds the call as well. */
  readonly fitted: boolean;
  /** When it was asked for, on the monotonic clock. */
  readonly requestedNs: bigint;
  /** The wire has said on-hook since then, and SIP has not agreed yet. */
  readonly hookOnSinceNs?: bigint;
}

/** A call that policy has granted. `limit` is the grant's own end on both clocks, read when it was given. */
export interface Granted extends Asked {
  readonly grant: Grant;
  readonly limit: Deadline;
  /** The most talk, milliseconds: the grant's, or less since policy was narrowed. */
  readonly maxTalkMs: number;
  readonly notAfterBy: EndsBy;
  readonly trunk?: TrunkId;
  /** What a BYE or a CANCEL would need, one a leg. */
  readonly dialogs: readonly LegDialog[];
}

/** A call that the far end has answered: it has its deadline, which from here on only moves closer. */
export interface Answered extends Granted {
  readonly answeredAt: Temporal.Instant;
  readonly answeredNs: bigint;
  readonly deadline: Deadline;
  readonly endsBy: EndsBy;
}

export interface Accepted extends Answered {
  readonly handsetAnswer: string;
  /** Media has been armed: from here on there may have been talk. */
  readonly armed: true;
}

/** What is known of a call that ends, whatever state it was in. */
export type Story = Asked & Partial<Omit<Accepted, keyof Asked>>;

export interface Judging {
  readonly at: 'judging';
  readonly call: Asked;
}
/** The call is refused already, and the handset is being told why. Nothing of it can become a talk. */
export interface Announcing {
  readonly at: 'announcing';
  readonly call: Asked;
  readonly refusal: Refusal;
}
export interface Journalling {
  readonly at: 'journalling';
  readonly call: Granted;
}
/** A keyed call: our INVITE is on its way to the handset that keyed it. */
export interface CallingHandset {
  readonly at: 'calling-handset';
  readonly call: Granted;
}
export interface OpeningMedia {
  readonly at: 'opening-media';
  readonly call: Granted;
}
/** The INVITE to the trunk is out. */
export interface Dialling {
  readonly at: 'dialling';
  readonly call: Granted;
}
export interface Ringing {
  readonly at: 'ringing';
  readonly call: Granted;
}
/** The trunk has answered; the relay learns where its media is, and the deadline goes to disk. */
export interface Connecting {
  readonly at: 'connecting';
  readonly call: Answered;
  readonly isCommitted?: true;
}
/** The relay knows; the deadline is on its way to the disk. */
export interface Committing {
  readonly at: 'committing';
  readonly call: Answered & { readonly handsetAnswer: string };
}
/** The planes take the deadline. `waiting`: arm orders that each plane has not answered yet. */
export interface Arming {
  readonly at: 'arming';
  readonly call: Accepted;
  readonly waiting: Readonly<Record<PlaneName, number>>;
}
/** The 200 to the handset is out, its ACK is not in. */
export interface Accepting {
  readonly at: 'accepting';
  readonly call: Accepted;
}
export interface Talking {
  readonly at: 'talking';
  readonly call: Accepted;
}

/** Every state that may still become a talk, or is one; and the one in which a refusal is spoken. */
export type Living =
  | Judging
  | Announcing
  | Journalling
  | CallingHandset
  | OpeningMedia
  | Dialling
  | Ringing
  | Connecting
  | Committing
  | Arming
  | Accepting
  | Talking;

/** A call that is over, and whose planes have not all confirmed it. `refusing` is the same for a call that never was. */
export interface Ending {
  readonly at: 'ending' | 'refusing';
  readonly call: Story;
  readonly cause: EndCause;
  readonly refusal?: Refusal;
  readonly sipStatus?: number;
  /** When the end was ordered, on both clocks. */
  readonly endedAt: Temporal.Instant;
  readonly endedNs: bigint;
  /** Planes that have been told and have not answered. */
  readonly owed: readonly PlaneName[];
  readonly released: Readonly<Partial<Record<PlaneName, PlaneRelease>>>;
  /** The relay was ordered open, and not just given back. */
  readonly lineCut: boolean;
  readonly stats?: MediaStats;
  readonly alarms: readonly CallAlarm[];
}

/** The record goes to disk, and is tried again until the disk takes it. */
export interface Recording {
  readonly at: 'recording';
  readonly call: Story;
  readonly record: CallRecord;
  readonly alarms: readonly CallAlarm[];
  readonly tries: number;
}

export interface Ended {
  readonly at: 'ended';
  readonly call: Story;
  readonly record: CallRecord;
}

export type CallState = Living | Ending | Recording | Ended;
export type StateName = CallState['at'];

export type AlarmCode = 'hook-mismatch' | 'callee-redirected' | 'controller-lost' | 'release-unconfirmed' | 'early-end';

/** Something that people must look at, found in a call. It reaches headquarters with the call's record. */
export interface CallAlarm {
  readonly code: AlarmCode;
  /** One sentence; never a called number. */
  readonly message: string;
  readonly plane?: PlaneName;
}
