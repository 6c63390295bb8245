import type { FactWords } from '../../api/calls.js';
import type { ConsoleLanguage } from '../../api/people.js';

/** The words of a code that the gateway gave, or the code itself where this page has none: a newer gateway knows more. */
export function titleOfCode(words: Readonly<Record<string, string>>, code: string): string {
  return Object.hasOwn(words, code) ? (words[code] ?? code) : code;
}

/** What decided, in the language of the page where the gateway has it so, else in English. */
export function factIn(
  { fact, facts }: { readonly fact?: string | undefined; readonly facts?: FactWords | undefined },
  language: ConsoleLanguage,
): string | undefined {
  return facts?.[language] ?? fact;
}
