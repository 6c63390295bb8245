import { Temporal } from 'temporal-polyfill';
import { numberOf, workOf } from './call-record.js';
import type { OpenCall } from './ports.js';
import type { CallRecord } from './record.js';

/**
 * The record of a call that a dead gateway left in the journal. When it really ended is not known: its planes ended it within
 * seconds of that death. So the talk counts up to now or its deadline, whichever is less; a doubtful minute counts as used.
 */
export function recordOfOpenCall(
  open: OpenCall,
  wall: Temporal.Instant,
  legsEnded: boolean,
  afterMs: number,
): CallRecord {
  const { request, grant, answeredAt, deadline, dialogs } = open;
  // A clock that has been set back since the answer tells nothing: then the whole lease counts.
  const knows = answeredAt !== undefined && Temporal.Instant.compare(answeredAt, wall) <= 0;
  const talkEnd =
    deadline === undefined || (knows && Temporal.Instant.compare(wall, deadline.wall) < 0) ? wall : deadline.wall;
  const talkMs =
    answeredAt === undefined || deadline === undefined || request.desk === true
      ? 0
      : Math.max(0, Number(talkEnd.epochNanoseconds - answeredAt.epochNanoseconds) / 1e6);
  return {
    call: request.call,
    handset: request.handset,
    wing: grant.wing,
    ...numberOf(request, grant.number),
    ...workOf(request),
    ...(grant.person === undefined ? {} : { person: grant.person }),
    requestedAt: request.at,
    ...(answeredAt === undefined ? {} : { answeredAt }),
    endedAt: wall,
    talkMs,
    cause: 'gateway-restarted',
    ...(deadline === undefined ? {} : { deadline }),
    planes: dialogs.length === 0 ? {} : { signalling: { confirmed: legsEnded, afterMs } },
  };
}
