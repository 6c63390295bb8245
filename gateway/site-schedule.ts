/** What a running site does by the hour and by the minute. */
import type { Logger } from 'pino';
import type { Clock } from './clock/clock.js';
import type { SiteFiles } from './config/site.js';
import { CurfewWatch } from './curfew-watch.js';
import { handsetId } from './policy/ids.js';
import { PolicyWatch, zoneRulesWarning } from './policy-watch.js';
import { cronMinutes } from './schedule/cron.js';
import { type Minutes, Schedule } from './schedule/schedule.js';
import type { SitePolicy } from './site-policy.js';
import type { Store } from './store/store.js';
import type { Checkpoints } from './uplink/checkpoints.js';
import type { Uplink } from './uplink/uplink.js';

export interface SiteScheduleParts {
  readonly files: SiteFiles;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'error'>;
  readonly policy: SitePolicy;
  readonly store: Store;
  readonly alarm: (code: string, why: string) => void;
  /** Live calls are to be judged again. */
  readonly judgeAgain: () => void;
  /** Undefined where the site has no uplink, and until there is one. */
  readonly uplink: () => Pick<Uplink, 'lookAtCertificate'> | undefined;
  readonly checkpoints: () => Pick<Checkpoints, 'look'> | undefined;
  /** For tests. */
  readonly minutes?: Minutes;
}

/** Before the day's first call, and after the last night shift has begun its next day. */
const ROLL_UP = '00:10';
const LOOK_MINUTES = 10;
const PRUNE_MINUTES = 10;

/** The jobs of a site, not started. */
export function siteSchedule(parts: SiteScheduleParts): Schedule {
  const { files, clock, log, policy, store, alarm } = parts;
  const { zone } = files.site;
  const watch = new PolicyWatch(
    clock,
    (at) => [...policy.warnings(at), ...zoneRulesWarning(process.versions.tz, at)],
    alarm,
  );
  const curfews = new CurfewWatch({
    handsets: files.handsets.map(({ id }) => handsetId(id)),
    isOpen: (handset, at) => policy.hasHours(handset, at),
    onBegan: parts.judgeAgain,
    append: (event) => store.calls.append([event]),
  });
  const schedule = new Schedule({
    clock,
    minutes: parts.minutes ?? cronMinutes,
    onFault: (job, fault) => log.error({ event: 'schedule.job-failed', job, err: fault }),
  });
  schedule.every('curfews', 1, () => {
    // By a clock that is not believed every call is refused anyhow.
    if (clock.trust().trusted) curfews.look(clock.wall());
  });
  schedule.every('room', 1, () => store.makeRoom());
  schedule.every('prune', PRUNE_MINUTES, () => void store.prune());
  schedule.every('policy-ages', LOOK_MINUTES, () => watch.look());
  schedule.every('certificate', 1, () => parts.uplink()?.lookAtCertificate());
  schedule.every('checkpoint', LOOK_MINUTES, () => void parts.checkpoints()?.look());
  schedule.daily('ledger-roll-up', ROLL_UP, zone, () => store.rollUp(zone));
  return schedule;
}
