import type { Temporal } from 'temporal-polyfill';
import type { Deadline } from '../clock/deadline.js';
import type { Grant } from '../policy/decision.js';
import type { CallAlarm, StateName } from './call-state.js';
import type { Announcement, CallEvent, DialOrder, HandsetPhase, MediaOrder, PhaseDetail } from './ports.js';
import type { CallRecord, EndCause, LegDialog } from './record.js';

/** What only the driver and its timers tell the machine. */
export type InnerEvent =
  | { readonly type: 'journalled' }
  | { readonly type: 'journal-failed'; readonly why: string }
  /** The wire said on-hook at the request; the fact may have been late. */
  | { readonly type: 'judge-again' }
  /** A state has lasted longer than it may. */
  | { readonly type: 'overdue'; readonly state: StateName }
  /** The time is over in which SIP may still agree with a wire that says on-hook; then, what the wire says now. */
  | { readonly type: 'hook-grace-over' }
  | { readonly type: 'hook-checked'; readonly stillOn: boolean }
  | { readonly type: 'record-again' };

export type MachineEvent = CallEvent | InnerEvent;
export type EventName = MachineEvent['type'];

/** Timers of a call; setting one that runs replaces it. */
export type TimerName = 'step' | 'deadline' | 'hook' | 'media' | 'signalling' | 'line' | 'record';

/**
 * What the driver is to do, in this order. What comes of it arrives as an event:
 * judge → `judged`; open-journal → `journalled` or `journal-failed`; commit → `committed` or `commit-failed`;
 * record → `recorded` or `record-failed`; end-legs → `released` of signalling; look-at-hook → `hook-checked`;
 * the planes answer as their ports say.
 */
export type CallEffect =
  | { readonly do: 'judge' }
  | { readonly do: 'open-journal'; readonly grant: Grant }
  | { readonly do: 'save-dialogs'; readonly dialogs: readonly LegDialog[] }
  | {
      readonly do: 'commit';
      readonly answeredAt: Temporal.Instant;
      readonly deadline: Deadline;
      readonly dialogs: readonly LegDialog[];
    }
  | { readonly do: 'record'; readonly record: CallRecord; readonly alarms: readonly CallAlarm[] }
  | { readonly do: 'alarm'; readonly alarm: CallAlarm }
  /** A keyed call has been granted: its handset is called. */
  | { readonly do: 'call-handset' }
  | { readonly do: 'media-open'; readonly order: MediaOrder }
  | { readonly do: 'media-announce'; readonly announcement: Announcement }
  | { readonly do: 'media-connect'; readonly sdp: string; readonly final: boolean }
  | { readonly do: 'media-arm'; readonly deadline: Deadline; readonly warningsS: readonly number[] }
  | { readonly do: 'media-close' }
  | { readonly do: 'dial'; readonly order: DialOrder }
  | { readonly do: 'answer-desk' }
  | { readonly do: 'ring' }
  | { readonly do: 'early-media'; readonly answer: string }
  | { readonly do: 'accept'; readonly answer: string }
  | { readonly do: 'refuse'; readonly status: number; readonly rule: string; readonly fact: string }
  | { readonly do: 'signalling-arm'; readonly deadline: Deadline }
  | { readonly do: 'signalling-release'; readonly cause: EndCause }
  /** Legs that signalling no longer holds, from what is known of their dialogs. */
  | { readonly do: 'end-legs'; readonly dialogs: readonly LegDialog[] }
  | { readonly do: 'line-arm'; readonly deadline: Deadline }
  | { readonly do: 'line-cut'; readonly holdMs: number }
  | { readonly do: 'line-release' }
  | { readonly do: 'look-at-hook' }
  | { readonly do: 'set-timer'; readonly timer: TimerName; readonly afterMs: number; readonly event: MachineEvent }
  /** The call's own hold on its deadline, by whichever clock comes first. */
  | { readonly do: 'watch-deadline'; readonly deadline: Deadline }
  | { readonly do: 'cancel-timer'; readonly timer: TimerName }
  | ({ readonly do: 'tell'; readonly phase: HandsetPhase } & Omit<PhaseDetail, 'call'>)
  /** An event that the state has no use for: counted, so that a plane that misbehaves is seen. */
  | { readonly do: 'count-unexpected'; readonly state: StateName; readonly event: EventName }
  /** The call is over and recorded; nothing of it need stay in memory. */
  | { readonly do: 'forget'; readonly record: CallRecord };
