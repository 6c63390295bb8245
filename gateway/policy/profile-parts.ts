import type { Campaign, Limit, Profile, UseLimit } from '../../config/schema/types.generated.js';

/** The limits of a profile, those that have a setting of their own included. */
export function limitsOf(profile: Profile): readonly Limit[] {
  const { attemptsPerDay, callsPerDay, talkPerDayS, gapS, concurrent, limits } = profile;
  const perDay = (of: UseLimit['of'], most: number | undefined): readonly Limit[] =>
    most === undefined ? [] : [{ per: 'handset', of, most, in: 'day' }];
  return [
    ...(limits ?? []),
    ...perDay('attempts', attemptsPerDay),
    ...perDay('calls', callsPerDay),
    ...perDay('talk', talkPerDayS),
    ...(gapS === 0 ? [] : [{ per: 'handset', of: 'gap', leastS: gapS } as const]),
    { per: 'handset', of: 'concurrent', most: concurrent },
  ];
}

/**
 * The limits of a campaign, how often and how far apart it tries a contact included. They count by the number, in every
 * campaign together. @param isAgreed the contact asked to be called now: nothing is spaced.
 */
export function limitsOfCampaign(
  { attempts, limits }: Partial<Pick<Campaign, 'attempts' | 'limits'>>,
  isAgreed: boolean,
): readonly Limit[] {
  if (attempts === undefined) return limits ?? [];
  const { perDay, spacingS } = attempts;
  return [
    ...(limits ?? []),
    { per: 'number', of: 'attempts', most: perDay, in: 'day' },
    ...(isAgreed ? [] : [{ per: 'number', of: 'gap', leastS: spacingS } as const]),
  ];
}
