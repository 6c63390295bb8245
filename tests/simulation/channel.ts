import type { CallSink } from '../../gateway/calls/ports.js';
import type { Life } from './life.js';
import type { Random } from './random.js';
import type { Timeline } from './timeline.js';

/** Who listens at the far end of a channel: one life of the gateway. */
export interface Listener {
  readonly life: Life;
  readonly sink: CallSink;
}

/**
 * From one plane to the gateway: in order, late by what the dice say, sometimes doubled, sometimes swallowed. What is under
 * way when the connection breaks is lost.
 */
export class Channel {
  private listener: Listener | undefined;
  private epoch = 0;
  private lastUs = 0;

  constructor(
    private readonly timeline: Timeline,
    private readonly random: Random,
    private readonly odds: { readonly double: number; readonly lose: number },
    private readonly slowestMs = 20,
    /** Something was swallowed: what the gateway knows of a call is then less than what happened. */
    private readonly onLost: () => void = () => undefined,
  ) {}

  get isOpen(): boolean {
    return this.listener !== undefined && !this.listener.life.isDead;
  }

  open(listener: Listener): void {
    this.epoch += 1;
    this.listener = listener;
  }

  /** The plane's process is gone, its driver in the gateway is not: what was under way is lost. */
  breakOff(): void {
    this.epoch += 1;
  }

  close(): void {
    this.epoch += 1;
    this.listener = undefined;
  }

  /** Tells the gateway something. `onArrival` runs when it has got there. `once`: it comes from the driver itself, and gets there. */
  tell(what: (sink: CallSink) => void, onArrival?: () => void, once = false): void {
    const { listener, epoch } = this;
    if (listener === undefined) return;
    if (!once && this.random.chance(this.odds.lose)) {
      this.onLost();
      return;
    }
    const times = !once && this.random.chance(this.odds.double) ? 2 : 1;
    for (let i = 0; i < times; i += 1) {
      const late = this.random.chance(0.01)
        ? this.random.int(0, 2_000_000)
        : this.random.int(50, this.slowestMs * 1_000);
      this.lastUs = Math.max(this.lastUs, this.timeline.nowUs + late);
      this.timeline.at(this.lastUs, () => {
        if (this.epoch !== epoch || listener.life.isDead) return;
        listener.life.run(() => {
          onArrival?.();
          what(listener.sink);
        });
      });
    }
  }
}
