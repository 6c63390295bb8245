/** What a site does by the minute for its way to headquarters. */
import t from 'tap';
import { SitePolicy } from '../../gateway/site-policy.js';
import { siteSchedule } from '../../gateway/site-schedule.js';
import { SiteFolder } from '../config/site-folder.js';
import { aStore } from '../store/folder.js';
import { StillClock, silent } from '../store/samples.js';

t.test('each minute the certificate is looked at, each ten minutes whether a checkpoint is due', async (t) => {
  const folder = await SiteFolder.make();
  t.teardown(() => folder.remove());
  const files = await folder.load();
  const clock = new StillClock();
  clock.set('2026-03-04T12:00:30Z');
  const done = { certificate: 0, checkpoint: 0 };
  const count = (what: keyof typeof done): void => {
    done[what] += 1;
  };
  let tick: () => void = () => undefined;
  let isThere = false;
  const policy = new SitePolicy(files);
  t.teardown(() => policy.close());
  const schedule = siteSchedule({
    ...{ files, clock, policy, log: silent, store: aStore(t, { clock }) },
    ...{ alarm: () => undefined, judgeAgain: () => undefined },
    uplink: () => (isThere ? { lookAtCertificate: () => count('certificate') } : undefined),
    checkpoints: () => (isThere ? { look: async () => count('checkpoint') } : undefined),
    minutes: (run) => {
      tick = run;
      return { cancel: () => undefined };
    },
  });
  schedule.start();
  const minutes = (count: number): void => {
    for (let n = 0; n < count; n += 1) {
      clock.add(60_000);
      tick();
    }
  };
  minutes(15);
  t.same(done, { certificate: 0, checkpoint: 0 }, 'a site without an uplink does neither');
  isThere = true;
  minutes(60);
  t.same(done, { certificate: 60, checkpoint: 6 });
  schedule.stop();
});
