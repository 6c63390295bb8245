import type { Clock, Timer } from '../clock/clock.js';
import type { CallId, HandsetId } from '../policy/ids.js';
import type { Line } from './line.js';

/** A cut that no board has confirmed after this long is told as unconfirmed, milliseconds. */
export const CONFIRM_MS = 2_000;

interface Cut {
  readonly call: CallId;
  readonly sentNs: bigint;
  readonly timer: Timer;
}

/** The cuts that wait for a board's word: each is confirmed by a state that names its order, or after 2 s is not. */
export class Cuts {
  readonly #cuts = new Map<HandsetId, Cut[]>();

  constructor(
    private readonly clock: Clock,
    private readonly settled: (line: Line, call: CallId, isOpen: boolean) => void,
  ) {}

  has(handset: HandsetId): boolean {
    return this.#cuts.has(handset);
  }

  /** `sentNs` is that of the order to open. */
  add(line: Line, call: CallId, sentNs: bigint): void {
    const timer = this.clock.after(CONFIRM_MS, () => {
      this.#drop(line.handset, call);
      this.settled(line, call, false);
    });
    this.#cuts.set(line.handset, [...(this.#cuts.get(line.handset) ?? []), { call, sentNs, timer }]);
  }

  /** A state came: cuts whose order it has obeyed are confirmed. */
  look(line: Line): void {
    const cuts = this.#cuts.get(line.handset);
    if (cuts === undefined || line.relay !== 'open') return;
    for (const { call, timer } of cuts.filter(({ sentNs }) => sentNs <= line.leaseNs)) {
      timer.cancel();
      this.#drop(line.handset, call);
      this.settled(line, call, true);
    }
  }

  stop(): void {
    for (const cuts of this.#cuts.values()) for (const { timer } of cuts) timer.cancel();
    this.#cuts.clear();
  }

  #drop(handset: HandsetId, call: CallId): void {
    const left = (this.#cuts.get(handset) ?? []).filter((cut) => cut.call !== call);
    if (left.length === 0) this.#cuts.delete(handset);
    else this.#cuts.set(handset, left);
  }
}
