import type { TimerValues } from '../transaction/timer-values.js';
import type { QueuedTimer, TimerOwner, TimerQueues } from '../transaction/timers.js';

/** A provisional response that is repeated until its PRACK comes, or 64·T1 have passed (RFC 3262 §3). */
export class Reliable implements TimerOwner {
  #repeatMs: number;
  #repeat: QueuedTimer | undefined;
  #giveUp: QueuedTimer | undefined;

  constructor(
    readonly timers: TimerQueues,
    readonly values: TimerValues,
    readonly rseq: number,
    readonly send: () => void,
    readonly onNoPrack: () => void,
  ) {
    this.#repeatMs = values.t1Ms;
  }

  start(): void {
    this.send();
    this.#repeat = this.timers.start(this.#repeatMs, this, 'repeat');
    this.#giveUp = this.timers.start(64 * this.values.t1Ms, this, 'give-up');
  }

  onTimer(name: string): void {
    if (name === 'give-up') {
      this.stop();
      this.onNoPrack();
      return;
    }
    this.send();
    this.#repeatMs *= 2;
    this.#repeat = this.timers.start(this.#repeatMs, this, 'repeat');
  }

  stop(): void {
    this.#repeat?.cancel();
    this.#giveUp?.cancel();
  }
}

/** The reliable provisional responses of one INVITE, one at a time and in order: the next waits for the PRACK of the last. */
export class ReliableQueue {
  readonly #waiting: Reliable[] = [];
  #nextRseq = 1;

  nextRseq(): number {
    return this.#nextRseq++;
  }

  add(response: Reliable): void {
    this.#waiting.push(response);
    if (this.#waiting.length === 1) response.start();
  }

  /** A PRACK has come; says whether it was for what is being sent. */
  acknowledged(rseq: number): boolean {
    if (this.#waiting[0]?.rseq !== rseq) return false;
    this.#waiting.shift()?.stop();
    this.#waiting[0]?.start();
    return true;
  }

  /** The INVITE has its final answer: nothing more is repeated. */
  stop(): void {
    for (const response of this.#waiting) response.stop();
    this.#waiting.length = 0;
  }
}
