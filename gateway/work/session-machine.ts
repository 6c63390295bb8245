/**
 * A handset's work session, from the first key to the sign-off, as a pure function. It promises, whatever the order of events:
 * what is dialled is the contact that was chosen last, once, and no key has a part in it; a contact in hand is disposed of
 * exactly once, and nothing is chosen before; time is counted without a gap from sign-on to sign-off.
 * tests/work/session.model.test.ts walks random orders of events and holds it to this.
 */
import { afterCall, fromOwing, fromTalking, fromTimeEntry, fromWrapUp } from './contact-steps.js';
import { leaveLater, stay } from './session-parts.js';
import type { Dialling, Now, SessionEvent, SessionState, Step } from './session-state.js';
import { fromAway, fromChoosing, fromMenu, fromNoWork, fromPaused, fromPauseReason } from './shift-steps.js';
import { fromBarred, fromChecking, fromCode, fromIdle, fromPin } from './sign-on-steps.js';

/** The next state, and what is to be done, in that order. Never throws; an event that has no place changes nothing. */
export function step(state: SessionState, event: SessionEvent, now: Now): Step {
  // A choice that nobody waits for any more goes back untouched.
  if (event.type === 'chosen' && state.at !== 'choosing') {
    return { state, effects: [{ do: 'give-back', contact: event.contact }] };
  }
  // Nor does a sign-on that nobody waits for any more sign anybody on.
  if (event.type === 'checked' && !(state.at === 'checking' && state.check === event.check)) {
    return { state, effects: event.verdict.ok ? [{ do: 'release', session: event.verdict.session }] : [] };
  }
  switch (state.at) {
    case 'idle':
      return fromIdle(state, event);
    case 'code':
      return fromCode(state, event);
    case 'pin':
      return fromPin(state, event, now);
    case 'checking':
      return fromChecking(state, event, now);
    case 'barred':
      return fromBarred(state, event);
    case 'menu':
      return fromMenu(state, event, now);
    case 'pause-reason':
      return fromPauseReason(state, event, now);
    case 'paused':
      return fromPaused(state, event, now);
    case 'choosing':
      return fromChoosing(state, event, now);
    case 'no-work':
      return fromNoWork(state, event, now);
    case 'dialling':
      return fromDialling(state, event, now);
    case 'talking':
      return fromTalking(state, event, now);
    case 'wrap-up':
      return fromWrapUp(state, event, now);
    case 'owing':
      return fromOwing(state, event, now);
    case 'time-entry':
      return fromTimeEntry(state, event, now);
    case 'away':
      return fromAway(state, event, now);
  }
}

function fromDialling(state: Dialling, event: SessionEvent, now: Now): Step {
  switch (event.type) {
    case 'answered':
      if (event.token !== state.contact.token) return stay(state);
      return afterCall.answered(state, now);
    case 'ended':
      if (event.token !== state.contact.token) return stay(state);
      // An end without an answer, whatever the planes call it, was no talk.
      return afterCall.unanswered(state, event, now);
    case 'hook-on':
      return { state: { ...state, isDown: true }, effects: [{ do: 'end-call' }] };
    case 'leave':
      return { state: leaveLater(state, event.why), effects: [{ do: 'end-call' }] };
    default:
      return stay(state);
  }
}
