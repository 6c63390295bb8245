import type { KeyMessage, ShowMessage } from '../../config/schema/types.generated.js';
import type { Clock, Timer } from '../clock/clock.js';
import type { HandsetId } from '../policy/ids.js';

/** Keys that stop coming are a whole number after this long, milliseconds; `#` says so at once. */
const PAUSE_MS = 4_000;
/** E.164 has 15 digits; a code before it, and no more. */
const MOST_DIGITS = 24;

export interface KeypadOptions {
  readonly clock: Clock;
  /** The wire says off-hook, and there is no call yet: only then do keys dial. */
  readonly mayDial: (handset: HandsetId) => boolean;
  readonly dial: (handset: HandsetId, digits: string) => void;
  readonly show: (handset: HandsetId, show: ShowMessage) => void;
}

/** The keys of one keypad handset, collected into what is dialled: `*` begins anew, `#` or a pause ends it. */
export class Keypad {
  #digits = '';
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
    if (!this.options.mayDial(this.handset)) return;
    if (key === '#') this.#dial();
    else if (key === '*') this.clear();
    else this.#collect(key);
  }

  /** Forgets what was keyed: the handset was put down, or the call is up. */
  clear(): void {
    this.#pause?.cancel();
    if (this.#digits === '') return;
    this.#digits = '';
    this.options.show(this.handset, { text: '' });
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
    this.#digits = '';
    if (digits !== '' && this.options.mayDial(this.handset)) this.options.dial(this.handset, digits);
  }
}
