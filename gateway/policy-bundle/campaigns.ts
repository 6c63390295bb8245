/** Campaigns of a signed bundle: whether they make sense here, and what they let through that was not. */
import type { Campaign, Trunks } from '../../config/schema/types.generated.js';
import { keepsLists, partWidens } from '../policy/compare.js';
import { HoursBook } from '../policy/hours-book.js';

/** What is wrong with a campaign at a site, as pointers into it with what to do; empty: nothing. */
export function campaignFaults(campaign: Campaign, trunks: readonly Pick<Trunks[number], 'id'>[]): readonly string[] {
  const { trunk, leastTalkS, maxTalkS, warningsS } = campaign;
  const faults: string[] = [];
  if (!trunks.some(({ id }) => id === trunk)) faults.push(`/trunk: there is no trunk ${trunk} in trunks.json`);
  if (leastTalkS > maxTalkS) faults.push(`/leastTalkS: it is more than the ${maxTalkS} s of maxTalkS`);
  if (warningsS.some((warning) => warning >= maxTalkS))
    faults.push('/warningsS: a warning is longer before the end than a call lasts');
  return faults;
}

/** Lays a campaign's hours out on trial. Throws what cannot be laid out. */
export function tryHours(campaign: Campaign, zone: string, atMs: number): void {
  new HoursBook(zone, () => false).of(campaign).stretchAt(atMs);
}

/** What `after` lets through that `before` did not. Whatever does not surely narrow counts as widening. */
export function campaignWidenings(before: readonly Campaign[], after: readonly Campaign[]): readonly string[] {
  return after.flatMap((fresh) => {
    const old = before.find(({ id }) => id === fresh.id);
    const wider = old === undefined ? ['is new'] : widened(old, fresh);
    return wider.map((what) => `campaign ${fresh.id}: ${what}`);
  });
}

function widened(old: Campaign, fresh: Campaign): readonly string[] {
  const [tried, trying] = [old.attempts, fresh.attempts];
  const limit = (campaign: Campaign): number => campaign.lent?.most ?? 0;
  const wider: readonly (readonly [boolean, string])[] = [
    [fresh.languages.some((language) => !old.languages.includes(language)), 'another language is spoken'],
    [trying.most > tried.most || trying.perDay > tried.perDay, 'a contact is tried more often'],
    [trying.spacingS < tried.spacingS, 'a contact is tried again sooner'],
    [fresh.ringS > old.ringS, 'a call may ring longer'],
    [fresh.maxTalkS > old.maxTalkS, 'a call may last longer'],
    [fresh.leastTalkS < old.leastTalkS, 'a call may begin later before a window closes'],
    [fresh.silenceDays < old.silenceDays, 'a refusal is silence for fewer days'],
    [fresh.wrapUpS > old.wrapUpS, 'the time after a call is longer'],
    [limit(fresh) > limit(old), 'more contacts are lent'],
    [!keepsLists(old.doNotCall ?? [], fresh.doNotCall ?? []), 'a do-not-call list is asked less, or may be older'],
    [old.law !== undefined && fresh.law !== old.law, "another law's hours hold"],
    [old.supervised !== fresh.supervised, 'whether somebody may listen has changed'],
    ...(['firm', 'purpose', 'trunk', 'callerIdentity', 'script', 'warningsS', 'pay', 'announcement'] as const).map(
      (name) => [!isSame(old[name], fresh[name]), `its ${name} has changed`] as const,
    ),
  ];
  return [...partWidens(old, fresh), ...wider.filter(([isWider]) => isWider).map(([, what]) => what)];
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
