/** From the lifted handset to the session: code, PIN, verdict. */
import { DISPOSITION_WAIT_MS } from './contact-steps.js';
import { LONGEST_CODE } from './key-run.js';
import type { PromptId } from './prompt-ids.js';
import { ENTRY_MS, say, signOff, stay, toMenu } from './session-parts.js';
import type {
  AskingCode,
  AskingPin,
  Barred,
  Checking,
  Idle,
  Now,
  Session,
  SessionEffect,
  SessionEvent,
  SignOnRefusal,
  Step,
} from './session-state.js';

/** How often it is asked for anew in one lifting of the handset. */
const MOST_TRIES = 3;

const waitForKey: SessionEffect = { do: 'set-timer', timer: 'entry', afterMs: ENTRY_MS };
const REFUSED: Readonly<Record<SignOnRefusal, PromptId>> = {
  wrong: 'work.wrong',
  locked: 'work.locked',
  elsewhere: 'work.elsewhere',
  handset: 'work.not-here',
  hours: 'work.not-now',
  suspended: 'work.suspended',
  'no-campaign': 'work.no-campaign',
  fault: 'work.fault',
};

export function fromIdle(state: Idle, event: SessionEvent): Step {
  return event.type === 'opened' ? askCode(0) : stay(state);
}

function askCode(tries: number, ...first: PromptId[]): Step {
  return { state: { at: 'code', digits: '', tries }, effects: [say(...first, 'work.code'), waitForKey] };
}

const quietly = (...effects: SessionEffect[]): readonly SessionEffect[] => [
  { do: 'cancel-timer', timer: 'entry' },
  ...effects,
];

export function fromCode(state: AskingCode, event: SessionEvent): Step {
  switch (event.type) {
    case 'digit': {
      const digits = keyed(state.digits, event.digit, LONGEST_CODE);
      if (event.digit === '#' && digits !== '') {
        const pin: AskingPin = { at: 'pin', code: digits, digits: '', tries: state.tries };
        return { state: pin, effects: [say('work.pin'), waitForKey] };
      }
      return { state: { ...state, digits }, effects: [{ do: 'hush' }, waitForKey] };
    }
    case 'timer':
      return state.tries + 1 >= MOST_TRIES ? barred('work.signed-off') : askCode(state.tries + 1);
    case 'hook-on':
      return { state: { at: 'idle' }, effects: quietly() };
    default:
      return stay(state);
  }
}

/** `*` begins anew; what is keyed beyond the longest is dropped. */
function keyed(digits: string, key: string, most: number): string {
  if (key === '*') return '';
  return /^[0-9]$/.test(key) && digits.length < most ? digits + key : digits;
}

export function fromPin(state: AskingPin, event: SessionEvent, now: Now): Step {
  switch (event.type) {
    case 'digit': {
      const digits = keyed(state.digits, event.digit, LONGEST_CODE);
      if (event.digit === '#' && digits !== '') {
        const { code, tries, resuming } = state;
        const check = now.monotonicNs;
        const checking: Checking = { at: 'checking', check, tries, ...(resuming !== undefined && { resuming }) };
        const as = resuming === undefined ? {} : { resuming: resuming.session.person };
        return { state: checking, effects: quietly({ do: 'check', check, code, pin: digits, ...as }) };
      }
      return { state: { ...state, digits }, effects: [{ do: 'hush' }, waitForKey] };
    }
    case 'timer':
      // The time away goes on while nobody keys a PIN.
      if (event.timer === 'away' && state.resuming !== undefined) return endAway(state.resuming, now, 'away', false);
      if (event.timer !== 'entry') return stay(state);
      if (state.resuming !== undefined)
        return { state: { ...state, digits: '' }, effects: [say('work.pin'), waitForKey] };
      return state.tries + 1 >= MOST_TRIES ? barred('work.signed-off') : askCode(state.tries + 1);
    case 'hook-on':
      return { state: state.resuming ?? { at: 'idle' }, effects: quietly() };
    case 'leave':
      return state.resuming === undefined ? stay(state) : endAway(state.resuming, now, event.why, false);
    default:
      return stay(state);
  }
}

export function fromChecking(state: Checking, event: SessionEvent, now: Now): Step {
  switch (event.type) {
    case 'checked':
      return event.verdict.ok ? accepted(state, event.verdict, now) : refused(state, event.verdict.why);

    case 'hook-on':
      // The answer may still come; it then signs nobody on.
      return { state: state.resuming ?? { at: 'idle' }, effects: [] };
    case 'timer':
      return event.timer === 'away' && state.resuming !== undefined
        ? endAway(state.resuming, now, 'away', false)
        : stay(state);
    case 'leave':
      return state.resuming === undefined ? stay(state) : endAway(state.resuming, now, event.why, false);
    default:
      return stay(state);
  }
}

type Accepted = Extract<Extract<SessionEvent, { type: 'checked' }>['verdict'], { ok: true }>;

function accepted({ resuming }: Checking, verdict: Accepted, now: Now): Step {
  const stopAway: SessionEffect = { do: 'cancel-timer', timer: 'away' };
  if (resuming !== undefined) {
    const { session, owed } = resuming;
    if (owed === undefined) {
      const { state, effects } = toMenu(session, now, false);
      return { state, effects: [stopAway, ...effects] };
    }
    return {
      state: { at: 'owing', session, contact: owed, isDown: false },
      effects: [stopAway, say('work.disposition-owed', 'work.disposition'), ...DISPOSITION_WAIT_MS],
    };
  }
  const { session: id, person, code, language, campaign, rates } = verdict;
  const session: Session = {
    id,
    person,
    code,
    language,
    campaign,
    rates,
    activity: 'signed-on',
    sinceNs: now.monotonicNs,
    bootId: now.bootId,
  };
  const rate = rates['signed-on'];
  const data = {
    session: id,
    person,
    at: now.wall.toString(),
    activity: 'signed-on' as const,
    campaign,
    ...(rate !== undefined && { rate }),
  };
  const { state, effects } = toMenu(session, now, false, ['work.welcome']);
  return { state, effects: [{ do: 'event', data }, ...effects] };
}

function refused({ tries, resuming }: Checking, why: SignOnRefusal): Step {
  if (resuming !== undefined) {
    if (why === 'wrong') {
      const { code } = resuming.session;
      const state: AskingPin = { at: 'pin', code, digits: '', tries: 0, resuming };
      return { state, effects: [say('work.wrong', 'work.pin'), waitForKey] };
    }
    return { state: resuming, effects: [say(REFUSED[why])] };
  }
  if (why === 'wrong' && tries + 1 < MOST_TRIES) return askCode(tries + 1, 'work.wrong');
  return barred(REFUSED[why]);
}

const barred = (prompt: PromptId): Step => ({ state: { at: 'barred' }, effects: quietly(say(prompt)) });

export function fromBarred(state: Barred, event: SessionEvent): Step {
  if (event.type === 'opened') return askCode(0);
  return event.type === 'hook-on' ? { state: { at: 'idle' }, effects: quietly({ do: 'hush' }) } : stay(state);
}

/** The session of somebody who did not come back; a contact that was still owed is closed without a disposition. */
export function endAway(
  { session, owed }: NonNullable<AskingPin['resuming']>,
  now: Now,
  why = 'away',
  isDown = true,
): Step {
  const { state, effects } = signOff(session, why, now, isDown);
  if (owed === undefined) return { state, effects };
  return { state, effects: [{ do: 'dispose', session, contact: owed, disposition: 'undisposed' }, ...effects] };
}
