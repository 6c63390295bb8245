import type { E164 } from '../policy/ids.js';
import type { Ending, Story } from './call-state.js';
import type { CallRequest } from './ports.js';
import type { CallRecord } from './record.js';

/** A call to the desk is to nobody's number. */
export const numberOf = ({ desk }: CallRequest, number: E164): Pick<CallRecord, 'number'> =>
  desk === true ? {} : { number };

/** What a call was for the work desk. */
export const workOf = ({
  contact,
  campaign,
  desk,
}: CallRequest): Pick<CallRecord, 'contact' | 'campaign' | 'desk'> => ({
  ...(contact === undefined ? {} : { contact }),
  ...(campaign === undefined ? {} : { campaign }),
  ...(desk === undefined ? {} : { desk }),
});

/** Talk of a call that ended, milliseconds: from the answer to the end, and never past the deadline. */
function talkMs(call: Story, endedNs: bigint): number {
  // At the desk there is nobody to talk to.
  if (call.request.desk === true) return 0;
  if (call.armed === undefined || call.answeredNs === undefined || call.deadline === undefined) return 0;
  const until = endedNs < call.deadline.monotonicNs ? endedNs : call.deadline.monotonicNs;
  return Math.max(0, Number(until - call.answeredNs) / 1e6);
}

/** End of media against what ended it, milliseconds; undefined where we did not end it, or there was no media. */
function cutoffErrorMs({ cause, call, stats, released }: Ending): number | undefined {
  if (call.armed === undefined || released.media?.confirmed !== true) return undefined;
  // The relay stamps the last packet that it forwarded; that is the truth that a deadline is held to.
  if (cause === 'deadline') return stats?.lastForwardedMsAfterDeadline ?? released.media.afterMs;
  return cause === 'cutoff' ? released.media.afterMs : undefined;
}

/** The one record of a call whose planes have all answered or been given up. */
export function recordOf(ending: Ending): CallRecord {
  const { call, cause, refusal, sipStatus, endedAt, endedNs, released, stats } = ending;
  const { request, grant } = call;
  const person = grant?.person ?? request.person;
  const errorMs = cutoffErrorMs(ending);
  return {
    call: request.call,
    handset: request.handset,
    ...(grant === undefined ? {} : { wing: grant.wing, ...numberOf(request, grant.number) }),
    ...workOf(request),
    ...(person === undefined ? {} : { person }),
    ...(grant?.calleeZones[0] === undefined ? {} : { calleeZone: grant.calleeZones[0] }),
    ...(call.trunk === undefined ? {} : { trunk: call.trunk }),
    requestedAt: request.at,
    ...(call.answeredAt === undefined ? {} : { answeredAt: call.answeredAt }),
    endedAt,
    talkMs: talkMs(call, endedNs),
    cause,
    ...(refusal === undefined ? {} : { rule: refusal.rule, fact: refusal.fact }),
    ...(refusal?.nextAllowed === undefined ? {} : { nextAllowed: refusal.nextAllowed }),
    ...(sipStatus === undefined ? {} : { sipStatus }),
    ...(call.deadline === undefined ? {} : { deadline: call.deadline }),
    ...(call.endsBy === undefined ? {} : { endsBy: call.endsBy }),
    ...(errorMs === undefined ? {} : { cutoffErrorMs: errorMs }),
    planes: released,
    ...(stats === undefined ? {} : { media: stats }),
  };
}
