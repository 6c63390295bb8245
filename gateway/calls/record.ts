import type { Temporal } from 'temporal-polyfill';
import type { Deadline } from '../clock/deadline.js';
import type { EndsBy, RuleId } from '../policy/decision.js';
import type { CallId, E164, HandsetId, PersonId, TrunkId, WingId } from '../policy/ids.js';

/** Why a call ended; stable codes that people see. `deadline` and `cutoff` are the two kinds of end that we impose. */
export type EndCause =
  | 'refused'
  | 'handset-cancelled'
  | 'busy'
  | 'no-answer'
  | 'trunk-failed'
  | 'handset-hung-up'
  | 'trunk-hung-up'
  | 'deadline'
  | 'cutoff'
  | 'hook.on'
  | 'line.controller-lost'
  | 'callee.redirected'
  | 'fault.media'
  | 'fault.signalling'
  | 'fault.line'
  | 'fault.store'
  | 'gateway-restarted'
  | 'gateway-stopped';

export type LegName = 'handset' | 'trunk';

/** Everything that a BYE (or, for an unanswered INVITE of ours, a CANCEL) needs, so that the debt can be paid after a crash. */
export interface LegDialog {
  readonly leg: LegName;
  readonly state: 'early' | 'confirmed';
  /** drachtio's dialog id, `<Call-ID>;from-tag=<tag>`. */
  readonly dialogId: string;
  readonly callId: string;
  readonly localUri: string;
  readonly localTag: string;
  readonly remoteUri: string;
  readonly remoteTag: string;
  /** The peer's Contact: the Request-URI of what we send. */
  readonly remoteTarget: string;
  /** Route headers in the order in which we send them. */
  readonly routeSet: readonly string[];
  /** The last CSeq number that we sent in this dialog. */
  readonly cseq: number;
  /** The Via branch of our INVITE, needed for a CANCEL; empty on a leg that we did not call. */
  readonly branch: string;
  readonly transport: 'udp' | 'tcp' | 'tls';
  /** Where the last packet of this dialog went or came from, used when the target has no address of its own. */
  readonly address: string;
  readonly port: number;
}

/** How one side's stream came through, from the answer on. */
export interface StreamQuality {
  readonly packets: number;
  readonly lost: number;
  readonly jitterMs: number;
  /** The longest time without a packet, milliseconds; holds do not count. Absent where nobody has measured it. */
  readonly longestSilenceMs?: number;
  readonly roundTripMs?: number;
  /** The opinion that listeners would have of it, 1 to 4.5, by the E-model (ITU-T G.107, simplified). Absent for a silent stream. */
  readonly mos?: number;
}

export interface MediaStats {
  readonly handsetPackets: number;
  readonly trunkPackets: number;
  readonly dropped: number;
  /** Packets that came after the deadline and were not forwarded. */
  readonly droppedAfterDeadline: number;
  readonly lost: number;
  /** Interarrival jitter of the trunk's stream, milliseconds (RFC 3550 §6.4.1). */
  readonly jitterMs: number;
  readonly digitsDropped: number;
  /** Of these, the ones that sounded in the speech; and the digits that were let through. */
  readonly digitsMuted?: number;
  readonly digitsPassed?: number;
  /** Of one packet in 50, those that the system would not take. */
  readonly socketErrors?: number;
  /** The stream that each side sends. */
  readonly handset?: StreamQuality;
  readonly trunk?: StreamQuality;
  /** When the last packet was forwarded, against the deadline: negative before it. Absent when nothing was forwarded or no deadline stood. */
  readonly lastForwardedMsAfterDeadline?: number;
}

/** How each plane ended its part of a call. `confirmed: false` says that the plane was lost or never answered. */
export interface PlaneRelease {
  readonly confirmed: boolean;
  /** From the order (or the deadline) to the confirmation, milliseconds. */
  readonly afterMs: number;
}

/** One call, whole: written once, never changed. */
export interface CallRecord {
  readonly call: CallId;
  readonly handset: HandsetId;
  readonly wing?: WingId;
  readonly person?: PersonId;
  /**
   * The number, when normalisation got that far. It goes into the ledger; reports carry a keyed token instead. Of a contact it
   * is that token from the judgement on; a call to the desk has none.
   */
  readonly number?: E164;
  /** A zone that the callee may be in, the first of them. */
  readonly calleeZone?: string;
  /** Which contact it was, and of which campaign; or that it was a call to the desk, and to nobody. */
  readonly contact?: string;
  readonly campaign?: string;
  readonly desk?: true;
  readonly trunk?: TrunkId;
  readonly requestedAt: Temporal.Instant;
  readonly answeredAt?: Temporal.Instant;
  readonly endedAt: Temporal.Instant;
  readonly talkMs: number;
  readonly cause: EndCause;
  /** Refusals: the rule and its fact. */
  readonly rule?: RuleId;
  readonly fact?: string;
  readonly nextAllowed?: Temporal.Instant;
  /** Final SIP status on the handset leg, when it was a failure; or the trunk's. */
  readonly sipStatus?: number;
  readonly deadline?: Deadline;
  readonly endsBy?: EndsBy;
  /** End of media against the deadline or the cutoff order, milliseconds; only for those two causes. */
  readonly cutoffErrorMs?: number;
  readonly planes: { readonly signalling?: PlaneRelease; readonly media?: PlaneRelease; readonly line?: PlaneRelease };
  readonly media?: MediaStats;
}
