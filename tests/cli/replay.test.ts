import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { E164 } from '../../gateway/policy/ids.js';
import { callId, handsetId } from '../../gateway/policy/ids.js';
import { openStore } from '../../gateway/store/open.js';
import { SiteFolder } from '../config/site-folder.js';
import { at } from '../policy/sample-policy.js';
import { aRecord } from '../store/samples.js';
import { balise } from './terminal.js';

const number = (n: number) => `+44207946000${n}` as E164;
const call = (n: number) => callId(`01900000-0000-7000-8000-00000000000${n}`);

t.test('balise replay tells which calls of the past another policy would have judged otherwise', async (t) => {
  const folder = await SiteFolder.make();
  t.teardown(() => folder.remove());
  const data = join(folder.path, 'data');
  await mkdir(data);
  const clock = {
    wall: () => at('2026-03-05T12:00'),
    monotonicNs: () => 0n,
    trust: () => ({ trusted: true }) as const,
    after: () => ({ cancel: () => undefined }),
  };
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const store = openStore({ folder: data, clock, gatewayId: 'demo/gw-1', bootId: 'b', log });
  t.teardown(() => store.close());
  const a101 = { handset: handsetId('a-101') };
  // Three calls of a minute on Wednesday, and one on the day after.
  for (const [n, wall] of ['2026-03-04T10:00', '2026-03-04T11:00', '2026-03-04T12:00', '2026-03-05T10:00'].entries()) {
    store.calls.record(aRecord(call(n + 1), at(wall), { ...a101, number: number(n + 1) }), []);
  }
  const json = async (name: string) => JSON.parse(await folder.text(`${name}.json`));
  const profiles = await json('profiles');
  const lists = await json('lists');
  const trying = async (change: (profile: Record<string, unknown>) => void, ...more: readonly string[]) => {
    const changed = structuredClone(profiles);
    for (const profile of changed) change(profile);
    const content = { profiles: changed, lists };
    const payload = { site: 'demo', version: 1, validFrom: '2026-01-01T00:00:00Z', validOfflineH: 72, content };
    await writeFile(join(folder.path, '..', 'new.json'), JSON.stringify(payload));
    const run = ['replay', '--site', folder.path, '--policy', join(folder.path, '..', 'new.json')];
    return balise([...run, '--from', '2026-03-04', '--to', '2026-03-06', ...more]);
  };
  const plain = await trying(() => undefined);
  t.match(plain, { status: 0, stdout: /^4 calls and 0 refusals judged again\nthe same: 4\nnewly refused: 0\n/ });
  const limited = await trying((profile) => {
    profile.callsPerDay = 2;
  });
  t.equal(limited.status, 1);
  t.match(
    limited.stdout,
    /\nthe same: 3\nnewly refused: 1\n {2}2026-03-04T12:00:00Z {2}a-101 {2}\S+ {2}granted → limit.calls\nnewly let through: 0\n/,
  );
  t.notMatch(limited.stdout, '7946', 'no called number is printed');
  const blocked = await trying((profile) => {
    profile.block = [number(2)];
  });
  t.match(blocked.stdout, /newly refused: 1\n {2}2026-03-04T11:00:00Z .*granted → number.blocked\n/);
  const short = await trying((profile) => {
    profile.maxTalkS = 30;
    profile.warningsS = [];
  });
  t.match(short.stdout, /\nshortened: 4\n {2}2026-03-04T10:00:00Z {2}a-101 {2}\S+ {2}\d+ s → 30 s\n/);
  t.match(short, { status: 1, stdout: /\ntalked longer than they then may: 4\n/ });
  const long = await trying(
    (profile) => {
      profile.maxTalkS = 7_200;
    },
    '--first',
    '1',
  );
  t.match(long, { status: 1, stdout: /\nlengthened: 4\n {2}2026-03-04T10:.* s → 7200 s\n {2}and 3 more\n/ });
  t.match(
    JSON.parse(
      (
        await trying(
          (profile) => {
            profile.maxTalkS = 7_200;
          },
          '--json',
          '--first',
          '2',
        )
      ).stdout,
    ),
    {
      calls: 4,
      same: 0,
      counts: { newlyRefused: 0, newlyAllowed: 0, shortened: 0, lengthened: 4, otherwise: 0 },
      changed: [{ kind: 'lengthened', before: 'granted', after: 'granted', afterS: 7_200 }, { kind: 'lengthened' }],
      cut: 0,
    },
  );
  const mute = ['replay', '--site', folder.path, '--policy', join(folder.path, '..', 'new.json')];
  t.match(await balise([...mute, '--from', '2026-03-04']), { status: 64, stderr: /--to is missing/ });
  t.match(await balise([...mute, '--from', '2026-03-04', '--to', '2026-03-04']), { status: 64, stderr: /not later/ });
});
