/** What the desk is made of, and what it asks of calls and media. */
import type { Logger } from 'pino';
import type { Temporal } from 'temporal-polyfill';
import type { Campaign, Disposition, Language, Person, WorkActivityData } from '../../config/schema/types.generated.js';
import type { Clock } from '../clock/clock.js';
import type { Hours } from '../policy/hours.js';
import type { HandsetId } from '../policy/ids.js';
import type { ContactHours } from './contact-hours.js';
import type { PinCheck } from './pin.js';
import type { SealedContact, WorkStore } from './ports.js';
import type { PromptId } from './prompt-ids.js';
import type { SignOnRefusal } from './session-state.js';

/** What a contact's call is judged and set up by; the number is the trunk leg's to unseal, by `ref`. */
export interface ContactCall {
  readonly handset: HandsetId;
  readonly person: string;
  readonly ref: number;
  readonly token: string;
  readonly campaign: Campaign;
  readonly language: Language;
  /** The contact's zone where it is known to be in one alone. */
  readonly calleeZone?: string;
  /** It asked to be called now. */
  readonly isAgreed: boolean;
}

/** What the desk has done. Each returns at once; none throws. */
export interface WorkSeam {
  play(handset: HandsetId, prompts: readonly PromptId[], language: Language, until?: Temporal.Instant): void;
  hush(handset: HandsetId): void;
  /** Answers `answered` and `ended`, with the contact's token. */
  dial(call: ContactCall): void;
  endCall(handset: HandsetId): void;
  /** Nobody works at the handset, and it was told so a while ago: its call may end. */
  close?(handset: HandsetId): void;
  /** Somebody has signed on, whose hours end then. */
  leavesAt?(handset: HandsetId, at: Temporal.Instant): void;
  /** What a callee said is on disk with the contact; whoever keeps numbers in silence is to know. */
  disposed?(said: { readonly ref: number; readonly disposition: Disposition; readonly person: string }): void;
  /** Somebody who is signed on begins to do something, or has signed off. */
  doing?(handset: HandsetId, doing: Doing): void;
  /** Another process has changed something on disk: before the sessions are looked at, so that calls end by their deadlines. */
  changed?(): void;
  /** A sign-on was refused, or a number was keyed where keys dial nothing: it is counted. */
  refused?(why: SignOnRefusal | 'number-keyed'): void;
  alarm(code: string, message: string, handset: HandsetId): void;
}

/** What a person does at the desk, as far as others may know: the contact is nobody's business. */
export type Doing = Pick<WorkActivityData, 'person' | 'activity' | 'at'>;

export interface WorkDeskOptions {
  readonly clock: Clock;
  readonly bootId: string;
  readonly store: WorkStore;
  readonly seam: WorkSeam;
  readonly hours: ContactHours;
  /** When a person may work at a handset: the person's own hours and those of the handset's levels. */
  readonly hoursOf: (person: Person, handset: HandsetId) => Hours;
  /** When a handset's own levels are open, whoever sits there; absent: always. */
  readonly hoursOfHandset?: (handset: HandsetId) => Hours;
  /** An order keeps this person from calling. */
  readonly isLockedOut?: (person: string) => boolean;
  readonly zonesOfCountry: (country: string) => readonly string[];
  readonly siteLanguage: Language;
  /** What the outcome of a contact is told with: for counting, never for whoever calls. */
  readonly about?: (contact: SealedContact) => { readonly language: Language; readonly mystery?: true };
  readonly newId: () => string;
  /** How often new contacts, due call-backs and suspensions are looked for, milliseconds. Default 15 s. */
  readonly lookEveryMs?: number;
  /** While somebody is signed on: how often it is asked whether another process has changed anything, milliseconds. Default 250 ms. */
  readonly glanceEveryMs?: number;
  /** Whether a PIN is the one that was hashed; default: by scrypt. */
  readonly isPin?: PinCheck;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}
