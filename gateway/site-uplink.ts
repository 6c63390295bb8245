/** Joins a running site to headquarters: what is reported, and what orders and policy act on. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Calls } from './calls/calls.js';
import type { Clock } from './clock/clock.js';
import { projectRoot } from './config/paths.js';
import type { SiteFiles } from './config/site.js';
import type { OwnList } from './do-not-call/own-list.js';
import { runHouseCommand } from './house-commands.js';
import { handsetId } from './policy/ids.js';
import { NumberReader } from './policy/number.js';
import type { SiteListening } from './site-listening.js';
import type { SitePolicy } from './site-policy.js';
import type { SiteWork } from './site-work.js';
import type { Store } from './store/store.js';
import { Checkpoints } from './uplink/checkpoints.js';
import type { NumberToken } from './uplink/number-token.js';
import { Uplink } from './uplink/uplink.js';

export interface SiteUplinkParts {
  readonly files: SiteFiles;
  readonly gatewayId: string;
  readonly bootId: string;
  readonly clock: Clock;
  readonly store: Store;
  readonly log: Logger;
  readonly numberToken: NumberToken;
  readonly policy: SitePolicy;
  readonly doNotCall: OwnList;
  /** Undefined until there are any. */
  readonly calls: () => Calls | undefined;
  readonly listening: () => SiteListening | undefined;
  readonly work: () => SiteWork | undefined;
}

export interface SiteUplink {
  readonly uplink: Uplink;
  readonly checkpoints: Checkpoints;
}

/** The uplink of a site, not started; undefined where its folder has none. */
export function siteUplink(parts: SiteUplinkParts): SiteUplink | undefined {
  const { files, gatewayId, bootId, clock, store, log, numberToken, policy, doNotCall, calls, listening, work } = parts;
  const config = files.uplink;
  if (config === undefined) return undefined;
  const numbers = new NumberReader(files.site.country);
  const uplink: Uplink = new Uplink({
    config,
    gatewayId,
    version: readVersion(),
    bootId,
    clock,
    store: store.outbox,
    handsets: files.handsets.map(({ id, wing }) => ({ id: handsetId(id), wing })),
    status: () => {
      if (uplink.connected) policy.heard(clock.wall());
      return {
        zone: files.site.zone,
        ...policy.status(),
        clock: clock.trust(),
        disk: store.roomLeft(),
        calls: calls()?.size ?? 0,
      };
    },
    onCommand: async (command) => {
      const live = calls();
      if (live === undefined) return { outcome: 'failed', why: 'starting' };
      const offerWarrant = async (jws: string) =>
        (await listening()?.offerWarrant(jws)) ?? ({ outcome: 'refused', why: 'warrant.no-recording' } as const);
      return runHouseCommand(command, { calls: live, doNotCall, numbers, numberToken, offerWarrant });
    },
    onPolicy: (text) => policy.arrived(text),
    onBatch: async (payload) => work()?.batches?.take(payload),
    log,
  });
  return { uplink, checkpoints: new Checkpoints({ config, gatewayId, clock, store, log }) };
}

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as { version: string };
  return version;
}
