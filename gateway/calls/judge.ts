import type { Temporal } from 'temporal-polyfill';
import type { Decision } from '../policy/decision.js';
import type { DialRequest, Facts, UsageBook } from '../policy/request.js';

/**
 * The policy in force. `main.ts` joins it to `policy/`; it is asked anew at each call, so a new policy is in force at once.
 * Pure but for `usage`, which it may ask or not; what `usage` throws comes through.
 */
export interface Judge {
  judge(request: DialRequest, facts: Facts, at: Temporal.Instant, usage: UsageBook): Decision;
}
