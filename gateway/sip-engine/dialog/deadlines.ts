import type { EngineClock, EngineTimer } from '../clock.js';
import type { Dialog } from './dialog.js';

interface Entry {
  readonly atNs: bigint;
  readonly dialog: Dialog;
}

/** A timer of the operating system is asked for no longer than this at a time, milliseconds. */
const LONGEST_WAIT_MS = 3_600_000;

/**
 * The instants at which dialogs end by themselves, on the machine's monotonic clock. An instant may be brought closer and
 * never put off. The entries are a binary heap by instant; an entry whose dialog has another instant by now, or is gone, is
 * passed over when its turn comes.
 */
export class Deadlines {
  readonly #heap: Entry[] = [];
  readonly #atNs = new WeakMap<Dialog, bigint>();
  #wake: EngineTimer | undefined;
  #wakeAtNs: bigint | undefined;

  constructor(
    readonly clock: EngineClock,
    /** Told of each dialog whose instant has come, and how late it is told, milliseconds. */
    readonly onDue: (dialog: Dialog, lateMs: number) => void,
  ) {}

  /** Sets the instant; one that is later than the dialog's present one changes nothing. */
  set(dialog: Dialog, atNs: bigint): void {
    const present = this.#atNs.get(dialog);
    if (present !== undefined && present <= atNs) return;
    this.#atNs.set(dialog, atNs);
    this.#push({ atNs, dialog });
    this.#arm();
  }

  /** Whether an instant is set for the dialog. */
  has(dialog: Dialog): boolean {
    return this.#atNs.has(dialog);
  }

  close(): void {
    this.#wake?.cancel();
    this.#wake = undefined;
    this.#heap.length = 0;
  }

  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined || (this.#wakeAtNs !== undefined && this.#wakeAtNs <= first.atNs)) return;
    this.#wake?.cancel();
    this.#wakeAtNs = first.atNs;
    const ms = Number(first.atNs - this.clock.nowNs()) / 1e6;
    this.#wake = this.clock.after(Math.min(Math.max(0, ms), LONGEST_WAIT_MS), () => this.#run());
  }

  #run(): void {
    this.#wake = undefined;
    this.#wakeAtNs = undefined;
    const nowNs = this.clock.nowNs();
    for (let first = this.#heap[0]; first !== undefined && first.atNs <= nowNs; first = this.#heap[0]) {
      this.#pop();
      const { dialog, atNs } = first;
      const isCurrent = this.#atNs.get(dialog) === atNs;
      if (isCurrent && dialog.state !== 'ended') this.onDue(dialog, Number(this.clock.nowNs() - atNs) / 1e6);
    }
    this.#arm();
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.atNs <= entry.atNs) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = heap[child];
      const right = heap[child + 1];
      if (left === undefined) break;
      const smaller = right !== undefined && right.atNs < left.atNs ? right : left;
      if (smaller === right) child++;
      if (smaller.atNs >= last.atNs) break;
      heap[at] = smaller;
      at = child;
    }
    heap[at] = last;
  }
}
