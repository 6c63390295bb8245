export const SECOND_US = 1e6;
export const MINUTE_US = 60e6;
export const HOUR_US = 3_600e6;
export const DAY_US = 24 * HOUR_US;

/** Something that is to happen at an instant of virtual time. */
export interface Happening {
  readonly atUs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/** Virtual time, microseconds since the beginning, and all that is to happen in it: a binary heap, equal instants in order. */
export class Timeline {
  nowUs = 0;
  /** Happenings run so far. */
  steps = 0;
  private heap: Happening[] = [];
  private order = 0;

  get size(): number {
    return this.heap.length;
  }

  /** Runs `run` in `us` microseconds. */
  in(us: number, run: () => void): Happening {
    return this.at(this.nowUs + Math.max(0, Math.ceil(us)), run);
  }

  at(atUs: number, run: () => void): Happening {
    const happening: Happening = { atUs: Math.max(atUs, this.nowUs), order: this.order, run };
    this.order += 1;
    this.heap.push(happening);
    this.up(this.heap.length - 1);
    return happening;
  }

  /** It then happens to nobody. Harmless twice, and for undefined. */
  cancel(happening: Happening | undefined): void {
    if (happening !== undefined) happening.run = undefined;
  }

  /** Goes on to the next happening that is due by `untilUs`; false when there is none, and time is then `untilUs`. */
  step(untilUs: number): boolean {
    for (;;) {
      const next = this.heap[0];
      if (next === undefined || next.atUs > untilUs) {
        this.nowUs = Math.max(this.nowUs, untilUs);
        return false;
      }
      this.pop();
      const { run } = next;
      if (run === undefined) continue;
      this.nowUs = next.atUs;
      this.steps += 1;
      next.run = undefined;
      run();
      return true;
    }
  }

  private pop(): void {
    const last = this.heap.pop();
    if (last === undefined || this.heap.length === 0) return;
    this.heap[0] = last;
    this.down(0);
  }

  private up(from: number): void {
    let index = from;
    const item = this.heap[index] as Happening;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = this.heap[parent] as Happening;
      if (!before(item, above)) break;
      this.heap[index] = above;
      index = parent;
    }
    this.heap[index] = item;
  }

  private down(from: number): void {
    let index = from;
    const { heap } = this;
    const item = heap[index] as Happening;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Happening, heap[child] as Happening)) child += 1;
      const below = heap[child] as Happening;
      if (!before(below, item)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = item;
  }
}

function before(a: Happening, b: Happening): boolean {
  return a.atUs < b.atUs || (a.atUs === b.atUs && a.order < b.order);
}
