import { type AgentClock, msBetween } from '../clock.js';
import type { Wire } from '../wire.js';
import type { Answer, Question } from './frame.js';
import { RtuMaster } from './master.js';

/** An answer, and how long it took, milliseconds. */
export type Timed = Answer & { readonly tookMs: number };

/**
 * Questions of somebody who only looks: one after the other, each tried as often as told. What it is given to ask must
 * read and never write; nothing here would stop it.
 */
export class Inquiry {
  readonly #master: RtuMaster;

  constructor(
    wire: Wire,
    private readonly clock: AgentClock,
  ) {
    this.#master = new RtuMaster(wire, clock);
    wire.onLost = (why) => this.#master.lost(why);
  }

  /** The answer, or the fault of the last of `tries`. An exception is an answer, and is not asked for again. */
  async ask(question: Question, turnaroundMs: number, tries = 1): Promise<Timed> {
    for (let left = tries; ; left--) {
      await this.#master.ready();
      const fromNs = this.clock.nowNs();
      const answer = await this.#master.ask(question, turnaroundMs);
      const tookMs = msBetween(fromNs, this.clock.nowNs());
      if (answer.ok || answer.fault === 'exception' || left <= 1) return { ...answer, tookMs };
    }
  }
}
