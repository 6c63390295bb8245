/**
 * Empties the outbox towards headquarters. It knows nothing of mqtt, reads no clock and waits for nothing, so that the
 * simulator runs the very same code.
 *
 * Promises: at most `window` entries are in flight; events leave in order, and so do alarms, which overtake events; an entry
 * is confirmed to the outbox only after the broker has confirmed it; a connection that comes up begins with the oldest
 * unconfirmed entry. So headquarters may see an entry twice, and can tell by its sequence, and never misses one.
 */

/** An event as it waits in the outbox. */
export interface OutboxEntry {
  readonly sequence: number;
  readonly kind: 'event' | 'alarm';
  /** The CloudEvent, JSON text. */
  readonly body: string;
}

/** Up to where each of the two streams has been read. */
export interface OutboxCursor {
  readonly alarm: number;
  readonly event: number;
}

/** The part of the disk that is drained. */
export interface OutboxSource {
  /** Unconfirmed entries beyond the cursor, alarms first, each kind in order; at most `limit`. */
  pending(after: OutboxCursor, limit: number): readonly OutboxEntry[];
  /** The broker has confirmed these. */
  acknowledge(sequences: readonly number[]): void;
}

export interface DrainOptions {
  readonly outbox: OutboxSource;
  /** Sends one entry; its confirmation comes back by `confirmed`. Must not throw. */
  readonly publish: (entry: OutboxEntry) => void;
  /** Runs `step` soon and not at once, so that confirmations that arrive together cost one transaction. */
  readonly later: (step: () => void) => void;
  /** The disk failed. The drain waits for the next `wake`. */
  readonly onFault: (fault: unknown) => void;
}

const START: OutboxCursor = { alarm: 0, event: 0 };

export class OutboxDrain {
  private cursor = START;
  private window = 0;
  private due = false;
  private readonly inFlight = new Map<number, OutboxEntry['kind']>();
  /** Confirmed by the broker, not yet written down. */
  private unwritten: number[] = [];

  constructor(private readonly options: DrainOptions) {}

  /** Entries sent and not confirmed. */
  get flying(): number {
    return this.inFlight.size;
  }

  /** The connection is up and takes `window` entries in flight. */
  up(window: number): void {
    this.window = window;
    this.inFlight.clear();
    this.rewind();
  }

  /** Sends nothing more; what is in flight may still be confirmed. */
  pause(): void {
    this.window = 0;
  }

  /** The connection is gone; what was in flight is unconfirmed for good. */
  down(): void {
    this.window = 0;
    this.inFlight.clear();
    this.attempt(() => this.write());
  }

  /** Something was appended. */
  wake(): void {
    if (this.due || this.window === 0) return;
    this.due = true;
    this.options.later(() => {
      this.due = false;
      this.attempt(() => {
        this.write();
        this.fill();
      });
    });
  }

  /** The outbox holds entries again that were confirmed before (a resend): begins anew with the oldest. */
  rewind(): void {
    this.cursor = START;
    this.wake();
  }

  /** The broker has confirmed the entry. One that is not in flight on this connection is ignored. */
  confirmed(sequence: number): void {
    if (!this.inFlight.delete(sequence)) return;
    this.unwritten.push(sequence);
    this.wake();
  }

  /** The entry cannot be sent on this connection: it stays in the outbox, and the others go on. */
  passOver(sequence: number): void {
    if (this.inFlight.delete(sequence)) this.wake();
  }

  private write(): void {
    if (this.unwritten.length === 0) return;
    this.options.outbox.acknowledge(this.unwritten);
    this.unwritten = [];
  }

  private fill(): void {
    const free = this.window - this.inFlight.size;
    if (free <= 0) return;
    // After a rewind the outbox gives entries that are in flight as well; they are passed over, and do not count.
    let ahead = 0;
    for (const [sequence, kind] of this.inFlight) if (sequence > this.cursor[kind]) ahead += 1;
    for (const entry of this.options.outbox.pending(this.cursor, free + ahead)) {
      if (this.inFlight.size >= this.window) break;
      this.cursor = { ...this.cursor, [entry.kind]: entry.sequence };
      if (this.inFlight.has(entry.sequence)) continue;
      this.inFlight.set(entry.sequence, entry.kind);
      this.options.publish(entry);
    }
  }

  private attempt(work: () => void): void {
    try {
      work();
    } catch (fault) {
      this.options.onFault(fault);
    }
  }
}
