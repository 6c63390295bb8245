import type { Campaign } from '../../config/schema/types.generated.js';

/** A campaign of tests and measurements, with all that a file may leave out. */
export function aCampaign(more: Partial<Campaign> = {}): Campaign {
  return {
    id: 'survey',
    firm: 'Example Research',
    purpose: 'a survey about trains',
    languages: ['nl', 'fr', 'tr'],
    trunk: 'carrier',
    attempts: { most: 3, perDay: 2, spacingS: 3_600 },
    ringS: 30,
    maxTalkS: 900,
    leastTalkS: 60,
    warningsS: [60, 10],
    supervised: false,
    silenceDays: 60,
    wrapUpS: 60,
    pay: { currency: 'EUR', perHour: 400, activities: ['signed-on', 'no-work', 'ringing', 'talking', 'wrap-up'] },
    ...more,
  };
}
