import type { ConsoleLanguage } from '../../api/people.js';
import { Store, useStore } from '../store.js';
import type { Words } from './en.js';

/** What the page says, and in which language. */
export interface Spoken {
  readonly language: ConsoleLanguage;
  readonly w: Words;
}

export const LANGUAGES: readonly ConsoleLanguage[] = ['fr', 'nl', 'en'];

/** Each language by its own name. */
export const LANGUAGE_NAMES: Readonly<Record<ConsoleLanguage, string>> = {
  fr: 'Français',
  nl: 'Nederlands',
  en: 'English',
};

// Each catalogue is a file of its own: a page loads the one that it speaks.
const CATALOGUES: Readonly<Record<ConsoleLanguage, () => Promise<Words>>> = {
  en: async () => (await import('./en.js')).en,
  fr: async () => (await import('./fr.js')).fr,
  nl: async () => (await import('./nl.js')).nl,
};

const CHOICE = 'balise-language';
const spoken = new Store<Spoken | undefined>(undefined);

/** Loads the catalogue and draws the page anew in it. What a person chose on this machine goes before what is proposed. */
export async function speak(proposed: ConsoleLanguage, isChoice = false): Promise<void> {
  if (isChoice) localStorage.setItem(CHOICE, proposed);
  const chosen = LANGUAGES.find((one) => one === localStorage.getItem(CHOICE));
  const language = chosen ?? proposed;
  const w = await CATALOGUES[language]();
  document.documentElement.lang = language;
  spoken.set({ language, w });
}

/** The language of the browser, where we speak it. */
export function browserLanguage(): ConsoleLanguage {
  for (const wanted of navigator.languages) {
    const found = LANGUAGES.find((one) => wanted.toLowerCase().startsWith(one));
    if (found !== undefined) return found;
  }
  return 'en';
}

/** The words of the page. `speak` was called before anything is drawn. */
export function useWords(): Spoken {
  const now = useStore(spoken);
  if (now === undefined) throw new Error('the page was drawn before its words were loaded');
  return now;
}
