import type { TimerValues } from '../transaction/timer-values.js';
import type { QueuedTimer, TimerOwner, TimerQueues } from '../transaction/timers.js';

/** A 2xx to an INVITE, repeated until its ACK comes, over every transport (RFC 3261 §13.3.1.4). */
export class Answer implements TimerOwner {
  #repeatMs: number;
  #repeat: QueuedTimer | undefined;
  #giveUp: QueuedTimer | undefined;

  constructor(
    readonly timers: TimerQueues,
    readonly values: TimerValues,
    /** CSeq number of the INVITE, which the ACK repeats. */
    readonly cseq: number,
    /** The transaction id that its ACK is reported under. */
    readonly ackId: string,
    readonly send: () => void,
    readonly onNoAck: () => void,
  ) {
    this.#repeatMs = values.t1Ms;
    this.#repeat = timers.start(this.#repeatMs, this, 'repeat');
    this.#giveUp = timers.start(64 * values.t1Ms, this, 'give-up');
  }

  get waiting(): boolean {
    return this.#giveUp !== undefined;
  }

  onTimer(name: string): void {
    if (name === 'give-up') {
      this.stop();
      this.onNoAck();
      return;
    }
    this.send();
    this.#repeatMs = Math.min(this.#repeatMs * 2, this.values.t2Ms);
    this.#repeat = this.timers.start(this.#repeatMs, this, 'repeat');
  }

  /** The ACK has come, or nobody waits for it any more. */
  stop(): void {
    this.#repeat?.cancel();
    this.#giveUp?.cancel();
    this.#repeat = this.#giveUp = undefined;
  }
}
