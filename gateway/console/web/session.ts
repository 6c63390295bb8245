import type { ConsoleLanguage, FirstPerson, LogIn, Right, SessionView } from '../api/people.js';
import { AskFault, armAsk, ask } from './ask.js';
import { startLive, stopLive } from './live.js';
import { Store } from './store.js';
import { speak } from './words/speak.js';

export type Session =
  | { readonly is: 'unknown' }
  /** `over`: there was one, and the gateway ended it. */
  | { readonly is: 'none'; readonly over: boolean }
  /** Nobody has an account yet: the first comes by the one-time link. */
  | { readonly is: 'no-people' }
  | { readonly is: 'unreachable' }
  | { readonly is: 'open'; readonly view: SessionView };

/** Who is at the page. */
export const session = new Store<Session>({ is: 'unknown' });

/** Whether whoever is at the page may do this. The gateway judges again; this only spares people what would be refused. */
export function may(now: Session, right: Right): boolean {
  return now.is === 'open' && now.view.rights.includes(right);
}

async function opened(view: SessionView): Promise<void> {
  armAsk(view.csrf, () => ended(true));
  await speak(view.person.language);
  session.set({ is: 'open', view });
  startLive(() => ended(true));
}

function ended(over: boolean): void {
  stopLive();
  armAsk('', () => undefined);
  session.set({ is: 'none', over });
}

/** Asks the gateway who is at the page. */
export async function findSession(): Promise<void> {
  session.set({ is: 'unknown' });
  try {
    await opened(await ask<SessionView>('session'));
  } catch (fault) {
    if (!(fault instanceof AskFault)) throw fault;
    if (fault.code === 'people.none') session.set({ is: 'no-people' });
    else if (fault.code === 'unreachable') session.set({ is: 'unreachable' });
    else session.set({ is: 'none', over: false });
  }
}

/** Rejects with the AskFault of a refusal. */
export async function logIn(given: LogIn): Promise<void> {
  await opened(await ask<SessionView>('session', 'POST', given));
}

/** Makes the first person by the one-time link, and logs that person in. Rejects with the AskFault of a refusal. */
export async function becomeFirst(given: FirstPerson): Promise<void> {
  await opened(await ask<SessionView>('first-person', 'POST', given));
}

/** Ends the session here whatever the gateway says; rejects with the AskFault when it could not be told. */
export async function logOut(): Promise<void> {
  try {
    await ask('session', 'DELETE');
  } finally {
    ended(false);
  }
}

/** A password changed gives a new session. */
export async function changePassword(old: string, fresh: string): Promise<void> {
  const view = await ask<SessionView>('session/password', 'POST', { old, new: fresh });
  armAsk(view.csrf, () => ended(true));
  session.set({ is: 'open', view });
}

/** The language in which the page speaks from now on, on this machine and until the session's own is asked for again. */
export function chooseLanguage(language: ConsoleLanguage): Promise<void> {
  return speak(language, true);
}
