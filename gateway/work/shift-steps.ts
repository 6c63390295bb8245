/** Between contacts: the menu, pauses, the wait for work, and the handset put down. */
import { begin, ENTRY_MS, MENU_MS, say, signOff, stay, toAway, toMenu } from './session-parts.js';
import type {
  AskingPin,
  Away,
  Choosing,
  ChoosingPause,
  Menu,
  NoWork,
  Now,
  Paused,
  Session,
  SessionEffect,
  SessionEvent,
  Step,
} from './session-state.js';
import { endAway } from './sign-on-steps.js';

/** What a pause is for, by key. */
export const PAUSE_KEYS: Readonly<Record<string, string>> = {
  '1': 'rest',
  '2': 'meal',
  '3': 'health',
  '4': 'visit',
  '5': 'other',
};

const cancelEntry: SessionEffect = { do: 'cancel-timer', timer: 'entry' };
const menuTimer: SessionEffect = { do: 'set-timer', timer: 'entry', afterMs: MENU_MS };

export function fromMenu(state: Menu, event: SessionEvent, now: Now): Step {
  const { session } = state;
  switch (event.type) {
    case 'digit':
      return menuKey(state, event.digit, now);
    case 'timer':
      return event.timer === 'entry' ? pause(session, 'idle', now) : stay(state);
    default:
      return betweenContacts(state, event, now);
  }
}

function menuKey(state: Menu, digit: string, now: Now): Step {
  const { session } = state;
  switch (digit) {
    case '1':
      return choose(session);
    case '2':
      return {
        state: { at: 'pause-reason', session },
        effects: [say('work.pause-reason'), { do: 'set-timer', timer: 'entry', afterMs: ENTRY_MS }],
      };
    case '9':
      return signOff(session, 'keyed', now, false);
    case '0':
      return { state, effects: [say('work.menu'), menuTimer] };
    default:
      return { state, effects: [{ do: 'hush' }, menuTimer] };
  }
}

function choose(session: Session): Step {
  return {
    state: { at: 'choosing', session },
    effects: [cancelEntry, say('work.choosing'), { do: 'choose', person: session.person }],
  };
}

export function fromPauseReason(state: ChoosingPause, event: SessionEvent, now: Now): Step {
  const { session } = state;
  switch (event.type) {
    case 'digit': {
      const reason = PAUSE_KEYS[event.digit];
      if (reason !== undefined) return pause(session, reason, now);
      return event.digit === '*' ? toMenu(session, now, false) : { state, effects: [say('work.pause-reason')] };
    }
    case 'timer':
      return event.timer === 'entry' ? toMenu(session, now, false) : stay(state);
    default:
      return betweenContacts(state, event, now);
  }
}

function pause(session: Session, why: string, now: Now): Step {
  const { session: next, effects } = begin(session, 'pause', now, { why });
  return { state: { at: 'paused', session: next }, effects: [...effects, cancelEntry, say('work.paused')] };
}

export function fromPaused(state: Paused, event: SessionEvent, now: Now): Step {
  const { session } = state;
  if (event.type !== 'digit') return betweenContacts(state, event, now);
  if (event.digit === '1') return toMenu(session, now, false);
  return event.digit === '9' ? signOff(session, 'keyed', now, false) : { state, effects: [say('work.paused')] };
}

export function fromChoosing(state: Choosing, event: SessionEvent, now: Now): Step {
  const { session } = state;
  switch (event.type) {
    case 'chosen': {
      const { contact } = event;
      const { session: next, effects } = begin(session, 'ringing', now, { contact });
      return {
        state: { at: 'dialling', session: next, contact, isDown: false },
        effects: [...effects, say('work.dialling'), { do: 'dial', contact }],
      };
    }
    case 'nothing': {
      const { session: next, effects } = begin(session, 'no-work', now);
      const { opensAt } = event;
      const told: SessionEffect =
        opensAt === undefined ? say('work.none') : { do: 'play', prompts: ['work.none-until'], until: opensAt };
      return { state: { at: 'no-work', session: next }, effects: [...effects, told] };
    }
    default:
      return betweenContacts(state, event, now);
  }
}

export function fromNoWork(state: NoWork, event: SessionEvent, now: Now): Step {
  const { session } = state;
  switch (event.type) {
    case 'work-available':
      return choose(session);
    case 'digit':
      if (event.digit === '1') return choose(session);
      return event.digit === '*' || event.digit === '0'
        ? toMenu(session, now, false)
        : digitOfMenu(state, event.digit, now);
    default:
      return betweenContacts(state, event, now);
  }
}

/** Pausing and signing off need no way back through the menu. */
function digitOfMenu({ session }: NoWork, digit: string, now: Now): Step {
  if (digit === '2' || digit === '9') return menuKey({ at: 'menu', session }, digit, now);
  return { state: { at: 'no-work', session }, effects: [{ do: 'hush' }] };
}

/** What any moment without a contact has in common: the handset may be put down, the hours may end. */
function betweenContacts(
  state: Menu | ChoosingPause | Paused | Choosing | NoWork,
  event: SessionEvent,
  now: Now,
): Step {
  if (event.type === 'hook-on') return toAway(state.session, now);
  return event.type === 'leave' ? signOff(state.session, event.why, now, false) : stay(state);
}

export function fromAway(state: Away, event: SessionEvent, now: Now): Step {
  switch (event.type) {
    case 'opened': {
      const pin: AskingPin = { at: 'pin', code: state.session.code, digits: '', tries: 0, resuming: state };
      return { state: pin, effects: [say('work.pin'), { do: 'set-timer', timer: 'entry', afterMs: ENTRY_MS }] };
    }
    case 'timer':
      return event.timer === 'away' ? endAway(state, now) : stay(state);
    case 'leave':
      return endAway(state, now, event.why);
    default:
      return stay(state);
  }
}
