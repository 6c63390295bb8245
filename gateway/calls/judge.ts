import type { Temporal } from 'temporal-polyfill';
import type { Decision } from '../policy/decision.js';
import type { E164 } from '../policy/ids.js';
import type { DialRequest, Facts, Usage } from '../policy/request.js';

/** What has been used since the day began that policy counts by, of the asking handset and of a number. */
export type UsageSoFar = (number: E164 | undefined, dayStart: Temporal.Instant) => Usage;

/**
 * The policy in force. `main.ts` joins it to `policy/`; it is asked anew at each call, so a new policy is in force at once.
 * Pure but for `usage`, which it may call or not; what `usage` throws comes through.
 */
export interface Judge {
  judge(request: DialRequest, facts: Facts, at: Temporal.Instant, usage: UsageSoFar): Decision;
}
