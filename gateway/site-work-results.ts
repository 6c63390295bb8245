import type { Temporal } from 'temporal-polyfill';
import type { OutcomeView, WorkView } from './console/api/work.js';
import { ZoneClock } from './policy/zone-clock.js';
import type { WorkStore } from './work/ports.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What came of the work in the last thirty days, hours of the day by a zone's clock, summed over the days. */
export function workView(store: Pick<WorkStore, 'outcomes' | 'scores'>, zone: string, at: Temporal.Instant): WorkView {
  const fromMs = at.epochMilliseconds - 30 * DAY_MS;
  const clock = ZoneClock.of(zone);
  const sums = new Map<string, OutcomeView>();
  for (const { hourMs, calls, ...said } of store.outcomes(fromMs)) {
    const hour = Math.floor(((((hourMs + clock.offsetAt(hourMs)) % DAY_MS) + DAY_MS) % DAY_MS) / HOUR_MS);
    const key = JSON.stringify([said.campaign, said.language, said.outcome, said.isMystery, hour]);
    sums.set(key, { ...said, hour, calls: (sums.get(key)?.calls ?? 0) + calls });
  }
  return { zone, outcomes: [...sums.values()], scores: store.scores(fromMs) };
}
