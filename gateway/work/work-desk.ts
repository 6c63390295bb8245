/**
 * The desk at which everybody's work comes together: a session machine a handset, one chooser, the store, the clock. Whoever has
 * keys, hooks and calls tells it; what is to be played, dialled and ended it tells the seam. It dials by a contact's token
 * alone: the number is unsealed where the trunk's leg is made, and nowhere else.
 */
import type { Temporal } from 'temporal-polyfill';
import type { Language } from '../../config/schema/types.generated.js';
import type { Timer } from '../clock/clock.js';
import type { HandsetId } from '../policy/ids.js';
import { ContactDesk } from './contact-desk.js';
import { CLOSE_MS, DeskHours } from './desk-hours.js';
import { KeyRun } from './key-run.js';
import { Reception } from './reception.js';
import { step } from './session-machine.js';
import type {
  ChosenContact,
  ContactCallEnd,
  EndWhy,
  SessionEffect,
  SessionEvent,
  SessionState,
} from './session-state.js';
import { WaitingLine } from './waiting-line.js';
import type { WorkDeskOptions, WorkSeam } from './work-seam.js';

interface Handset {
  readonly id: HandsetId;
  state: SessionState;
  readonly timers: Map<string, Timer>;
  readonly keys: KeyRun;
  /** In which whoever is signed on is spoken to, to the last word. */
  language?: Language | undefined;
}

/** How often new contacts and due call-backs are looked for, milliseconds. */
const LOOK_EVERY_MS = 15_000;
/** While somebody is signed on: how often it is asked whether another process has changed anything, milliseconds. */
const GLANCE_EVERY_MS = 250;
const LONGEST_WAIT_MS = 86_400_000;

export class WorkDesk {
  readonly #contacts: ContactDesk;
  readonly #handsets = new Map<HandsetId, Handset>();
  readonly #waiting = new WaitingLine<HandsetId>();
  readonly #reception: Reception;
  readonly #hours: DeskHours;
  #looking: Timer | undefined;
  #glancing: Timer | undefined;

  constructor(private readonly options: WorkDeskOptions) {
    this.#contacts = new ContactDesk(options);
    this.#reception = new Reception(options);
    this.#hours = new DeskHours({
      ...options,
      listens: (id, to) => options.seam.leavesAt?.(id, to),
      leave: (id, why) => this.#tell(this.#of(id), { type: 'leave', why }),
      over: (id) => this.#closeUnlessAnybody(this.#of(id)),
    });
  }

  /** Closes what an earlier process left open, and takes in campaigns and contacts. Throws when the disk cannot be read. */
  start(): void {
    const { store, clock } = this.options;
    const at = clock.wall().toString();
    for (const { session, person, handset } of store.openSessions()) {
      const data = { session, person, handset, at, activity: 'signed-off', why: 'restarted' };
      store.append([{ kind: 'event', type: 'balise.work.activity', data }]);
    }
    this.#contacts.start();
    this.#lookLater();
  }

  stop(): void {
    this.#looking?.cancel();
    this.#glancing?.cancel();
    for (const handset of this.#handsets.values()) {
      this.#tell(handset, { type: 'leave', why: 'window-ended' });
      for (const timer of handset.timers.values()) timer.cancel();
    }
    this.#hours.stop();
  }

  /**
   * How long the desk is to listen at a handset after its hours: for as long as it may take to say how a call went, milliseconds. `untilMs`:
   * somebody's time there is over already, and the desk listens until then, epoch milliseconds.
   */
  wrapUpAt(id: HandsetId): { readonly forMs: number; readonly untilMs?: number } {
    const state = this.stateOf(id);
    const untilMs = this.#hours.listensToMs(id);
    const isLeaving = state.at === 'barred' || sessionHeld(state)?.leaving !== undefined;
    return { forMs: this.#hours.wrapUpMs(), ...(isLeaving && untilMs !== undefined && { untilMs }) };
  }

  /** The state of a handset's session, for those who watch. */
  stateOf(handset: HandsetId): SessionState {
    return this.#handsets.get(handset)?.state ?? { at: 'idle' };
  }

  /** Somebody listens at a handset, and wants to work. */
  opened(handset: HandsetId): void {
    this.#tell(this.#of(handset), { type: 'opened' });
    this.#hours.opened(handset);
  }

  /** A key, wherever it came from: RFC 4733, INFO, a line card. */
  digit(handset: HandsetId, digit: string): void {
    if (!/^[0-9*#]$/.test(digit)) return;
    const at = this.#of(handset);
    if (at.keys.isNumber(digit, this.options.clock.monotonicNs())) {
      this.#refused(handset, 'number-keyed');
      const message = `as many digits as a number has were keyed at ${handset}; keys dial nothing`;
      this.options.seam.alarm('work.number-keyed', message, handset);
    }
    this.#tell(at, { type: 'digit', digit });
  }

  hookOn(handset: HandsetId): void {
    this.#tell(this.#of(handset), { type: 'hook-on' });
  }

  answered(handset: HandsetId, token: string): void {
    this.#tell(this.#of(handset), { type: 'answered', token });
  }

  ended(handset: HandsetId, token: string, how: ContactCallEnd, why: EndWhy = {}): void {
    this.#tell(this.#of(handset), { type: 'ended', token, how, ...why });
  }

  #refused(handset: HandsetId, why: Parameters<NonNullable<WorkSeam['refused']>>[0]): void {
    this.options.seam.refused?.(why);
    this.options.log.info({ event: 'work.refused', handset, why });
  }

  #of(id: HandsetId): Handset {
    const known = this.#handsets.get(id) ?? { id, state: { at: 'idle' }, timers: new Map(), keys: new KeyRun() };
    this.#handsets.set(id, known);
    return known;
  }

  #tell(handset: Handset, event: SessionEvent): void {
    const { clock, bootId } = this.options;
    const now = { wall: clock.wall(), monotonicNs: clock.monotonicNs(), bootId };
    const { state, effects } = step(handset.state, event, now);
    handset.state = state;
    if (state.at === 'idle' || state.at === 'code') this.#hours.forgotten(handset.id);
    const isLastWord = state.at === 'barred' || state.at === 'pin' || state.at === 'checking';
    handset.language = sessionOf(state)?.language ?? (isLastWord ? handset.language : undefined);
    this.#closeWhenBarred(handset);
    this.#glanceWhileWorking();
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
        seam.play(id, effect.prompts, handset.language ?? this.options.siteLanguage, effect.until);
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
        this.#contacts.giveBack(effect.contact);
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
        seam.doing?.(id, effect.data);
        store.append([{ kind: 'event', type: 'balise.work.activity', data: { ...effect.data, handset: id } }]);
        this.options.log.info({ event: 'work.activity', handset: id, activity: effect.data.activity });
        return;
      case 'alarm':
        seam.alarm(effect.code, effect.message, id);
        return;
      case 'release':
        this.#hours.released(id);
        this.#reception.release(effect.session);
        return;
    }
  }

  #check(handset: Handset, { check, code, pin, resuming }: Extract<SessionEffect, { do: 'check' }>): void {
    const { seam, log } = this.options;
    this.#reception.check({ handset: handset.id, code, pin, ...(resuming !== undefined && { resuming }) }).then(
      ({ verdict, alarms, leavesAtMs }) => {
        if (!verdict.ok) this.#refused(handset.id, verdict.why);
        for (const { code: alarm, message } of alarms) seam.alarm(alarm, message, handset.id);
        this.#tell(handset, { type: 'checked', check, verdict });
        if (verdict.ok && leavesAtMs !== undefined) this.#hours.leaveAt(handset.id, leavesAtMs);
      },
      (fault: unknown) => {
        log.error({ event: 'work.check-failed', handset: handset.id, err: fault });
        this.#tell(handset, { type: 'checked', check, verdict: { ok: false, why: 'fault' } });
      },
    );
  }

  /** Nobody keeps the desk open after the handset's hours who has not worked in them. */
  #closeUnlessAnybody({ id, state }: Handset): void {
    if (state.at !== 'barred' && sessionHeld(state) === undefined) this.options.seam.close?.(id);
  }

  #choose(handset: Handset, personId: string): void {
    const person = this.options.store.person(personId);
    const next = person === undefined ? ({ is: 'nothing' } as const) : this.#contacts.choose(person);
    if (next.is === 'contact') {
      this.#tell(handset, { type: 'chosen', contact: next.contact });
      return;
    }
    const { opensAt } = next;
    this.#tell(handset, { type: 'nothing', ...(opensAt !== undefined && { opensAt }) });
    if (opensAt !== undefined) this.#wakeAt(handset, opensAt);
  }

  /** A call-back is due at its instant, and not at the next look. */
  #wakeAt({ timers }: Handset, at: Temporal.Instant): void {
    const leftMs = Math.min(LONGEST_WAIT_MS, Math.max(1, at.epochMilliseconds - this.#nowMs()));
    timers.get('opens')?.cancel();
    timers.set(
      'opens',
      this.options.clock.after(leftMs, () => this.#wake()),
    );
  }

  /** The attempt is on disk before anything rings: a crash makes no attempt uncounted. */
  #dial(handset: Handset, contact: ChosenContact): void {
    const { seam, log } = this.options;
    const { ref, token, zones, language, isAgreed = false } = contact;
    const { state } = handset;
    if (!('session' in state)) return;
    const { person } = state.session;
    try {
      const campaign = this.#contacts.attempt(contact);
      const [zone] = zones;
      const calleeZone = zone !== undefined && zones.length === 1 ? { calleeZone: zone } : {};
      seam.dial({ handset: handset.id, person, ref, token, campaign, language, isAgreed, ...calleeZone });
    } catch (fault) {
      log.error({ event: 'work.attempt-not-stored', contact: token, err: fault });
      this.#tell(handset, { type: 'ended', token, how: 'not-called' });
    }
  }

  #dispose(handset: Handset, effect: Extract<SessionEffect, { do: 'dispose' }>): void {
    const { seam, log } = this.options;
    const { session, contact, disposition } = effect;
    this.#contacts.dispose(effect);
    seam.disposed?.({ ref: contact.ref, disposition, person: session.person });
    log.info({ event: 'work.contact', handset: handset.id, contact: contact.token, disposition });
    this.#wake();
  }

  /** Offers work to those who wait for it, longest first, as far as there is any. */
  #wake(): void {
    for (const id of this.#waiting.all()) {
      const handset = this.#handsets.get(id);
      if (handset?.state.at !== 'no-work') continue;
      const person = this.options.store.person(handset.state.session.person);
      if (person !== undefined && this.#contacts.hasWork(person)) this.#tell(handset, { type: 'work-available' });
    }
  }

  /**
   * Looks now at what others may have changed: whoever may not work any more is signed off, new contacts are taken in, and
   * whoever waits for work is offered some.
   */
  look(): void {
    try {
      for (const handset of this.#handsets.values()) this.#dismiss(handset);
      this.#contacts.load();
      this.#wake();
    } catch (fault) {
      this.options.log.error({ event: 'work.look-failed', err: fault });
    }
  }

  #dismiss(handset: Handset): void {
    const { store, isLockedOut } = this.options;
    const { state } = handset;
    const session = sessionHeld(state);
    if (session === undefined || session.leaving === 'suspended') return;
    const person = store.person(session.person);
    const isSuspended = person === undefined || person.suspended || isLockedOut?.(session.person) === true;
    if (isSuspended) this.#tell(handset, { type: 'leave', why: 'suspended' });
    if (isSuspended || session.leaving !== undefined) return;
    this.#hours.look(handset.id, person);
  }

  #lookLater(): void {
    this.#looking = this.options.clock.after(this.options.lookEveryMs ?? LOOK_EVERY_MS, () => {
      this.look();
      this.#lookLater();
    });
  }

  #glanceWhileWorking(): void {
    if (this.#glancing !== undefined || !this.#isAnybodyHere()) return;
    this.#glancing = this.options.clock.after(this.options.glanceEveryMs ?? GLANCE_EVERY_MS, () => {
      this.#glancing = undefined;
      if (this.options.store.isChanged()) {
        this.options.seam.changed?.();
        this.look();
      }
      this.#glanceWhileWorking();
    });
  }

  #isAnybodyHere(): boolean {
    for (const { state } of this.#handsets.values()) if ('session' in state) return true;
    return false;
  }

  #nowMs(): number {
    return this.options.clock.wall().epochMilliseconds;
  }
}

/** Of whoever is signed on at a handset, or is to key the PIN again to go on. */
const sessionHeld = (state: SessionState) =>
  state.at === 'pin' || state.at === 'checking' ? state.resuming?.session : sessionOf(state);

const sessionOf = (state: SessionState) => ('session' in state ? state.session : undefined);
