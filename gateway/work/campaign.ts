import type { Campaign, Language, Person, WorkDoing } from '../../config/schema/types.generated.js';

/** What a person is doing while signed on. */
export type Activity = Exclude<WorkDoing, 'signed-off'>;

/** What the work is paid, in the currency's smallest unit for an hour. */
export interface Rate {
  readonly currency: string;
  readonly perHour: number;
}

/** What an activity is paid in a campaign; undefined: nothing. */
export function rateOf({ pay }: Campaign, activity: Activity): Rate | undefined {
  const paid: readonly string[] = pay.activities;
  return paid.includes(activity) ? { currency: pay.currency, perHour: pay.perHour } : undefined;
}

/** The time that a window must still be open for a contact to be called, milliseconds. */
export function neededMs({ ringS, leastTalkS, maxTalkS }: Campaign): number {
  return (ringS + Math.min(leastTalkS, maxTalkS)) * 1_000;
}

/** The longest that a call can last from its first ring, milliseconds: what a lent contact's lease must cover. */
export function longestMs({ ringS, maxTalkS }: Campaign): number {
  return (ringS + maxTalkS) * 1_000;
}

/** The languages in which a person can work for a campaign. */
export function sharedLanguages(person: Pick<Person, 'languages'>, campaign: Campaign): readonly Language[] {
  return person.languages.filter((language) => campaign.languages.includes(language));
}

/** A campaign that is over: it is still known, and nobody is called for it. */
export function ended({ exceptions: _, lent: __, ...campaign }: Campaign): Campaign {
  return { ...campaign, windows: [] };
}
