/** `balise person` and `statement` on a site, as a technician uses them. */
import { createReadStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { balise } from '../cli/terminal.js';
import type { SiteFolder } from '../config/site-folder.js';
import { file, opened, withTrains } from './trains-site.js';

const ADD = ['--id', 'p-1', '--code', '3051', '--language', 'nl', '--handset', 'a-101', '--campaign', 'trains'];
const adding = (folder: SiteFolder, pin: string, ...more: readonly string[]) =>
  balise(['person', 'add', '--site', folder.path, ...ADD, ...more], pin);

t.test('a person is taken with a PIN that is kept as a hash, and can be suspended', async (t) => {
  const folder = await withTrains(t);
  t.match(await adding(folder, '4817\n', '--hours', 'mon,tue=08:00-12:00'), { status: 0, stdout: 'p-1: taken' });
  const { stdout } = await balise(['person', 'list', '--site', folder.path]);
  t.match(stdout, 'p-1  nl  at a-101  for trains\n');
  t.notMatch(stdout, '3051');
  await balise(['person', 'suspend', '--site', folder.path, '--id', 'p-1']);
  t.match((await balise(['person', 'list', '--site', folder.path])).stdout, '(suspended)');
  t.match(await balise(['person', 'pin', '--site', folder.path, '--id', 'p-1'], '9264'), { status: 0 });
  t.match((await balise(['person', 'list', '--site', folder.path])).stdout, '(suspended)');
  t.match(await balise(['person', 'suspend', '--site', folder.path, '--id', 'p-1', '--lift']), {
    stdout: 'may sign on',
  });
  const { dataFolder } = await folder.load();
  const disk = readFileSync(join(dataFolder, 'balise.sqlite'), 'latin1');
  t.notOk(disk.includes('4817'));
  t.match(disk, /scrypt\$16384\$/);
});

t.test('what does not fit the site, or is too easy to guess, is refused', async (t) => {
  const folder = await withTrains(t);
  for (const [pin, more, why] of [
    ['1111', [], /tried first|first that anybody/],
    ['3051', [], /the PIN is the code/],
    ['12', [], /4 to 8 digits/],
    ['4817', ['--handset', 'z-1'], /no such handset/],
    ['4817', ['--campaign', 'other'], /no such campaign/],
    ['4817', ['--hours', 'mon'], /write them as/],
  ] as const)
    t.match(await adding(folder, pin, ...more), { status: 64, stderr: why }, pin);
  await adding(folder, '4817');
  const second = await balise(['person', 'add', '--site', folder.path, ...ADD, '--id', 'p-2'], '9264');
  t.match(second, { status: 64, stderr: /choose another/ });
});

async function worked(folder: SiteFolder): Promise<void> {
  const store = await opened(folder);
  const session = '00000000-0000-7000-8000-000000000001';
  const base = { session, person: 'p-1', handset: 'a-101', campaign: 'trains' };
  const rate = { currency: 'EUR', perHour: 400 };
  const ended = { activity: 'signed-on', lastedMs: 1_800_000 };
  store.work.append([
    {
      kind: 'event',
      type: 'balise.work.activity',
      data: { ...base, at: '2020-03-04T08:00:00Z', activity: 'signed-on', rate },
    },
    {
      kind: 'event',
      type: 'balise.work.activity',
      data: { ...base, at: '2020-03-04T08:30:00Z', activity: 'signed-off', ended },
    },
  ]);
  store.close();
}

t.test(
  'a statement is made from the chain, and stands only as long as neither it nor the chain is changed',
  async (t) => {
    const folder = await withTrains(t);
    await adding(folder, '4817');
    await worked(folder);
    const { dataFolder } = await folder.load();
    const page = file(folder, 'p-1.html');
    const asked = ['statement', '--site', folder.path, '--person', 'p-1', '--month', '2020-03'];
    t.match(await balise([...asked, '--out', page]), { status: 0 });
    const verify = (...more: readonly string[]) => balise(['statement', 'verify', page, ...more]);
    t.match(await verify('--site', folder.path), { status: 0, stdout: /2 events, all of them in the chain/ });
    const chain = file(folder, 'audit.ndjson');
    writeFileSync(chain, (await balise(['audit', 'export', dataFolder])).stdout);
    t.match(await verify('--chain', chain), { status: 0 });

    const whole = readFileSync(page, 'utf8');
    writeFileSync(page, whole.replace('"ms":1800000', '"ms":2800000'));
    t.match(await verify('--chain', chain), { status: 1, stdout: /the times do not follow/ });
    writeFileSync(page, whole.replace('<td class="n">0:30:00</td>', '<td class="n">1:30:00</td>'));
    const isOther = { status: 1, stdout: /^the page does not print the figures that it carries[^\n]*\n$/ };
    t.match(await verify('--chain', chain), isOther, 'what is read by people is what is checked');
    writeFileSync(page, whole.replace('"zone":"Europe/Brussels"', '"zone":"Asia/Tokyo"'));
    t.match(await verify('--site', folder.path), { status: 1, stdout: /its month is that of Asia\/Tokyo/ });
    writeFileSync(page, whole.replace(/"gateway":"[^"]*"/, '"gateway":"other/gw-9"'));
    t.match(await verify('--site', folder.path), { status: 1, stdout: /it is of the gateway other\/gw-9/ });
    writeFileSync(page, whole.replace(/("hash":")./, '$1x'));
    t.match(await verify('--site', folder.path), { status: 1, stdout: /event 1 has another content/ });
    writeFileSync(page, whole);
    const lines: string[] = [];
    for await (const line of createInterface({ input: createReadStream(chain) })) lines.push(line);
    writeFileSync(chain, lines.join('\n').replace('1800000', '9800000'));
    t.match(await verify('--chain', chain), { status: 1, stdout: /broken at event/ });
  },
);

t.test('a correction is appended with a signature, and one that nobody known has signed does not count', async (t) => {
  const folder = await withTrains(t);
  await adding(folder, '4817');
  await worked(folder);
  const key = file(folder, 'hq.jwk');
  const made = await balise(['keys', 'new', key, '--kid', 'pay-office']);
  const publicKey = file(folder, 'hq.pub.jwk');
  writeFileSync(publicKey, made.stdout);
  const of = ['--site', folder.path, '--person', 'p-1', '--month', '2020-03'];
  const correct = [
    'statement',
    'correct',
    ...of,
    '--campaign',
    'trains',
    '--minutes=-15',
    '--reason',
    'counted twice',
    '--by',
    'pay office',
  ];
  t.match(await balise(correct), { status: 64, stderr: /--key is missing/ });
  t.match(await balise([...correct, '--key', key]), { status: 0, stdout: /-15 minutes for trains, appended/ });
  const csv = (...more: readonly string[]) => balise(['statement', ...of, '--form', 'csv', ...more]);
  t.match(await csv(), {
    stdout: /paid,EUR,400,1800000,/,
    stderr: /does not count: it is signed by pay-office, whose key is not known/,
  });
  t.match(await csv('--key', publicKey), {
    stdout: /correction,EUR,400,-900000[\s\S]*paid,EUR,400,900000,100/,
    stderr: '',
  });
});

t.test('what is called wrongly is told, with status 64', async (t) => {
  const folder = await withTrains(t);
  mkdirSync(file(folder, 'empty'));
  const about = { form: 'balise-statement-1', gateway: 'demo/gw-1', person: 'p-1', month: '2020-03', zone: 'UTC' };
  writeFileSync(file(folder, 'half.json'), JSON.stringify({ ...about, events: [null] }));
  const none = { lines: [], totals: [], pay: {}, events: [], open: [] };
  writeFileSync(file(folder, 'whole.json'), JSON.stringify({ ...about, ...none }));
  for (const args of [
    ['campaign', '--site', folder.path],
    ['campaign', 'import', '--site', folder.path, '--campaign', 'none', 'x.csv'],
    ['campaign', 'import', '--site', folder.path, '--campaign', 'trains', '-'],
    ['campaign', 'import', '--site', folder.path, '--campaign', 'trains', 'not-there.csv'],
    ['person', 'pin', '--site', folder.path, '--id', 'nobody'],
    ['statement', '--site', folder.path, '--person', 'nobody', '--month', '2026-03'],
    ['statement', '--site', folder.path, '--person', 'p', '--month', 'march'],
    ['statement', 'verify', file(folder, 'trains.json'), '--site', folder.path],
    ['statement', 'verify', file(folder, 'not-there.html'), '--site', folder.path],
    ['statement', 'verify', file(folder, 'half.json'), '--site', folder.path],
    ['statement', 'verify', file(folder, 'whole.json'), '--chain', file(folder, 'not-there.ndjson')],
    ['statement', 'verify', file(folder, 'whole.json'), '--chain', file(folder, 'trains.json')],
  ])
    t.equal((await balise(args)).status, 64, args.join(' '));
});
