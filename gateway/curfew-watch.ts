import type { Temporal } from 'temporal-polyfill';
import type { EventDraft } from './calls/ports.js';
import type { HandsetId } from './policy/ids.js';

export interface CurfewWatchOptions {
  readonly handsets: readonly HandsetId[];
  /** Whether a handset's own hours are open: its site's, its wing's and its own. */
  readonly isOpen: (handset: HandsetId, at: Temporal.Instant) => boolean;
  /** A curfew has begun: whatever call is still up is to be judged again. */
  readonly onBegan: () => void;
  readonly append: (event: EventDraft) => void;
}

/** Handsets that an event names; a site may have a thousand. */
const MOST_NAMED = 50;

/**
 * Sees curfews begin and end. Each call's deadline has the curfew in it from the start; this is the second look, at the hour
 * itself, for a call that should not be there, and it tells headquarters.
 */
export class CurfewWatch {
  #open: ReadonlySet<HandsetId> | undefined;

  constructor(private readonly options: CurfewWatchOptions) {}

  look(at: Temporal.Instant): void {
    const { handsets, isOpen, onBegan, append } = this.options;
    const before = this.#open;
    const open = new Set(handsets.filter((handset) => isOpen(handset, at)));
    this.#open = open;
    if (before === undefined) return;
    const closed = [...before].filter((handset) => !open.has(handset));
    const opened = [...open].filter((handset) => !before.has(handset));
    if (closed.length > 0) onBegan();
    if (closed.length > 0) append(event('balise.curfew.began', closed, at));
    if (opened.length > 0) append(event('balise.curfew.ended', opened, at));
  }
}

function event(type: string, handsets: readonly HandsetId[], at: Temporal.Instant): EventDraft {
  const data = { at: at.toString(), count: handsets.length, handsets: handsets.slice(0, MOST_NAMED) };
  return { kind: 'event', type, data };
}
