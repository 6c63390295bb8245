/** What work needs of the rest of the house. Drivers implement these; the gateway's root joins them. */
import type { Campaign, Language, Person } from '../../config/schema/types.generated.js';
import type { EventDraft } from '../calls/ports.js';
import type { BookContact } from './contact-book.js';
import type { OwnTimes, Place } from './contact-hours.js';
import type { Failures } from './lockout.js';
import type { WorkEvent } from './pay.js';

/** A contact as it comes in: from a file, or lent by headquarters. */
export interface NewContact {
  readonly campaign: string;
  readonly token: string;
  /** 52 bits of a keyed hash of the number. */
  readonly callee: number;
  /** The number, sealed under the key of the data folder. */
  readonly sealed: Buffer;
  readonly language: Language;
  readonly place: Place;
  readonly times: OwnTimes;
  readonly priority: number;
  readonly attempts?: number;
  readonly readyMs?: number;
  readonly batch?: string;
  readonly lentUntilMs?: number;
}

/** What the trunk leg, and nobody else, needs of a contact. */
export interface SealedContact {
  readonly token: string;
  readonly campaign: string;
  readonly callee: number;
  readonly sealed: Buffer;
  readonly language: Language;
  readonly attempts: number;
  readonly batch?: string;
  /** It went back to headquarters: nobody calls it from here. */
  readonly isReturned?: boolean;
}

/** What became of a contact, as it is written down. */
export interface Settlement {
  readonly isOver: boolean;
  readonly outcome: string;
  readonly readyMs: number;
  readonly isCallBack: boolean;
  readonly zones?: readonly string[];
  /** Its attempts, where they are other than they were. */
  readonly counts?: { readonly attempts: number; readonly dayAttempts: number };
  /** Nobody calls the callee before this; infinite: never again. */
  readonly silentUntilMs?: number;
}

export interface Batch {
  readonly id: string;
  readonly campaign: string;
  readonly expiresMs: number;
}

/** The disk, as work asks it. Each writing method is one transaction past fsync, with its events; it throws when the disk cannot take it. */
export interface WorkStore {
  /** Whether another process has written anything since this was asked last. */
  isChanged(): boolean;
  campaigns(): readonly Campaign[];
  putCampaign(campaign: Campaign, events?: readonly EventDraft[]): void;
  people(): readonly Person[];
  person(id: string): Person | undefined;
  personByCode(code: string): Person | undefined;
  putPerson(person: Person): void;
  failures(kind: 'code' | 'handset', id: string): Failures;
  setFailures(kind: 'code' | 'handset', id: string, failures: Failures): void;
  /** Contacts that may still be called, those after a row, in the order of rows. */
  contacts(afterRef: number, limit: number): readonly BookContact[];
  /** Adds contacts; one whose token the campaign has already is left as it is. Returns how many were new. */
  addContacts(contacts: readonly NewContact[], events?: readonly EventDraft[]): number;
  /** The same for an import: a power cut may undo the last of it, until the next write that is past fsync. */
  addMany(contacts: readonly NewContact[]): number;
  sealed(ref: number): SealedContact | undefined;
  /** Before it is dialled: held, and counted as an attempt. */
  attempt(ref: number, counts: { attempts: number; dayAttempts: number; dayEndsMs: number }): void;
  settle(ref: number, settlement: Settlement, events: readonly EventDraft[]): void;
  /** Contacts that were held when the process ended. */
  heldContacts(): readonly (SealedContact & { readonly ref: number })[];
  silences(): Iterable<{ readonly callee: number; readonly untilMs: number }>;
  /** Batches that are neither given back nor refused. */
  openBatches(): readonly Batch[];
  /** Takes a batch with its contacts; false, and nothing is written, when it was taken or refused before. */
  takeBatch(batch: Batch, contacts: readonly NewContact[], events: readonly EventDraft[]): boolean;
  /** Keeps it in mind that a batch is not wanted, so that it is never taken; false when it was taken or refused before. */
  refuseBatch(batch: Batch, events: readonly EventDraft[]): boolean;
  /** Contacts of a campaign on loan here that may still be called. */
  lentContacts(campaign: string): number;
  /** Whether a campaign has a contact here, other than one that was given back. */
  hasContact(campaign: string, token: string): boolean;
  /** Of a batch: the contacts that nothing has ended. */
  unused(batch: string): readonly { readonly token: string; readonly attempts: number; readonly readyMs: number }[];
  /** Closes a batch: its open contacts are called no more by this gateway. */
  closeBatch(batch: string, events: readonly EventDraft[]): void;
  /** The events that statements rest on, of one person, from an instant on; epoch milliseconds. */
  workEvents(person: string, fromMs: number, toMs: number): Iterable<WorkEvent>;
  /** Sessions that no sign-off closed. */
  openSessions(): readonly OpenSession[];
  append(events: readonly EventDraft[]): void;
  /** How calls to contacts went since an instant, by the hour; epoch milliseconds. */
  outcomes(fromMs: number): readonly OutcomeCount[];
  scores(fromMs: number): readonly ScoreMean[];
}

/** How often something came of calls in an hour of the clock. */
export interface OutcomeCount {
  /** When the hour begins, epoch milliseconds. */
  readonly hourMs: number;
  readonly campaign: string;
  /** Empty: it was not told. */
  readonly language: string;
  readonly outcome: string;
  /** Of contacts that try the work: never summed with the others. */
  readonly isMystery: boolean;
  readonly calls: number;
}

/** What the scored calls of a campaign came to, by criterion. */
export interface ScoreMean {
  readonly campaign: string;
  readonly criterion: string;
  readonly calls: number;
  /** 0 to 5. */
  readonly mean: number;
}

export interface OpenSession {
  readonly session: string;
  readonly person: string;
  readonly handset: string;
  readonly activity: string;
}
