/**
 * The gateway's own list: numbers that asked not to be called again, and numbers that refused and are left in silence for a
 * while. It is in force in the same turn, for every campaign, on line or not, and is kept by the store. Nothing here takes a
 * number off: a list named `lifted` does, for what was asked before that list was made.
 */
import type { EventDraft } from '../calls/ports.js';
import type { Clock, Timer } from '../clock/clock.js';
import type { E164 } from '../policy/ids.js';
import type { ContactWord } from '../policy/request.js';

/** `never`: asked not to be called again. `refused`: said no, which is silence for as long as the law wants. */
export type ContactKind = 'never' | 'refused';

export interface ContactMark {
  readonly kind: ContactKind;
  /** A number in E.164 form, or `<key>.<token>` for one of which headquarters sent the token alone. */
  readonly subject: string;
  /** When it was said, epoch milliseconds; of several the newest. */
  readonly sinceMs: number;
}

/** The part of the disk that keeps it; `Store` is one. Both throw when the disk cannot. */
export interface ContactStore {
  contactMarks(): readonly ContactMark[];
  /** As one transaction, past fsync. */
  addContactMarks(marks: readonly ContactMark[], events: readonly EventDraft[]): void;
}

/** What is to be added. Its numbers reach no log and no event: tokens stand for them there. */
export interface ContactOrder {
  readonly numbers?: readonly E164[];
  /** As reports have them. */
  readonly numberTokens?: readonly string[];
  readonly why: string;
  readonly by: string;
}

export interface OwnListOptions {
  readonly store: ContactStore;
  readonly clock: Clock;
  readonly numberToken: (number: E164) => string;
  readonly onFault: (code: string, why: string) => void;
}

/** A number of nobody, whose token tells one key from another. */
const NOBODY = '+10000000000' as E164;
const KEY_LENGTH = 8;
/** After a disk that did not take it, milliseconds. */
const AGAIN_MS = 10_000;
const EVENT: Readonly<Record<ContactKind, string>> = {
  never: 'balise.dnc.added',
  refused: 'balise.contact.refused',
};

interface Unwritten {
  readonly marks: readonly ContactMark[];
  readonly event: EventDraft;
}

export class OwnList {
  readonly #held: Readonly<Record<ContactKind, Map<string, number>>> = { never: new Map(), refused: new Map() };
  readonly #key: string;
  /** Whether a number must be turned into its token to be looked up: that costs some microseconds. */
  #hasTokens = false;
  #unwritten: Unwritten[] = [];
  #again: Timer | undefined;

  constructor(private readonly options: OwnListOptions) {
    const { store, numberToken, onFault } = options;
    this.#key = numberToken(NOBODY).slice(0, KEY_LENGTH);
    let strange = 0;
    for (const mark of store.contactMarks()) {
      this.#hold(mark);
      if (!mark.subject.startsWith('+') && !mark.subject.startsWith(`${this.#key}.`)) strange += 1;
    }
    if (strange > 0) {
      const what = `${strange} numbers are on the do-not-call list by tokens of another tokenKey`;
      onFault('dnc.token-key', `${what}: they are not recognised; send them again`);
    }
  }

  /** Puts a number that was called on the list: it asked not to be called again. False: in force, and not on disk yet. */
  add(number: E164, why: string, by = 'caller'): boolean {
    return this.addAll({ numbers: [number], why, by });
  }

  /** Notes a refusal: the number is left in silence for as long as its country's law or the profile wants. Returns as `add`. */
  refused(number: E164, why: string, by = 'caller'): boolean {
    return this.#take('refused', { numbers: [number], why, by });
  }

  /** The same of several, by number or by token. Returns as `add`. */
  refusedAll(order: ContactOrder): boolean {
    return this.#take('refused', order);
  }

  /** Puts several on the list, as headquarters ordered. Returns as `add`. */
  addAll(order: ContactOrder): boolean {
    return this.#take('never', order);
  }

  /** What a number has said, for policy. */
  word(number: string): ContactWord | undefined {
    const { never, refused } = this.#held;
    if (never.size === 0 && refused.size === 0) return undefined;
    const token = this.#hasTokens ? `${this.#key}.${this.options.numberToken(number as E164)}` : '';
    const neverSinceMs = newest(never.get(number), never.get(token));
    const refusedMs = newest(refused.get(number), refused.get(token));
    if (neverSinceMs === undefined && refusedMs === undefined) return undefined;
    return { ...(neverSinceMs !== undefined && { neverSinceMs }), ...(refusedMs !== undefined && { refusedMs }) };
  }

  /** How many numbers are on it. */
  get size(): number {
    return this.#held.never.size;
  }

  close(): void {
    this.#again?.cancel();
  }

  #take(kind: ContactKind, { numbers = [], numberTokens = [], why, by }: ContactOrder): boolean {
    const at = this.options.clock.wall();
    const sinceMs = at.epochMilliseconds;
    const marks = [...numbers, ...numberTokens.map((token) => `${this.#key}.${token}`)].map(
      (subject): ContactMark => ({ kind, subject, sinceMs }),
    );
    const tokens = [...numbers.map(this.options.numberToken), ...numberTokens];
    const event: EventDraft = {
      kind: 'event',
      type: EVENT[kind],
      data: { numberTokens: tokens, why, by, at: at.toString() },
    };
    // In force before it is on disk: a disk that fails must not keep a number callable.
    for (const mark of marks) this.#hold(mark);
    this.#unwritten.push({ marks, event });
    return this.#write();
  }

  #write(): boolean {
    const wasTold = this.#again !== undefined;
    this.#again?.cancel();
    try {
      while (this.#unwritten[0] !== undefined) {
        const [{ marks, event }] = this.#unwritten;
        this.options.store.addContactMarks(marks, [event]);
        this.#unwritten.shift();
      }
      this.#again = undefined;
      return true;
    } catch (fault) {
      const why = fault instanceof Error ? fault.message : String(fault);
      const what = `the do-not-call list cannot be written (${why}); it is in force, and would be lost by a restart`;
      if (!wasTold) this.options.onFault('dnc.not-kept', what);
      this.#again = this.options.clock.after(AGAIN_MS, () => this.#write());
      return false;
    }
  }

  #hold({ kind, subject, sinceMs }: ContactMark): void {
    const held = this.#held[kind];
    held.set(subject, Math.max(sinceMs, held.get(subject) ?? 0));
    this.#hasTokens ||= !subject.startsWith('+');
  }
}

function newest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}
