/** What the steps of a session share: how time passes from one activity to the next, and how a session ends. */
import type { WorkActivityData } from '../../config/schema/types.generated.js';
import type { Activity } from './campaign.js';
import type { PromptId } from './prompt-ids.js';
import type {
  ChosenContact,
  LeaveWhy,
  Menu,
  Now,
  Session,
  SessionEffect,
  SessionState,
  Step,
} from './session-state.js';

/** Between two keys, milliseconds. */
export const ENTRY_MS = 8_000;
/** In the menu without a key, before it counts as a pause, milliseconds. */
export const MENU_MS = 180_000;
/** With the handset put down, before the session ends, milliseconds. */
export const AWAY_MS = 300_000;

export const stay = (state: SessionState): Step => ({ state, effects: [] });

export const say = (...prompts: PromptId[]): SessionEffect => ({ do: 'play', prompts });

/** Marks a session to end once the contact in hand is disposed of. */
export function leaveLater<S extends { readonly session: Session }>(state: S, why: LeaveWhy): S {
  return { ...state, session: { ...state.session, leaving: why } };
}

function ended(session: Session, now: Now): NonNullable<WorkActivityData['ended']> {
  // The monotonic clock means nothing after a boot; the wall instants of the two events then have to do.
  if (session.bootId !== now.bootId) return { activity: session.activity };
  return { activity: session.activity, lastedMs: Math.max(0, Number(now.monotonicNs - session.sinceNs) / 1e6) };
}

/** The event that something begins, and the session in which it has; the same activity again begins nothing. */
export function begin(
  session: Session,
  activity: Activity,
  now: Now,
  more: { readonly contact?: ChosenContact; readonly why?: string } = {},
): { readonly session: Session; readonly effects: readonly SessionEffect[] } {
  const { contact, why } = more;
  if (session.activity === activity && why === undefined) return { session, effects: [] };
  const next: Session = {
    ...session,
    activity,
    sinceNs: now.monotonicNs,
    bootId: now.bootId,
    ...(contact !== undefined && { campaign: contact.campaign, rates: contact.rates }),
  };
  const rate = next.rates[activity];
  const data = {
    session: next.id,
    person: next.person,
    at: now.wall.toString(),
    activity,
    campaign: next.campaign,
    ended: ended(session, now),
    ...(why !== undefined && { why }),
    ...(contact !== undefined && { contact: contact.token }),
    ...(rate !== undefined && { rate }),
  };
  return { session: next, effects: [{ do: 'event', data }] };
}

/** Why a session ends that its person did not end. */
const FAREWELL: Readonly<Record<string, readonly PromptId[]>> = {
  'window-ended': ['work.window-ended'],
  'handset-withdrawn': ['work.not-here'],
  suspended: ['work.suspended'],
};

/** The end of a session. */
export function signOff(session: Session, why: string, now: Now, isDown: boolean): Step {
  const data = {
    session: session.id,
    person: session.person,
    at: now.wall.toString(),
    activity: 'signed-off' as const,
    why,
    ended: ended(session, now),
  };
  const told: readonly SessionEffect[] = isDown ? [] : [say(...(FAREWELL[why] ?? []), 'work.signed-off')];
  return {
    state: isDown ? { at: 'idle' } : { at: 'barred' },
    effects: [
      { do: 'cancel-timer', timer: 'entry' },
      { do: 'cancel-timer', timer: 'wrap-up' },
      { do: 'cancel-timer', timer: 'away' },
      { do: 'event', data },
      { do: 'release', session: session.id },
      ...told,
    ],
  };
}

/** Back to the menu, or out of the session where its time is over. */
export function toMenu(session: Session, now: Now, isDown: boolean, first: readonly PromptId[] = []): Step {
  if (session.leaving !== undefined) return signOff(session, session.leaving, now, isDown);
  if (isDown) return toAway(session, now);
  const { session: next, effects } = begin(session, 'signed-on', now);
  const state: Menu = { at: 'menu', session: next };
  return {
    state,
    effects: [...effects, say(...first, 'work.menu'), { do: 'set-timer', timer: 'entry', afterMs: MENU_MS }],
  };
}

/** The handset was put down: the session waits for a while for the same person. */
export function toAway(session: Session, now: Now, owed?: ChosenContact): Step {
  const { session: next, effects } = begin(session, 'away', now);
  return {
    state: { at: 'away', session: next, ...(owed !== undefined && { owed }) },
    effects: [
      ...effects,
      { do: 'cancel-timer', timer: 'entry' },
      { do: 'cancel-timer', timer: 'wrap-up' },
      { do: 'set-timer', timer: 'away', afterMs: AWAY_MS },
    ],
  };
}
