import type { Campaign } from '../../config/schema/types.generated.js';
import { type Activity, rateOf } from './campaign.js';
import type { Choice } from './contact-book.js';
import type { ChosenContact } from './session-state.js';

const ACTIVITIES: readonly Activity[] = ['signed-on', 'no-work', 'ringing', 'talking', 'wrap-up', 'pause', 'away'];

/** What each activity for a campaign is paid. */
export function ratesOf(campaign: Campaign): ChosenContact['rates'] {
  return Object.fromEntries(
    ACTIVITIES.flatMap((activity) => {
      const rate = rateOf(campaign, activity);
      return rate === undefined ? [] : [[activity, rate]];
    }),
  );
}

/** A choice as a session carries it: nothing of the number. */
export function chosenContact(choice: Extract<Choice, { is: 'contact' }>, token: string): ChosenContact {
  const { ref, campaign, place, language, isCallBack } = choice;
  return {
    ref,
    token,
    campaign: campaign.id,
    wrapUpS: campaign.wrapUpS,
    language,
    country: place.country,
    zones: place.zones,
    ...(isCallBack && { isAgreed: true }),
    rates: ratesOf(campaign),
  };
}
