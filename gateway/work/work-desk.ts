/**
 * The desk at which everybody's work comes together: a session machine a handset, one chooser, the store, the clock. Whoever has
 * keys, hooks and calls tells it; what is to be played, dialled and ended it tells the seam. It dials by a contact's token
 * alone: the number is unsealed where the trunk's leg is made, and nowhere else.
 */
import { Temporal } from 'temporal-polyfill';
import type { Disposition, Language } from '../../config/schema/types.generated.js';
import type { EventDraft } from '../calls/ports.js';
import type { Timer } from '../clock/clock.js';
import type { HandsetId } from '../policy/ids.js';
import { ZoneClock } from '../policy/zone-clock.js';
import { chosenContact } from './chosen.js';
import { ContactBook } from './contact-book.js';
import { type Fate, fateOf, isNight, silenceAfter } from './dispositions.js';
import { Reception } from './reception.js';
import { step } from './session-machine.js';
import type { ChosenContact, ContactCallEnd, SessionEffect, SessionEvent, SessionState } from './session-state.js';
import { WaitingLine } from './waiting-line.js';
import type { WorkDeskOptions } from './work-seam.js';

interface Handset {
  readonly id: HandsetId;
  state: SessionState;
  readonly timers: Map<string, Timer>;
  /** The person's hours end. */
  leave?: Timer;
}

/** How often new contacts, due call-backs and suspensions are looked for, milliseconds. */
const LOOK_EVERY_MS = 15_000;
const LOAD_AT_ONCE = 2_000;
/** Long enough for the last sentence to be heard, milliseconds. */
const CLOSE_MS = 15_000;

export class WorkDesk {
  readonly #book: ContactBook;
  readonly #handsets = new Map<HandsetId, Handset>();
  readonly #waiting = new WaitingLine<HandsetId>();
  readonly #reception: Reception;
  #lastRef = 0;
  #looking: Timer | undefined;

  constructor(private readonly options: WorkDeskOptions) {
    this.#book = new ContactBook(options.hours);
    this.#reception = new Reception(options);
  }

  /** Closes what an earlier process left open, and takes in campaigns and contacts. Throws when the disk cannot be read. */
  start(): void {
    const { store, clock } = this.options;
    const nowMs = this.#nowMs();
    const at = clock.wall().toString();
    for (const { session, person, handset } of store.openSessions()) {
      const data = { session, person, handset, at, activity: 'signed-off', why: 'restarted' };
      store.append([{ kind: 'event', type: 'balise.work.activity', data }]);
    }
    for (const campaign of store.campaigns()) this.#book.putCampaign(campaign);
    for (const { ref, token, campaign, attempts, batch } of store.heldContacts()) {
      // It may have been a refusal: nobody can say, so it is over.
      const days = this.#book.campaign(campaign)?.silenceDays ?? 60;
      const data = {
        session: this.options.newId(),
        person: 'nobody',
        campaign,
        contact: token,
        disposition: 'undisposed',
        at,
        attempts,
      };
      const event: EventDraft = {
        kind: 'event',
        type: 'balise.work.contact',
        data: { ...data, ...(batch !== undefined && { batch }) },
      };
      const silentUntilMs = nowMs + days * 86_400_000;
      store.settle(ref, { isOver: true, outcome: 'undisposed', readyMs: 0, isCallBack: false, silentUntilMs }, [event]);
    }
    for (const { callee, untilMs } of store.silences()) this.#book.silence(callee, untilMs);
    this.#load();
    this.#lookLater();
  }

  stop(): void {
    this.#looking?.cancel();
    for (const handset of this.#handsets.values()) {
      this.#tell(handset, { type: 'leave', why: 'window-ended' });
      for (const timer of handset.timers.values()) timer.cancel();
      handset.leave?.cancel();
    }
  }

  /** The state of a handset's session, for those who watch. */
  stateOf(handset: HandsetId): SessionState {
    return this.#handsets.get(handset)?.state ?? { at: 'idle' };
  }

  /** Somebody listens at a handset, and wants to work. */
  opened(handset: HandsetId): void {
    this.#tell(this.#of(handset), { type: 'opened' });
  }

  /** A key, wherever it came from: RFC 4733, INFO, a line card. */
  digit(handset: HandsetId, digit: string): void {
    if (/^[0-9*#]$/.test(digit)) this.#tell(this.#of(handset), { type: 'digit', digit });
  }

  hookOn(handset: HandsetId): void {
    this.#tell(this.#of(handset), { type: 'hook-on' });
  }

  answered(handset: HandsetId, token: string): void {
    this.#tell(this.#of(handset), { type: 'answered', token });
  }

  ended(handset: HandsetId, token: string, how: ContactCallEnd): void {
    this.#tell(this.#of(handset), { type: 'ended', token, how });
  }

  #of(id: HandsetId): Handset {
    const known = this.#handsets.get(id) ?? { id, state: { at: 'idle' }, timers: new Map() };
    this.#handsets.set(id, known);
    return known;
  }

  #tell(handset: Handset, event: SessionEvent): void {
    const { clock, bootId } = this.options;
    const now = { wall: clock.wall(), monotonicNs: clock.monotonicNs(), bootId };
    const { state, effects } = step(handset.state, event, now);
    handset.state = state;
    this.#closeWhenBarred(handset);
    if (state.at === 'no-work') this.#waiting.join(handset.id);
    else this.#waiting.leave(handset.id);
    for (const effect of effects) {
      try {
        this.#run(handset, effect);
      } catch (fault) {
        // The session goes on: what the disk has not taken is an alarm, and is made good by a correction.
        this.options.log.error({ event: 'work.effect-failed', handset: handset.id, do: effect.do, err: fault });
        this.options.seam.alarm('work.fault', `${effect.do} failed at ${handset.id}`, handset.id);
      }
    }
  }

  #closeWhenBarred({ id, state, timers }: Handset): void {
    if (state.at === 'barred' && timers.has('close')) return;
    timers.get('close')?.cancel();
    timers.delete('close');
    if (state.at !== 'barred') return;
    const { clock, seam } = this.options;
    timers.set(
      'close',
      clock.after(CLOSE_MS, () => seam.close?.(id)),
    );
  }

  #run(handset: Handset, effect: SessionEffect): void {
    const { seam, clock, store } = this.options;
    const { id } = handset;
    switch (effect.do) {
      case 'play':
        seam.play(id, effect.prompts, this.#languageOf(handset), effect.until);
        return;
      case 'hush':
        seam.hush(id);
        return;
      case 'set-timer': {
        const { timer, afterMs } = effect;
        handset.timers.get(timer)?.cancel();
        handset.timers.set(
          timer,
          clock.after(afterMs, () => this.#tell(handset, { type: 'timer', timer })),
        );
        return;
      }
      case 'cancel-timer':
        handset.timers.get(effect.timer)?.cancel();
        return;
      case 'check':
        this.#check(handset, effect);
        return;
      case 'choose':
        this.#choose(handset, effect.person);
        return;
      case 'give-back':
        this.#book.settle(effect.contact.ref, { is: 'again', notBeforeMs: this.#nowMs() }, this.#nowMs());
        this.#wake();
        return;
      case 'dial':
        this.#dial(handset, effect.contact);
        return;
      case 'end-call':
        seam.endCall(id);
        return;
      case 'dispose':
        this.#dispose(handset, effect);
        return;
      case 'event':
        store.append([{ kind: 'event', type: 'balise.work.activity', data: { ...effect.data, handset: id } }]);
        this.options.log.info({ event: 'work.activity', handset: id, activity: effect.data.activity });
        return;
      case 'alarm':
        seam.alarm(effect.code, effect.message, id);
        return;
      case 'release':
        handset.leave?.cancel();
        this.#reception.release(effect.session);
        return;
    }
  }

  #languageOf({ state }: Handset): Language {
    const session = 'session' in state ? state.session : undefined;
    return session?.language ?? this.options.siteLanguage;
  }

  #check(handset: Handset, { check, code, pin, resuming }: Extract<SessionEffect, { do: 'check' }>): void {
    const { seam, log } = this.options;
    this.#reception.check({ handset: handset.id, code, pin, ...(resuming !== undefined && { resuming }) }).then(
      ({ verdict, alarms, leavesAtMs }) => {
        for (const { code: alarm, message } of alarms) seam.alarm(alarm, message, handset.id);
        this.#tell(handset, { type: 'checked', check, verdict });
        if (verdict.ok && leavesAtMs !== undefined) this.#leaveAt(handset, leavesAtMs);
      },
      (fault: unknown) => {
        log.error({ event: 'work.check-failed', handset: handset.id, err: fault });
        this.#tell(handset, { type: 'checked', check, verdict: { ok: false, why: 'fault' } });
      },
    );
  }

  /** The session ends with the person's hours. */
  #leaveAt(handset: Handset, atMs: number): void {
    handset.leave?.cancel();
    this.options.seam.leavesAt?.(handset.id, Temporal.Instant.fromEpochMilliseconds(Math.floor(atMs)));
    const leftMs = Math.min(86_400_000, Math.max(0, atMs - this.#nowMs()));
    handset.leave = this.options.clock.after(leftMs, () => {
      if (this.#nowMs() < atMs) this.#leaveAt(handset, atMs);
      else this.#tell(handset, { type: 'leave', why: 'window-ended' });
    });
  }

  #choose(handset: Handset, personId: string): void {
    const person = this.options.store.person(personId);
    if (person === undefined) {
      this.#tell(handset, { type: 'nothing' });
      return;
    }
    const choice = this.#book.choose(person, this.#nowMs());
    if (choice.is === 'contact') {
      const stored = this.options.store.sealed(choice.ref);
      if (stored === undefined || stored.isReturned === true) {
        // It went back to headquarters with its batch.
        this.#book.settle(choice.ref, { is: 'over' }, this.#nowMs());
        this.#choose(handset, personId);
        return;
      }
      this.#tell(handset, { type: 'chosen', contact: chosenContact(choice, stored.token) });
      return;
    }
    const { opensMs } = choice;
    const opens = opensMs === undefined ? {} : { opensAt: Temporal.Instant.fromEpochMilliseconds(Math.ceil(opensMs)) };
    this.#tell(handset, { type: 'nothing', ...opens });
  }

  /** The attempt is on disk before anything rings: a crash makes no attempt uncounted. */
  #dial(handset: Handset, { ref, token, campaign: id, zones, isAgreed = false }: ChosenContact): void {
    const { store, seam, log } = this.options;
    const campaign = this.#book.campaign(id);
    const { state } = handset;
    if (campaign === undefined || !('session' in state)) return;
    try {
      store.attempt(ref, this.#book.attempt(ref, this.#nowMs()));
    } catch (fault) {
      log.error({ event: 'work.attempt-not-stored', contact: token, err: fault });
      this.#tell(handset, { type: 'ended', token, how: 'not-called' });
      return;
    }
    const [zone] = zones;
    const calleeZone = zone !== undefined && zones.length === 1 ? { calleeZone: zone } : {};
    seam.dial({ handset: handset.id, person: state.session.person, ref, token, campaign, isAgreed, ...calleeZone });
  }

  #dispose(
    handset: Handset,
    { session, contact, disposition, callBackMs }: Extract<SessionEffect, { do: 'dispose' }>,
  ): void {
    const { store, clock } = this.options;
    const nowMs = this.#nowMs();
    const stored = store.sealed(contact.ref);
    const campaign = this.#book.campaign(contact.campaign);
    if (stored === undefined || campaign === undefined) throw new Error(`contact ${contact.token} is not on disk`);
    const { attempts, callee, batch } = stored;
    const { most, spacingS } = campaign.attempts;
    const facts = { attempts, mostAttempts: most, spacingMs: spacingS * 1_000 };
    const night = disposition === 'night-here' ? { nightZones: this.#nightZones(contact, nowMs) } : {};
    const fate = fateOf(disposition, { ...facts, ...night, ...(callBackMs !== undefined && { callBackMs }) }, nowMs);
    const silenceMs = silenceAfter(disposition, campaign.silenceDays);
    const silentUntilMs =
      silenceMs === 'for-good' ? Number.POSITIVE_INFINITY : silenceMs === undefined ? undefined : nowMs + silenceMs;
    if (silentUntilMs !== undefined) this.#book.silence(callee, silentUntilMs);
    const readyMs = this.#book.settle(contact.ref, fate, nowMs);
    const data = {
      session: session.id,
      person: session.person,
      campaign: contact.campaign,
      contact: contact.token,
      disposition,
      at: clock.wall().toString(),
      attempts,
      ...(batch !== undefined && { batch }),
      ...(fate.is === 'again' && fate.zones !== undefined && { zones: fate.zones }),
      ...(callBackMs !== undefined && {
        callBackAt: Temporal.Instant.fromEpochMilliseconds(Math.ceil(callBackMs)).toString(),
      }),
    };
    store.settle(contact.ref, settlement(fate, disposition, readyMs, silentUntilMs), [
      { kind: 'event', type: 'balise.work.contact', data },
    ]);
    this.options.seam.disposed?.({ ref: contact.ref, disposition, person: session.person });
    this.options.log.info({ event: 'work.contact', handset: handset.id, contact: contact.token, disposition });
    this.#wake();
  }

  /** The zones of the contact, else of its country, in which it is night now. */
  #nightZones(contact: ChosenContact, nowMs: number): readonly string[] {
    const isDark = (zone: string) => isNight(Math.floor((nowMs + ZoneClock.of(zone).offsetAt(nowMs)) / 60_000) % 1_440);
    const own = contact.zones.filter(isDark);
    return own.length > 0 ? own : this.options.zonesOfCountry(contact.country).filter(isDark);
  }

  /** Offers work to those who wait for it, longest first, as far as there is any. */
  #wake(): void {
    for (const id of this.#waiting.all()) {
      const handset = this.#handsets.get(id);
      if (handset?.state.at !== 'no-work') continue;
      const person = this.options.store.person(handset.state.session.person);
      if (person !== undefined && this.#book.hasWork(person, this.#nowMs()))
        this.#tell(handset, { type: 'work-available' });
    }
  }

  /** New contacts and campaigns, from whichever process took them. */
  #load(): void {
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

  /** Takes in what is new on disk, and offers work to those who wait. Never throws. */
  look(): void {
    try {
      this.#load();
      for (const handset of this.#handsets.values()) {
        if (!('session' in handset.state)) continue;
        const person = this.options.store.person(handset.state.session.person);
        if (person === undefined || person.suspended) this.#tell(handset, { type: 'leave', why: 'suspended' });
      }
      this.#wake();
    } catch (fault) {
      this.options.log.error({ event: 'work.look-failed', err: fault });
    }
  }

  #lookLater(): void {
    this.#looking = this.options.clock.after(LOOK_EVERY_MS, () => {
      this.look();
      this.#lookLater();
    });
  }

  #nowMs(): number {
    return this.options.clock.wall().epochMilliseconds;
  }
}

function settlement(
  fate: Fate,
  disposition: Disposition,
  readyMs: number | undefined,
  silentUntilMs: number | undefined,
) {
  return {
    isOver: fate.is === 'over',
    outcome: disposition,
    readyMs: readyMs ?? 0,
    isCallBack: fate.is === 'call-back',
    ...(fate.is === 'again' && fate.zones !== undefined && { zones: fate.zones }),
    ...(silentUntilMs !== undefined && { silentUntilMs }),
  };
}
