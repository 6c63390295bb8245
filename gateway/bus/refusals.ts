import type { Clock, Timer } from '../clock/clock.js';

/** The kinds of things that the bus does not let happen. */
export const REFUSALS = ['credentials', 'publish', 'subscribe', 'size', 'rate', 'crowd', 'tls'] as const;
export type RefusalKind = (typeof REFUSALS)[number];

/** Something that the bus did not let happen. */
export interface BusRefusal {
  readonly kind: RefusalKind;
  /** The identity, where one was proven; otherwise the name that was claimed. */
  readonly name: string;
  /** The topic, or what was too much. */
  readonly detail: string;
  /** How many of this kind and name there were since the last that was told. */
  readonly count: number;
}

/** After one was told, more of its kind and name are told together, this much later, milliseconds. */
export const TOGETHER_MS = 10_000;
/** So many different names are told apart at once; an attacker may claim any number of them. */
const MOST_NAMES = 64;
const LONGEST_NAME = 64;
const LONGEST_DETAIL = 128;

/**
 * Counts what was refused and tells of it: the first at once, a flood of its like once in ten seconds with their number, so
 * that whoever knocks does not fill the disk with alarms.
 */
export class Refusals {
  readonly #counts = Object.fromEntries(REFUSALS.map((kind) => [kind, 0])) as Record<RefusalKind, number>;
  readonly #waiting = new Map<string, { refusal: BusRefusal; count: number; timer?: Timer }>();

  constructor(
    private readonly clock: Pick<Clock, 'after'>,
    private readonly tell: (refusal: BusRefusal) => void,
  ) {}

  /** How often each kind of thing was refused. */
  get counts(): Readonly<Record<RefusalKind, number>> {
    return this.#counts;
  }

  add(kind: RefusalKind, claimed: string, detail: string): void {
    this.#counts[kind] += 1;
    const isCrowded = this.#waiting.size >= MOST_NAMES;
    const name = isCrowded ? 'many' : claimed.slice(0, LONGEST_NAME);
    const refusal = { kind, name, detail: detail.slice(0, LONGEST_DETAIL), count: 1 };
    const key = `${kind} ${name}`;
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) {
      waiting.count += 1;
      waiting.refusal = refusal;
      return;
    }
    this.#waiting.set(key, { refusal, count: 0 });
    this.tell(refusal);
    this.#later(key);
  }

  /** Tells what has been counted and not told. */
  stop(): void {
    for (const { refusal, count, timer } of this.#waiting.values()) {
      timer?.cancel();
      if (count > 0) this.tell({ ...refusal, count });
    }
    this.#waiting.clear();
  }

  #later(key: string): void {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return;
    waiting.timer = this.clock.after(TOGETHER_MS, () => {
      if (waiting.count === 0) {
        this.#waiting.delete(key);
        return;
      }
      this.tell({ ...waiting.refusal, count: waiting.count });
      waiting.count = 0;
      this.#later(key);
    });
  }
}
