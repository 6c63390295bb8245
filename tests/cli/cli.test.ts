import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { programData, projectRoot } from '../../gateway/config/paths.js';
import { everyCommand } from '../../scripts/cli/main.js';
import { SiteFolder } from '../config/site-folder.js';
import { balise } from './terminal.js';

const COMMANDS = [
  'check',
  'doctor',
  'explain',
  'dnc',
  'policy',
  'replay',
  'ha1',
  'handset',
  'status',
  'calls',
  'why',
  'tail',
  'cut',
  'release',
  'staff',
  'trunk',
  'line',
  'board',
  'audit',
  'enrol',
  'keys',
  'headquarters',
  'completion',
];

t.test('--help names every command and every exit status', async (t) => {
  const { status, stdout } = await balise(['--help']);
  t.equal(status, 0);
  for (const word of [...COMMANDS, '64', '70', '78', 'example']) t.match(stdout, word);
});

for (const command of COMMANDS) {
  t.test(`balise ${command} --help shows its usage and an example`, async (t) => {
    for (const args of [
      [command, '--help'],
      [command, '-h'],
      ['help', command],
    ]) {
      const { status, stdout } = await balise(args);
      t.equal(status, 0);
      t.match(stdout, new RegExp(`usage: balise ${command}[^]*\nexample\n`));
    }
  });
}

t.test('--version is that of package.json', async (t) => {
  const { version } = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as { version: string };
  t.match(await balise(['--version']), { status: 0, stdout: `${version}\n` });
});

t.test('a command that is not there, an option that is not there, or none at all: status 64', async (t) => {
  t.match(await balise(['chekc']), { status: 64, stderr: /no command "chekc"/ });
  t.match(await balise(['check', '--jsn', 'x']), { status: 64, stderr: /--jsn/ });
  t.match(await balise([]), { status: 64, stderr: /usage: balise/ });
  t.match(await balise(['check']), { status: 64, stderr: /which site\? say --site/ });
  t.match(await balise(['check', 'a', 'b']), { status: 64, stderr: /one folder/ });
  t.match(await balise(['ha1']), { status: 64, stderr: /--user is missing/ });
});

t.test('balise check sums up a site without fault', async (t) => {
  const { status, stdout, stderr } = await balise(['check', programData('demo')]);
  t.equal(status, 0, stderr);
  t.match(stdout, /no fault\nsite demo, gateway gw-1, BE, Europe\/Brussels\n/);
  t.match(stdout, /handsets +5 +4 with a line/);
  t.match(stdout, /note: clock.trust is "assume"/);
  const json = await balise(['check', '--json', programData('demo')]);
  t.match(JSON.parse(json.stdout), { faults: [], site: 'demo', notes: Array });
});

t.test('balise check tells every fault, on stderr or as JSON, with status 78', async (t) => {
  const folder = await SiteFolder.make();
  t.teardown(() => folder.remove());
  await folder.edit('handsets', (handsets) => {
    handsets[0].wing = 'c';
    handsets[1].profile = 'none';
  });
  const { status, stdout, stderr } = await balise(['check', folder.path]);
  t.equal(status, 78);
  t.equal(stdout, '');
  t.match(stderr, /handsets.json:\d+:\d+ {2}\/0\/wing/);
  t.match(stderr, /\/1\/profile/);
  const json = await balise(['check', '--json', folder.path]);
  t.equal(json.status, 78);
  t.match(JSON.parse(json.stdout).faults, [{ pointer: '/0/wing', found: '"c"' }, { pointer: '/1/profile' }]);
});

t.test('balise ha1 makes what the demo site holds, from the password on stdin', async (t) => {
  const handsets = JSON.parse(readFileSync(programData('demo', 'handsets.json'), 'utf8')) as {
    user: string;
    ha1: object;
  }[];
  for (const { user, ha1 } of handsets) {
    const { status, stdout } = await balise(['ha1', '--user', user], `demo-${user}\n`);
    t.equal(status, 0);
    t.same(JSON.parse(stdout), ha1);
  }
});

t.test('balise ha1 hashes user, realm and password as RFC 7616 says, whatever letters they have', async (t) => {
  const { stdout } = await balise(['ha1', '--user', 'Mufasa', '--realm', 'http-auth@example.org'], 'Circle of Life');
  const ha1 = (by: string) => createHash(by).update('Mufasa:http-auth@example.org:Circle of Life').digest('hex');
  t.same(JSON.parse(stdout), { MD5: ha1('md5'), 'SHA-256': ha1('sha256') });
  t.equal(JSON.parse(stdout)['SHA-256'], '7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232');
});

t.test('balise ha1 takes no empty password and no user with a colon', async (t) => {
  t.match(await balise(['ha1', '--user', 'a101'], ''), { status: 64, stdout: '', stderr: /password/ });
  t.match(await balise(['ha1', '--user', 'a:b'], 'x'), { status: 64, stderr: /colon/ });
});

const launcher = join(projectRoot(), 'scripts', 'balise.mjs');
const built = existsSync(join(projectRoot(), 'dist', 'scripts', 'cli', 'main.js'));

t.test('the launcher runs the built program', { skip: !built && 'dist/ is not built' }, async (t) => {
  const run = spawnSync(process.execPath, [launcher, 'check', '/nonexistent'], { encoding: 'utf8', timeout: 20_000 });
  t.equal(run.status, 78, run.stderr);
  t.match(run.stderr, /ENOENT/);
});

t.test('a reader that has read enough is no fault: balise … | head', async (t) => {
  const program = join(projectRoot(), 'scripts', 'balise.mjs');
  const child = spawn(process.execPath, [program, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  // Long before it writes: its pipe has no reader then.
  child.stdout.destroy();
  const [code] = (await once(child, 'close')) as [number];
  t.same([code, said], [0, '']);
});

t.test('check and doctor take the site as every other command does: --site, BALISE_SITE, or a folder', async (t) => {
  const site = join(projectRoot(), 'config', 'demo');
  for (const args of [
    ['check', site],
    ['check', '--site', site],
    ['doctor', '--site', site, '--only', 'node,zones'],
  ]) {
    t.match(await balise(args), { status: 0 }, args.join(' '));
  }
});

t.test('every command goes by its own name, and by each other name that it says', async (t) => {
  for (const { name, aliases = [], help } of await everyCommand()) {
    for (const word of [name, ...aliases]) t.equal((await balise([word, '--help'])).stdout, help, word);
  }
  for (const none of ['constructor', 'toString', '__proto__', ''])
    t.equal((await balise([none])).status, 64, `"${none}" is no command`);
});
