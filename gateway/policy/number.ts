import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { E164 } from './ids.js';
import { type Planned, plannedAs } from './number-plans.js';

export type NumberClass =
  | 'emergency'
  | 'premium'
  | 'shared-cost'
  | 'satellite'
  | 'short-code'
  | 'operator'
  | 'ordinary';

/** A dialled form in its one normal form, or why it has none. */
export type Normal =
  | {
      readonly ok: true;
      readonly number: E164;
      readonly country: string | undefined;
      readonly mobile: boolean;
      readonly class: NumberClass;
    }
  | { readonly ok: false; readonly class: NumberClass | 'malformed'; readonly why: NumberFault };

/** Why a dialled form is refused; `words.ts` says it in the languages of people. */
export type NumberFault =
  | 'no-number'
  | 'emergency'
  | 'short-code'
  | 'operator'
  | 'zero-country'
  | 'satellite'
  | 'impossible'
  | 'not-whole'
  | 'premium'
  | 'shared-cost';

/** About 30 MB when full; a site that calls fewer numbers takes less. */
const MOST_REMEMBERED = 131_072;
const LONGEST = 128;
const SATELLITE = /^\+(?:870|881|882|883|878)/;
const SHORT_EMERGENCY = new Set([
  '112',
  '911',
  '999',
  '000',
  '110',
  '113',
  '114',
  '115',
  '116',
  '117',
  '118',
  '119',
  '15',
  '17',
  '18',
  '100',
  '101',
  '102',
  '103',
  '104',
  '105',
  '108',
  '120',
  '122',
  '123',
  '155',
  '144',
  '127',
  '128',
  '129',
]);

/** Reads whatever a handset can dial. Never throws; a form that is not understood is no number at all. */
export class NumberReader {
  readonly #known = new Map<string, Normal>();

  constructor(
    private readonly country: string,
    private readonly mostRemembered = MOST_REMEMBERED,
    /** How a number in plain E.164 form is looked up before the parser is asked; the answers are the same. */
    private readonly planned: (number: string) => Planned | null = plannedAs,
  ) {}

  read(dialled: string): Normal {
    if (this.mostRemembered === 0) return this.#read(dialled);
    const known = this.#known.get(dialled);
    if (known !== undefined) return known;
    const made = this.#read(dialled);
    if (this.#known.size >= this.mostRemembered) this.#known.clear();
    if (dialled.length <= LONGEST) this.#known.set(dialled, made);
    return made;
  }

  #read(dialled: string): Normal {
    const digits = plainDigits(dialled);
    if (digits === undefined) return malformed('no-number');
    if (SHORT_EMERGENCY.has(digits)) return { ok: false, class: 'emergency', why: 'emergency' };
    if (!digits.startsWith('+') && digits.length <= 6) return { ok: false, class: 'short-code', why: 'short-code' };
    if (/^10(?:10|[0-9]{2,3})/.test(digits) && digits.length > 12)
      return { ok: false, class: 'operator', why: 'operator' };
    const international = digits.startsWith('+') ? digits : digits.startsWith('00') ? `+${digits.slice(2)}` : digits;
    if (international.startsWith('+0')) return malformed('zero-country');
    if (SATELLITE.test(international)) return { ok: false, class: 'satellite', why: 'satellite' };
    const planned = international.startsWith('+') ? this.planned(international) : null;
    if (planned !== null) return classed(international as E164, planned.country, planned.type);
    const parsed = parsePhoneNumberFromString(international, this.country as CountryCode);
    if (parsed === undefined || !parsed.isPossible()) return malformed('impossible');
    // What was keyed beyond the number, and zeros to spare, make another string of the same number: only one form passes.
    if (international.startsWith('+') && parsed.number !== international) return malformed('not-whole');
    return classed(parsed.number as string as E164, parsed.country, parsed.getType());
  }
}

function classed(number: E164, country: string | undefined, type: string | undefined): Normal {
  if (type === 'PREMIUM_RATE') return { ok: false, class: 'premium', why: 'premium' };
  if (type === 'SHARED_COST' || type === 'UAN') return { ok: false, class: 'shared-cost', why: 'shared-cost' };
  return { ok: true, number, country, mobile: type !== 'FIXED_LINE', class: 'ordinary' };
}

const malformed = (why: NumberFault): Normal => ({ ok: false, class: 'malformed', why });

/** The digits of a dialled string, with a leading `+` kept; undefined for a form that is refused. */
export function plainDigits(dialled: string): string | undefined {
  // A plain number, as lists of contacts have it, is what all that follows would make of it.
  if (/^\+[0-9]{2,20}$/.test(dialled)) return dialled;
  if (dialled.length > LONGEST) return undefined;
  let text = dialled.trim();
  const scheme = /^(sips?|tel):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined) {
    text = text.slice(scheme.length + 1);
    const at = text.indexOf('@');
    if (scheme !== 'tel' && at >= 0) text = text.slice(0, at);
  }
  try {
    text = decodeURIComponent(text);
  } catch {
    return undefined;
  }
  text = text
    .normalize('NFKC')
    .replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => String((digit.codePointAt(0) ?? 0) & 0xf));
  const semicolon = text.indexOf(';');
  if (semicolon >= 0) {
    // Parameters that add digits or another context make another number: refused. What is harmless is dropped.
    if (/;\s*(isub|ext|postd|phone-context)\s*=/i.test(text.slice(semicolon))) return undefined;
    text = text.slice(0, semicolon);
  }
  // A password in the user part, a pause, a service prefix or a letter: no plain number.
  if (!/^\+?[0-9().\s/-]+$/.test(text)) return undefined;
  const digits = text.replace(/[^0-9+]/g, '');
  return /^\+?[0-9]{2,20}$/.test(digits) ? digits : undefined;
}
