import { createRequire } from 'node:module';
import type Holidays from 'date-holidays';

let rules: typeof Holidays | undefined;

/**
 * The library with the holiday rules of all countries. Its data takes a fifth of a second to load, so that is done when they
 * are first asked for and not at the start; a program that judges calls asks for them before the first.
 */
export function holidayRules(): typeof Holidays {
  rules ??= createRequire(import.meta.url)('date-holidays') as typeof Holidays;
  return rules;
}
