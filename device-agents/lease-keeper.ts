/**
 * What an agent knows of leases, and nothing else: no I/O, no clock of its own.
 *
 * A handset's pair may be connected only while `now` is before the end of its lease. That end is never later than what the
 * gateway said when it sent the message (`untilNs`), nor than `forMs` after the message came: a message that lay in a
 * queue, came twice or overtook another gives no time that its sender did not mean to give. Whatever is doubtful ends the
 * lease or changes nothing.
 */
import { MS } from './clock.js';

/** No lease reaches further than this from receipt, milliseconds, whatever the message says. */
export const LONGEST_LEASE_MS = 5_000;
/** A message that claims to be sent this far in the future is of no clock that we know, nanoseconds. */
const AHEAD_NS = 1_000n * MS;

/** One lease message, read. */
export interface Lease {
  readonly connected: boolean;
  readonly forMs: number;
  readonly sentNs: bigint;
  readonly untilNs: bigint;
  readonly boot: string;
  readonly confirm: boolean;
}

/** What became of a message. Only `obeyed` changed anything. */
export type LeaseVerdict = 'obeyed' | 'stale' | 'ahead' | 'other-boot' | 'unknown-handset';

interface Held {
  endNs: bigint;
  sentNs: bigint;
}

/** The leases of all handsets of one agent. */
export class LeaseKeeper {
  readonly #boot: string;
  readonly #held: ReadonlyMap<string, Held>;

  constructor(handsets: Iterable<string>, boot: string) {
    this.#boot = boot;
    this.#held = new Map([...handsets].map((handset) => [handset, { endNs: 0n, sentNs: 0n }]));
  }

  get handsets(): Iterable<string> {
    return this.#held.keys();
  }

  /** Takes a message that came at `nowNs`. It replaces the lease before it, and may well shorten it. */
  accept(handset: string, lease: Lease, nowNs: bigint): LeaseVerdict {
    const held = this.#held.get(handset);
    if (held === undefined) return 'unknown-handset';
    if (lease.boot !== this.#boot) return 'other-boot';
    if (lease.sentNs <= held.sentNs) return 'stale';
    if (lease.sentNs > nowNs + AHEAD_NS) return 'ahead';
    held.sentNs = lease.sentNs;
    const forMs = Math.min(Math.max(Math.trunc(lease.forMs), 0), LONGEST_LEASE_MS);
    const byReceiptNs = nowNs + BigInt(forMs) * MS;
    held.endNs = !lease.connected ? 0n : lease.untilNs < byReceiptNs ? lease.untilNs : byReceiptNs;
    return 'obeyed';
  }

  /** Whether the handset's pair may be connected at `nowNs`. */
  connected(handset: string, nowNs: bigint): boolean {
    const held = this.#held.get(handset);
    return held !== undefined && nowNs < held.endNs;
  }

  /** The end of the handset's lease; not later than now when none stands. */
  endNs(handset: string): bigint {
    return this.#held.get(handset)?.endNs ?? 0n;
  }

  /** `sentNs` of the last message obeyed; 0 for none. */
  lastNs(handset: string): bigint {
    return this.#held.get(handset)?.sentNs ?? 0n;
  }

  /** The next instant at which a lease that stands at `nowNs` runs out. */
  nextEndNs(nowNs: bigint): bigint | undefined {
    let next: bigint | undefined;
    for (const { endNs } of this.#held.values()) {
      if (endNs > nowNs && (next === undefined || endNs < next)) next = endNs;
    }
    return next;
  }

  /** Contact with the gateway is lost, or the agent ends: every lease is over. What was sent before this can revive none. */
  endAll(): void {
    for (const held of this.#held.values()) held.endNs = 0n;
  }
}
