/**
 * Paid time as a fold over the audit chain's events, and nothing else: `balise.work.activity` ends one activity and begins the
 * next, `balise.work.correction` adds or takes away. A stretch lasts as long as the monotonic clock counted where its event
 * carries that, else from wall instant to wall instant; it lies before the instant of the event that ended it. A stretch over
 * the turn of a month, in the site's zone, is divided there.
 */
import type { WorkActivityData, WorkCorrectionData } from '../../config/schema/types.generated.js';
import { DAY_MS, ZoneClock } from '../policy/zone-clock.js';
import type { Activity, Rate } from './campaign.js';

/** An event of the chain that paid time rests on. */
export interface WorkEvent {
  readonly sequence: number;
  readonly hash: string;
  readonly type: 'balise.work.activity' | 'balise.work.correction';
  readonly data: WorkActivityData | WorkCorrectionData;
}

/** Time of one person in one month, for one campaign and one activity, at one rate. */
export interface PaidLine {
  readonly person: string;
  /** YYYY-MM, in the site's zone. */
  readonly month: string;
  readonly campaign: string;
  readonly activity: Activity | 'correction';
  /** Absent: not paid. */
  readonly rate?: Rate;
  readonly ms: number;
}

interface Open {
  readonly activity: Activity;
  readonly sinceMs: number;
  readonly campaign: string;
  readonly rate?: Rate;
  readonly event: number;
}

/** What the events of one month of one person come to, and which they are. */
export interface Account {
  readonly lines: readonly PaidLine[];
  /** The events that it rests on, in order. */
  readonly events: readonly { readonly sequence: number; readonly hash: string }[];
  /** Sessions that no sign-off closes: their last stretch is not counted yet. */
  readonly open: readonly string[];
}

/** The month of an instant, and when it ends; both in a zone. */
function monthAt(zone: string, ms: number): { readonly month: string; readonly endsMs: number } {
  const clock = ZoneClock.of(zone);
  // The monotonic clock counts fractions of a millisecond; the calendar does not.
  const date = new Date(clock.dayAt(Math.floor(ms)) * DAY_MS);
  const [year, number] = [date.getUTCFullYear(), date.getUTCMonth()];
  const endOf = (months: number): number => clock.instantOf(Date.UTC(year, number + months + 1, 1), 'closes');
  // Where clocks go back over the midnight that ends a month, it has ended at the first of the two.
  const isOver = endOf(0) <= ms;
  const month = new Date(Date.UTC(year, number + Number(isOver), 1)).toISOString().slice(0, 7);
  return { month, endsMs: endOf(Number(isOver)) };
}

/** [fromMs, toMs) divided at the turns of months. */
export function byMonth(zone: string, fromMs: number, toMs: number): readonly { month: string; ms: number }[] {
  const parts: { month: string; ms: number }[] = [];
  for (let at = fromMs; at < toMs; ) {
    const { month, endsMs } = monthAt(zone, at);
    const until = Math.min(endsMs, toMs);
    parts.push({ month, ms: until - at });
    at = until;
  }
  return parts;
}

/** Folds events, in the order of the chain, into the account of one person and one month. */
export class PayFold {
  readonly #lines = new Map<string, PaidLine>();
  readonly #open = new Map<string, Open>();
  readonly #events = new Map<number, string>();
  /** Of events that began what is open. */
  readonly #hashes = new Map<number, string>();

  constructor(
    private readonly person: string,
    private readonly month: string,
    /** The site's. */
    private readonly zone: string,
  ) {}

  take(event: WorkEvent): void {
    if (event.data.person !== this.person) return;
    if (event.type === 'balise.work.correction') this.#correct(event, event.data as WorkCorrectionData);
    else this.#pass(event, event.data as WorkActivityData);
  }

  account(): Account {
    const sorted = [...this.#lines.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line);
    const events = [...this.#events].sort(([a], [b]) => a - b).map(([sequence, hash]) => ({ sequence, hash }));
    const open = [...this.#open].filter(([, { sinceMs }]) => monthAt(this.zone, sinceMs).month <= this.month);
    return { lines: sorted, events, open: open.map(([session]) => session) };
  }

  #pass({ sequence, hash }: WorkEvent, data: WorkActivityData): void {
    const { session, activity, campaign, rate, ended } = data;
    const atMs = Date.parse(data.at);
    const open = this.#open.get(session);
    if (open !== undefined) {
      // A clock that was set back makes no time: a stretch without a monotonic count is then empty.
      const lastedMs = ended?.lastedMs ?? Math.max(0, atMs - open.sinceMs);
      for (const part of byMonth(this.zone, atMs - lastedMs, atMs)) {
        if (part.month !== this.month) continue;
        this.#rest(open.event);
        this.#rest(sequence, hash);
        this.#add({ ...open, ms: part.ms });
      }
    }
    this.#open.delete(session);
    if (activity === 'signed-off') return;
    this.#hashes.set(sequence, hash);
    const kept = { activity, sinceMs: atMs, campaign: campaign ?? open?.campaign ?? '', event: sequence };
    this.#open.set(session, { ...kept, ...(rate !== undefined && { rate }) });
  }

  /** The account rests on this event. */
  #rest(sequence: number, hash = this.#hashes.get(sequence)): void {
    if (hash !== undefined) this.#events.set(sequence, hash);
    this.#hashes.delete(sequence);
  }

  #correct({ sequence, hash }: WorkEvent, data: WorkCorrectionData): void {
    if (data.month !== this.month) return;
    this.#events.set(sequence, hash);
    const rate = { currency: data.currency, perHour: data.perHour };
    this.#add({ campaign: data.campaign, activity: 'correction', rate, ms: data.deltaMs });
  }

  #add({ campaign, activity, rate, ms }: Omit<PaidLine, 'person' | 'month'>): void {
    const { person, month } = this;
    const key = `${campaign} ${activity} ${rate?.currency ?? ''} ${rate?.perHour ?? ''}`;
    const before = this.#lines.get(key)?.ms ?? 0;
    this.#lines.set(key, { person, month, campaign, activity, ...(rate !== undefined && { rate }), ms: before + ms });
  }
}
