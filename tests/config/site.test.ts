import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ConfigFault, EX_CONFIG, formatFaults } from '../../gateway/config/fault.js';
import { loadSite } from '../../gateway/config/site.js';
import type { FileName } from '../../gateway/config/site-check.js';
import { type Json, SiteFolder } from './site-folder.js';

async function demo(t: Test): Promise<SiteFolder> {
  const folder = await SiteFolder.make();
  t.teardown(() => folder.remove());
  return folder;
}

t.test('a site without fault loads whole, defaults filled in, and cannot be changed', async (t) => {
  const folder = await demo(t);
  const site = await folder.load();
  t.equal(site.site.site, 'demo');
  t.equal(site.dataFolder, join(folder.path, 'data'));
  t.same(site.profiles.find((profile) => profile.id === 'codes')?.warningsS, [60, 10]);
  t.equal(site.handsets[0]?.enabled, true);
  t.throws(() => Object.assign(site.handsets[0] ?? {}, { enabled: false }), TypeError);
  const allow = (site.profiles[0]?.allow ?? []) as string[];
  t.throws(() => allow.push('+1*'), TypeError);
});

t.test('the files for lists, boards and uplink may be left out', async (t) => {
  const folder = await demo(t);
  await folder.edit('handsets', (handsets) => {
    for (const handset of handsets) delete handset.line;
  });
  await folder.edit('profiles', (profiles) => {
    for (const profile of profiles) {
      delete profile.lists;
      profile.hookRequired = false;
    }
  });
  for (const name of ['lists', 'boards', 'uplink']) await rm(join(folder.path, `${name}.json`));
  const site = await folder.load();
  t.same(site.lists, {});
  t.same(site.boards, []);
  t.equal(site.uplink, undefined);
});

t.test('a folder that is not there is one fault', async (t) => {
  await t.rejects(loadSite('/nonexistent/site'), { name: 'ConfigFault', faults: [{ found: 'ENOENT' }] });
});

t.test('a file that is missing is told, and hides no other fault', async (t) => {
  const folder = await demo(t);
  await rm(join(folder.path, 'wings.json'));
  await folder.edit('handsets', (handsets) => {
    handsets[0].profile = 'none';
  });
  const faults = await folder.faults();
  t.same(
    faults.map(({ file, pointer }) => [file, pointer]),
    [
      ['wings.json', ''],
      ['handsets.json', '/0/profile'],
    ],
  );
});

t.test(
  'a file that may not be read is told',
  { skip: process.getuid?.() === 0 && 'root reads everything' },
  async (t) => {
    const folder = await demo(t);
    await chmod(join(folder.path, 'wings.json'), 0);
    t.match(await folder.faults(), [{ file: 'wings.json', found: 'EACCES' }]);
  },
);

t.test('a folder in the place of a file is told', async (t) => {
  const folder = await demo(t);
  await rm(join(folder.path, 'wings.json'));
  await mkdir(join(folder.path, 'wings.json'));
  t.match(await folder.faults(), [{ file: 'wings.json', found: 'EISDIR' }]);
});

t.test('text that is not JSON is told with line and column', async (t) => {
  const folder = await demo(t);
  await folder.write('trunks.json', '[\n  { "id": "carrier",\n    "host": \'127.0.0.1\' }\n]\n');
  t.match(await folder.faults(), [
    { file: 'trunks.json', pointer: '', line: 3, column: 13, found: "'127.0.0.1'", expected: /double quotes/ },
  ]);
});

t.test('text that is not UTF-8 is told; a byte order mark does no harm', async (t) => {
  const folder = await demo(t);
  await folder.write('wings.json', `\uFEFF${await folder.text('wings.json')}`);
  t.same(await folder.faults(), []);
  await folder.write('wings.json', Uint8Array.of(0x5b, 0xff, 0x5d));
  t.match(await folder.faults(), [{ file: 'wings.json', expected: 'text in UTF-8' }]);
});

t.test('a name that stands twice is told, because only the last would count', async (t) => {
  const folder = await demo(t);
  await folder.write('lists.json', '{ "panel": ["+4420794600*"],\n "do-not-call": [],\n "panel": [] }');
  t.match(await folder.faults(), [
    { file: 'lists.json', pointer: '/panel', line: 3, column: 2, expected: 'each name once' },
  ]);
});

t.test('a JSON file that is none of a site is told, with the name that was meant', async (t) => {
  const folder = await demo(t);
  await folder.write('upllink.json', '{}');
  t.match(await folder.faults(), [{ file: 'upllink.json', hint: /did you mean uplink.json/ }]);
});

t.test('all faults are told at once, in the order of files and lines', async (t) => {
  const folder = await demo(t);
  const slips: readonly [FileName, string, (value: Json) => void][] = [
    ['site', '/zone', (site) => Object.assign(site, { zone: 'Europe/Bruxelles' })],
    ['wings', '/0/network/0', (wings) => Object.assign(wings[0], { network: ['10.0.0.1'] })],
    ['profiles', '/0/allow/0', (profiles) => Object.assign(profiles[0], { allow: ['0044'] })],
    ['boards', '/0/device', (boards) => Object.assign(boards[0], { device: 'none' })],
    ['handsets', '/3/user', (handsets) => Object.assign(handsets[3], { user: 'a101' })],
    ['handsets', '/1/wing', (handsets) => Object.assign(handsets[1], { wing: 'c' })],
    ['uplink', '/tokenKey', (uplink) => Object.assign(uplink, { tokenKey: 'short' })],
  ];
  for (const [file, , change] of slips) await folder.edit(file, change);
  await folder.write('trunks.json', '[,]');
  const faults = await folder.faults();
  t.equal(faults.length, slips.length + 1);
  for (const [file, at] of slips) {
    t.ok(
      faults.some((fault) => fault.file === `${file}.json` && fault.pointer === at),
      `${file}${at}`,
    );
  }
  const order = faults.map(({ file }) => file).filter((file, index, all) => file !== all[index - 1]);
  const files = ['site', 'wings', 'profiles', 'trunks', 'boards', 'handsets', 'uplink'];
  t.same(
    order,
    files.map((name) => `${name}.json`),
  );
  const lines = faults.filter(({ file }) => file === 'handsets.json').map(({ line }) => line ?? 0);
  t.same(
    lines,
    [...lines].sort((a, b) => a - b),
  );
});

t.test('for the terminal, each fault is a block: place, found, expected, what to do', async (t) => {
  const fault = new ConfigFault('/etc/balise', [
    {
      file: 'handsets.json',
      pointer: '/3/wing',
      line: 41,
      column: 5,
      found: '"d"',
      expected: 'a wing of wings.json: a, b',
      hint: 'correct it',
    },
    {
      file: 'site.json',
      pointer: '',
      found: 'no such file',
      expected: 'a file that every site has',
      hint: 'add site.json',
    },
  ]);
  t.equal(fault.exitCode, EX_CONFIG);
  t.equal(
    formatFaults(fault),
    `/etc/balise: 2 faults in the configuration; nothing was started

handsets.json:41:5  /3/wing
  found       "d"
  expected    a wing of wings.json: a, b
  what to do  correct it

site.json
  found       no such file
  expected    a file that every site has
  what to do  add site.json
`,
  );
  const many = new ConfigFault('/etc/balise', new Array(1_000).fill(fault.faults[0]));
  t.match(formatFaults(many), /… and 800 more\n$/);
});

t.test('a fault in the calling hours of the site’s own folder is told like any other', async (t) => {
  const folder = await SiteFolder.make();
  t.teardown(() => folder.remove());
  await mkdir(join(folder.path, 'calling-hours'));
  const hours = (more: object) => ({ country: 'GB', status: 'test', source: 'test', windows: [], ...more });
  await folder.write(
    'calling-hours/GB.json',
    JSON.stringify(hours({ windows: [{ days: ['mon'], from: '8:00', to: '20:00' }] })),
  );
  await folder.write('calling-hours/FR.json', JSON.stringify(hours({})));
  await folder.write('calling-hours/DE.json', '{');
  t.match(await folder.faults(), [
    { file: 'calling-hours/FR.json', pointer: '/country', found: '"GB"' },
    { file: 'calling-hours/GB.json', pointer: '/windows/0/from', found: '"8:00"' },
    { file: 'calling-hours/DE.json', line: 1 },
  ]);
  await folder.write('calling-hours/DE.json', JSON.stringify(hours({ country: 'DE' })));
  await folder.write('calling-hours/FR.json', JSON.stringify(hours({ country: 'FR' })));
  await folder.write('calling-hours/GB.json', JSON.stringify(hours({ status: 'own' })));
  const { callingHours } = await folder.load();
  t.equal(callingHours.find(({ country }) => country === 'GB')?.status, 'own', 'it takes the place of the program’s');
  t.ok(callingHours.some(({ country }) => country === 'NL'));
});
