import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import t, { type Test } from 'tap';
import { runCli } from '../../scripts/cli/main.js';
import { SiteFolder } from '../config/site-folder.js';
import { balise } from './terminal.js';

async function site(t: Test): Promise<SiteFolder> {
  const folder = await SiteFolder.make();
  t.teardown(() => folder.remove());
  await folder.edit('profiles', (profiles) => {
    for (const profile of profiles) profile.doNotCall = [{ list: 'tps', mostAgeH: 48 }];
  });
  return folder;
}

const importing = (folder: SiteFolder, text: string, ...more: readonly string[]) =>
  balise(['dnc', 'import', '--site', folder.path, '--list', 'tps', '--made', '2026-03-04', ...more, '-'], text);
const explained = (folder: SiteFolder, number: string, at = '2026-03-04T12:00') =>
  balise(['explain', '--site', folder.path, '--handset', 'a-101', '--number', number, '--at', at]);

t.test('a list is imported, asked by every call, and goes stale', async (t) => {
  const folder = await site(t);
  t.match((await explained(folder, '+442079460001')).stdout, /✗ dnc.stale +the do-not-call list tps cannot be asked/);
  const csv = 'number;since\r\n+442079460002;2020\r\n"0044 20 7946 0003";2021\r\n+44 (0)20;\r\n';
  t.match(await importing(folder, csv), {
    status: 1,
    stderr: /line 4: no telephone number\n1 lines hold no number: nothing/,
  });
  t.match((await balise(['dnc', 'show', '--site', folder.path])).stdout, 'no list');
  t.match(await importing(folder, csv, '--skip-bad'), {
    status: 0,
    stdout: /^tps: 2 numbers, 0 doubled, 0 .*1 lines left out/,
  });
  t.match(await explained(folder, '+442079460001'), { status: 0 });
  t.match((await explained(folder, '+442079460003')).stdout, /refused by dnc.listed/);
  t.match((await explained(folder, '+442079460001', '2026-03-06T12:00')).stdout, /refused by dnc.stale/);
  t.match((await balise(['dnc', 'show', '--site', folder.path])).stdout, /tps {2}2 numbers, made 2026-03-03T23:00/);
});

t.test('find tells whether a number is on a list, in whatever form', async (t) => {
  const folder = await site(t);
  await importing(folder, 'x,+442079460002\n,\ny,+442079460002\n', '--column', '2');
  const find = (number: string) => balise(['dnc', 'find', '--site', folder.path, '--list', 'tps', '--number', number]);
  t.match(await find('00442079460002'), { status: 1, stdout: 'on the list tps' });
  t.match(await find('+442079460001'), { status: 0, stdout: 'not on the list tps' });
  t.match(await find('nobody'), { status: 64 });
});

t.test('a long import shows how far it is: over itself at a terminal, a line each tenth elsewhere', async (t) => {
  const folder = await site(t);
  const file = join(folder.path, 'list.csv');
  const lines = Array.from(
    { length: 1_100 },
    (_, n) => `+44207946${String(n % 1_000).padStart(4, '0')},${'x'.repeat(1_000)}`,
  );
  writeFileSync(file, lines.join('\n'));
  const run = ['dnc', 'import', '--site', folder.path, '--list', 'tps', '--made', '2026-03-04', file];
  const plain = await balise(run);
  t.match(plain, { status: 0, stdout: /^tps: 1000 numbers, 100 doubled/ });
  t.equal(plain.stderr.match(/%\n/g)?.length, 11, plain.stderr);
  t.match(plain.stderr, /^·{25} 0 %\n██·{23} 10 %\n[\s\S]*█{25} 100 %\n/);
  const [stdout, stderr] = [new PassThrough(), Object.assign(new PassThrough(), { isTTY: true })];
  t.equal(await runCli(run, { stdin: Readable.from(['']), stdout, stderr }), 0);
  const drawn = String(stderr.read());
  t.match(drawn, /^\r·{25} 0 %\r·{25} 1 %[\s\S]*\r█{25} 100 %\n$/);
  t.equal(drawn.split('\n').length, 2, 'one line, drawn over itself');
});

t.test('what is called wrongly is told, with status 64', async (t) => {
  const folder = await site(t);
  for (const args of [[], ['import'], ['import', '--list', '../x'], ['import', '--list', 'x', '--made', 'once', 'f']]) {
    t.equal((await balise(['dnc', '--site', folder.path, ...args])).status, 64, args.join(' '));
  }
});
