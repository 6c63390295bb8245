/**
 * One gateway's stream of events as headquarters sees it: what is new, what was seen, what is missing, what was tampered
 * with. Pure. Events and alarms share one sequence and come by two topics; alarms overtake events, so only an event that
 * skips a number shows a gap.
 */
import { hashOf } from '../../gateway/store/chain.js';

/** The members of the envelope that the check looks at. */
export interface StreamEvent {
  readonly kind: 'event' | 'alarm';
  readonly sequence: number;
  readonly prevhash: string;
  readonly hash: string;
}

/** A range of sequence numbers, both ends included. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

export type StreamFault =
  /** These never came, though a later one did; both ends included. To be asked for with `resend`. */
  | ({ readonly fault: 'gap' } & Gap)
  /** The content does not have the hash that it says. */
  | { readonly fault: 'content'; readonly sequence: number }
  /** It is not linked to the event beside it. */
  | { readonly fault: 'link'; readonly sequence: number }
  /** Another event came under this number before: the gateway's store was replaced, or somebody speaks in its name. */
  | { readonly fault: 'fork'; readonly sequence: number };

export interface StreamVerdict {
  readonly isNew: boolean;
  readonly faults: readonly StreamFault[];
}

/** Hashes are kept for this many of the latest numbers; an older number that is not known to be missing was seen. */
const REMEMBERED = 100_000;

export class StreamCheck {
  private readonly seen = new Map<number, { readonly hash: string; readonly prevhash: string }>();
  private readonly missing = new Set<number>();
  /** The highest number that came as an event; undefined before the first. */
  private lastEvent: number | undefined;
  private highest = 0;

  /** How many numbers are known to be missing now. */
  get lacking(): number {
    return this.missing.size;
  }

  /** The ranges that are known to be missing now, ascending, both ends included. */
  get gaps(): readonly Gap[] {
    const gaps: { from: number; to: number }[] = [];
    for (const sequence of [...this.missing].sort((a, b) => a - b)) {
      const last = gaps.at(-1);
      if (last?.to === sequence - 1) last.to = sequence;
      else gaps.push({ from: sequence, to: sequence });
    }
    return gaps;
  }

  take(event: StreamEvent): StreamVerdict {
    const { sequence, hash, prevhash } = event;
    if (hashOf({ ...event }) !== hash) return { isNew: false, faults: [{ fault: 'content', sequence }] };
    const before = this.seen.get(sequence);
    if (before !== undefined) {
      return { isNew: false, faults: before.hash === hash ? [] : [{ fault: 'fork', sequence }] };
    }
    if (sequence <= this.highest - REMEMBERED && !this.missing.has(sequence)) return { isNew: false, faults: [] };
    const faults: StreamFault[] = [];
    const previous = this.seen.get(sequence - 1);
    const next = this.seen.get(sequence + 1);
    if ((previous !== undefined && previous.hash !== prevhash) || (next !== undefined && next.prevhash !== hash)) {
      faults.push({ fault: 'link', sequence });
    }
    this.remember(event);
    if (event.kind === 'event') faults.push(...this.skipped(sequence));
    return { isNew: true, faults };
  }

  private remember({ sequence, hash, prevhash }: StreamEvent): void {
    this.seen.set(sequence, { hash, prevhash });
    this.missing.delete(sequence);
    this.highest = Math.max(this.highest, sequence);
    if (this.seen.size > 2 * REMEMBERED) {
      for (const old of this.seen.keys()) if (old <= this.highest - REMEMBERED) this.seen.delete(old);
    }
  }

  /** The gaps that an event with this number shows, each reported once. */
  private skipped(sequence: number): StreamFault[] {
    const last = this.lastEvent;
    this.lastEvent = Math.max(last ?? 0, sequence);
    // What came before the first event that we hear is not ours to miss.
    if (last === undefined || sequence <= last) return [];
    const faults: StreamFault[] = [];
    let from: number | undefined;
    for (let at = Math.max(last + 1, sequence - REMEMBERED); at <= sequence; at += 1) {
      const isMissing = at < sequence && !this.seen.has(at);
      if (isMissing) {
        this.missing.add(at);
        from ??= at;
      } else if (from !== undefined) {
        faults.push({ fault: 'gap', from, to: at - 1 });
        from = undefined;
      }
    }
    return faults;
  }
}
