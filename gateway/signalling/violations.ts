import type { Clock, Timer } from '../clock/clock.js';
import type { Violation } from './account.js';

const MINUTE_MS = 60_000;
const MOST_KINDS = 1_000;

/**
 * Counts every breach of the rules, and says each kind of alarm (a code, of a handset, from an address) at once and then at
 * most once a minute with how many more there were: a flood is one alarm a minute, not a full disk.
 */
export class Violations {
  readonly #counts = new Map<string, number>();
  /** How many of each kind were held back since it was last said, and when the next may be. */
  readonly #heldBack = new Map<string, { more: number; readonly until: Timer }>();

  constructor(
    private readonly clock: Clock,
    private readonly say: (violation: Violation) => void,
  ) {}

  /** How often each code has occurred since the start. */
  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  /** Something to be counted that nobody needs to hear of. */
  count(code: string): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
  }

  /** Something that a person should hear of. */
  alarm(violation: Violation): void {
    this.count(violation.code);
    const { code, handset = '', address = '' } = violation;
    // Addresses can be made up; past so many of them only the code tells kinds apart.
    const kind = this.#heldBack.size < MOST_KINDS ? `${code} ${handset} ${address}` : code;
    const held = this.#heldBack.get(kind);
    if (held !== undefined) {
      held.more += 1;
      return;
    }
    this.say(violation);
    this.#holdBack(kind, violation);
  }

  /** Waits for no more of anything: the next of each kind is said at once. */
  rest(): void {
    for (const { until } of this.#heldBack.values()) until.cancel();
    this.#heldBack.clear();
  }

  #holdBack(kind: string, violation: Violation): void {
    const until = this.clock.after(MINUTE_MS, () => {
      const more = this.#heldBack.get(kind)?.more ?? 0;
      this.#heldBack.delete(kind);
      if (more === 0) return;
      this.say({ ...violation, detail: `${violation.detail} (${more} more within a minute)` });
      this.#holdBack(kind, violation);
    });
    this.#heldBack.set(kind, { more: 0, until });
  }
}
