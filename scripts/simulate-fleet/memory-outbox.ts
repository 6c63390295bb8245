import type { Temporal } from 'temporal-polyfill';
import type { EventDraft } from '../../gateway/calls/ports.js';
import { type ChainEnd, chained, GENESIS } from '../../gateway/store/chain.js';
import type { OutboxCursor, OutboxEntry } from '../../gateway/uplink/drain.js';
import type { UplinkStore } from '../../gateway/uplink/uplink.js';

/** Confirmed events kept for a resend. */
const KEPT = 5_000;

/** An outbox in memory, with a real chain: thousands of them fit one machine, and none outlives its process. */
export class MemoryOutbox implements UplinkStore {
  #end: ChainEnd = { sequence: 0, hash: GENESIS };
  /** By sequence, ascending. */
  readonly #held = new Map<number, OutboxEntry>();
  #waiting = { event: new Map<number, OutboxEntry>(), alarm: new Map<number, OutboxEntry>() };
  readonly #commands = new Set<string>();
  onAppended: () => void = () => undefined;

  constructor(
    private readonly gatewayId: string,
    private readonly bootId: string,
  ) {}

  append(drafts: readonly EventDraft[]): void {
    for (const draft of drafts) {
      const event = chained(draft, this.#end, { gatewayId: this.gatewayId, bootId: this.bootId }, Date.now());
      this.#end = { sequence: event.sequence, hash: event.hash };
      const { sequence, kind, body } = event;
      const entry = { sequence, kind, body };
      this.#held.set(event.sequence, entry);
      this.#waiting[draft.kind].set(event.sequence, entry);
    }
    for (const sequence of this.#held.keys()) {
      if (this.#held.size <= KEPT || this.#isWaiting(sequence)) break;
      this.#held.delete(sequence);
    }
    this.onAppended();
  }

  pending(after: OutboxCursor, limit: number): readonly OutboxEntry[] {
    const found: OutboxEntry[] = [];
    for (const kind of ['alarm', 'event'] as const) {
      for (const entry of this.#waiting[kind].values()) {
        if (found.length >= limit) return found;
        if (entry.sequence > after[kind]) found.push(entry);
      }
    }
    return found;
  }

  acknowledge(sequences: readonly number[]): void {
    for (const sequence of sequences) {
      this.#waiting.event.delete(sequence);
      this.#waiting.alarm.delete(sequence);
    }
  }

  resend(from: number, to: number): { readonly resent: number; readonly missing: number; readonly oldest: number } {
    let resent = 0;
    for (const entry of this.#held.values()) {
      if (entry.sequence < from || entry.sequence > to) continue;
      this.#waiting[entry.kind].set(entry.sequence, entry);
      resent += 1;
    }
    const sorted = (kind: OutboxEntry['kind']) => new Map([...this.#waiting[kind]].sort(([a], [b]) => a - b));
    this.#waiting = { event: sorted('event'), alarm: sorted('alarm') };
    const [oldest = 1] = this.#held.keys();
    return { resent, missing: to - from + 1 - resent, oldest };
  }

  depth(): number {
    return this.#waiting.event.size + this.#waiting.alarm.size;
  }

  last(): number {
    return this.#end.sequence;
  }

  takeCommand(id: string, _forgetAt: Temporal.Instant): boolean {
    if (this.#commands.has(id)) return false;
    this.#commands.add(id);
    return true;
  }

  #isWaiting(sequence: number): boolean {
    return this.#waiting.event.has(sequence) || this.#waiting.alarm.has(sequence);
  }
}
