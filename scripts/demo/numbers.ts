import type { Temporal } from 'temporal-polyfill';
import { loadSite } from '../../gateway/config/site.js';
import { handsetId } from '../../gateway/policy/ids.js';
import type { Facts } from '../../gateway/policy/request.js';
import { UNUSED } from '../../gateway/policy/request.js';
import { SitePolicy } from '../../gateway/site-policy.js';

/** What can be closed whatever the hour: somewhere among these it is out of hours at any instant. */
const CANDIDATES = [
  { where: 'the United States', number: '+12125550100' },
  { where: 'Australia', number: '+61255501234' },
  { where: 'France', number: '+33199000001' },
  { where: 'Germany', number: '+4930231250' },
];

export interface ClosedNumber {
  readonly where: string;
  readonly number: string;
}

/** The first candidate that the demo's own policy refuses at this instant because of where its callee is. */
export async function closedNow(siteFolder: string, at: Temporal.Instant): Promise<ClosedNumber> {
  const policy = new SitePolicy(await loadSite(siteFolder));
  const facts: Facts = {
    clock: { trusted: true },
    line: { fitted: true, hook: 'off', supervised: true, relay: 'connected' },
    lockdowns: [],
  };
  const found = CANDIDATES.find(({ number }) => {
    const request = { handset: handsetId('a-101'), dialled: number };
    const decision = policy.judge(request, facts, at, UNUSED);
    return decision.outcome === 'refusal' && ['window.callee', 'holiday.callee'].includes(decision.rule);
  });
  if (found === undefined) throw new Error('every country of the demo is open at this hour');
  return found;
}
