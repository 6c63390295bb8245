/** What every state does, in which the call may still become a talk, with the events that can come at any time. */
import { leftNs, narrowedDeadline, narrowedGrant } from './call-deadline.js';
import type { CallEffect, MachineEvent } from './call-effect.js';
import { end, holdOf } from './call-ending.js';
import { numberOf } from './call-record.js';
import type { Answered, Arming, CallAlarm, Granted, Living, Now } from './call-state.js';
import { bound, type Step, stay } from './call-table.js';
import { EARLY_END_NS, HOOK_GRACE_MS, OPEN_MEDIA_MS } from './call-times.js';

type Event<T extends MachineEvent['type']> = Extract<MachineEvent, { type: T }>;

const isGranted = (state: Living): state is Exclude<Living, { at: 'judging' | 'announcing' }> =>
  state.at !== 'judging' && state.at !== 'announcing';

const isAnswered = (state: Living): state is Extract<Living, { call: Answered }> =>
  state.at === 'connecting' ||
  state.at === 'committing' ||
  state.at === 'arming' ||
  state.at === 'accepting' ||
  state.at === 'talking';

const isArmed = (state: Living): boolean => state.at === 'arming' || state.at === 'accepting' || state.at === 'talking';

/** The way on once the handset's own description is known; the INVITE brought it, or the answer to ours. */
export function openMedia(call: Granted, handsetOffer: string, first: readonly CallEffect[] = []): Step {
  const { request, grant } = call;
  const order = {
    handset: request.handset,
    ...(grant.person === undefined ? {} : { person: grant.person }),
    ...numberOf(request, grant.number),
    ...(request.supervised === undefined ? {} : { supervised: request.supervised }),
    ...(request.announced === undefined ? {} : { announced: request.announced }),
    ...(request.desk === undefined ? {} : { desk: true as const }),
    ...(request.desk === undefined && request.contact === undefined ? {} : { keys: true as const }),
    ...(request.keyed === true ? { ringsBack: true as const } : {}),
    handsetOffer,
    earlyMedia: grant.earlyMedia,
    digitsAllowed: grant.digitsAllowed,
  };
  return {
    state: { at: 'opening-media', call },
    effects: [...first, { do: 'media-open', order }, bound('opening-media', OPEN_MEDIA_MS)],
  };
}

/** The orders that give every plane the deadline. */
export function armPlanes(call: Answered): readonly CallEffect[] {
  const { deadline, grant, fitted } = call;
  const line: readonly CallEffect[] = fitted ? [{ do: 'line-arm', deadline }] : [];
  return [...line, { do: 'signalling-arm', deadline }, { do: 'media-arm', deadline, warningsS: grant.warningsS }];
}

/** One more answer to wait for from each plane. */
export function waitingFor(call: Answered, before?: Arming['waiting']): Arming['waiting'] {
  return {
    media: (before?.media ?? 0) + 1,
    signalling: (before?.signalling ?? 0) + 1,
    line: (before?.line ?? 0) + (call.fitted ? 1 : 0),
  };
}

function deadlinePassed(state: Living, { by }: Event<'deadline-passed'>, now: Now): Step {
  const deadline = isAnswered(state) ? state.call.deadline : isGranted(state) ? state.call.limit : undefined;
  const left = deadline === undefined ? 0n : leftNs(now, deadline);
  // A timer that fires early, or for a deadline that has since been replaced.
  if (by === 'calls' && deadline !== undefined && left > 0n) {
    return { state, effects: [{ do: 'watch-deadline', deadline }] };
  }
  // A plane that says so has ended its part already, rightly or not.
  const early = left > EARLY_END_NS && by !== 'calls';
  const message = `the ${by} plane ended the call ${Math.round(Number(left) / 1e9)} s before its deadline`;
  const alarm: CallAlarm | undefined = by !== 'calls' && early ? { code: 'early-end', message, plane: by } : undefined;
  return end(state, now, { cause: 'deadline', ...(alarm === undefined ? {} : { alarm }) });
}

function lineLost(state: Living, now: Now, why: string, whole: boolean): Step {
  if (!state.call.fitted) return stay(state);
  const goesOn =
    state.at === 'accepting' || state.at === 'talking' ? state.call.grant.controllerLost === 'alarm' : false;
  if (goesOn) {
    const message = `the call goes on without its line controller: ${why}`;
    return { state, effects: [{ do: 'alarm', alarm: { code: 'controller-lost', message, plane: 'line' } }] };
  }
  return end(state, now, { cause: 'line.controller-lost', ...(whole ? { lost: 'line' } : {}) });
}

function planeLost(state: Living, { plane, why }: Event<'plane-lost'>, now: Now): Step {
  switch (plane) {
    case 'line':
      return lineLost(state, now, why, true);
    case 'media':
      return end(state, now, { cause: 'fault.media', lost: 'media' });
    case 'signalling':
      return end(state, now, { cause: 'fault.signalling', lost: 'signalling' });
  }
}

function narrowed(state: Living, event: Event<'narrowed'>, now: Now): Step {
  if (!isGranted(state)) return stay(state);
  if (!isAnswered(state)) {
    const call: Granted = { ...state.call, ...narrowedGrant(now, state.call, event) };
    const next = { ...state, call };
    if (leftNs(now, call.limit) <= 0n) return end(next, now, { cause: 'deadline' });
    return { state: next, effects: [{ do: 'watch-deadline', deadline: call.limit }] };
  }
  const closer = narrowedDeadline(now, state.call, event);
  if (closer === undefined) return stay(state);
  const call = { ...state.call, ...closer };
  const next = { ...state, call } as typeof state;
  if (leftNs(now, closer.deadline) <= 0n) return end(next, now, { cause: 'deadline' });
  const watch: CallEffect = { do: 'watch-deadline', deadline: closer.deadline };
  if (!isArmed(next)) return { state: next, effects: [watch] };
  const armed = next.at === 'arming' ? { ...next, waiting: waitingFor(call, next.waiting) } : next;
  return { state: armed, effects: [watch, ...armPlanes(call)] };
}

function hookOn(state: Living, now: Now): Step {
  if (!isGranted(state) || !state.call.fitted) return stay(state);
  // A keyed call was asked for by the wire alone: without the wire there is nobody who asks.
  if (!state.call.grant.hookRequired && state.call.request.keyed !== true) return stay(state);
  if (state.call.hookOnSinceNs !== undefined) return stay(state);
  const call = { ...state.call, hookOnSinceNs: now.monotonicNs };
  return { state: { ...state, call } as Living, effects: [hookGrace(HOOK_GRACE_MS)] };
}

function hookGrace(afterMs: number): CallEffect {
  return { do: 'set-timer', timer: 'hook', afterMs, event: { type: 'hook-grace-over' } };
}

function hookChecked(state: Living, { stillOn }: Event<'hook-checked'>, now: Now): Step {
  const since = state.call.hookOnSinceNs;
  if (since === undefined) return stillOn ? hookOn(state, now) : stay(state);
  if (!stillOn) {
    const { hookOnSinceNs: _, ...call } = state.call;
    return { state: { ...state, call } as Living, effects: [{ do: 'cancel-timer', timer: 'hook' }] };
  }
  const leftNs = since + BigInt(HOOK_GRACE_MS) * 1_000_000n - now.monotonicNs;
  // Looked at before its time, and whoever looked may have been the timer: it looks again.
  if (leftNs > 0n) return { state, effects: [hookGrace(Math.ceil(Number(leftNs) / 1e6))] };
  const message = 'the wire says on-hook, and the call went on';
  return end(state, now, { cause: 'hook.on', alarm: { code: 'hook-mismatch', message, plane: 'line' } });
}

function overdue(state: Living, { state: of }: Event<'overdue'>, now: Now): Step {
  // The timer of a state that has passed.
  if (of !== state.at) return stay(state);
  switch (state.at) {
    case 'dialling':
      return end(state, now, { cause: 'trunk-failed' });
    case 'ringing':
      return end(state, now, { cause: 'no-answer' });
    case 'arming':
      if (state.waiting.media > 0) return end(state, now, { cause: 'fault.media' });
      return end(state, now, { cause: state.waiting.line > 0 ? 'fault.line' : 'fault.signalling' });
    case 'accepting':
      return end(state, now, { cause: 'fault.signalling' });
    case 'committing':
    case 'journalling':
      return end(state, now, { cause: 'fault.store' });
    default:
      return end(state, now, { cause: 'fault.media' });
  }
}

const FAULT_OF = { media: 'fault.media', signalling: 'fault.signalling', line: 'fault.line' } as const;

/** The entries that all living states share. */
export const living = {
  cutoff: (state: Living, { order }: Event<'cutoff'>, now: Now) =>
    end(state, now, { cause: 'cutoff', holdMs: holdOf(order) }),
  stop: (state: Living, _: Event<'stop'>, now: Now) => end(state, now, { cause: 'gateway-stopped' }),
  'handset-cancelled': (state: Living, _: Event<'handset-cancelled'>, now: Now) =>
    end(state, now, { cause: 'handset-cancelled' }),
  'handset-failed': (state: Living, _: Event<'handset-failed'>, now: Now) =>
    end(state, now, { cause: 'fault.signalling' }),
  'handset-hung-up': (state: Living, _: Event<'handset-hung-up'>, now: Now) =>
    end(state, now, { cause: 'handset-hung-up' }),
  'trunk-hung-up': (state: Living, _: Event<'trunk-hung-up'>, now: Now) => end(state, now, { cause: 'trunk-hung-up' }),
  'callee-redirected': (state: Living, _: Event<'callee-redirected'>, now: Now) => {
    const message = 'the far end tried to send the call elsewhere';
    return end(state, now, { cause: 'callee.redirected', alarm: { code: 'callee-redirected', message } });
  },
  'media-failed': (state: Living, _: Event<'media-failed'>, now: Now) => end(state, now, { cause: 'fault.media' }),
  'arm-failed': (state: Living, { plane }: Event<'arm-failed'>, now: Now) =>
    end(state, now, { cause: FAULT_OF[plane] }),
  'journal-failed': (state: Living, _: Event<'journal-failed'>, now: Now) => end(state, now, { cause: 'fault.store' }),
  'deadline-passed': deadlinePassed,
  'plane-lost': planeLost,
  'controller-lost': (state: Living, _: Event<'controller-lost'>, now: Now) =>
    lineLost(state, now, 'contact with the controller is lost', false),
  narrowed,
  'hook-on': (state: Living, _: Event<'hook-on'>, now: Now) => hookOn(state, now),
  'hook-grace-over': (state: Living): Step => ({ state, effects: [{ do: 'look-at-hook' }] }),
  'hook-checked': hookChecked,
  overdue,
};
