/** Joins contacts on loan to a site: its uplink's keys, its work, its policy's calling hours. */
import type { Logger } from 'pino';
import type { Clock } from './clock/clock.js';
import type { SiteFiles } from './config/site.js';
import { handsetId } from './policy/ids.js';
import type { SitePolicy } from './site-policy.js';
import { contactKey } from './store/contact-key.js';
import type { Store } from './store/store.js';
import { BatchKeeper, type Worker } from './work/batch-keeper.js';
import { BatchKey } from './work/batch-seal.js';
import type { NumberSeal } from './work/number-seal.js';
import type { WorkDesk } from './work/work-desk.js';

export interface SiteBatchesParts {
  readonly files: SiteFiles;
  readonly clock: Clock;
  readonly store: Store;
  readonly policy: SitePolicy;
  readonly alarm: (code: string, message: string) => void;
  readonly log: Logger;
}

/** What keeps a site in contacts of headquarters; undefined where it has no uplink. */
export function siteBatches(
  { files, clock, store, policy, alarm, log }: SiteBatchesParts,
  seal: NumberSeal,
  desk: Pick<WorkDesk, 'stateOf' | 'look'>,
): BatchKeeper | undefined {
  const { uplink, site, handsets } = files;
  if (uplink === undefined) return undefined;
  const gatewayId = `${site.site}/${site.gateway}`;
  const workers = (): Worker[] =>
    handsets.flatMap(({ id }) => {
      const state = desk.stateOf(handsetId(id));
      const person = 'session' in state ? store.work.person(state.session.person) : undefined;
      return person === undefined || person.suspended ? [] : [person];
    });
  return new BatchKeeper({
    ...{ store: store.work, clock, gatewayId, country: site.country, seal, workers, alarm, log },
    onTaken: () => desk.look(),
    keys: uplink.commandKeys,
    batchKey: new BatchKey(uplink.tokenKey, gatewayId, contactKey(files.dataFolder)),
    callee: policy.compiled.callee,
  });
}
