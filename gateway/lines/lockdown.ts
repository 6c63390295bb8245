import { Temporal } from 'temporal-polyfill';
import type { HandsetId, WingId } from '../policy/ids.js';
import type { Lockdown } from '../policy/request.js';

/** An order holds from when it is given: a `from` ahead of the wall clock is of a clock that has been put right since. */
function isInForce({ until }: Lockdown, now: Temporal.Instant): boolean {
  return until === undefined || Temporal.Instant.compare(now, until) < 0;
}

/** Whether an order for `target` is for this handset's wire. */
export function isAimedAt(
  target: Lockdown['target'],
  line: { readonly handset: HandsetId; readonly wing: WingId },
): boolean {
  switch (target.kind) {
    case 'site':
      return true;
    case 'wing':
      return target.wing === line.wing;
    case 'handset':
      return target.handset === line.handset;
    case 'person':
      return false;
  }
}

/** Whether a lockdown in force at `now` holds this handset's relay open. A person's lockdown is no matter of a wire. */
export function isLockedDown(
  line: { readonly handset: HandsetId; readonly wing: WingId },
  lockdowns: readonly Lockdown[],
  now: Temporal.Instant,
): boolean {
  return lockdowns.some((lockdown) => isInForce(lockdown, now) && isAimedAt(lockdown.target, line));
}
