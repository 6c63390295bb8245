import type { EventDraft } from '../../gateway/calls/ports.js';
import { OutboxDrain, type OutboxEntry, type OutboxSource } from '../../gateway/uplink/drain.js';
import type { Life } from './life.js';
import type { Random } from './random.js';
import type { Timeline } from './timeline.js';

export interface Receiver {
  /** Events of one kind came in an order that is not theirs. */
  outOfOrder(kind: EventDraft['kind'], sequence: number, after: number): void;
}

/** With entries in flight and none confirmed for this long, the gateway gives its connection up (gateway/uplink/uplink.ts), microseconds. */
const STALL_US = 30e6;
const WINDOW = 100;

/**
 * Headquarters' broker and the receiver behind it. A connection keeps the order of what goes over it, as TCP does; the broker
 * may deliver twice, and may forget to confirm. The receiver knows what has arrived by its sequence.
 */
export class SimBroker {
  isUp = true;
  /** Every sequence up to this one has arrived. */
  through = 0;
  doubles = 0;
  private readonly ahead = new Set<number>();
  private readonly lastOf: Record<EventDraft['kind'], number> = { alarm: 0, event: 0 };
  private drain: OutboxDrain | undefined;
  /** Rises with each connection; 0 while there is none. */
  private epoch = 0;
  private isConnected = false;
  private thereUs = 0;
  private backUs = 0;
  private confirmedUs = 0;

  constructor(
    private readonly timeline: Timeline,
    private readonly random: Random,
    private readonly receiver: Receiver,
  ) {}

  has(sequence: number): boolean {
    return sequence <= this.through || this.ahead.has(sequence);
  }

  /** A new life of the gateway connects, with the production drain. */
  connect(life: Life, outbox: OutboxSource): void {
    const drain = new OutboxDrain({
      outbox,
      publish: (entry) => this.publish(life, drain, entry),
      later: (step) => this.timeline.in(1_000, () => life.run(step)),
      onFault: () => this.timeline.in(1e6, () => life.run(() => drain.wake())),
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
    this.isConnected = false;
    this.drain?.down();
  }

  up(life: Life): void {
    if (!this.isUp || life.isDead) return;
    this.epoch += 1;
    this.isConnected = true;
    this.thereUs = 0;
    this.backUs = 0;
    this.drain?.down();
    this.drain?.up(WINDOW);
  }

  /** The gateway has died; its connection with it. */
  gone(): void {
    this.epoch += 1;
    this.isConnected = false;
    this.drain = undefined;
  }

  /** Sends a command down to the gateway, at the broker's pace; false when there is no connection, and it is lost. */
  down(deliver: () => void): boolean {
    const { epoch } = this;
    if (!this.isConnected) return false;
    this.timeline.in(this.random.int(1_000, 80_000), () => {
      if (this.epoch === epoch) deliver();
    });
    return true;
  }

  private publish(life: Life, drain: OutboxDrain, entry: OutboxEntry): void {
    const { epoch, random, timeline } = this;
    const { nowUs } = timeline;
    // The process may have died in the midst of a batch.
    if (life.isDead || !this.isConnected) return;
    this.thereUs = Math.max(this.thereUs, nowUs + random.int(1_000, 80_000));
    timeline.at(this.thereUs, () => {
      if (this.epoch !== epoch) return;
      for (let times = random.chance(0.002) ? 2 : 1; times > 0; times -= 1) this.arrived(entry);
      // It has the event and never says so.
      if (random.chance(0.0002)) {
        this.stall(life, epoch);
        return;
      }
      this.backUs = Math.max(this.backUs, timeline.nowUs + random.int(1_000, 80_000));
      timeline.at(this.backUs, () => {
        if (this.epoch !== epoch) return;
        this.confirmedUs = timeline.nowUs;
        life.run(() => drain.confirmed(entry.sequence));
      });
    });
  }

  /** The gateway looks whether anything is confirmed, as gateway/uplink/uplink.ts does, and connects anew when nothing is. */
  private stall(life: Life, epoch: number): void {
    const sinceUs = this.timeline.nowUs;
    this.timeline.in(STALL_US, () => {
      if (this.epoch !== epoch || this.drain === undefined || this.drain.flying === 0) return;
      if (this.confirmedUs > sinceUs) {
        this.stall(life, epoch);
        return;
      }
      this.break();
      this.timeline.in(1e6, () => this.up(life));
    });
  }

  private arrived({ sequence, kind }: OutboxEntry): void {
    if (this.has(sequence)) {
      this.doubles += 1;
      return;
    }
    const last = this.lastOf[kind];
    if (sequence < last) this.receiver.outOfOrder(kind, sequence, last);
    this.lastOf[kind] = sequence;
    this.ahead.add(sequence);
    while (this.ahead.delete(this.through + 1)) this.through += 1;
  }
}
