/** When a handset may call. */
import type { Judgement } from './calls.js';

export interface Interval {
  readonly from: string;
  readonly until: string;
}

/** GET /api/handsets/:id/week?zone=&from=: seven dates, `from` the first (default: today at the site). */
export interface WeekView {
  readonly zone: string;
  readonly siteZone: string;
  readonly days: readonly DayView[];
}

/**
 * One date. `siteWindows`: when the handset may call at all on that date of the site's zone. `zoneWindows`: when somebody
 * in `zone` may be called by the hours of `zone`'s country on file, on that date of `zone`; the two overlap where a call may be.
 */
export interface DayView {
  readonly date: string;
  readonly siteWindows: readonly Interval[];
  readonly zoneWindows: readonly Interval[];
}

/** GET /api/handsets/:id/when?number=|country=: judged now and not kept. */
export interface WhenView {
  readonly allowedNow: boolean;
  readonly rule?: string;
  readonly fact?: string;
  readonly nextAllowed?: string;
  readonly notAfter?: string;
  readonly endsBy?: string;
  readonly zones?: readonly string[];
  readonly why: readonly Judgement[];
}
