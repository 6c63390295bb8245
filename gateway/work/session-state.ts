/** What a handset's work session is, what can happen to it, and what is to be done: plain values. */
import type { Temporal } from 'temporal-polyfill';
import type { Disposition, Language, WorkActivityData } from '../../config/schema/types.generated.js';
import type { Now } from '../calls/call-state.js';
import type { HandsetId, PersonId } from '../policy/ids.js';
import type { Activity, Rate } from './campaign.js';
import type { CallRefusal } from './dispositions.js';
import type { PromptId } from './prompt-ids.js';

/** A contact that the chooser gave out. Its number is nowhere in it: the trunk leg unseals it by `ref`. */
export interface ChosenContact {
  /** The contact's row in the store. */
  readonly ref: number;
  readonly token: string;
  readonly campaign: string;
  readonly wrapUpS: number;
  /** In which the callee is spoken to. */
  readonly language: Language;
  readonly country: string;
  /** Every zone that the callee may be in. */
  readonly zones: readonly string[];
  /** It asked to be called now. */
  readonly isAgreed?: boolean;
  /** What each activity for it is paid; absent: nothing. */
  readonly rates: Readonly<Partial<Record<Activity, Rate>>>;
}

/**
 * Why a session ends that its person did not end: the hours are over, the handset is the person's no longer, or the person was
 * suspended. Of these a suspension alone waits for nothing, not even for how a call went.
 */
export type LeaveWhy = 'window-ended' | 'handset-withdrawn' | 'suspended';

/** Somebody who is signed on. */
export interface Session {
  readonly id: string;
  readonly person: PersonId;
  readonly code: string;
  readonly language: Language;
  readonly activity: Activity;
  /** When that began, on the monotonic clock of a boot. */
  readonly sinceNs: bigint;
  readonly bootId: string;
  /** For whom time without a contact is counted: the campaign of the last contact, at first the person's first one. */
  readonly campaign: string;
  readonly rates: ChosenContact['rates'];
  /** The person may not work here any more: the session ends as soon as the contact in hand is disposed of. */
  readonly leaving?: LeaveWhy;
}

export type Idle = { readonly at: 'idle' };
export type AskingCode = { readonly at: 'code'; readonly digits: string; readonly tries: number };
export type AskingPin = {
  readonly at: 'pin';
  readonly code: string;
  readonly digits: string;
  readonly tries: number;
  /** The handset was put down in a session: the same person goes on, by the PIN alone. */
  readonly resuming?: Away;
};
export type Checking = {
  readonly at: 'checking';
  /** Which check is waited for: when it was asked for, on the monotonic clock. */
  readonly check: bigint;
  readonly tries: number;
  readonly resuming?: Away;
};
/** Told why; nothing more is taken until the handset is put down. */
export type Barred = { readonly at: 'barred' };
export type Menu = { readonly at: 'menu'; readonly session: Session };
export type ChoosingPause = { readonly at: 'pause-reason'; readonly session: Session };
export type Paused = { readonly at: 'paused'; readonly session: Session };
export type Choosing = { readonly at: 'choosing'; readonly session: Session };
export type NoWork = { readonly at: 'no-work'; readonly session: Session };
interface InHand {
  readonly session: Session;
  readonly contact: ChosenContact;
  /** The handset was put down. */
  readonly isDown: boolean;
}
export type Dialling = InHand & { readonly at: 'dialling' };
export type Talking = InHand & {
  readonly at: 'talking';
  /** `*` was keyed: the next key is for the gateway. */
  readonly starred: boolean;
  /** Keyed in the call. */
  readonly given?: Disposition;
};
export type WrapUp = InHand & {
  readonly at: 'wrap-up';
  /** Told again to whoever lifts the handset anew: a deadline may have opened its line before a word was heard. */
  readonly cut?: CallCut;
};
/** The time for wrap-up is over, and no disposition was given: there is no next contact before it is. */
export type Owing = InHand & { readonly at: 'owing' };
export type EnteringTime = InHand & { readonly at: 'time-entry'; readonly keys: string; readonly isLate: boolean };
/** Signed on with the handset put down; `owed`: a contact without a disposition. */
export type Away = { readonly at: 'away'; readonly session: Session; readonly owed?: ChosenContact };

export type SessionState =
  | Idle
  | AskingCode
  | AskingPin
  | Checking
  | Barred
  | Menu
  | ChoosingPause
  | Paused
  | Choosing
  | NoWork
  | Dialling
  | Talking
  | WrapUp
  | Owing
  | EnteringTime
  | Away;

export type SignOnRefusal =
  | 'wrong'
  | 'locked'
  | 'elsewhere'
  | 'handset'
  | 'hours'
  | 'suspended'
  | 'no-campaign'
  | 'fault';

/** What came of a code and a PIN. */
export type SignOnVerdict =
  | {
      readonly ok: true;
      readonly session: string;
      readonly person: PersonId;
      readonly code: string;
      readonly language: Language;
      readonly campaign: string;
      readonly rates: ChosenContact['rates'];
    }
  | { readonly ok: false; readonly why: SignOnRefusal };

/** Why a call to a contact ended, as far as the session minds. */
export type ContactCallEnd = 'talked' | 'no-answer' | 'busy' | 'not-connected' | 'not-called';

/** Why the gateway itself ended an answered call; a side that hung up needs no explanation. */
export type CallCut = 'limit' | 'window' | 'order' | 'fault';

export interface EndWhy {
  /** Of a call that policy refused. */
  readonly refusal?: CallRefusal;
  /** Of an answered one that the gateway ended. */
  readonly cut?: CallCut;
}

export type TimerName = 'entry' | 'wrap-up' | 'away';

export type SessionEvent =
  /** The handset was lifted, or `*1` was dialled: somebody listens. */
  | { readonly type: 'opened' }
  | { readonly type: 'digit'; readonly digit: string }
  | { readonly type: 'hook-on' }
  | { readonly type: 'timer'; readonly timer: TimerName }
  | { readonly type: 'checked'; readonly check: bigint; readonly verdict: SignOnVerdict }
  | { readonly type: 'chosen'; readonly contact: ChosenContact }
  /** `opensAt`: when there will be something to call. */
  | { readonly type: 'nothing'; readonly opensAt?: Temporal.Instant }
  /** There may be something to call now. */
  | { readonly type: 'work-available' }
  | { readonly type: 'answered'; readonly token: string }
  | ({ readonly type: 'ended'; readonly token: string; readonly how: ContactCallEnd } & EndWhy)
  | { readonly type: 'leave'; readonly why: LeaveWhy };

export type SessionEffect =
  /** Speaks to the handset alone; what was being said stops. Any key stops it too (barge-in). */
  | { readonly do: 'play'; readonly prompts: readonly PromptId[]; readonly until?: Temporal.Instant }
  | { readonly do: 'hush' }
  | { readonly do: 'set-timer'; readonly timer: TimerName; readonly afterMs: number }
  | { readonly do: 'cancel-timer'; readonly timer: TimerName }
  /** Answers `checked`. */
  | {
      readonly do: 'check';
      readonly check: bigint;
      readonly code: string;
      readonly pin: string;
      readonly resuming?: PersonId;
    }
  /** Answers `chosen` or `nothing`. */
  | { readonly do: 'choose'; readonly person: PersonId }
  /** A choice that came too late: the contact was never called. */
  | { readonly do: 'give-back'; readonly contact: ChosenContact }
  /** Answers `answered` and `ended`. */
  | { readonly do: 'dial'; readonly contact: ChosenContact }
  | { readonly do: 'end-call' }
  | {
      readonly do: 'dispose';
      readonly session: Session;
      readonly contact: ChosenContact;
      readonly disposition: Disposition;
      /** Of a call-back: when, epoch milliseconds. */
      readonly callBackMs?: number;
      /** Of a call that policy refused. */
      readonly refusal?: CallRefusal;
    }
  | { readonly do: 'event'; readonly data: Omit<WorkActivityData, 'handset'> }
  | { readonly do: 'alarm'; readonly code: string; readonly message: string }
  /** This session is over, or never began: the person may sign on elsewhere. */
  | { readonly do: 'release'; readonly session: string };

export interface Step {
  readonly state: SessionState;
  readonly effects: readonly SessionEffect[];
}

export type { HandsetId, Now };
