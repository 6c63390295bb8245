import type { Temporal } from 'temporal-polyfill';
import type { PolicyBundle } from '../../config/schema/types.generated.js';
import { widenings } from '../policy/compare.js';
import { compilePolicy, type PolicyInput } from '../policy/policy.js';
import { BundleFault, type VerifiedBundle } from './bundle.js';
import { campaignFaults, campaignWidenings, tryHours } from './campaigns.js';

export interface Acceptance {
  /** What it lets through that was not; empty: it only narrows. */
  readonly widens: readonly string[];
}

/**
 * Whether a verified bundle may take the place of the one in force. Throws a `BundleFault` that says why not: another site's,
 * not newer, not valid yet or no longer, widening with one signature, or a policy that cannot be compiled here.
 * @param base the policy of the site's folder. @param current the bundle in force; undefined: none, and nothing is let through yet.
 */
export function judgeBundle(
  { bundle, signedBy }: Pick<VerifiedBundle, 'bundle' | 'signedBy'>,
  base: PolicyInput,
  current: PolicyBundle | undefined,
  at: Temporal.Instant,
): Acceptance {
  const { site, version, validFrom } = bundle;
  if (site !== base.site.site)
    throw new BundleFault('foreign', `it is for the site ${site}, and this is ${base.site.site}`);
  if (current !== undefined && version <= current.version) {
    throw new BundleFault(
      'replayed',
      `its version is ${version}, and ${current.version} is in force: versions only rise`,
    );
  }
  const fromMs = Date.parse(validFrom);
  if (fromMs > at.epochMilliseconds) throw new BundleFault('not-yet-valid', `it is valid from ${validFrom} on`, fromMs);
  if (endOf(bundle) <= at.epochMilliseconds)
    throw new BundleFault('expired', `it was valid until ${bundle.validUntil}: sign a newer one`);
  checkReferences(bundle, base);
  const fresh: PolicyInput = { ...base, bundle: bundle.content };
  // On trial: whatever does not compile is found here, and not in a call.
  compilePolicy(fresh);
  const campaigns = bundle.content.campaigns ?? [];
  for (const campaign of campaigns) tryHours(campaign, base.site.zone, at.epochMilliseconds);
  const widens =
    current === undefined
      ? ['it is the first policy of this gateway']
      : [
          ...lastsLonger(current, bundle),
          ...widenings({ ...base, bundle: current.content }, fresh),
          ...campaignWidenings(current.content.campaigns ?? [], campaigns),
        ];
  if (widens.length > 0 && signedBy.length < 2) {
    throw new BundleFault(
      'needs-two-signatures',
      `it widens, and is signed by ${signedBy.join(' and ')} alone: ${widens.slice(0, 5).join('; ')}`,
    );
  }
  return { widens };
}

/** When a bundle ends whatever is heard of headquarters, epoch milliseconds. */
export const endOf = ({ validUntil }: PolicyBundle): number =>
  validUntil === undefined ? Number.POSITIVE_INFINITY : Date.parse(validUntil);

function lastsLonger(before: PolicyBundle, after: PolicyBundle): readonly string[] {
  return [
    ...(endOf(after) > endOf(before) ? ['it ends later'] : []),
    ...(after.validOfflineH > before.validOfflineH ? ['it holds longer without headquarters'] : []),
  ];
}

/** Names that lead nowhere. */
function checkReferences({ content }: PolicyBundle, { handsets, wings, trunks }: PolicyInput): void {
  const faults: string[] = [];
  const profiles = new Set(content.profiles.map(({ id }) => id));
  const need = (isThere: boolean, what: string): void => {
    if (!isThere) faults.push(what);
  };
  for (const { id, lists, trunks: tried } of content.profiles) {
    for (const name of [...lists.allow, ...lists.block]) {
      need(Object.hasOwn(content.lists, name), `profile ${id} names the list ${name}, which is not there`);
    }
    for (const trunk of tried)
      need(
        trunks.some((one) => one.id === trunk),
        `profile ${id} names the trunk ${trunk}`,
      );
  }
  for (const { id, profile } of handsets) {
    const named = content.handsets?.[id]?.profile ?? profile;
    need(profiles.has(named), `handset ${id} has the profile ${named}, which is not there`);
  }
  for (const id of Object.keys(content.handsets ?? {}))
    need(
      handsets.some((one) => one.id === id),
      `there is no handset ${id}`,
    );
  for (const id of Object.keys(content.wings ?? {}))
    need(
      wings.some((one) => one.id === id),
      `there is no wing ${id}`,
    );
  const campaigns = content.campaigns ?? [];
  for (const [index, campaign] of campaigns.entries()) {
    need(campaigns.findIndex(({ id }) => id === campaign.id) === index, `the campaign ${campaign.id} is there twice`);
    for (const fault of campaignFaults(campaign, trunks)) faults.push(`campaign ${campaign.id} ${fault}`);
  }
  if (faults.length > 0) throw new BundleFault('invalid', `${faults.length} faults: ${faults.slice(0, 5).join('; ')}`);
}
