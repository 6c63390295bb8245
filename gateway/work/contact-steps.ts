/** With a contact in hand: the call, and how it went. */

import type { Disposition } from '../../config/schema/types.generated.js';
import { DISPOSITION_KEYS } from './dispositions.js';
import type { PromptId } from './prompt-ids.js';
import { begin, ENTRY_MS, leaveLater, say, signOff, stay, toAway, toMenu } from './session-parts.js';
import type {
  CallCut,
  ChosenContact,
  ContactCallEnd,
  Dialling,
  EnteringTime,
  LeaveWhy,
  Now,
  Owing,
  Session,
  SessionEffect,
  SessionEvent,
  Step,
  Talking,
  WrapUp,
} from './session-state.js';
import { afterKey, callBackTime } from './time-entry.js';

/** A call that its deadline has not ended so long after the hours did is ended by us, milliseconds. */
const DEADLINE_MS = 1_000;
/** How long somebody who owes a disposition may say nothing before being reminded, milliseconds. */
const REMIND_MS = 30_000;
export const DISPOSITION_WAIT_MS: readonly SessionEffect[] = [{ do: 'set-timer', timer: 'entry', afterMs: REMIND_MS }];

type CallEnded = Extract<SessionEvent, { type: 'ended' }>;

const UNANSWERED: Readonly<Record<Exclude<ContactCallEnd, 'talked'>, PromptId>> = {
  'no-answer': 'work.no-answer',
  busy: 'work.busy',
  'not-connected': 'work.not-connected',
  'not-called': 'work.not-called',
};

/** Why a call was ended, in words: said at the desk, after the silence that ended it. */
const CUT: Readonly<Record<CallCut, PromptId>> = {
  limit: 'work.ended-limit',
  window: 'work.ended-window',
  order: 'work.ended-order',
  fault: 'work.ended-fault',
};

export const afterCall = {
  answered({ session, contact, isDown }: Dialling, now: Now): Step {
    const { session: next, effects } = begin(session, 'talking', now, { contact });
    const state: Talking = { at: 'talking', session: next, contact, isDown, starred: false };
    // The handset was put down, or the hours ended, as it was answered: nobody is to talk.
    const end: readonly SessionEffect[] = isDown || session.leaving !== undefined ? [{ do: 'end-call' }] : [];
    return { state, effects: [{ do: 'hush' }, ...effects, ...end] };
  },
  unanswered({ session, contact, isDown }: Dialling, { how, refusal }: CallEnded, now: Now): Step {
    const outcome = how === 'talked' ? 'not-connected' : how;
    const { state, effects } = disposed(session, contact, isDown, outcome, now, [UNANSWERED[outcome]]);
    if (refusal === undefined) return { state, effects };
    return { state, effects: effects.map((effect) => (effect.do === 'dispose' ? { ...effect, refusal } : effect)) };
  },
};

/** A contact is disposed of, and the person is between contacts again. */
function disposed(
  session: Session,
  contact: ChosenContact,
  isDown: boolean,
  disposition: Disposition,
  now: Now,
  first: readonly PromptId[],
  callBackMs?: number,
): Step {
  const { state, effects } = toMenu(session, now, isDown, first);
  const over: SessionEffect = {
    do: 'dispose',
    session,
    contact,
    disposition,
    ...(callBackMs !== undefined && { callBackMs }),
  };
  return { state, effects: [over, { do: 'cancel-timer', timer: 'wrap-up' }, ...effects] };
}

export function fromTalking(state: Talking, event: SessionEvent, now: Now): Step {
  const { session, contact, isDown, given } = state;
  switch (event.type) {
    case 'digit':
      return keyInCall(state, event.digit);
    case 'ended':
      if (event.token !== contact.token) return stay(state);
      return given === undefined
        ? toWrapUp(state, cutOf(session, event), now)
        : disposed(session, contact, isDown, given, now, ['work.noted']);
    case 'hook-on':
      return { state: { ...state, isDown: true }, effects: [{ do: 'end-call' }] };
    case 'leave': {
      const leaving = leaveLater(state, event.why);
      if (event.why === 'suspended') return { state: leaving, effects: [{ do: 'end-call' }] };
      // Policy's own deadline ends the call at this instant; this is for one that does not.
      return { state: leaving, effects: [{ do: 'set-timer', timer: 'entry', afterMs: DEADLINE_MS }] };
    }
    case 'timer':
      return { state, effects: session.leaving === undefined ? [] : [{ do: 'end-call' }] };
    default:
      return stay(state);
  }
}

/** In a call a key is the gateway's only after `*`: `*8` it is night there, `*9` distress, `*0` end the call. */
function keyInCall(state: Talking, digit: string): Step {
  if (!state.starred) return stay({ ...state, starred: digit === '*' });
  const next: Talking = { ...state, starred: false };
  switch (digit) {
    case '0':
      return { state: next, effects: [{ do: 'end-call' }] };
    case '8':
      return { state: { ...next, given: 'night-here' }, effects: [{ do: 'end-call' }] };
    case '9':
      return { state: { ...next, given: 'distress' }, effects: state.given === 'distress' ? [] : [distress(state)] };
    default:
      return stay({ ...next, starred: digit === '*' });
  }
}

const distress = ({ session, contact }: { session: Session; contact: ChosenContact }): SessionEffect => ({
  do: 'alarm',
  code: 'work.distress',
  message: `${session.person} reports distress in a call of ${contact.campaign}, contact ${contact.token}`,
});

/** A call that the desk ended itself because the person may not work there any more was ended by that all the same. */
const cutOf = ({ leaving }: Session, { cut }: CallEnded): CallCut | undefined =>
  cut ?? (leaving === 'window-ended' ? 'window' : leaving === undefined ? undefined : 'order');

function toWrapUp({ session, contact, isDown }: Talking, cut: CallCut | undefined, now: Now): Step {
  // Whoever is suspended says nothing more; what nobody says counts as a refusal.
  if (session.leaving === 'suspended') return leaveUndisposed(session, contact, isDown, now);
  const { session: next, effects } = begin(session, 'wrap-up', now, { contact });
  const state: WrapUp = { at: 'wrap-up', session: next, contact, isDown, ...(cut !== undefined && { cut }) };
  return {
    state,
    effects: [
      ...effects,
      ...(isDown ? [] : [askHow(cut)]),
      { do: 'set-timer', timer: 'wrap-up', afterMs: contact.wrapUpS * 1_000 },
    ],
  };
}

const askHow = (cut?: CallCut): SessionEffect => say(...(cut === undefined ? [] : [CUT[cut]]), 'work.disposition');

export function fromWrapUp(state: WrapUp, event: SessionEvent, now: Now): Step {
  switch (event.type) {
    case 'digit':
      return dispositionKey(state, event.digit, false, now);
    case 'timer':
      return event.timer === 'wrap-up' ? overdue(state, now) : stay(state);
    case 'opened':
      return { state: { ...state, isDown: false }, effects: [askHow(state.cut)] };
    case 'hook-on':
      return { state: { ...state, isDown: true }, effects: [{ do: 'hush' }] };
    case 'leave':
      return leaveWrapUp(state, event.why, now);
    default:
      return stay(state);
  }
}

/** The hours may end while it is said how a call went; a suspension waits for nothing. */
function leaveWrapUp<S extends WrapUp | EnteringTime>(state: S, why: LeaveWhy, now: Now): Step {
  const leaving = leaveLater(state, why);
  if (why === 'suspended') return leaveUndisposed(leaving.session, state.contact, state.isDown, now);
  return { state: leaving, effects: [] };
}

/** The time for wrap-up is over: it is paid no longer, and no contact follows before the disposition is given. */
function overdue({ session, contact, isDown }: WrapUp | EnteringTime, now: Now): Step {
  if (session.leaving !== undefined) return leaveUndisposed(session, contact, isDown, now);
  if (isDown) return toAway(session, now, contact);
  const { session: next, effects } = begin(session, 'away', now);
  return {
    state: { at: 'owing', session: next, contact, isDown },
    effects: [...effects, say('work.disposition-owed', 'work.disposition'), ...DISPOSITION_WAIT_MS],
  };
}

function leaveUndisposed(session: Session, contact: ChosenContact, isDown: boolean, now: Now): Step {
  const { state, effects } = signOff(session, session.leaving ?? 'keyed', now, isDown);
  return { state, effects: [{ do: 'dispose', session, contact, disposition: 'undisposed' }, ...effects] };
}

export function fromOwing(state: Owing, event: SessionEvent, now: Now): Step {
  const { session, contact } = state;
  switch (event.type) {
    case 'digit':
      return dispositionKey(state, event.digit, true, now);
    case 'timer':
      if (event.timer !== 'entry') return stay(state);
      return { state, effects: [say('work.disposition-owed', 'work.disposition'), ...DISPOSITION_WAIT_MS] };
    case 'hook-on':
      return toAway(session, now, contact);
    case 'leave':
      return leaveUndisposed({ ...session, leaving: event.why }, contact, false, now);
    default:
      return stay(state);
  }
}

function dispositionKey(state: WrapUp | Owing, digit: string, isLate: boolean, now: Now): Step {
  const { session, contact } = state;
  const disposition = DISPOSITION_KEYS[digit];
  // Nobody listens: a key from nowhere disposes of nothing.
  if (state.isDown) return stay(state);
  if (disposition === undefined) return { state, effects: [say('work.disposition')] };
  if (disposition === 'call-back') {
    return {
      state: { at: 'time-entry', session, contact, isDown: false, keys: '', isLate },
      effects: [say('work.call-back-time'), { do: 'set-timer', timer: 'entry', afterMs: ENTRY_MS }],
    };
  }
  const { state: next, effects } = disposed(session, contact, false, disposition, now, ['work.noted']);
  return { state: next, effects: disposition === 'distress' ? [distress(state), ...effects] : effects };
}

export function fromTimeEntry(state: EnteringTime, event: SessionEvent, now: Now): Step {
  const { session, contact, isLate } = state;
  const back = (...first: PromptId[]): Step => ({
    state: { at: isLate ? 'owing' : 'wrap-up', session, contact, isDown: false },
    effects: [say(...first, 'work.disposition'), ...(isLate ? DISPOSITION_WAIT_MS : [])],
  });
  switch (event.type) {
    case 'digit': {
      const entry = afterKey(state.keys, event.digit);
      if (entry.is === 'going-on') return { state: { ...state, keys: entry.keys }, effects: [{ do: 'hush' }, ...wait] };
      const time =
        entry.is === 'complete' ? callBackTime(entry.keys, contact.zones, now.wall.epochMilliseconds) : undefined;
      if (time?.ok === true) return disposed(session, contact, false, 'call-back', now, ['work.noted'], time.atMs);
      return { state: { ...state, keys: '' }, effects: [say('work.call-back-wrong', 'work.call-back-time'), ...wait] };
    }
    case 'timer':
      if (event.timer === 'wrap-up') return overdue(state, now);
      return event.timer === 'entry' ? back() : stay(state);
    case 'hook-on':
      return isLate
        ? toAway(session, now, contact)
        : { state: { at: 'wrap-up', session, contact, isDown: true }, effects: [{ do: 'hush' }] };
    case 'leave':
      return leaveWrapUp(state, event.why, now);
    default:
      return stay(state);
  }
}

const wait: readonly SessionEffect[] = [{ do: 'set-timer', timer: 'entry', afterMs: ENTRY_MS }];
