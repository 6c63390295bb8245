import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../clock/clock.js';

/** A session nobody uses is over after an hour, and any after twelve: a shift. Nanoseconds. */
const HOUR_NS = 3_600_000_000_000n;
const IDLE_NS = HOUR_NS;
const LONGEST_NS = 12n * HOUR_NS;
const MOST_A_PERSON = 16;

export interface Session {
  readonly name: string;
  /** What its requests that change something must bring. */
  readonly csrf: string;
  readonly beganNs: bigint;
  seenNs: bigint;
}

const random = () => randomBytes(32).toString('base64url');
/** What is kept of an id: whoever reads this process's memory or a dump of it has no id of anybody. */
const kept = (id: string) => createHash('sha256').update(id).digest('base64url');

/**
 * The log-ins of now, in memory: a restart ends them all. Ids are 256 random bits, kept hashed, and made anew at each
 * log-in, so that an id that was planted in a browser is worth nothing.
 */
export class Sessions {
  readonly #sessions = new Map<string, Session>();

  /** @param onEnded a session was ended by somebody, or by its time. */
  constructor(
    private readonly clock: Clock,
    private readonly onEnded: (session: Session) => void = () => undefined,
  ) {}

  /** Begins a session; the person's oldest goes when they have too many. Returns the id, which is told once. */
  open(name: string): { readonly id: string; readonly session: Session } {
    const own = [...this.#sessions].filter(([, session]) => session.name === name);
    for (const [key] of own.slice(0, Math.max(0, own.length + 1 - MOST_A_PERSON))) this.#end(key);
    const now = this.clock.monotonicNs();
    const id = random();
    const session: Session = { name, csrf: random(), beganNs: now, seenNs: now };
    this.#sessions.set(kept(id), session);
    return { id, session };
  }

  /** The session of an id, which is thereby used; undefined when there is none or its time is over. */
  use(id: string): Session | undefined {
    const key = kept(id);
    const session = this.#sessions.get(key);
    if (session === undefined) return undefined;
    if (!this.isAlive(session)) {
      this.#end(key);
      return undefined;
    }
    session.seenNs = this.clock.monotonicNs();
    return session;
  }

  /** Whether its time is not over; asking does not lengthen it. */
  isAlive({ beganNs, seenNs }: Session): boolean {
    const now = this.clock.monotonicNs();
    return now - seenNs < IDLE_NS && now - beganNs < LONGEST_NS;
  }

  close(session: Session): void {
    for (const [key, one] of this.#sessions) if (one === session) this.#end(key);
  }

  /** Ends all of a person's sessions but one. */
  closeAll(name: string, but?: Session): void {
    for (const [key, one] of this.#sessions) if (one.name === name && one !== but) this.#end(key);
  }

  /** How many a person has that are alive. */
  count(name: string): number {
    return [...this.#sessions.values()].filter((one) => one.name === name && this.isAlive(one)).length;
  }

  /** Ends those whose time is over. */
  sweep(): void {
    for (const [key, session] of this.#sessions) if (!this.isAlive(session)) this.#end(key);
  }

  #end(key: string): void {
    const session = this.#sessions.get(key);
    if (session === undefined) return;
    this.#sessions.delete(key);
    this.onEnded(session);
  }
}
