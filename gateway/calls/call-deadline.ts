import { Temporal } from 'temporal-polyfill';
import type { Deadline } from '../clock/deadline.js';
import type { EndsBy } from '../policy/decision.js';
import type { Answered, Granted, Now } from './call-state.js';

/** A wall instant far enough away to mean "never" is cut to this, so that every deadline is a real number of nanoseconds. */
const FARTHEST_NS = 366n * 86_400n * 1_000_000_000n;

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** Nanoseconds from now to a wall instant; negative when it is past. */
function leftToWall(now: Now, wall: Temporal.Instant): bigint {
  return BigInt(wall.epochNanoseconds) - BigInt(now.wall.epochNanoseconds);
}

/** The deadline that lies `leftNs` ahead on both clocks. */
function ahead(now: Now, leftNs: bigint): Deadline {
  const wall = Temporal.Instant.fromEpochNanoseconds(now.wall.epochNanoseconds + leftNs);
  return { wall, monotonicNs: now.monotonicNs + leftNs, bootId: now.bootId };
}

/** Nanoseconds left by whichever clock says less. */
export function leftNs(now: Now, deadline: Deadline): bigint {
  return least(deadline.monotonicNs - now.monotonicNs, leftToWall(now, deadline.wall));
}

/** A grant's end, `notAfter`, fixed on both clocks at the moment of judgement. */
export function limitOf(now: Now, notAfter: Temporal.Instant): Deadline {
  return ahead(now, least(leftToWall(now, notAfter), FARTHEST_NS));
}

/**
 * The deadline of a call that is answered now: the grant's end or the most talk, whichever comes first, and the rule that
 * binds. If the wall clock was set back since the grant, the monotonic clock still holds the grant to its end.
 */
export function deadlineAtAnswer(now: Now, call: Granted): Pick<Answered, 'deadline' | 'endsBy'> {
  const toLimit = leftNs(now, call.limit);
  const toMaxTalk = BigInt(Math.max(0, Math.floor(call.maxTalkMs * 1e6)));
  if (toMaxTalk <= toLimit) return { deadline: ahead(now, toMaxTalk), endsBy: call.grant.maxTalkBy };
  return { deadline: ahead(now, toLimit), endsBy: call.notAfterBy };
}

/** The limit and the talk that are left of a grant after policy has changed; neither ever grows. */
export function narrowedGrant(
  now: Now,
  call: Granted,
  to: { readonly notAfter: Temporal.Instant; readonly maxTalkMs?: number; readonly by?: EndsBy },
): Pick<Granted, 'limit' | 'maxTalkMs' | 'notAfterBy'> {
  const limit = limitOf(now, to.notAfter);
  const closer = leftNs(now, limit) < leftNs(now, call.limit);
  return {
    limit: closer ? limit : call.limit,
    notAfterBy: closer ? (to.by ?? call.notAfterBy) : call.notAfterBy,
    maxTalkMs: Math.min(call.maxTalkMs, to.maxTalkMs ?? call.maxTalkMs),
  };
}

/** The deadline after policy has changed, or undefined when it stays as it is: it never moves away. */
export function narrowedDeadline(
  now: Now,
  call: Answered,
  to: { readonly notAfter: Temporal.Instant; readonly maxTalkMs?: number; readonly by?: EndsBy },
): Pick<Answered, 'deadline' | 'endsBy'> | undefined {
  const talked = now.monotonicNs - call.answeredNs;
  const maxTalk = to.maxTalkMs === undefined ? undefined : BigInt(Math.floor(to.maxTalkMs * 1e6)) - talked;
  const toWindow = leftToWall(now, to.notAfter);
  const byTalk = maxTalk !== undefined && maxTalk < toWindow;
  const left = byTalk ? maxTalk : toWindow;
  if (left >= leftNs(now, call.deadline)) return undefined;
  const endsBy = byTalk ? call.grant.maxTalkBy : (to.by ?? call.notAfterBy);
  return { deadline: ahead(now, left), endsBy };
}
