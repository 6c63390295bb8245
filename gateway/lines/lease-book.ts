/**
 * Which leases the gateway gives: the pure half of the line plane. It is told the time and what policy says, and answers
 * with the lease to send; it holds no timer and sends nothing.
 *
 * The invariants, which tests/lines/lease-book.test.ts walks at random together with an agent's half:
 * - a lease is for at most `LEASE_MS`, and gives nothing to a handset that may not call, is held, or is past a deadline;
 * - while a call is armed, no lease reaches past its deadline, and a second `arm` can only bring that closer;
 * - no two leases of a handset have one `sentNs`, and a later one has a greater.
 */
import type { CallId, HandsetId } from '../policy/ids.js';

/** How long a lease is, and how often it is given anew, milliseconds. Silence this long opens every relay. */
export const LEASE_MS = 5_000;
export const REFRESH_MS = 1_500;

const MS = 1_000_000n;

/** A lease as it is to be sent; instants on the monotonic clock. */
export interface LeaseOrder {
  readonly connected: boolean;
  /** Milliseconds from receipt; 0 when not connected. */
  readonly forMs: number;
  readonly sentNs: bigint;
  readonly untilNs: bigint;
}

interface Entry {
  heldUntilNs: bigint;
  sentNs: bigint;
  lastEndNs: bigint;
  readonly deadlines: Map<CallId, bigint>;
}

export class LeaseBook {
  readonly #entries = new Map<HandsetId, Entry>();

  /** From now on no lease of this handset reaches past the deadline. Arming again never moves it away. */
  arm(call: CallId, handset: HandsetId, deadlineNs: bigint): void {
    const { deadlines } = this.#entry(handset);
    const before = deadlines.get(call);
    if (before === undefined || deadlineNs < before) deadlines.set(call, deadlineNs);
  }

  /** The call is over: its deadline binds no more. Returns whether it was there. */
  release(call: CallId, handset: HandsetId): boolean {
    return this.#entry(handset).deadlines.delete(call);
  }

  /** No lease before this instant. A shorter hold never ends a longer one. */
  hold(handset: HandsetId, untilNs: bigint): void {
    const entry = this.#entry(handset);
    if (untilNs > entry.heldUntilNs) entry.heldUntilNs = untilNs;
  }

  /** Ends a hold before its time, by a person's order. */
  endHold(handset: HandsetId): void {
    this.#entry(handset).heldUntilNs = 0n;
  }

  isHeld(handset: HandsetId, nowNs: bigint): boolean {
    return nowNs < this.#entry(handset).heldUntilNs;
  }

  calls(handset: HandsetId): readonly CallId[] {
    return [...this.#entry(handset).deadlines.keys()];
  }

  /** The lease to send at `nowNs`; `may` is what policy says of this handset at this moment. */
  next(handset: HandsetId, nowNs: bigint, may: boolean): LeaseOrder {
    const entry = this.#entry(handset);
    const sentNs = nowNs > entry.sentNs ? nowNs : entry.sentNs + 1n;
    entry.sentNs = sentNs;
    let endNs = may && nowNs >= entry.heldUntilNs ? nowNs + BigInt(LEASE_MS) * MS : nowNs;
    for (const deadlineNs of entry.deadlines.values()) if (deadlineNs < endNs) endNs = deadlineNs;
    // Rounded down: the last fraction of a millisecond is not given.
    const forMs = endNs > nowNs ? Number((endNs - nowNs) / MS) : 0;
    if (forMs === 0) {
      entry.lastEndNs = nowNs;
      return { connected: false, forMs: 0, sentNs, untilNs: nowNs };
    }
    entry.lastEndNs = endNs;
    return { connected: true, forMs, sentNs, untilNs: endNs };
  }

  /** The instant up to which the last lease given reaches; a relay that is closed after it is a fault. */
  lastEndNs(handset: HandsetId): bigint {
    return this.#entry(handset).lastEndNs;
  }

  #entry(handset: HandsetId): Entry {
    let entry = this.#entries.get(handset);
    if (entry === undefined) {
      entry = { heldUntilNs: 0n, sentNs: 0n, lastEndNs: 0n, deadlines: new Map() };
      this.#entries.set(handset, entry);
    }
    return entry;
  }
}
