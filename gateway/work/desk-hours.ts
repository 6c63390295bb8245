/**
 * Until when somebody may work at a handset, and how long the desk listens after that: a session ends with the person's hours, those
 * of the handset, or when the handset is the person's no longer. The end only ever comes sooner.
 */
import { Temporal } from 'temporal-polyfill';
import type { Person } from '../../config/schema/types.generated.js';
import type { Timer } from '../clock/clock.js';
import type { Hours } from '../policy/hours.js';
import type { HandsetId } from '../policy/ids.js';
import type { LeaveWhy } from './session-state.js';
import type { WorkDeskOptions } from './work-seam.js';

/** Long enough for the last sentence to be heard, milliseconds. */
export const CLOSE_MS = 15_000;
const LONGEST_WAIT_MS = 86_400_000;

export interface DeskHoursOptions extends Pick<WorkDeskOptions, 'clock' | 'store' | 'hoursOf' | 'hoursOfHandset'> {
  /** Somebody may work there until then; the desk listens no longer than that. */
  readonly listens: (handset: HandsetId, to: Temporal.Instant) => void;
  readonly leave: (handset: HandsetId, why: LeaveWhy) => void;
  /** The handset's own hours are over. */
  readonly over: (handset: HandsetId) => void;
}

interface Place {
  /** When the time of whoever is signed on ends, epoch milliseconds. */
  leavesAtMs?: number | undefined;
  /** Until when the desk listens to whoever is signed on, or has just been signed off, epoch milliseconds. */
  listensToMs?: number | undefined;
  leave?: Timer;
  over?: Timer;
}

export class DeskHours {
  readonly #places = new Map<HandsetId, Place>();

  constructor(private readonly options: DeskHoursOptions) {}

  /** Somebody sits down. The time for wrap-up after a handset's hours is for those alone who have worked in them. */
  opened(id: HandsetId): void {
    const place = this.#of(id);
    place.over?.cancel();
    const { clock, hoursOfHandset } = this.options;
    const endMs = hoursOfHandset === undefined ? Number.POSITIVE_INFINITY : this.#endOf(hoursOfHandset(id));
    place.over = clock.after(this.#msTo(endMs), () => this.options.over(id));
  }

  /** Somebody who signs on may stay until then. @param atMs epoch milliseconds. */
  leaveAt(id: HandsetId, atMs: number, why: LeaveWhy = 'window-ended'): void {
    const place = this.#of(id);
    place.leave?.cancel();
    place.leavesAtMs = atMs;
    // What the hours have ended is still to be disposed of.
    place.listensToMs = Math.floor(atMs) + this.wrapUpMs();
    this.options.listens(id, Temporal.Instant.fromEpochMilliseconds(place.listensToMs));
    this.#wait(id, atMs, why);
  }

  /** Somebody's hours as they are now: the session ends with them, or at once where they, or the handset, are gone. */
  look(id: HandsetId, person: Person): void {
    const place = this.#of(id);
    const why = person.handsets.includes(id) ? 'window-ended' : 'handset-withdrawn';
    const endMs = why === 'window-ended' ? this.#endOf(this.options.hoursOf(person, id)) : this.#nowMs();
    if (endMs < (place.leavesAtMs ?? Number.POSITIVE_INFINITY)) this.leaveAt(id, endMs, why);
    // A timer runs on the monotonic clock: it knows nothing of a wall clock that was set.
    if (this.#nowMs() >= (place.leavesAtMs ?? Number.POSITIVE_INFINITY)) this.options.leave(id, why);
  }

  /** Whoever was signed on is so no longer; the last sentence is still heard. */
  released(id: HandsetId): void {
    const place = this.#of(id);
    place.leave?.cancel();
    place.leavesAtMs = undefined;
    if (place.listensToMs !== undefined) place.listensToMs = Math.min(place.listensToMs, this.#nowMs() + CLOSE_MS);
  }

  /** Nobody is spoken to there any more who was signed on. */
  forgotten(id: HandsetId): void {
    this.#of(id).listensToMs = undefined;
  }

  /** Until when the desk listens to whoever is signed on at a handset, or has just been signed off; epoch milliseconds. */
  listensToMs(id: HandsetId): number | undefined {
    return this.#places.get(id)?.listensToMs;
  }

  /** The longest that somebody may take to say how a call went, and to hear the last sentence, milliseconds. */
  wrapUpMs(): number {
    return Math.max(0, ...this.options.store.campaigns().map(({ wrapUpS }) => wrapUpS)) * 1_000 + CLOSE_MS;
  }

  stop(): void {
    for (const { leave, over } of this.#places.values()) {
      leave?.cancel();
      over?.cancel();
    }
  }

  #wait(id: HandsetId, atMs: number, why: LeaveWhy): void {
    this.#of(id).leave = this.options.clock.after(this.#msTo(atMs), () => {
      if (this.#nowMs() < atMs) this.#wait(id, atMs, why);
      else this.options.leave(id, why);
    });
  }

  /** When hours end, epoch milliseconds; at once where they are closed. */
  #endOf(hours: Hours): number {
    const { isOpen, to } = hours.stretchAt(this.#nowMs());
    return isOpen ? to : this.#nowMs();
  }

  #msTo(atMs: number): number {
    return Math.min(LONGEST_WAIT_MS, Math.max(0, atMs - this.#nowMs()));
  }

  #of(id: HandsetId): Place {
    const known = this.#places.get(id) ?? {};
    this.#places.set(id, known);
    return known;
  }

  #nowMs(): number {
    return this.options.clock.wall().epochMilliseconds;
  }
}
