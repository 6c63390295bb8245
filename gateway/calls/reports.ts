/** What headquarters is told of calls. No called number is ever in clear: a token stands for it. */
import type { CallEndedData } from '../../config/schema/types.generated.js';
import { instantText } from '../clock/instant-text.js';
import type { E164 } from '../policy/ids.js';
import type { Lockdown } from '../policy/request.js';
import type { CallAlarm } from './call-state.js';
import type { CutoffOrder, CutoffResult, EventDraft, PlaneName } from './ports.js';
import type { CallRecord } from './record.js';

/** Turns a called number into what stands for it in reports. */
export type NumberToken = (number: E164) => string;

/** `balise.call.ended`, or `balise.call.refused` for a call that never was; the same data. */
export function callEvent(record: CallRecord, numberToken: NumberToken): EventDraft {
  const { calleeZone, requestedAt, answeredAt, endedAt, nextAllowed, deadline, cutoffErrorMs, planes, media } = record;
  const { call, handset, wing, person, number, contact, trunk, talkMs, cause, rule, fact, sipStatus, endsBy } = record;
  const { campaign, desk } = record;
  const data: CallEndedData = {
    call,
    handset,
    ...(wing === undefined ? {} : { wing }),
    ...(person === undefined ? {} : { person }),
    ...(calleeZone === undefined ? {} : { calleeZone }),
    ...(number === undefined ? {} : { numberToken: contact === undefined ? numberToken(number) : number }),
    ...(campaign === undefined ? {} : { campaign }),
    ...(contact === undefined ? {} : { contact }),
    ...(desk === undefined ? {} : { desk }),
    ...(trunk === undefined ? {} : { trunk }),
    requestedAt: instantText(requestedAt),
    ...(answeredAt === undefined ? {} : { answeredAt: instantText(answeredAt) }),
    endedAt: instantText(endedAt),
    talkMs,
    cause,
    ...(rule === undefined ? {} : { rule }),
    ...(fact === undefined ? {} : { fact }),
    ...(nextAllowed === undefined ? {} : { nextAllowed: instantText(nextAllowed) }),
    ...(sipStatus === undefined ? {} : { sipStatus }),
    ...(deadline === undefined
      ? {}
      : {
          deadline: {
            wall: instantText(deadline.wall),
            monotonicNs: String(deadline.monotonicNs),
            bootId: deadline.bootId,
          },
        }),
    ...(endsBy === undefined ? {} : { endsBy }),
    ...(cutoffErrorMs === undefined ? {} : { cutoffErrorMs }),
    planes,
    ...(media === undefined ? {} : { media }),
  };
  return {
    kind: 'event',
    type: cause === 'refused' ? 'balise.call.refused' : 'balise.call.ended',
    data: { ...data },
  };
}

/** `balise.alarm.<code>` of one call. */
export function callAlarm(
  record: Pick<CallRecord, 'call' | 'handset'>,
  { code, message, plane }: CallAlarm,
): EventDraft {
  const { call, handset } = record;
  const data = { why: code, message, handset, call, ...(plane === undefined ? {} : { plane }) };
  return { kind: 'alarm', type: `balise.alarm.${code}`, data };
}

/** `balise.alarm.plane-lost`: a whole plane went away, with what it held. */
export function planeLostAlarm(plane: PlaneName, why: string, calls: number): EventDraft {
  const message = `the ${plane} plane was lost with ${calls} calls up: ${why}`;
  return { kind: 'alarm', type: 'balise.alarm.plane-lost', data: { why: 'plane-lost', message, plane, calls } };
}

export function lockdownSet(order: CutoffOrder, lockdown: Lockdown): EventDraft {
  const { id, by } = order;
  const { target, from, until, reason } = lockdown;
  const ends = until === undefined ? {} : { until: instantText(until) };
  return {
    kind: 'event',
    type: 'balise.lockdown.set',
    data: { id, by, reason, target, from: instantText(from), ...ends },
  };
}

export function lockdownReleased(target: Lockdown['target'], by: string): EventDraft {
  return { kind: 'event', type: 'balise.lockdown.released', data: { target, by } };
}

/** `balise.cutoff.done`: what an order achieved, with its measured times. */
export function cutoffDone(order: CutoffOrder, result: CutoffResult): EventDraft {
  const { target, reason, by } = order;
  return { kind: 'event', type: 'balise.cutoff.done', data: { ...result, target, reason, by } };
}
