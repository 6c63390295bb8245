/** One handset's session under a watcher: every promise of the machine is checked after every step. */
import { Temporal } from 'temporal-polyfill';
import { personId } from '../../gateway/policy/ids.js';
import { step } from '../../gateway/work/session-machine.js';
import type {
  ChosenContact,
  Now,
  SessionEffect,
  SessionEvent,
  SessionState,
} from '../../gateway/work/session-state.js';
import { aChosen } from './samples.js';

const START = Temporal.Instant.from('2026-03-04T08:00:00Z');
const IN_HAND = ['dialling', 'talking', 'wrap-up', 'owing', 'time-entry'];

export class WatchedSession {
  state: SessionState = { at: 'idle' };
  readonly done: SessionEffect[] = [];
  ms = 0;
  /** What the world owes the session. */
  readonly checks: bigint[] = [];
  readonly asked: number[] = [];
  #contacts = 0;
  /** Contacts that were handed out, by token, with what has become of them. */
  readonly handed = new Map<string, { dialled: number; disposed: number; givenBack: number }>();
  #lastChosen: ChosenContact | undefined;
  #open: { session: string; activity: string; sinceMs: number } | undefined;
  countedMs = 0;
  signedOnMs = 0;

  constructor(private readonly bootId = 'boot-1') {}

  get now(): Now {
    return {
      wall: START.add({ milliseconds: this.ms }),
      monotonicNs: BigInt(this.ms) * 1_000_000n,
      bootId: this.bootId,
    };
  }

  wait(ms: number): void {
    this.ms += ms;
  }

  digits(text: string): void {
    for (const digit of text) this.event({ type: 'digit', digit });
  }

  event(event: SessionEvent): void {
    const before = this.state;
    const { state, effects } = step(before, event, this.now);
    this.state = state;
    for (const effect of effects) this.#take(effect, event);
    this.#judge();
  }

  /** The right code and PIN: signed on. */
  accept(): void {
    const check = this.checks.shift();
    if (check === undefined) return;
    const session = `00000000-0000-7000-8000-${String(this.done.length).padStart(12, '0')}`;
    const { rates } = aChosen(0);
    const verdict = {
      ok: true,
      session,
      person: personId('p-1'),
      code: '1234',
      language: 'nl',
      campaign: 'survey',
      rates,
    } as const;
    this.event({ type: 'checked', check, verdict });
  }

  /** The chooser answers. */
  choose(): void {
    if (this.asked.shift() === undefined) return;
    this.#contacts += 1;
    const contact = aChosen(this.#contacts);
    this.handed.set(contact.token, { dialled: 0, disposed: 0, givenBack: 0 });
    if (this.state.at === 'choosing') this.#lastChosen = contact;
    this.event({ type: 'chosen', contact });
  }

  get contact(): ChosenContact | undefined {
    return 'contact' in this.state ? this.state.contact : this.state.at === 'away' ? this.state.owed : undefined;
  }

  #take(effect: SessionEffect, event: SessionEvent): void {
    this.done.push(effect);
    switch (effect.do) {
      case 'check':
        this.checks.push(effect.check);
        return;
      case 'choose':
        this.asked.push(1);
        return;
      case 'dial': {
        if (event.type !== 'chosen') throw new Error(`dialled because of ${event.type}`);
        if (effect.contact !== this.#lastChosen || effect.contact !== event.contact)
          throw new Error('dialled what was not chosen last');
        this.#of(effect.contact).dialled += 1;
        return;
      }
      case 'dispose':
        this.#of(effect.contact).disposed += 1;
        return;
      case 'give-back':
        this.#of(effect.contact).givenBack += 1;
        return;
      case 'event':
        this.#count(effect);
        return;
      default:
        return;
    }
  }

  #of(contact: ChosenContact): { dialled: number; disposed: number; givenBack: number } {
    const life = this.handed.get(contact.token);
    if (life === undefined) throw new Error(`${contact.token} was never handed out`);
    return life;
  }

  /** Time goes from one activity to the next without a gap. */
  #count({ data }: Extract<SessionEffect, { do: 'event' }>): void {
    const { session, activity, ended } = data;
    const open = this.#open;
    if (open === undefined) {
      if (activity !== 'signed-on' || ended !== undefined) throw new Error(`a session began with ${activity}`);
      this.signedOnMs = this.ms;
    } else {
      if (session !== open.session) throw new Error('two sessions at one handset');
      if (ended?.activity !== open.activity) throw new Error(`${open.activity} was open and ${ended?.activity} ended`);
      if (ended.lastedMs !== this.ms - open.sinceMs) throw new Error('time was lost or made');
      this.countedMs += ended.lastedMs;
    }
    this.#open = activity === 'signed-off' ? undefined : { session, activity, sinceMs: this.ms };
    if (this.#open === undefined) {
      if (this.countedMs !== this.ms - this.signedOnMs) throw new Error('the parts are not the whole');
      this.countedMs = 0;
    }
  }

  #judge(): void {
    const inHand = this.contact;
    for (const [token, { dialled, disposed, givenBack }] of this.handed) {
      if (dialled > 1) throw new Error(`${token} was dialled ${dialled} times`);
      if (disposed > 1) throw new Error(`${token} was disposed of ${disposed} times`);
      if (givenBack > 0 && dialled + disposed > 0) throw new Error(`${token} was given back and used`);
      const isOpen = dialled === 1 && disposed === 0;
      if (isOpen && inHand?.token !== token && !this.#isResumed(token)) throw new Error(`${token} is in nobody's hand`);
    }
    const open = [...this.handed.values()].filter(({ dialled, disposed }) => dialled === 1 && disposed === 0);
    if (open.length > 1) throw new Error('two contacts in hand');
    if (this.state.at === 'choosing' && open.length > 0) throw new Error('a contact was asked for with one in hand');
    if (this.#open === undefined && 'session' in this.state) throw new Error('a session without an event');
    if (IN_HAND.includes(this.state.at) && inHand === undefined) throw new Error('nothing in hand');
  }

  /** While a PIN is asked for anew the contact waits with the session. */
  #isResumed(token: string): boolean {
    const { state } = this;
    return (state.at === 'pin' || state.at === 'checking') && state.resuming?.owed?.token === token;
  }
}
