import type { Campaign, Person, Window } from '../../config/schema/types.generated.js';
import type { E164, HandsetId } from '../../gateway/policy/ids.js';
import { NATIONAL } from './sim-lists.js';

const EVERY = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const WORKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri'] as const;

/** What is dialled to sign on. */
export const SIGN_ON = '*1';
/** The most that one campaign may try in a day, whoever works for it. */
export const CAMPAIGN_A_DAY = 15;

const two = (n: number): string => String(n).padStart(2, '0');
const GB: readonly string[] = Array.from({ length: 800 }, (_, i) => `+442079460${i + 100}`);
const US: readonly string[] = ['312', '415', '646', '702', '206', '305'].flatMap((area) =>
  Array.from({ length: 100 }, (_, i) => `+1${area}55501${two(i)}`),
);
/** Numbers that only the work calls, by country. */
export const CONTACT_NUMBERS = { GB, US } as const;

const campaign = (id: string, windows: readonly Window[], more: Partial<Campaign> = {}): Campaign => ({
  ...{ id, firm: 'Example Research', purpose: 'a survey', languages: ['en'], trunk: 'carrier', windows },
  ...{ attempts: { most: 3, perDay: 2, spacingS: 5_400 }, ringS: 25, maxTalkS: 600, leastTalkS: 60, warningsS: [60] },
  ...{ supervised: false, silenceDays: 3, wrapUpS: 60, doNotCall: [NATIONAL] },
  limits: [
    { per: 'campaign', of: 'attempts', most: CAMPAIGN_A_DAY, in: 'day' },
    { per: 'campaign', of: 'attempts', most: 60, in: 'week' },
  ],
  pay: { currency: 'EUR', perHour: 400, activities: ['signed-on', 'no-work', 'ringing', 'talking', 'wrap-up'] },
  ...more,
});

/** Each campaign as it is, and as it is when somebody narrows it. */
export const CAMPAIGNS: Readonly<Record<string, readonly [Campaign, Campaign]>> = {
  trains: [
    campaign('trains', [{ days: EVERY, from: '09:30', to: '20:30' }]),
    campaign('trains', [{ days: WORKDAYS, from: '09:30', to: '13:10' }]),
  ],
  water: [
    campaign('water', [{ days: EVERY, from: '16:00', to: '01:00' }], { silenceDays: 2, maxTalkS: 300 }),
    campaign('water', [{ days: EVERY, from: '19:00', to: '21:40' }], { silenceDays: 2, maxTalkS: 300 }),
  ],
};

/** Each person as he or she is, and with fewer hours. */
export function peopleOf(handsets: readonly HandsetId[]): readonly (readonly [Person, Person])[] {
  return handsets.map((_, index) => {
    const person: Person = {
      ...{ id: `p-${index + 1}`, code: `30${index + 10}`, pin: `48${index + 13}`, languages: ['en'], suspended: false },
      ...{ handsets, campaigns: index % 2 === 0 ? ['trains', 'water'] : ['water', 'trains'] },
      limits: [{ per: 'person', of: 'talk', most: 3_000, in: 'month' }],
      ...(index % 3 === 1 && { windows: [{ days: EVERY, from: '08:15', to: '23:20' }] }),
    };
    return [person, { ...person, windows: [{ days: EVERY, from: '10:05', to: '18:35' }] }];
  });
}

/** A contact as a technician brings it. */
export interface BroughtContact {
  readonly campaign: string;
  readonly number: E164;
  readonly country: 'GB' | 'US';
  readonly earliest?: string;
  readonly latest?: string;
}

/** The nth contact of a campaign; one in eight has times of its own, and one in ten of one campaign is the other's too. */
export function contactAt(name: string, n: number): BroughtContact {
  const country = name === 'trains' || n % 10 === 7 ? 'GB' : 'US';
  const number = CONTACT_NUMBERS[country][n % CONTACT_NUMBERS[country].length] as E164;
  return { campaign: name, number, country, ...(n % 8 === 3 && { earliest: '11:00', latest: '14:30' }) };
}
