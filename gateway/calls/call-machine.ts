/**
 * One call from request to record, as a pure function: what is, what happened and what time it is give what will be and what
 * is to be done. It promises, whatever the order of events: no talk without a committed deadline; no state outlives its
 * deadline; a deadline only moves closer; every call ends in exactly one record; every plane that was told of it is told of
 * its end. tests/calls/model.test.ts walks random orders of events and holds it to this.
 */
import type { Grant, Refusal } from '../policy/decision.js';
import { announcingTable } from './call-announcing.js';
import { deadlineAtAnswer, leftNs, limitOf } from './call-deadline.js';
import type { CallEffect, MachineEvent } from './call-effect.js';
import { end, endedTable, endingTable, mergeDialogs, recordingTable } from './call-ending.js';
import { callHandset, callingHandset } from './call-keyed.js';
import { armPlanes, living, openMedia, waitingFor } from './call-living.js';
import type {
  Accepting,
  Announcing,
  Answered,
  Arming,
  CallState,
  Committing,
  Connecting,
  Dialling,
  Granted,
  Journalling,
  Judging,
  Now,
  OpeningMedia,
  Ringing,
  StateName,
  Talking,
} from './call-state.js';
import { bound, type Handler, ignored, type Step, type Table, unexpected } from './call-table.js';
import {
  ACCEPT_MS,
  ANNOUNCE_MS,
  ARM_MS,
  CONNECT_MS,
  DIAL_MARGIN_MS,
  HOOK_GRACE_MS,
  HOOK_LOOK_MS,
  OPEN_MEDIA_MS,
} from './call-times.js';
import type { Announcement, CallRequest, PlaneName } from './ports.js';

export type { Step } from './call-table.js';

/** The first step of a call. `fitted`: the handset has a line controller. */
export function begin(request: CallRequest, fitted: boolean, now: Now): Step {
  const state: Judging = { at: 'judging', call: { request, fitted, requestedNs: now.monotonicNs } };
  return { state, effects: [{ do: 'judge' }] };
}

// What no living state can hear of, because it belongs to the end or to another state.
const NEVER_LIVING = [
  'announcing',
  'announced',
  'released',
  'release-timeout',
  'recorded',
  'record-failed',
  'record-again',
  'byes-sent',
  'handset-called',
  'handset-answered',
] as const;

function refuse(
  state: Judging | Journalling | OpeningMedia,
  refusal: Refusal,
  now: Now,
  announcement?: Announcement,
): Step {
  if (refusal.rule !== 'line.not-off-hook') {
    if (announcement === undefined || state.at !== 'judging') return end(state, now, { cause: 'refused', refusal });
    const announcing: Announcing = { at: 'announcing', call: state.call, refusal };
    return {
      state: announcing,
      effects: [{ do: 'media-announce', announcement }, bound('announcing', ANNOUNCE_MS)],
    };
  }
  const graceNs = BigInt(HOOK_GRACE_MS) * 1_000_000n;
  if (state.call.fitted && now.monotonicNs - state.call.requestedNs < graceNs) {
    // The wire is polled, SIP is not: the hook may have been lifted and not yet read.
    const again: CallEffect = {
      do: 'set-timer',
      timer: 'hook',
      afterMs: HOOK_LOOK_MS,
      event: { type: 'judge-again' },
    };
    return { state, effects: [again] };
  }
  const message = 'a call was asked for while the wire says on-hook';
  return end(state, now, { cause: 'refused', refusal, alarm: { code: 'hook-mismatch', message, plane: 'line' } });
}

function grantCall(state: Judging, grant: Grant, now: Now): Step {
  const { maxTalkMs, notAfterBy } = grant;
  const limit = limitOf(now, grant.notAfter);
  const next: Journalling = {
    at: 'journalling',
    call: { ...state.call, grant, limit, maxTalkMs, notAfterBy, dialogs: [] },
  };
  if (leftNs(now, limit) <= 0n || maxTalkMs <= 0) return end(next, now, { cause: 'deadline' });
  return {
    state: next,
    effects: [
      { do: 'open-journal', grant },
      { do: 'watch-deadline', deadline: limit },
      bound('journalling', OPEN_MEDIA_MS),
    ],
  };
}

const judging: Table<Judging> = {
  ...living,
  ...unexpected(...NEVER_LIVING),
  ...unexpected('journalled', 'media-opened', 'dialling', 'trunk-ringing', 'trunk-early-media', 'trunk-answered'),
  ...unexpected('trunk-failed', 'media-connected', 'committed', 'commit-failed', 'armed', 'accepted', 'ring-timeout'),
  judged: (state, { decision, announcement }, now) =>
    decision.outcome === 'refusal' ? refuse(state, decision, now, announcement) : grantCall(state, decision, now),
  'judge-again': (state) => ({ state, effects: [{ do: 'judge' }] }),
};

const storeFault = (why: string): Refusal => ({
  outcome: 'refusal',
  rule: 'fault.store',
  fact: `the journal cannot take the call: ${why}`,
  sipStatus: 503,
});

const journalling: Table<Journalling> = {
  ...living,
  ...unexpected(...NEVER_LIVING),
  ...unexpected('judged', 'media-opened', 'dialling', 'trunk-ringing', 'trunk-early-media', 'trunk-answered'),
  ...unexpected('trunk-failed', 'media-connected', 'committed', 'commit-failed', 'armed', 'accepted', 'ring-timeout'),
  ...ignored('judge-again'),
  journalled: ({ call }) => (call.request.keyed === true ? callHandset(call) : openMedia(call, call.request.offer)),
  'journal-failed': (state, { why }, now) => refuse(state, storeFault(why), now),
};

/** What is wrong with the handset's own offer, and not with our media plane. */
const OFFER_FAULTS = ['media.bad-sdp', 'media.no-codec', 'media.bad-address'];

const openingMedia: Table<OpeningMedia> = {
  ...living,
  ...unexpected(...NEVER_LIVING),
  ...unexpected('judged', 'journalled', 'dialling', 'trunk-ringing', 'trunk-early-media', 'trunk-answered'),
  ...unexpected('trunk-failed', 'media-connected', 'committed', 'commit-failed', 'armed', 'accepted', 'ring-timeout'),
  ...ignored('judge-again'),
  'media-opened': ({ call }, { trunkOffer }) => {
    // The desk answers by itself: from here on it is a call like any other, without a trunk.
    if (call.request.desk === true) {
      return {
        state: { at: 'dialling', call },
        effects: [{ do: 'answer-desk' }, { do: 'tell', phase: 'calling' }, bound('dialling', DIAL_MARGIN_MS)],
      };
    }
    const { trunks, number, callerIdentity, ringMs } = call.grant;
    return {
      state: { at: 'dialling', call },
      effects: [
        { do: 'dial', order: { trunks, number, callerIdentity, offer: trunkOffer, ringMs } },
        { do: 'tell', phase: 'calling' },
        bound('dialling', Math.max(1, trunks.length) * ringMs + DIAL_MARGIN_MS),
      ],
    };
  },
  'media-failed': (state, { code }, now) => {
    const sipStatus = OFFER_FAULTS.includes(code) ? 488 : 503;
    const fact = `no media for this call: ${code}`;
    return refuse(state, { outcome: 'refusal', rule: 'fault.media', fact, sipStatus }, now);
  },
};

function answered(state: Dialling | Ringing, event: Extract<MachineEvent, { type: 'trunk-answered' }>, now: Now): Step {
  const dialogs = mergeDialogs(state.call.dialogs, event.dialogs);
  const call: Answered = {
    ...state.call,
    dialogs,
    answeredAt: now.wall,
    answeredNs: now.monotonicNs,
    ...deadlineAtAnswer(now, state.call),
  };
  const next: Connecting = { at: 'connecting', call };
  if (leftNs(now, call.deadline) <= 0n) {
    const ended = end(next, now, { cause: 'deadline' });
    return { ...ended, effects: [{ do: 'save-dialogs', dialogs: event.dialogs }, ...ended.effects] };
  }
  const { answeredAt, deadline } = call;
  return {
    state: next,
    effects: [
      // One transaction: how to end the legs, and when. The 200 OK to the handset waits for it, and the relay need not.
      { do: 'commit', answeredAt, deadline, dialogs },
      { do: 'watch-deadline', deadline },
      { do: 'media-connect', sdp: event.answer, final: true },
      bound('connecting', CONNECT_MS),
    ],
  };
}

/** What the handset hears of the trunk's failure: no more than busy, nobody, or not connected. */
const FAILURE_STATUS = { busy: 486, 'no-answer': 480 } as const;

const unanswered = {
  ...living,
  ...unexpected(...NEVER_LIVING),
  ...unexpected('judged', 'journalled', 'media-opened', 'media-connected', 'committed', 'commit-failed'),
  ...unexpected('armed', 'accepted'),
  ...ignored('judge-again'),
  dialling: (state: Dialling | Ringing, { trunk, dialog }: Extract<MachineEvent, { type: 'dialling' }>): Step => {
    const call: Granted = { ...state.call, trunk, dialogs: mergeDialogs(state.call.dialogs, [dialog]) };
    return { state: { ...state, call }, effects: [{ do: 'save-dialogs', dialogs: [dialog] }] };
  },
  'trunk-early-media': (
    state: Dialling | Ringing,
    { sdp }: Extract<MachineEvent, { type: 'trunk-early-media' }>,
  ): Step => ({
    state,
    effects: state.call.grant.earlyMedia ? [{ do: 'media-connect', sdp, final: false }] : [],
  }),
  // The trunk's early description is taken, and its sound may be heard (RFC 3960 §3); or it is our own ring-back.
  announcing: (state: Dialling | Ringing, { answer }: Extract<MachineEvent, { type: 'announcing' }>): Step => ({
    state,
    effects: [{ do: 'early-media', answer }],
  }),
  'trunk-answered': answered,
  'trunk-failed': (
    state: Dialling | Ringing,
    { cause }: Extract<MachineEvent, { type: 'trunk-failed' }>,
    now: Now,
  ): Step => {
    const sipStatus = cause === 'busy' || cause === 'no-answer' ? FAILURE_STATUS[cause] : 503;
    return end(state, now, { cause, sipStatus, trunkGone: true });
  },
  'ring-timeout': (state: Dialling | Ringing, _: unknown, now: Now): Step => end(state, now, { cause: 'no-answer' }),
};

const dialling: Table<Dialling> = {
  ...unanswered,
  'trunk-ringing': ({ call }) => ({
    state: { at: 'ringing', call },
    effects: [
      { do: 'ring' },
      { do: 'tell', phase: 'ringing' },
      bound('ringing', Math.max(1, call.grant.trunks.length) * call.grant.ringMs + DIAL_MARGIN_MS),
    ],
  }),
};

const ringing: Table<Ringing> = { ...unanswered, ...ignored('trunk-ringing') };

// After the answer: a trunk that fails now has hung up in its own way.
const afterAnswer = {
  ...living,
  ...unexpected(...NEVER_LIVING),
  ...unexpected('judged', 'journalled', 'media-opened', 'dialling', 'trunk-answered'),
  ...ignored('judge-again', 'trunk-ringing', 'trunk-early-media', 'announcing', 'ring-timeout'),
  'trunk-failed': (state: Connecting | Committing | Arming | Accepting | Talking, _: unknown, now: Now): Step =>
    end(state, now, { cause: 'trunk-failed' }),
};

const connecting: Table<Connecting> = {
  ...afterAnswer,
  ...unexpected('armed', 'accepted'),
  committed: (state) => ({ state: { ...state, isCommitted: true }, effects: [] }),
  'commit-failed': (state, _, now) => end(state, now, { cause: 'fault.store' }),
  'media-connected': ({ call, isCommitted }, { handsetAnswer }) => {
    const next = { ...call, handsetAnswer };
    // A call that the disk has not heard of must not be talking.
    if (isCommitted !== true)
      return { state: { at: 'committing', call: next }, effects: [bound('committing', CONNECT_MS)] };
    return arm(next);
  },
};

/** The deadline is on disk, and every plane is to hold it. */
function arm(call: Committing['call']): Step {
  return {
    state: { at: 'arming', call: { ...call, armed: true }, waiting: waitingFor(call) },
    effects: [...armPlanes(call), { do: 'look-at-hook' }, bound('arming', ARM_MS)],
  };
}

const committing: Table<Committing> = {
  ...afterAnswer,
  ...unexpected('media-connected', 'armed', 'accepted'),
  committed: ({ call }) => arm(call),
  'commit-failed': (state, _, now) => end(state, now, { cause: 'fault.store' }),
};

function armedPlane(state: Arming, plane: PlaneName): Step {
  const waiting = { ...state.waiting, [plane]: Math.max(0, state.waiting[plane] - 1) };
  const { call } = state;
  if (waiting.media + waiting.signalling + waiting.line > 0) return { state: { ...state, waiting }, effects: [] };
  return {
    state: { at: 'accepting', call },
    effects: [{ do: 'accept', answer: call.handsetAnswer }, bound('accepting', ACCEPT_MS)],
  };
}

const arming: Table<Arming> = {
  ...afterAnswer,
  ...unexpected('media-connected', 'committed', 'commit-failed', 'accepted'),
  armed: (state, { plane }) => armedPlane(state, plane),
};

const accepting: Table<Accepting> = {
  ...afterAnswer,
  ...unexpected('media-connected', 'committed', 'commit-failed'),
  // The answer to an order that brought the deadline closer.
  ...ignored('armed'),
  accepted: ({ call }) => ({
    state: { at: 'talking', call },
    effects: [
      { do: 'cancel-timer', timer: 'step' },
      { do: 'tell', phase: 'talking', until: call.deadline.wall },
    ],
  }),
};

const talking: Table<Talking> = {
  ...afterAnswer,
  ...unexpected('media-connected', 'committed', 'commit-failed'),
  ...ignored('armed', 'accepted'),
};

const TABLES = {
  judging,
  announcing: announcingTable,
  journalling,
  'calling-handset': callingHandset,
  'opening-media': openingMedia,
  dialling,
  ringing,
  connecting,
  committing,
  arming,
  accepting,
  talking,
  ending: endingTable,
  refusing: endingTable,
  recording: recordingTable,
  ended: endedTable,
} satisfies { readonly [S in StateName]: Table<Extract<CallState, { at: S }>> | typeof endingTable };

/** The next state and what is to be done. Never throws; an event that has no place is counted and changes nothing. */
export function step(state: CallState, event: MachineEvent, now: Now): Step {
  // The table of a state takes that state, and its entry for an event that event: the types cannot say so across a lookup.
  const handle = TABLES[state.at][event.type] as unknown as Handler<CallState, MachineEvent['type']>;
  return handle(state, event, now);
}
