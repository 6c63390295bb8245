import type { HandsetId } from '../../gateway/policy/ids.js';
import type { SimSite } from './sim-site.js';
import { localDay } from './window-oracle.js';

interface Used {
  readonly day: number;
  calls: number;
  talkMs: number;
}

/** A talk is counted by the disk in whole milliseconds, and each call may round its own. */
const ROUNDING_MS = 2;

/** What each handset has really talked in a day of the site's, whatever the gateway counts. */
export class QuotaWatch {
  private readonly used = new Map<HandsetId, Used[]>();

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
}
