import type { KeyMessage, ShowMessage } from '../../config/schema/types.generated.js';
import type { Clock, Timer } from '../clock/clock.js';
import type { HandsetId } from '../policy/ids.js';
import { showText, showTopic } from './line-messages.js';

/** Keys that stop coming are a whole number after this long, milliseconds; `#` says so at once. */
const PAUSE_MS = 4_000;
/** E.164 has 15 digits; a code before it, and no more. */
const MOST_DIGITS = 24;

export interface KeypadOptions {
  readonly clock: Clock;
  /** The wire says off-hook, and there is no call yet: only then do keys dial. */
  readonly mayDial: (handset: HandsetId) => boolean;
  readonly dial: (handset: HandsetId, digits: string) => void;
  /** A key that somebody else takes: it dials nothing. */
  readonly takesKey?: ((handset: HandsetId, key: string) => boolean) | undefined;
  /** Whether this is a code that begins with `*`. */
  readonly isCode?: ((handset: HandsetId, dialled: string) => boolean) | undefined;
  readonly show: (handset: HandsetId, show: ShowMessage) => void;
}

/** The keys of one keypad handset, collected into what is dialled: `*` begins anew, and a code that has one; `#` or a pause ends it. */
export class Keypad {
  #digits = '';
  /** What is keyed began with `*`. */
  #isStarred = false;
  /** What was keyed is a call, until that is over or the handset is put down. */
  #isDialled = false;
  #pause: Timer | undefined;
  #lastNs = -1n;

  constructor(
    private readonly handset: HandsetId,
    private readonly options: KeypadOptions,
  ) {}

  press({ key, atNs }: KeyMessage): void {
    const pressedNs = BigInt(atNs);
    // It came twice.
    if (pressedNs <= this.#lastNs) return;
    this.#lastNs = pressedNs;
    if (this.options.takesKey?.(this.handset, key) === true) return;
    if (this.#isDialled || !this.options.mayDial(this.handset)) return;
    if (key === '#') this.#dial();
    else if (key === '*') this.#star();
    else this.#collect(key);
  }

  /** The call that was keyed is over: keys dial again. */
  over(): void {
    this.#isDialled = false;
  }

  /** Forgets what was keyed: the handset was put down. */
  clear(): void {
    this.over();
    this.#isStarred = false;
    this.#pause?.cancel();
    if (this.#digits === '') return;
    this.#digits = '';
    this.options.show(this.handset, { text: '' });
  }

  #star(): void {
    this.clear();
    this.#isStarred = true;
  }

  #collect(key: string): void {
    if (this.#digits.length < MOST_DIGITS) {
      this.#digits += key;
      this.options.show(this.handset, { text: this.#digits });
    }
    this.#pause?.cancel();
    this.#pause = this.options.clock.after(PAUSE_MS, () => this.#dial());
  }

  #dial(): void {
    this.#pause?.cancel();
    const digits = this.#digits;
    const starred = `*${digits}`;
    const isCode = this.#isStarred && this.options.isCode?.(this.handset, starred) === true;
    this.#digits = '';
    this.#isStarred = false;
    if (digits === '' || !this.options.mayDial(this.handset)) return;
    this.#isDialled = true;
    this.options.dial(this.handset, isCode ? starred : digits);
  }
}

/** The keypad handsets of a site: their keys, and what their lamps and displays show. */
export class Keypads {
  #pads: ReadonlyMap<HandsetId, Keypad> = new Map();
  readonly #options: KeypadOptions;
  readonly #lamps = new Map<HandsetId, ShowMessage['lamp']>();

  constructor(
    handsets: readonly HandsetId[],
    private readonly bus: { publish(topic: string, payload: string): void },
    options: Omit<KeypadOptions, 'show'>,
  ) {
    this.#options = { ...options, show: (handset, what) => this.show(handset, what) };
    this.fit(handsets);
  }

  /** These have keys from now on, and no others. */
  fit(handsets: readonly HandsetId[]): void {
    const before = this.#pads;
    this.#pads = new Map(
      handsets.map((handset) => [handset, before.get(handset) ?? new Keypad(handset, this.#options)]),
    );
    for (const [handset, pad] of before) {
      if (this.#pads.has(handset)) continue;
      pad.clear();
      this.#lamps.delete(handset);
    }
  }

  /** False for a handset that has no keys. */
  press(handset: HandsetId, key: KeyMessage): boolean {
    this.#pads.get(handset)?.press(key);
    return this.#pads.has(handset);
  }

  /** The handset's call is over; its display says why, where there is a why. */
  over(handset: HandsetId, why: string): void {
    this.#pads.get(handset)?.over();
    this.show(handset, { text: why });
  }

  clear(handset: HandsetId): void {
    this.#pads.get(handset)?.clear();
  }

  /** Green: keys dial. Amber: a call is up. Red: nobody may call now. */
  light(handset: HandsetId, isLeased: boolean, isInCall: boolean): void {
    if (!this.#pads.has(handset)) return;
    const lamp = !isLeased ? 'red' : isInCall ? 'amber' : 'green';
    if (this.#lamps.get(handset) === lamp) return;
    this.#lamps.set(handset, lamp);
    this.show(handset, { lamp });
  }

  /** Whoever shows it has started anew, and knows of no lamp. */
  forgetLamp(handset: HandsetId): void {
    this.#lamps.delete(handset);
  }

  show(handset: HandsetId, what: ShowMessage): void {
    if (this.#pads.has(handset)) this.bus.publish(showTopic(handset), showText(what));
  }

  stop(): void {
    for (const pad of this.#pads.values()) pad.clear();
  }
}
