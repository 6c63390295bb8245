/**
 * What a call needs of the rest of the house: the three planes, the store, and the eyes that watch.
 * Every order returns at once; what came of it arrives later as a `CallEvent`. Drivers implement these, `main.ts` joins
 * them, the simulator implements them in virtual time.
 */
import type { Temporal } from 'temporal-polyfill';
import type { Deadline } from '../clock/deadline.js';
import type { EndsBy, Grant, Refusal } from '../policy/decision.js';
import type { CallId, E164, HandsetId, PersonId, TrunkId } from '../policy/ids.js';
import type { LineFacts, Lockdown, UsageBook } from '../policy/request.js';
import type { CallRecord, EndCause, LegDialog, LegName, MediaStats } from './record.js';

/** A handset asks for a call; signalling has already authenticated it. */
export interface CallRequest {
  readonly call: CallId;
  readonly handset: HandsetId;
  readonly person?: PersonId;
  /** As it came, never normalised before policy sees it; of a contact `contact:<row>`, which tells nobody a number. */
  readonly dialled: string;
  /** A call to a contact of this campaign: the token that stands for it. */
  readonly campaign?: string;
  readonly contact?: string;
  /** Whether the campaign states that its calls may be listened to. */
  readonly supervised?: boolean;
  /** What the callee is told at the answer, before the caller is heard, in place of what the profile says. */
  readonly announced?: Announcement;
  /** A call to the gateway's own work desk: nobody else is in it, and no trunk. */
  readonly desk?: true;
  readonly at: Temporal.Instant;
  /** The handset's SDP offer; empty for a keyed call. */
  readonly offer: string;
  /** Where the INVITE came from: SIP source address, no port; `line-card` for a keyed call. */
  readonly source: string;
  /** It was keyed on a line card, and there is no INVITE of the handset's: once it is granted, the gateway calls the handset. */
  readonly keyed?: true;
}

/** A cutoff: an order that ends calls now. */
export interface CutoffOrder {
  readonly id: string;
  readonly target: Lockdown['target'] | { readonly kind: 'call'; readonly call: CallId };
  readonly reason: string;
  /** Who ordered: "headquarters", "console", "cli", "panic-input". */
  readonly by: string;
  /** How long calls stay refused and relays open, milliseconds; 'until-released' for a standing lockdown. */
  readonly hold: number | 'until-released';
}

/** What a cutoff achieved, with measured times from the order's arrival, milliseconds. */
export interface CutoffResult {
  readonly id: string;
  readonly calls: number;
  readonly silentMs: number;
  readonly byesSentMs: number;
  readonly relaysOpenMs: number;
  /** Every plane of every call confirmed. */
  readonly complete: boolean;
}

export type PlaneName = 'signalling' | 'media' | 'line';

/** All that can happen to a call after its request. */
export type CallEvent =
  /** `announcement`: a refusal that is told in words before its final status. */
  | { readonly type: 'judged'; readonly decision: Grant | Refusal; readonly announcement?: Announcement }
  /** A keyed call: our INVITE to its handset is out; the handset has answered, and its answer as an offer of its own; it has not, or not as asked. */
  | { readonly type: 'handset-called'; readonly dialog: LegDialog }
  | { readonly type: 'handset-answered'; readonly offer: string; readonly dialog: LegDialog }
  | { readonly type: 'handset-failed'; readonly status: number; readonly why: string }
  | { readonly type: 'media-opened'; readonly trunkOffer: string }
  | { readonly type: 'media-failed'; readonly code: string }
  | { readonly type: 'dialling'; readonly trunk: TrunkId; readonly dialog: LegDialog }
  | { readonly type: 'trunk-ringing' }
  | { readonly type: 'trunk-early-media'; readonly sdp: string }
  /** Of a call to the desk: we answer it ourselves; there is no SDP of a trunk, and the dialogs are the handset's alone. */
  | { readonly type: 'trunk-answered'; readonly answer: string; readonly dialogs: readonly LegDialog[] }
  | { readonly type: 'trunk-failed'; readonly status: number; readonly cause: EndCause }
  | { readonly type: 'media-connected'; readonly handsetAnswer: string }
  | { readonly type: 'committed' }
  | { readonly type: 'commit-failed'; readonly why: string }
  | { readonly type: 'armed'; readonly plane: PlaneName }
  | { readonly type: 'arm-failed'; readonly plane: PlaneName; readonly why: string }
  | { readonly type: 'accepted' }
  /** The handset may hear something before its final status, a refusal in words or the trunk's own sound; `answer` is the SDP of the 183. */
  | { readonly type: 'announcing'; readonly answer: string }
  /** It has said all. */
  | { readonly type: 'announced' }
  | { readonly type: 'handset-cancelled' }
  | { readonly type: 'handset-hung-up' }
  | { readonly type: 'trunk-hung-up' }
  | { readonly type: 'deadline-passed'; readonly by: PlaneName | 'calls' }
  | { readonly type: 'cutoff'; readonly order: CutoffOrder }
  | {
      readonly type: 'narrowed';
      readonly notAfter: Temporal.Instant;
      /** The most talk of the whole call under the new policy, milliseconds. */
      readonly maxTalkMs?: number;
      readonly by?: EndsBy;
    }
  | { readonly type: 'hook-on' }
  | { readonly type: 'controller-lost' }
  | { readonly type: 'callee-redirected' }
  | { readonly type: 'plane-lost'; readonly plane: PlaneName; readonly why: string }
  | { readonly type: 'ring-timeout' }
  | { readonly type: 'stop' }
  /** Signalling, optional: after `release`, the BYE or CANCEL of each leg has gone to the wire. `released` says the same and more. */
  | { readonly type: 'byes-sent' }
  | { readonly type: 'released'; readonly plane: 'signalling'; readonly legs: readonly LegName[] }
  | { readonly type: 'released'; readonly plane: 'media'; readonly stats?: MediaStats }
  | { readonly type: 'released'; readonly plane: 'line'; readonly relayOpen: boolean }
  | { readonly type: 'release-timeout'; readonly plane: PlaneName }
  | { readonly type: 'recorded' }
  | { readonly type: 'record-failed'; readonly why: string };

/** Where planes report. `calls` implements it; an event for an unknown or ended call is dropped and counted. */
export interface CallSink {
  request(request: CallRequest): void;
  event(call: CallId, event: CallEvent): void;
  /** A whole plane went away (process exit, closed socket, no heartbeat): every call it held hears `plane-lost`. */
  planeLost(plane: PlaneName, why: string): void;
}

export interface DialOrder {
  readonly trunks: readonly TrunkId[];
  readonly number: E164;
  readonly callerIdentity: string;
  readonly offer: string;
  readonly ringMs: number;
}

export interface SignallingPlane {
  /**
   * A keyed call, and no other: INVITE to the contact that the handset has registered, with a description that carries no
   * sound. Answers `handset-called`, then `handset-answered` or `handset-failed`.
   */
  callHandset(call: CallId, handset: HandsetId): void;
  /** A call to the desk: 180, for the dialog's sake. Answers `trunk-answered` once its dialog can be journalled. */
  answerDesk(call: CallId): void;
  /** 180 to the handset (local ring-back). */
  ring(call: CallId): void;
  /** 183 to the handset with this SDP: what it hears before the final status (RFC 3960 §3). */
  early(call: CallId, answer: string): void;
  /** INVITE to the trunks in order. Answers `dialling` for each INVITE sent, then `trunk-ringing`, `trunk-answered` or `trunk-failed`. */
  dial(call: CallId, order: DialOrder): void;
  /** 200 to the handset with this SDP, or a re-INVITE where we have called it. Answers `accepted` when the ACK is in. */
  accept(call: CallId, answer: string): void;
  /** Final failure to the handset. Answers `released`. */
  refuse(call: CallId, refusal: { readonly status: number; readonly rule: string; readonly fact: string }): void;
  /** The engine itself sends BYE to both legs at the deadline. Answers `armed`, and later `deadline-passed`. */
  arm(call: CallId, deadline: Deadline): void;
  /** CANCEL or BYE to each leg that is up, each whatever happens to the other. Answers `released` once each leg answered or was declared dead (32 s). */
  release(call: CallId, cause: EndCause): void;
  /** After a crash: ends what the journal says may still be up. Settles when each leg answered or was declared dead. */
  endFromJournal(dialogs: readonly LegDialog[]): Promise<void>;
}

/** What a handset is told in words: recorded pieces of one language, in their order. */
export interface Announcement {
  readonly language: string;
  readonly pieces: readonly string[];
}

export interface MediaOrder {
  readonly handset: HandsetId;
  readonly person?: PersonId;
  /** For warrants alone; it reaches no packet and no log. */
  readonly number?: E164;
  /** The call's campaign says whether its calls may be listened to; absent: the handset's profile does. */
  readonly supervised?: boolean;
  /** What the callee is told at the answer. */
  readonly announced?: Announcement;
  /** Nobody but we speak to the handset: prompts out, keys in, nothing forwarded. Its `connect` names no SDP. */
  readonly desk?: true;
  /** Each key is told to whoever keeps the desk, and none is an alarm. */
  readonly keys?: true;
  /** Its handset has answered already and cannot ring back by itself: it is told so, and hears ours, where the driver can. */
  readonly ringsBack?: true;
  readonly handsetOffer: string;
  readonly earlyMedia: boolean;
  readonly digitsAllowed: string;
}

export interface MediaPlane {
  /**
   * Opens the four sockets, both gates closed. Answers `media-opened` with the offer for the trunk, or `media-failed`; and
   * `announcing` after it, where the order is to ring back.
   */
  open(call: CallId, order: MediaOrder): void;
  /**
   * Speaks to the handset alone: no trunk, no gate, no deadline. Answers `announcing` as it begins, with the SDP for the 183,
   * and `announced` at its end; or `media-failed`.
   */
  announce(call: CallId, handset: HandsetId, handsetOffer: string, announcement: Announcement): void;
  /**
   * The trunk's SDP, early or final. Early answers `announcing`, where the order lets the handset hear it; final answers
   * `media-connected` with the answer for the handset. The gate to the trunk stays closed until `arm`.
   */
  connect(call: CallId, trunkSdp: string, final: boolean): void;
  /** Opens both gates until the deadline and sounds the warnings. Answers `armed`; later `deadline-passed`, once. A second `arm` may only bring the deadline closer. */
  arm(call: CallId, deadline: Deadline, warningsS: readonly number[]): void;
  /** Silence at once, sockets closed. Answers `released` with the statistics. Harmless for a call that it does not hold. */
  close(call: CallId): void;
}

export interface LinePlane {
  facts(handset: HandsetId): LineFacts;
  /** From now on no lease of this handset reaches past the deadline. Answers `armed`; then may report `hook-on`, `controller-lost`, `deadline-passed`. */
  arm(call: CallId, handset: HandsetId, deadline: Deadline): void;
  /** Opens the relay at once and holds it open for `holdMs`. Answers `released` when the board has confirmed. */
  cut(call: CallId, handset: HandsetId, holdMs: number): void;
  /** The call is over by itself; the standing lease goes on. Answers `released` at once. */
  release(call: CallId, handset: HandsetId): void;
  /** A standing lockdown holds these relays open until lifted. */
  setLockdowns(lockdowns: readonly Lockdown[]): void;
  /** A person lifts the lockdowns of a target: what its cuts still hold is let go. Another lockdown holds all the same. */
  endHolds(target: Lockdown['target']): void;
}

/** An event as `calls` states it; the store adds sequence, hash and the CloudEvents envelope. */
export interface EventDraft {
  readonly kind: 'event' | 'alarm';
  /** e.g. `balise.call.ended`. */
  readonly type: string;
  /** Plain JSON; no called number in clear. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** A call that the journal holds and no record closes. */
export interface OpenCall {
  readonly request: CallRequest;
  readonly grant: Grant;
  readonly answeredAt?: Temporal.Instant;
  readonly deadline?: Deadline;
  readonly dialogs: readonly LegDialog[];
}

/** The disk. Each method is one transaction and returns when it is done, but for `commitDeadline`; it throws when the disk cannot take it. */
export interface CallStore extends UsageBook {
  /** Before the INVITE leaves. */
  open(request: CallRequest, grant: Grant): void;
  /** Dialogs as they come to be known, so that their BYE or CANCEL can be sent after a crash. */
  saveDialogs(call: CallId, dialogs: readonly LegDialog[]): void;
  /**
   * The deadline, the answer's instant and both dialogs. Calls `done` once, at once or later: when they are durable (fsync), or
   * with what kept the disk from it. Throws, and never calls back, when they cannot even be written.
   */
  commitDeadline(
    call: CallId,
    answeredAt: Temporal.Instant,
    deadline: Deadline,
    dialogs: readonly LegDialog[],
    done: (fault?: Error) => void,
  ): void;
  /** Closes the journal entry, counts the usage, and appends the events to the outbox, all or nothing. Recording a call twice is refused, silently. */
  record(record: CallRecord, events: readonly EventDraft[]): void;
  openCalls(): readonly OpenCall[];
  lockdowns(): readonly Lockdown[];
  setLockdown(id: string, lockdown: Lockdown, events: readonly EventDraft[]): void;
  releaseLockdown(target: Lockdown['target'], events: readonly EventDraft[]): void;
  append(events: readonly EventDraft[]): void;
  /** Room for more calls: false near the outbox's limit (`store.full`). */
  hasRoom(): boolean;
  /** The newest instant on disk; a wall clock earlier than it is not to be believed. */
  newestInstant(): Temporal.Instant | undefined;
}

export type HandsetPhase = 'idle' | 'calling' | 'ringing' | 'talking' | 'ended';

/** What is known of a call as its handset comes to a phase. */
export interface PhaseDetail {
  readonly call: CallId;
  readonly until?: Temporal.Instant;
  /** Once it has ended: why, and what set its deadline, where it had one. */
  readonly cause?: EndCause;
  readonly endsBy?: EndsBy;
}

/** Those who watch: the uplink's retained topics, the terminal, the console. Never throws. */
export interface CallObserver {
  handset(handset: HandsetId, phase: HandsetPhase, detail: PhaseDetail): void;
  ended(record: CallRecord): void;
  cutoff(order: CutoffOrder, result: CutoffResult): void;
}
