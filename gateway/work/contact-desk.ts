/**
 * The contacts that a desk works through: the chooser in memory and its rows on disk, kept as one. An attempt is on disk before
 * anything rings, and what became of a contact is on disk with the event that says so.
 */
import { Temporal } from 'temporal-polyfill';
import type { Campaign, Disposition, Person } from '../../config/schema/types.generated.js';
import type { EventDraft } from '../calls/ports.js';
import { ZoneClock } from '../policy/zone-clock.js';
import { chosenContact } from './chosen.js';
import { ContactBook } from './contact-book.js';
import { type Fate, fateOf, isNight, silenceAfter } from './dispositions.js';
import type { SealedContact, Settlement } from './ports.js';
import type { ChosenContact, SessionEffect } from './session-state.js';
import type { WorkDeskOptions } from './work-seam.js';

const LOAD_AT_ONCE = 2_000;
const DAY_MS = 86_400_000;
/** Of a campaign that is gone. */
const SILENCE_DAYS = 60;

export type ContactDeskOptions = Pick<
  WorkDeskOptions,
  'clock' | 'store' | 'hours' | 'zonesOfCountry' | 'about' | 'newId'
>;

export type NextContact =
  | { readonly is: 'contact'; readonly contact: ChosenContact }
  | { readonly is: 'nothing'; readonly opensAt?: Temporal.Instant };

export class ContactDesk {
  readonly #book: ContactBook;
  #lastRef = 0;

  constructor(private readonly options: ContactDeskOptions) {
    this.#book = new ContactBook(options.hours);
  }

  /** Takes in everything, and ends what an earlier process was calling. Throws when the disk cannot be read. */
  start(): void {
    const { store } = this.options;
    for (const campaign of store.campaigns()) this.#book.putCampaign(campaign);
    for (const contact of store.heldContacts()) this.#endHeld(contact);
    for (const { callee, untilMs } of store.silences()) this.#book.silence(callee, untilMs);
    this.load();
  }

  /** New contacts and campaigns, from whichever process took them. */
  load(): void {
    const { store } = this.options;
    for (const campaign of store.campaigns()) {
      const known = this.#book.campaign(campaign.id);
      if (known === undefined || JSON.stringify(known) !== JSON.stringify(campaign)) this.#book.putCampaign(campaign);
    }
    for (;;) {
      const contacts = store.contacts(this.#lastRef, LOAD_AT_ONCE);
      const last = contacts.at(-1);
      if (last === undefined) return;
      for (const contact of contacts) this.#book.add(contact, this.#nowMs());
      this.#lastRef = last.ref;
    }
  }

  hasWork(person: Person): boolean {
    return this.#book.hasWork(person, this.#nowMs());
  }

  /** The next contact for somebody, held until it is given back or disposed of. */
  choose(person: Person): NextContact {
    for (;;) {
      const choice = this.#book.choose(person, this.#nowMs());
      if (choice.is !== 'contact') {
        const { opensMs } = choice;
        return { is: 'nothing', ...(opensMs !== undefined && { opensAt: instant(opensMs) }) };
      }
      const stored = this.options.store.sealed(choice.ref);
      if (stored !== undefined && stored.isReturned !== true) {
        return { is: 'contact', contact: chosenContact(choice, stored.token) };
      }
      // It went back to headquarters with its batch.
      this.#book.settle(choice.ref, { is: 'over' }, this.#nowMs());
    }
  }

  /** A choice that came too late: the contact was never called. */
  giveBack({ ref }: ChosenContact): void {
    this.#book.settle(ref, { is: 'again', notBeforeMs: this.#nowMs() }, this.#nowMs());
  }

  /** Counts an attempt at a contact in hand; gives its campaign. Throws when the disk does not take it: nothing may ring then. */
  attempt({ ref, campaign }: ChosenContact): Campaign {
    const known = this.#book.campaign(campaign);
    if (known === undefined) throw new Error(`there is no campaign ${campaign}`);
    this.options.store.attempt(ref, this.#book.attempt(ref, this.#nowMs()));
    return known;
  }

  /** What became of a contact in hand. Throws when the disk does not take it. */
  dispose(effect: Extract<SessionEffect, { do: 'dispose' }>): void {
    const { session, contact, disposition, callBackMs, refusal } = effect;
    const { store } = this.options;
    const nowMs = this.#nowMs();
    const stored = store.sealed(contact.ref);
    const campaign = this.#book.campaign(contact.campaign);
    if (stored === undefined || campaign === undefined) throw new Error(`contact ${contact.token} is not on disk`);
    const { most, spacingS } = campaign.attempts;
    const facts = { attempts: stored.attempts, mostAttempts: most, spacingMs: spacingS * 1_000 };
    const night = disposition === 'night-here' ? { nightZones: this.#nightZones(contact, nowMs) } : {};
    const said = { ...(callBackMs !== undefined && { callBackMs }), ...(refusal !== undefined && { refusal }) };
    const fate = fateOf(disposition, { ...facts, ...night, ...said }, nowMs);
    const isUncounted = fate.is === 'again' && fate.isUncounted === true;
    const counts = isUncounted ? this.#book.uncount(contact.ref) : undefined;
    const silenceMs = silenceAfter(disposition, campaign.silenceDays);
    const silentUntilMs =
      silenceMs === 'for-good' ? Number.POSITIVE_INFINITY : silenceMs === undefined ? undefined : nowMs + silenceMs;
    if (silentUntilMs !== undefined) this.#book.silence(stored.callee, silentUntilMs);
    const readyMs = this.#book.settle(contact.ref, fate, nowMs);
    const { id, person } = session;
    const zones = fate.is === 'again' ? fate.zones : undefined;
    const event = this.#event({ ...stored, ...counts }, { session: id, person, disposition, callBackMs, zones });
    const settled = settlement(fate, disposition, readyMs, silentUntilMs);
    store.settle(contact.ref, { ...settled, ...(counts !== undefined && { counts }) }, [event]);
  }

  /** It may have been a refusal: nobody can say, so it is over. */
  #endHeld(contact: SealedContact & { readonly ref: number }): void {
    const { store, newId } = this.options;
    const days = this.#book.campaign(contact.campaign)?.silenceDays ?? SILENCE_DAYS;
    const event = this.#event(contact, { session: newId(), person: 'nobody', disposition: 'undisposed' });
    const silentUntilMs = this.#nowMs() + days * DAY_MS;
    const ended = { isOver: true, outcome: 'undisposed', readyMs: 0, isCallBack: false, silentUntilMs };
    store.settle(contact.ref, ended, [event]);
  }

  #event(
    stored: SealedContact,
    said: {
      session: string;
      person: string;
      disposition: Disposition;
      callBackMs?: number | undefined;
      zones?: readonly string[] | undefined;
    },
  ): EventDraft {
    const { campaign, token, attempts, batch } = stored;
    const { session, person, disposition, callBackMs, zones } = said;
    const at = this.options.clock.wall().toString();
    const data = {
      ...{ session, person, campaign, contact: token, disposition, at, attempts },
      ...this.options.about?.(stored),
      ...(batch !== undefined && { batch }),
      ...(zones !== undefined && { zones }),
      ...(callBackMs !== undefined && { callBackAt: instant(callBackMs).toString() }),
    };
    return { kind: 'event', type: 'balise.work.contact', data };
  }

  /** The zones of the contact, else of its country, in which it is night now. */
  #nightZones({ zones, country }: ChosenContact, nowMs: number): readonly string[] {
    const isDark = (zone: string) => isNight(Math.floor((nowMs + ZoneClock.of(zone).offsetAt(nowMs)) / 60_000) % 1_440);
    const own = zones.filter(isDark);
    return own.length > 0 ? own : this.options.zonesOfCountry(country).filter(isDark);
  }

  #nowMs(): number {
    return this.options.clock.wall().epochMilliseconds;
  }
}

const instant = (ms: number): Temporal.Instant => Temporal.Instant.fromEpochMilliseconds(Math.ceil(ms));

function settlement(
  fate: Fate,
  disposition: Disposition,
  readyMs: number | undefined,
  silentUntilMs: number | undefined,
): Settlement {
  return {
    isOver: fate.is === 'over',
    outcome: disposition,
    readyMs: readyMs ?? 0,
    isCallBack: fate.is === 'call-back',
    ...(fate.is === 'again' && fate.zones !== undefined && { zones: fate.zones }),
    ...(silentUntilMs !== undefined && { silentUntilMs }),
  };
}
