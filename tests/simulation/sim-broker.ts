import { OutboxDrain, type OutboxSource } from '../../gateway/uplink/drain.js';
import type { Life } from './life.js';
import type { Random } from './random.js';
import type { Timeline } from './timeline.js';

/** Headquarters' broker and the receiver behind it: what has arrived, by its sequence. */
export class SimBroker {
  isUp = true;
  /** Every sequence up to this one has arrived. */
  through = 0;
  doubles = 0;
  private readonly ahead = new Set<number>();
  private drain: OutboxDrain | undefined;
  private epoch = 0;

  constructor(
    private readonly timeline: Timeline,
    private readonly random: Random,
  ) {}

  /** A new life of the gateway connects, with the production drain. */
  connect(life: Life, outbox: OutboxSource): void {
    const drain = new OutboxDrain({
      outbox,
      publish: ({ sequence }) => this.publish(life, sequence),
      later: (step) => this.timeline.in(1_000, () => life.run(step)),
      onFault: () => this.timeline.in(1e6, () => life.run(() => this.drain?.wake())),
    });
    this.drain = drain;
    this.up(life);
  }

  wake(): void {
    this.drain?.wake();
  }

  /** The connection breaks: what is under way, either way, is lost. */
  break(): void {
    this.epoch += 1;
    this.drain?.down();
  }

  up(life: Life): void {
    if (!this.isUp || life.isDead) return;
    this.epoch += 1;
    this.drain?.down();
    this.drain?.up(100);
  }

  /** The gateway has died; its connection with it. */
  gone(): void {
    this.epoch += 1;
    this.drain = undefined;
  }

  private publish(life: Life, sequence: number): void {
    const { epoch } = this;
    this.timeline.in(this.random.int(1_000, 80_000), () => {
      if (this.epoch !== epoch) return;
      this.arrived(sequence);
      this.timeline.in(this.random.int(1_000, 80_000), () => {
        if (this.epoch === epoch) life.run(() => this.drain?.confirmed(sequence));
      });
    });
  }

  private arrived(sequence: number): void {
    if (sequence <= this.through || this.ahead.has(sequence)) {
      this.doubles += 1;
      return;
    }
    this.ahead.add(sequence);
    while (this.ahead.delete(this.through + 1)) this.through += 1;
  }
}
