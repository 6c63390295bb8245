import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { callId, handsetId, personId, trunkId } from '../../gateway/policy/ids.js';
import { openStore } from '../../gateway/store/open.js';
import { SiteFolder } from '../config/site-folder.js';
import { at } from '../policy/sample-policy.js';
import { aRecord } from '../store/samples.js';
import { balise } from './terminal.js';

async function site(t: Test): Promise<SiteFolder> {
  const folder = await SiteFolder.make();
  t.teardown(() => folder.remove());
  return folder;
}

const asking = (folder: SiteFolder, number: string, ...more: readonly string[]) =>
  balise([
    'explain',
    '--site',
    folder.path,
    '--handset',
    'a-101',
    '--number',
    number,
    '--at',
    '2026-03-04T12:00',
    ...more,
  ]);

t.test('balise explain tells every rule in order, and until when the call may be', async (t) => {
  const folder = await site(t);
  const { status, stdout, stderr } = await asking(folder, '+442079460001');
  t.equal(status, 0, stderr);
  t.match(stdout, /^2026-03-04T12:00:00\[Europe\/Brussels\]\n {2}clock.untrusted\n/);
  t.match(stdout, /\n {2}window.callee +open in Europe\/London until 21:00, where it is 11:00\n/);
  t.match(
    stdout,
    /\ngranted until 2026-03-04T22:00:00\[Europe\/Brussels\] \(window\.callee\), at most \d+ s \(max-talk\)\n/,
  );
  t.match(stdout, /note: .*nothing is counted as used/);
});

t.test('a refusal names its rule and when it would pass; status 1', async (t) => {
  const folder = await site(t);
  const late = ['--at', '2026-03-04T23:00'];
  const { status, stdout } = await asking(folder, '+442079460001', ...late);
  t.equal(status, 1);
  t.match(stdout, /✗ window.callee +in London it is 22:00; calls from 2026-03-05 08:00/);
  t.match(stdout, /refused by window.callee \(SIP 480\); would pass at 2026-03-05T09:00:00/);
  const french = await asking(folder, '+442079460001', ...late, '--language', 'fr');
  t.match(french.stdout, /à London il est 22:00; appels dès 2026-03-05 08:00/);
  t.match(french.stdout, /refusé par window.callee/);
  t.match((await asking(folder, '+442079469999')).stdout, /number.not-sanctioned .*\n[\s\S]*waiting does not help/);
});

t.test('--json says the same to programs', async (t) => {
  const folder = await site(t);
  const { stdout } = await asking(folder, '+442079469999', '--json');
  const said = JSON.parse(stdout);
  t.match(said, { at: '2026-03-04T11:00:00Z', decision: { outcome: 'refusal', rule: 'number.not-sanctioned' } });
  t.match(
    said.judged.filter(({ verdict }: { verdict: string }) => verdict === 'refuses'),
    [{ rule: 'number.not-sanctioned', facts: [{ is: 'not-sanctioned' }], words: [String] }],
  );
});

t.test('what the site’s ledger holds is counted, beside a gateway that runs', async (t) => {
  const folder = await site(t);
  await folder.edit('profiles', (profiles) => {
    for (const profile of profiles) profile.limits = [{ per: 'handset', of: 'calls', most: 1, in: 'week' }];
  });
  await mkdir(join(folder.path, 'data'));
  const clock = {
    wall: () => at('2026-03-04T12:00'),
    monotonicNs: () => 0n,
    trust: () => ({ trusted: true }) as const,
    after: () => ({ cancel: () => undefined }),
  };
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const store = openStore({ folder: join(folder.path, 'data'), clock, gatewayId: 'demo/gw-1', bootId: 'b', log });
  t.teardown(() => store.close());
  const call = callId('01900000-0000-7000-8000-000000000001');
  const more = { handset: handsetId('a-101'), person: personId('p-1'), trunk: trunkId('carrier') };
  store.calls.record(aRecord(call, at('2026-03-03T10:00'), more), []);
  const { stdout, status } = await asking(folder, '+442079460001');
  t.equal(status, 1);
  t.match(stdout, /✗ limit.calls +1 of 1 calls of this handset this week are used/);
  t.notMatch(stdout, /note:/);
});

t.test('of several limits the one that bounds the talk is named, in each language and as JSON', async (t) => {
  const folder = await site(t);
  await folder.edit('profiles', (profiles) => {
    for (const profile of profiles)
      profile.limits = [
        { per: 'handset', of: 'talk', most: 7_200, in: 'week' },
        { per: 'number', of: 'talk', most: 120, in: 'day' },
      ];
  });
  const bound = /\ngranted until [^\n]*at most 120 s \(limit.talk: 0 of 2 minutes of talk of this number today\)\n/;
  t.match((await asking(folder, '+442079460001')).stdout, bound);
  const said = JSON.parse((await asking(folder, '+442079460001', '--json', '--language', 'nl')).stdout);
  t.match(said.binding, { fact: { is: 'left', per: 'number', in: 'day', most: 120_000 }, words: /^0 van 2 minuten/ });
  t.match(said.notes, [/balise.sqlite is er niet: er wordt niets als verbruikt geteld/]);
  const french = await asking(folder, '+442079460001', '--language', 'fr');
  t.match(french.stdout, /\naccordé jusqu'à [^\n]* au plus 120 s \(limit.talk: /);
  t.match(french.stdout, /\nremarque: .*balise.sqlite n'existe pas : rien n'est compté comme utilisé\n$/);
});

t.test('what cannot be understood is told, with status 64', async (t) => {
  const folder = await site(t);
  t.match(await asking(folder, '1', '--at', 'noon'), { status: 64, stderr: /noon is no instant/ });
  t.match(await asking(folder, '1', '--language', 'de'), { status: 64, stderr: /one of en, fr, nl/ });
  t.match(await asking(folder, '1', '--zone', 'Narnia'), { status: 64, stderr: /no IANA zone/ });
  t.match(await balise(['explain', '--site', folder.path]), { status: 64, stderr: /--handset is missing/ });
});
