import type { Limit, Profile, UseLimit } from '../../config/schema/types.generated.js';

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
