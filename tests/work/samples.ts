import { readdirSync, readFileSync } from 'node:fs';
import { Temporal } from 'temporal-polyfill';
import type { CallingHours, Campaign } from '../../config/schema/types.generated.js';
import { programData } from '../../gateway/config/paths.js';
import { CalleeHours } from '../../gateway/policy/callee-hours.js';
import { type BookContact, ContactBook } from '../../gateway/work/contact-book.js';
import { ContactHours } from '../../gateway/work/contact-hours.js';
import type { ChosenContact } from '../../gateway/work/session-state.js';
import { aCampaign } from '../../scripts/peers/campaign.js';

export { aCampaign };

export const at = (text: string): number => Temporal.Instant.from(text).epochMilliseconds;

const json = (...path: string[]): unknown => JSON.parse(readFileSync(programData(...path), 'utf8'));

export const CALLING_HOURS = readdirSync(programData('calling-hours'))
  .filter((name) => name.endsWith('.json'))
  .map((name) => json('calling-hours', name) as CallingHours);

/** The program's own calling hours and zones, and those of a signed policy, which go before them. */
export function readCalleeHours(ofBundle: readonly CallingHours[] = []): CalleeHours {
  const { countries } = json('number-zones.json') as { countries: Record<string, readonly string[]> };
  return new CalleeHours([...CALLING_HOURS, ...ofBundle], { ...(json('number-prefixes.json') as object), countries });
}

/** Reading them takes longer than most tests. */
const CALLEE_HOURS = readCalleeHours();
export const calleeHours = (): CalleeHours => CALLEE_HOURS;

export const contactHours = (): ContactHours => new ContactHours(calleeHours, 'Europe/Brussels', () => false);

export const BRUSSELS = { country: 'BE', zones: ['Europe/Brussels'] };
export const ANKARA = { country: 'TR', zones: ['Europe/Istanbul'] };

export function aContact(ref: number, part: Partial<BookContact> = {}): BookContact {
  return {
    ref,
    campaign: 'survey',
    language: 'nl',
    place: BRUSSELS,
    times: {},
    callee: ref,
    priority: 5,
    attempts: 0,
    dayAttempts: 0,
    dayEndsMs: 0,
    readyMs: 0,
    isCallBack: false,
    lentUntilMs: Number.POSITIVE_INFINITY,
    ...part,
  };
}

export function aBook(campaigns: readonly Campaign[] = [aCampaign()], callee = calleeHours): ContactBook {
  const book = new ContactBook(new ContactHours(callee, 'Europe/Brussels', () => false));
  for (const campaign of campaigns) book.putCampaign(campaign);
  return book;
}

export function aChosen(ref: number, part: Partial<ChosenContact> = {}): ChosenContact {
  const rate = { currency: 'EUR', perHour: 400 };
  return {
    ref,
    token: `token-of-contact-${ref}`,
    campaign: 'survey',
    wrapUpS: 60,
    language: 'nl',
    country: 'BE',
    zones: ['Europe/Brussels'],
    rates: { 'signed-on': rate, ringing: rate, talking: rate, 'wrap-up': rate, 'no-work': rate },
    ...part,
  };
}
