import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import t from 'tap';
import { ListCompiler } from '../../gateway/do-not-call/compile-list.js';
import { listFile } from '../../gateway/do-not-call/shelf.js';
import { PolicyWatch, zoneRulesWarning } from '../../gateway/policy-watch.js';
import { SitePolicy } from '../../gateway/site-policy.js';
import { VirtualClock } from '../lines/virtual-clock.js';
import { at } from '../policy/sample-policy.js';
import { signedSite } from './signed.js';

const NOON = at('2026-03-04T12:00');

t.test('lists and bundles warn before they are too old, and say when they are', async (t) => {
  const site = await signedSite(t);
  const file = listFile(`${site.folder.path}/data`, 'tps');
  mkdirSync(dirname(file), { recursive: true });
  const compiler = new ListCompiler(file);
  compiler.add(442_079_460_009);
  compiler.finish(NOON.epochMilliseconds);
  const policy = new SitePolicy(await site.files());
  const dnc = (list: string) => [{ list, mostAgeH: 48 }];
  await policy.offer(
    await site.bundle(1, 2, (p) => Object.assign(p.content.profiles[0], { doNotCall: dnc('tps') })),
    NOON,
  );
  const codes = (hours: number) => policy.warnings(NOON.add({ hours })).map(({ code }) => code);
  t.same(codes(0), []);
  t.same(codes(36), []);
  t.same(codes(37), ['dnc.ageing']);
  t.same(codes(48), ['dnc.stale']);
  t.same(codes(55), ['dnc.stale', 'policy.expiring']);
  t.same(codes(72), ['dnc.stale', 'policy.expired']);
  await policy.offer(
    await site.bundle(2, 2, (p) => Object.assign(p.content.profiles[0], { doNotCall: dnc('be') })),
    NOON,
  );
  t.match(policy.warnings(NOON), [{ code: 'dnc.stale', why: /never imported/ }]);
});

t.test('a warning is raised once, and again after it was over', async (t) => {
  const clock = new VirtualClock();
  const alarms: string[] = [];
  let warning = true;
  const one = { code: 'dnc.ageing', of: 'tps', why: 'old' } as const;
  const watch = new PolicyWatch(
    clock,
    () => (warning ? [one] : []),
    (code) => alarms.push(code),
  );
  const tenMinutes = () => watch.look();
  tenMinutes();
  tenMinutes();
  t.same(alarms, ['dnc.ageing']);
  warning = false;
  tenMinutes();
  warning = true;
  tenMinutes();
  t.same(alarms, ['dnc.ageing', 'dnc.ageing']);
});

t.test('time zone rules older than twelve months are a warning', async (t) => {
  const isOld = (version: string | undefined, wall: string) => zoneRulesWarning(version, at(wall)).length === 1;
  t.notOk(isOld('2026a', '2026-03-04T12:00'));
  t.notOk(isOld('2025b', '2026-03-04T12:00'));
  t.ok(isOld('2025a', '2026-03-04T12:00'));
  t.ok(isOld('2025b', '2026-11-25T12:00'));
  t.ok(isOld(undefined, '2026-03-04T12:00'), 'and so are rules of no known version');
});
