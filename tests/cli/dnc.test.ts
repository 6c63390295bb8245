import t, { type Test } from 'tap';
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

t.test('what is called wrongly is told, with status 64', async (t) => {
  const folder = await site(t);
  for (const args of [[], ['import'], ['import', '--list', '../x'], ['import', '--list', 'x', '--made', 'once', 'f']]) {
    t.equal((await balise(['dnc', '--site', folder.path, ...args])).status, 64, args.join(' '));
  }
});
