import type { EngineClock, EngineTimer } from '../clock.js';

/** Whoever is told that a timer of its own has run out. */
export interface TimerOwner {
  onTimer(name: string): void;
}

/** A running timer; cancelling it twice, or after it ran out, is harmless. */
export class QueuedTimer {
  next: QueuedTimer | undefined;
  previous: QueuedTimer | undefined;

  constructor(
    readonly dueMs: number,
    readonly owner: TimerOwner,
    readonly name: string,
    public queue: TimerQueue | undefined,
  ) {}

  cancel(): void {
    this.queue?.remove(this);
  }
}

/** Timers of one length, in the order in which they were started, which is the order in which they run out. */
class TimerQueue {
  head: QueuedTimer | undefined;
  tail: QueuedTimer | undefined;

  append(timer: QueuedTimer): void {
    timer.previous = this.tail;
    if (this.tail === undefined) this.head = timer;
    else this.tail.next = timer;
    this.tail = timer;
  }

  remove(timer: QueuedTimer): void {
    if (timer.queue !== this) return;
    timer.queue = undefined;
    if (timer.previous === undefined) this.head = timer.next;
    else timer.previous.next = timer.next;
    if (timer.next === undefined) this.tail = timer.previous;
    else timer.next.previous = timer.previous;
    timer.next = timer.previous = undefined;
  }
}

/**
 * All timers of the transactions and dialogs behind one timer of the process. SIP's timers come in a handful of lengths
 * (T1 doubled up to T2, T4, 64·T1), so that one queue a length makes starting and cancelling a matter of a few pointers;
 * most timers here are cancelled.
 */
export class TimerQueues {
  readonly #queues = new Map<number, TimerQueue>();
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #wake: EngineTimer | undefined;

  constructor(readonly clock: EngineClock) {}

  /** Tells `owner` of `name` in `ms` milliseconds. Lengths are to be few: each one keeps a queue. */
  start(ms: number, owner: TimerOwner, name: string): QueuedTimer {
    let queue = this.#queues.get(ms);
    if (queue === undefined) {
      queue = new TimerQueue();
      this.#queues.set(ms, queue);
    }
    const dueMs = this.clock.nowMs() + ms;
    const timer = new QueuedTimer(dueMs, owner, name, queue);
    queue.append(timer);
    if (dueMs < this.#wakeAtMs) this.#arm(dueMs);
    return timer;
  }

  /** Cancels everything. */
  close(): void {
    this.#wake?.cancel();
    this.#wake = undefined;
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
    this.#queues.clear();
  }

  #arm(dueMs: number): void {
    this.#wake?.cancel();
    this.#wakeAtMs = dueMs;
    this.#wake = this.clock.after(Math.max(0, dueMs - this.clock.nowMs()), () => this.#run());
  }

  #run(): void {
    const nowMs = this.clock.nowMs();
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
    this.#wake = undefined;
    for (const queue of this.#queues.values()) {
      for (let timer = queue.head; timer !== undefined && timer.dueMs <= nowMs; timer = queue.head) {
        queue.remove(timer);
        timer.owner.onTimer(timer.name);
      }
    }
    let earliest = Number.POSITIVE_INFINITY;
    for (const queue of this.#queues.values()) {
      if (queue.head !== undefined && queue.head.dueMs < earliest) earliest = queue.head.dueMs;
    }
    if (earliest < this.#wakeAtMs) this.#arm(earliest);
  }
}
