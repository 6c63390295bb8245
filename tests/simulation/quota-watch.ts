import type { HandsetId } from '../../gateway/policy/ids.js';
import { APART_S, MOST_TRIED, type SimHandset, type SimSite } from './sim-site.js';
import { localDay } from './window-oracle.js';

interface Used {
  readonly day: number;
  calls: number;
  talkMs: number;
}

/** A talk is counted by the disk in whole milliseconds, and each call may round its own. */
const ROUNDING_MS = 2;
const DAY_MS = 86_400_000;
/** What a clock may be off and be believed, twice. */
const DOUBT_MS = 5_000;

/** What each handset has really talked in a day of the site's, whatever the gateway counts. */
export class QuotaWatch {
  private readonly used = new Map<HandsetId, Used[]>();

  private readonly tried = new Map<string, { readonly askedMs: number; readonly endedMs: number }[]>();

  constructor(private readonly site: SimSite) {}

  /** A talk has ended of a call that was asked for at `askedMs`. Tells what is more than it may be. */
  talked(handset: HandsetId, askedMs: number, talkMs: number): string | undefined {
    const day = localDay(this.site.zone, askedMs);
    const days = (this.used.get(handset) ?? []).filter((one) => one.day >= day - 1);
    let today = days.find((one) => one.day === day);
    if (today === undefined) {
      today = { day, calls: 0, talkMs: 0 };
      days.push(today);
    }
    today.calls += 1;
    today.talkMs += talkMs;
    this.used.set(handset, days);
    const { callsPerDay, talkPerDayS } = this.site.quotaOf(handset);
    if (callsPerDay !== undefined && today.calls > callsPerDay) return `${today.calls} of ${callsPerDay} calls`;
    if (talkPerDayS !== undefined && today.talkMs > talkPerDayS * 1e3 + today.calls * ROUNDING_MS)
      return `${today.talkMs / 1e3} of ${talkPerDayS} s of talk`;
    return undefined;
  }

  /** An attempt at a number is on record. */
  attempted(number: string, askedMs: number, endedMs: number): void {
    const others = (this.tried.get(number) ?? []).filter((one) => one.askedMs > askedMs - 2 * DAY_MS);
    this.tried.set(number, [...others, { askedMs, endedMs }]);
  }

  /** Why a number may not be tried now, by what is on record; undefined when it may. */
  tooOften({ profile }: SimHandset, number: string, nowMs: number): string | undefined {
    const tried = this.tried.get(number) ?? [];
    const lately = tried.filter(({ askedMs }) => askedMs > nowMs - DAY_MS + DOUBT_MS && askedMs <= nowMs + DOUBT_MS);
    if (profile === 'survey' && lately.length >= MOST_TRIED) return `tried ${lately.length} times in 24 hours`;
    const last = Math.max(...tried.map(({ endedMs }) => endedMs));
    if (profile === 'night' && nowMs < last + APART_S * 1e3 - DOUBT_MS) return `tried ${(nowMs - last) / 1e3} s ago`;
    return undefined;
  }
}
