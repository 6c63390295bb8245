/**
 * How a call ends, from whatever state it is in. Silence is ordered first, then both legs, then the line, and none of them
 * waits for another; the record waits for all three, or for the time after which a plane is given up.
 */
import type { Refusal } from '../policy/decision.js';
import type { CallEffect, InnerEvent } from './call-effect.js';
import { recordOf } from './call-record.js';
import type { CallAlarm, CallState, Ended, Ending, Living, Now, Recording, StateName, Story } from './call-state.js';
import { ignored, type Step, stay, type Table, unexpected } from './call-table.js';
import {
  DEFAULT_HOLD_MS,
  LINE_RELEASE_MS,
  MEDIA_RELEASE_MS,
  RECORD_AGAIN_MOST_MS,
  RECORD_AGAIN_MS,
  SIGNALLING_RELEASE_MS,
} from './call-times.js';
import type { CutoffOrder, PlaneName } from './ports.js';
import type { EndCause, LegDialog, PlaneRelease } from './record.js';

export interface EndOrder {
  readonly cause: EndCause;
  /** Given to the handset where no trunk leg stands. */
  readonly refusal?: Refusal;
  readonly sipStatus?: number;
  /** The trunk has no leg any more. */
  readonly trunkGone?: true;
  /** How long the relay stays open, where it is cut. */
  readonly holdMs?: number;
  readonly alarm?: CallAlarm;
  readonly lost?: PlaneName;
}

const BEFORE_DIALLING: readonly StateName[] = [
  'judging',
  'announcing',
  'journalling',
  'calling-handset',
  'opening-media',
];
const WITHOUT_MEDIA: readonly StateName[] = ['judging', 'journalling', 'calling-handset'];
const WITH_LINE: readonly StateName[] = ['arming', 'accepting', 'talking'];

/** The ends that open the relay in whatever state: an order, and the wire itself in doubt. */
const CUTS_LINE: readonly EndCause[] = ['cutoff', 'hook.on', 'line.controller-lost', 'fault.line'];
/** And those that open it under a talk: its deadline, and the loss of a plane that held the other end of it. */
const CUTS_TALK: readonly EndCause[] = ['deadline', 'fault.media', 'fault.signalling'];

/** How long the order itself keeps a relay open, milliseconds: 10 s at most. The lockdown that it sets holds for longer, and can be lifted. */
export function holdOf(order: CutoffOrder): number {
  return order.hold === 'until-released' ? DEFAULT_HOLD_MS : Math.min(order.hold, DEFAULT_HOLD_MS);
}

/** What the handset is told where the machine itself turns a call down before it was dialled. */
const TOLD: Readonly<Partial<Record<EndCause, { readonly status: number; readonly fact: string }>>> = {
  cutoff: { status: 403, fact: 'an order ended the call before it began' },
  deadline: { status: 480, fact: 'the time for this call ended before it was answered' },
  busy: { status: 486, fact: 'the called telephone is busy' },
  'no-answer': { status: 480, fact: 'nobody answered' },
  'gateway-stopped': { status: 503, fact: 'the gateway is stopping' },
};

function timer(plane: PlaneName, afterMs: number): CallEffect {
  return { do: 'set-timer', timer: plane, afterMs, event: { type: 'release-timeout', plane } };
}

/** Ends a living call. */
export function end(state: Living, now: Now, order: EndOrder): Step {
  const { at } = state;
  const call: Story = state.call;
  const { cause, refusal, alarm, lost } = order;
  const effects: CallEffect[] = [];
  const owed: PlaneName[] = [];
  const released: Partial<Record<PlaneName, PlaneRelease>> = {};
  const gone: PlaneRelease = { confirmed: false, afterMs: 0 };

  if (!WITHOUT_MEDIA.includes(at)) {
    effects.push({ do: 'media-close' });
    // A relay that is gone forwards nothing; the order is for the driver, so that it forgets the call.
    if (lost === 'media') released.media = gone;
    else owed.push('media');
  }
  let sipStatus = order.sipStatus;
  const dialogs = call.dialogs ?? [];
  if (lost === 'signalling') {
    // The engine took the legs' transactions with it; what stands is ended from what is known of their dialogs.
    effects.push({ do: 'end-legs', dialogs });
    owed.push('signalling');
  } else {
    const toRefuse = (BEFORE_DIALLING.includes(at) || order.trunkGone === true) && cause !== 'handset-cancelled';
    const told = refusal ?? TOLD[cause];
    if (toRefuse) {
      sipStatus = refusal?.sipStatus ?? sipStatus ?? TOLD[cause]?.status ?? 503;
    }
    // A keyed call brought no INVITE that could be refused: what there is of its handset's leg is ours, and ends like any other.
    if (toRefuse && call.request.keyed !== true) {
      const rule = refusal?.rule ?? cause;
      const status = sipStatus ?? 503;
      effects.push({ do: 'refuse', status, rule, fact: told?.fact ?? 'the call could not be connected' });
    } else effects.push({ do: 'signalling-release', cause });
    owed.push('signalling');
  }
  const armed = WITH_LINE.includes(at);
  const cuts = (armed && CUTS_TALK.includes(cause)) || (at !== 'judging' && CUTS_LINE.includes(cause));
  const lineCut = call.fitted && cuts;
  if (call.fitted && (lineCut || armed)) {
    effects.push(lineCut ? { do: 'line-cut', holdMs: order.holdMs ?? DEFAULT_HOLD_MS } : { do: 'line-release' });
    if (lost === 'line') released.line = gone;
    else owed.push('line');
  }
  if (owed.includes('media')) effects.push(timer('media', MEDIA_RELEASE_MS));
  if (owed.includes('signalling')) effects.push(timer('signalling', SIGNALLING_RELEASE_MS));
  if (owed.includes('line')) effects.push(timer('line', LINE_RELEASE_MS));
  for (const name of ['step', 'deadline', 'hook'] as const) effects.push({ do: 'cancel-timer', timer: name });
  const { endsBy } = call;
  if (cause !== 'refused')
    effects.push({ do: 'tell', phase: 'ended', cause, ...(endsBy === undefined ? {} : { endsBy }) });

  const ending: Ending = {
    at: cause === 'refused' ? 'refusing' : 'ending',
    call,
    cause,
    ...(refusal === undefined ? {} : { refusal }),
    ...(sipStatus === undefined ? {} : { sipStatus }),
    endedAt: now.wall,
    endedNs: now.monotonicNs,
    owed,
    released,
    lineCut,
    alarms: alarm === undefined ? [] : [alarm],
  };
  return { state: ending, effects };
}

/** From the order, or from the deadline where that was the order, milliseconds. */
function afterMs(state: Ending, now: Now): number {
  const { cause, call, endedNs } = state;
  const from = cause === 'deadline' && call.armed === true && call.deadline ? call.deadline.monotonicNs : endedNs;
  return Number(now.monotonicNs - from) / 1e6;
}

/** A plane is done with, confirmed or given up; the last one brings the record. */
function settle(state: Ending, plane: PlaneName, confirmed: boolean, now: Now, more: Partial<Ending> = {}): Step {
  if (!state.owed.includes(plane)) return stay(state);
  const owed = state.owed.filter((other) => other !== plane);
  const release: PlaneRelease = { confirmed, afterMs: afterMs(state, now) };
  const next: Ending = { ...state, ...more, owed, released: { ...state.released, [plane]: release } };
  const cancel: CallEffect = { do: 'cancel-timer', timer: plane };
  if (owed.length > 0) return { state: next, effects: [cancel] };
  const record = recordOf(next);
  const { call, alarms } = next;
  return {
    state: { at: 'recording', call, record, alarms, tries: 1 },
    effects: [cancel, { do: 'record', record, alarms }],
  };
}

function unconfirmed(state: Ending, plane: PlaneName, message: string): Partial<Ending> {
  return { alarms: [...state.alarms, { code: 'release-unconfirmed', message, plane }] };
}

/** Dialogs with the newer of each leg in the place of the older. */
export function mergeDialogs(known: readonly LegDialog[], newer: readonly LegDialog[]): readonly LegDialog[] {
  return [...known.filter(({ leg }) => !newer.some((dialog) => dialog.leg === leg)), ...newer];
}

const LATE = ignored(
  'judge-again',
  'announcing',
  'announced',
  'handset-failed',
  'overdue',
  'hook-grace-over',
  'hook-checked',
  'trunk-ringing',
  'trunk-early-media',
  'trunk-failed',
  'media-opened',
  'media-failed',
  'media-connected',
  'committed',
  'commit-failed',
  'journalled',
  'journal-failed',
  'armed',
  'arm-failed',
  'accepted',
  'handset-cancelled',
  'handset-hung-up',
  'trunk-hung-up',
  'deadline-passed',
  'narrowed',
  'hook-on',
  'callee-redirected',
  'ring-timeout',
  'stop',
  'byes-sent',
);

function knowHandset(state: Ending, { dialog }: { readonly dialog: LegDialog }): Step {
  const dialogs = mergeDialogs(state.call.dialogs ?? [], [dialog]);
  return {
    state: { ...state, call: { ...state.call, dialogs } },
    effects: [{ do: 'save-dialogs', dialogs: [dialog] }],
  };
}

/** The handset answered a call of ours that is over: nobody else ends its leg. */
const endHandset = <S extends CallState>(state: S, { dialog }: { readonly dialog: LegDialog }): Step => ({
  state,
  effects: [{ do: 'end-legs', dialogs: [dialog] }],
});

export const endingTable: Table<Ending> = {
  ...LATE,
  ...unexpected('judged', 'recorded', 'record-failed', 'record-again'),
  released: (state, event, now) => {
    switch (event.plane) {
      case 'media':
        return settle(state, 'media', true, now, event.stats === undefined ? {} : { stats: event.stats });
      case 'signalling':
        return settle(state, 'signalling', true, now);
      case 'line':
        if (event.relayOpen || !state.lineCut) return settle(state, 'line', true, now);
        return settle(state, 'line', false, now, unconfirmed(state, 'line', 'the relay did not open when it was cut'));
    }
  },
  'release-timeout': (state, { plane }, now) =>
    settle(state, plane, false, now, unconfirmed(state, plane, `the ${plane} plane never confirmed its release`)),
  'plane-lost': (state, { plane }, now) => {
    if (plane !== 'signalling') return settle(state, plane, false, now);
    if (!state.owed.includes('signalling')) return stay(state);
    return {
      state,
      effects: [{ do: 'end-legs', dialogs: state.call.dialogs ?? [] }, timer('signalling', SIGNALLING_RELEASE_MS)],
    };
  },
  'controller-lost': (state, _event, now) => settle(state, 'line', false, now),
  // Signalling ends a leg that it has begun; should it be lost meanwhile, this is what there is to end it with.
  'handset-called': knowHandset,
  'handset-answered': knowHandset,
  dialling: (state, { trunk, dialog }) => {
    const dialogs = mergeDialogs(state.call.dialogs ?? [], [dialog]);
    return {
      state: { ...state, call: { ...state.call, trunk, dialogs } },
      effects: [{ do: 'save-dialogs', dialogs: [dialog] }],
    };
  },
  // The answer crossed our CANCEL (RFC 3261 §9.1): the leg is up, and has to be ended like any other.
  'trunk-answered': (state, { dialogs }) => {
    const call = { ...state.call, dialogs: mergeDialogs(state.call.dialogs ?? [], dialogs) };
    const again: CallEffect = state.owed.includes('signalling')
      ? { do: 'signalling-release', cause: state.cause }
      : { do: 'end-legs', dialogs };
    return { state: { ...state, call }, effects: [{ do: 'save-dialogs', dialogs }, again] };
  },
  // The first cause stands, but an order to open the relay is obeyed in any state.
  cutoff: (state, { order }) => {
    if (!state.call.fitted || state.lineCut) return stay(state);
    const owed: readonly PlaneName[] = state.owed.includes('line') ? state.owed : [...state.owed, 'line'];
    return {
      state: { ...state, owed, lineCut: true },
      effects: [{ do: 'line-cut', holdMs: holdOf(order) }, timer('line', LINE_RELEASE_MS)],
    };
  },
};

const AGAIN: InnerEvent = { type: 'record-again' };

export const recordingTable: Table<Recording> = {
  ...LATE,
  ...ignored('released', 'release-timeout', 'plane-lost', 'controller-lost', 'dialling', 'handset-called'),
  ...unexpected('judged'),
  'handset-answered': endHandset,
  'trunk-answered': (state, { dialogs }) => ({ state, effects: [{ do: 'end-legs', dialogs }] }),
  cutoff: (state, { order }) => ({
    state,
    effects: state.call.fitted ? [{ do: 'line-cut', holdMs: holdOf(order) }] : [],
  }),
  recorded: ({ call, record }) => ({
    state: { at: 'ended', call, record },
    effects: [
      { do: 'cancel-timer', timer: 'record' },
      { do: 'tell', phase: 'idle' },
      { do: 'forget', record },
    ],
  }),
  'record-failed': (state) => {
    const afterMs = Math.min(RECORD_AGAIN_MOST_MS, RECORD_AGAIN_MS * 2 ** Math.min(16, state.tries - 1));
    return {
      state: { ...state, tries: state.tries + 1 },
      effects: [{ do: 'set-timer', timer: 'record', afterMs, event: AGAIN }],
    };
  },
  'record-again': (state) => ({
    state,
    effects: [{ do: 'record', record: state.record, alarms: state.alarms }],
  }),
};

const ALL_LATE = ignored(
  'released',
  'release-timeout',
  'plane-lost',
  'controller-lost',
  'dialling',
  'handset-called',
  'record-again',
  'recorded',
  'record-failed',
  'cutoff',
);

export const endedTable: Table<Ended> = {
  ...LATE,
  ...ALL_LATE,
  ...unexpected('judged'),
  'handset-answered': endHandset,
  'trunk-answered': (state, { dialogs }) => ({ state, effects: [{ do: 'end-legs', dialogs }] }),
};
