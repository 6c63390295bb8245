import { MS, msBetween } from '../clock.js';
import { nextSequence, type Order, orderLine } from './message.js';

/** Beyond the time on the wire, an answer takes no longer than this, milliseconds; it is asked for so often again. */
export const ANSWER_MS = 300;
export const REPETITIONS = 3;
/** The longest answer to an order, characters. */
const ANSWER_LENGTH = 16;

/** What was said to the card and waits for its answer. */
export interface Said {
  readonly order: Order;
  readonly seq: number;
  readonly tries: number;
  /** When it was said last, and when it is said again or given up. */
  readonly saidNs: bigint;
  readonly lateNs: bigint;
  /** `sentNs` of each handset's last lease when it was said first. */
  readonly leases: ReadonlyMap<string, bigint>;
}

/** The agent's side of the talk: one order at a time waits for its answer, and each has a number of its own. */
export class CardTalk {
  #seq = 0;
  #said: Said | undefined;

  constructor(private readonly onWireMs: (bytes: number) => number) {}

  get said(): Said | undefined {
    return this.#said;
  }

  /** Says an order, in place of whatever waited; gives the line to write. */
  say(order: Order, nowNs: bigint, leases: ReadonlyMap<string, bigint>): Buffer {
    this.#seq = nextSequence(this.#seq);
    return this.#write({ order, seq: this.#seq, tries: 1, leases }, nowNs);
  }

  /** Says again what waited, with its number, as `order` is right now. */
  again(said: Said, order: Order, nowNs: bigint): Buffer {
    return this.#write({ ...said, order, tries: said.tries + 1 }, nowNs);
  }

  /** The answer to a number came: what it answers, and how long it took, milliseconds; undefined when nothing waits for it. */
  answered(seq: number, nowNs: bigint): (Said & { readonly tookMs: number }) | undefined {
    const said = this.#said;
    if (said === undefined || said.seq !== seq) return undefined;
    this.#said = undefined;
    return { ...said, tookMs: msBetween(said.saidNs, nowNs) };
  }

  /** Nobody is waited for any more. */
  drop(): void {
    this.#said = undefined;
  }

  #write(said: Omit<Said, 'saidNs' | 'lateNs'>, nowNs: bigint): Buffer {
    const bytes = orderLine(said.order, said.seq);
    const waitMs = Math.ceil(this.onWireMs(bytes.length + ANSWER_LENGTH)) + ANSWER_MS;
    this.#said = { ...said, saidNs: nowNs, lateNs: nowNs + BigInt(waitMs) * MS };
    return bytes;
  }
}
