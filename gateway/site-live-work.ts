import type { Campaign, Person } from '../config/schema/types.generated.js';
import type { Clock, Timer } from './clock/clock.js';
import type { CallId } from './policy/ids.js';
import type { AskedContact } from './work/contact-judge.js';
import type { WorkStore } from './work/ports.js';

export interface LiveWorkParts {
  readonly clock: Clock;
  readonly store: Pick<WorkStore, 'person' | 'campaigns'>;
  /** A person or a campaign is not what live calls were judged by. */
  readonly judgeAgain: () => void;
  readonly onFault: (fault: unknown) => void;
  /** Default 15 s, milliseconds. */
  readonly lookEveryMs?: number;
}

/** A contact's call that is up, and what it is judged by. */
interface Live {
  readonly call: CallId;
  asked: AskedContact;
  isJudged: boolean;
}

/** How often persons and campaigns are compared with what live calls were judged by: other processes change them. Milliseconds. */
const LOOK_EVERY_MS = 15_000;

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/**
 * What the work's live calls are judged by, as it is now: a person or a campaign that is narrowed while a call is up ends the call
 * where the narrower hours do. It only asks for judgement; that a deadline never moves away is the call machine's promise.
 */
export class LiveWork {
  readonly #live = new Map<string, Live>();
  #looking: Timer | undefined;

  constructor(private readonly parts: LiveWorkParts) {}

  start(): void {
    this.#looking = this.parts.clock.after(this.parts.lookEveryMs ?? LOOK_EVERY_MS, () => {
      try {
        this.look();
      } catch (fault) {
        this.parts.onFault(fault);
      }
      this.start();
    });
  }

  stop(): void {
    this.#looking?.cancel();
  }

  /** A contact's call begins. @param dialled what stands for its number. */
  add(dialled: string, call: CallId, asked: AskedContact): void {
    // Whoever chose it may have read its campaign some seconds ago.
    this.#live.set(dialled, { call, asked: this.#now(asked, this.parts.store.campaigns()), isJudged: false });
  }

  ended(call: CallId): void {
    for (const [dialled, live] of this.#live) if (live.call === call) this.#live.delete(dialled);
  }

  /** What a contact's call is judged by. Attempts are counted once: they end no call that is up. */
  asked(dialled: string): AskedContact | undefined {
    const live = this.#live.get(dialled);
    if (live === undefined) return undefined;
    const { contact, ...standing } = live.asked;
    if (live.isJudged) return standing;
    live.isJudged = true;
    return live.asked;
  }

  /** Compares what is on disk with what live calls were judged by. Throws when the disk cannot be read. */
  look(): void {
    let isChanged = false;
    const campaigns = this.#live.size === 0 ? [] : this.parts.store.campaigns();
    for (const live of this.#live.values()) {
      const now = this.#now(live.asked, campaigns);
      if (same(now, live.asked)) continue;
      live.asked = now;
      isChanged = true;
    }
    if (isChanged) this.parts.judgeAgain();
  }

  #now(asked: AskedContact, campaigns: readonly Campaign[]): AskedContact {
    const { person, campaign } = asked;
    const found = campaigns.find(({ id }) => id === campaign.id) ?? campaign;
    return { ...asked, campaign: found, ...(person !== undefined && { person: this.#personNow(person) }) };
  }

  /** Whoever is no longer known may do nothing. */
  #personNow(person: Person): Person {
    return this.parts.store.person(person.id) ?? { ...person, suspended: true };
  }
}
