import type { Fact } from '../facts.js';
import { english } from './en.js';
import { french } from './fr.js';
import { dutch } from './nl.js';

/** The languages of technicians. */
export const LANGUAGES = ['en', 'fr', 'nl'] as const;
export type TechnicianLanguage = (typeof LANGUAGES)[number];

const IN = { en: english, fr: french, nl: dutch } as const;

/** One plain sentence that says the fact; never a called number. */
export function inWords(fact: Fact, language: TechnicianLanguage = 'en'): string {
  return IN[language](fact);
}
