import type { Campaign, Language } from '../../config/schema/types.generated.js';
import type { Hours } from '../policy/hours.js';
import { neededMs } from './campaign.js';
import type { OwnTimes, Place } from './contact-hours.js';
import type { ContactRows } from './contact-rows.js';
import { Heap } from './heap.js';

/** Nobody plans further ahead: an opening after that counts as none, milliseconds. */
const FURTHEST_MS = 35 * 86_400_000;

/** Contacts of one campaign, language, place and times of day: all of them may be called at the same hours. */
export class ContactGroup {
  /** May be called now: by priority, then whoever has waited longest. */
  readonly ready: Heap;
  /** Call-backs that are due, the earliest first. */
  readonly due: Heap;
  /** Not yet: spaced, or call-backs to come. */
  readonly waiting: Heap;
  #known: { readonly atMs: number | undefined; readonly askedMs: number } | undefined;

  constructor(
    readonly index: number,
    public campaign: Campaign,
    readonly language: Language,
    readonly place: Place,
    readonly times: OwnTimes,
    public hours: Hours,
    private readonly rows: ContactRows,
  ) {
    const earlier = (a: number, b: number) => {
      const difference = (this.rows.readyMs[a] as number) - (this.rows.readyMs[b] as number);
      return difference < 0 || (difference === 0 && (this.rows.ref[a] as number) < (this.rows.ref[b] as number));
    };
    this.ready = new Heap((a, b) => {
      const difference = (this.rows.priority[a] as number) - (this.rows.priority[b] as number);
      return difference < 0 || (difference === 0 && earlier(a, b));
    });
    this.due = new Heap(earlier);
    this.waiting = new Heap(earlier);
  }

  /** Puts a row where its time says. */
  put(row: number, nowMs: number): void {
    const isNow = (this.rows.readyMs[row] as number) <= nowMs;
    (!isNow ? this.waiting : this.rows.isCallBack[row] === 1 ? this.due : this.ready).push(row);
  }

  /** Moves what has waited long enough. */
  advance(nowMs: number): void {
    for (let row = this.waiting.top(); row !== undefined; row = this.waiting.top()) {
      if ((this.rows.readyMs[row] as number) > nowMs) return;
      this.waiting.pop();
      this.put(row, nowMs);
    }
  }

  /** Whether a contact of it could be called now, and talked to for long enough. */
  isOpen(nowMs: number): boolean {
    const { isOpen, to } = this.hours.stretchAt(nowMs);
    return isOpen && to - nowMs >= neededMs(this.campaign);
  }

  /** The first instant from `nowMs` on at which a contact of it can be called, as far as is known now; undefined: none in five weeks. */
  opensAt(nowMs: number): number | undefined {
    const first = this.ready.size > 0 || this.due.size > 0 ? nowMs : this.#waitingMs();
    if (first === undefined) return undefined;
    const from = Math.max(nowMs, first);
    const known = this.#known;
    // Nothing opens between the instant that was asked about and the answer to it.
    if (known !== undefined && known.askedMs <= from && (known.atMs === undefined || from <= known.atMs))
      return known.atMs;
    const needed = neededMs(this.campaign);
    let atMs: number | undefined;
    for (let at = from; at <= from + FURTHEST_MS; ) {
      const { isOpen, to } = this.hours.stretchAt(at);
      if (isOpen && to - at >= needed) {
        atMs = at;
        break;
      }
      at = to;
    }
    this.#known = { atMs, askedMs: from };
    return atMs;
  }

  /** Its hours have changed with its campaign. */
  change(campaign: Campaign, hours: Hours): void {
    this.campaign = campaign;
    this.hours = hours;
    this.#known = undefined;
  }

  #waitingMs(): number | undefined {
    const row = this.waiting.top();
    return row === undefined ? undefined : this.rows.readyMs[row];
  }
}
