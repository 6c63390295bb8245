import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { projectRoot } from '../../gateway/config/paths.js';
import { readMac } from '../../gateway/provisioning/device.js';
import { readCsv } from '../../scripts/cli/csv.js';
import { readHandsetRows } from '../../scripts/cli/handset-rows.js';
import { handset, makeSite } from '../peers/site.js';
import { balise } from './terminal.js';

const ADD = ['--wing', 'a', '--profile', 'test'];

function openSite(t: Test) {
  const site = makeSite(t, 9, { handsets: [handset('a-101')], site: { provisioning: { port: 8443, http: true } } });
  const file = (name: string) => join(site, name);
  const handsets = () => JSON.parse(readFileSync(file('handsets.json'), 'utf8')) as Record<string, unknown>[];
  const table = (text: string): string => {
    writeFileSync(file('wing.csv'), text);
    return file('wing.csv');
  };
  return { site, file, handsets, table };
}

/** Adds a-104 with a phone. */
const adding = (site: string, model: string, mac = 'c074ad000201') =>
  balise(['handset', 'add', site, 'a-104', ...ADD, '--model', model, '--mac', mac]);

t.test('a handset is added, shown, disabled, replaced and removed, each with the version before it kept', async (t) => {
  const { site, file, handsets } = openSite(t);
  const added = await adding(site, 'HT814', 'C0:74:AD:00:02:01');
  t.match(added, {
    status: 0,
    stdout: /a-104: added\n[\s\S]*URL +http:\/\/127.0.0.1:8443\/p\/[a-z0-9]{20}\/\n[\s\S]*no gateway runs/,
  });
  t.match(handsets()[1], { id: 'a-104', user: 'a104', ha1: { MD5: /^[0-9a-f]{32}$/ }, phone: { mac: 'c074ad000201' } });
  t.notOk('enabled' in (handsets()[1] ?? {}), 'no default is written back');
  t.match((await balise(['handset', 'show', site, 'a-104'])).stdout, /armed: armed until /);
  t.match(await balise(['handset', 'disable', site, 'a-104']), { status: 0, stdout: /changed \(enabled\)/ });
  t.match(await balise(['handset', 'disable', site, 'a-104']), { status: 0, stdout: /as it was/ });
  const before = handsets()[1];
  const replaced = await balise(['handset', 'replace', site, 'a-104', '--model', 'T54W', '--mac', '805ec0000001']);
  t.match(replaced, { status: 0, stdout: /changed \(phone, ha1\)/ });
  t.notSame(handsets()[1]?.ha1, before?.ha1, 'the old phone is out');
  t.same(readdirSync(file('data/phones')), ['805ec0000001.enrolment.json'], 'and its secrets are gone');
  t.match(await balise(['handset', 'remove', site, 'a-104']), { status: 0, stdout: /removed/ });
  t.equal(handsets().length, 1);
  t.equal(readdirSync(file('data/history')).length, 4);
  t.equal(statSync(file('data/provisioning.key')).mode & 0o777, 0o600);
});

t.test('secrets are drawn: the same phone armed again keeps its own, --rotate and --new-token do not', async (t) => {
  const { site, handsets } = openSite(t);
  const url = (text: string) => /URL +(\S+)/.exec(text)?.[1];
  const first = await adding(site, 'HT814');
  const ha1 = handsets()[1]?.ha1;
  const again = await balise(['handset', 'provision', site, 'a-104']);
  t.equal(url(again.stdout), url(first.stdout), 'the phone knows no other');
  t.same(handsets()[1]?.ha1, ha1);
  const rotated = await balise(['handset', 'provision', site, 'a-104', '--rotate', '--new-token']);
  t.not(url(rotated.stdout), url(first.stdout));
  t.notSame(handsets()[1]?.ha1, ha1);
  t.match(await balise(['handset', 'provision', site, 'a-101']), { status: 64, stderr: /a-101 has no phone/ });
});

t.test('a site that serves nothing is told so when a phone is enrolled', async (t) => {
  const site = makeSite(t, 9, { handsets: [handset('a-101')] });
  const { stdout } = await adding(site, 'HT814');
  t.match(stdout, /note +site.json has no "provisioning": nothing is served/);
});

t.test('a phone of no family is told on a sheet, its secret once', async (t) => {
  const { site } = openSite(t);
  const { stdout } = await adding(site, 'generic');
  t.match(stdout, /key this in; it is not shown again\n[\s\S]*password +[A-Za-z0-9]{24}\n/);
  t.notMatch((await balise(['handset', 'show', site, 'a-104'])).stdout, /[A-Za-z0-9]{24}/);
});

t.test('nothing is written that would put the site at fault, and every fault is told', async (t) => {
  const { site, file } = openSite(t);
  const before = readFileSync(file('handsets.json'), 'utf8');
  const wrong = ['--wing', 'z', '--profile', 'none', '--model', 'HT9', '--mac', 'c074ad000201'];
  const { status, stderr } = await balise(['handset', 'add', site, 'a-104', ...wrong]);
  t.equal(status, 78);
  t.match(stderr, /3 faults[\s\S]*\/1\/wing[\s\S]*\/1\/profile[\s\S]*\/1\/phone\/model/);
  for (const [args, why] of [
    [['add', site, 'a-104', '--wing', 'a'], /--profile is missing/],
    [['add', site, 'a-101', ...ADD], /there is a handset "a-101" already/],
    [['add', site, 'a-104', ...ADD, '--mac', 'c074ad000201'], /a phone needs --model as well/],
    [['add', site, 'a-104', ...ADD, '--model', 'HT814', '--mac', 'c074'], /--mac: expected 12 hexadecimal digits/],
    [
      ['add', site, 'a-104', ...ADD, '--board', 'b1', '--relay', 'x', '--hook', '1'],
      /--relay: expected a whole number/,
    ],
    [['remove', site, 'z-9'], /there is no handset "z-9"/],
    [['show', site, 'z-9'], /there is no handset "z-9"/],
    [['paint', site, 'a-101'], /there is no "handset paint"/],
    [['import', site, '/nowhere.csv'], /cannot be read/],
  ] as const) {
    t.match(await balise(['handset', ...args]), { status: 64, stderr: why }, args.join(' '));
  }
  t.equal(readFileSync(file('handsets.json'), 'utf8'), before);
  t.notOk(existsSync(file('data/phones')));
  t.match((await balise(['handset', 'models'])).stdout, /GXW4224 +24\n[\s\S]*HT814 +4\n/);
});

t.test('a table of a wing is shown first, then taken, and what is needed at each device is written once', async (t) => {
  const { site, file, handsets, table } = openSite(t);
  const csv = table(
    '\uFEFFid;wing;profile;model;mac;port\na-201;a;test;HT814;c0-74-ad-00-03-01;1\na-202;a;test;HT814;c0-74-ad-00-03-01;2\na-101;a;test;T54W;805ec0000001;\n',
  );
  const preview = await balise(['handset', 'import', site, csv]);
  t.match(preview, {
    status: 0,
    stdout:
      /a-101 +changed +ha1, phone\na-201 +added\n[\s\S]*3 rows: 2 added, 1 changed, 0 as they were\nnothing was written/,
  });
  t.equal(handsets().length, 1);
  t.match(await balise(['handset', 'import', site, csv, '--apply']), { status: 64, stderr: /--out is missing/ });
  const out = file('tokens.txt');
  t.match(await balise(['handset', 'import', site, csv, '--apply', '--out', out]), {
    status: 0,
    stdout: /2 devices are armed/,
  });
  t.same(
    handsets().map(({ id }) => id),
    ['a-101', 'a-201', 'a-202'],
  );
  t.match(
    readFileSync(out, 'utf8'),
    /HT814 c074ad000301[\s\S]*T54W 805ec0000001|T54W 805ec0000001[\s\S]*HT814 c074ad000301/,
  );
  t.equal(statSync(out).mode & 0o777, 0o600);
  t.match(await balise(['handset', 'import', site, csv, '--apply', '--out', out]), {
    status: 64,
    stderr: /is there already/,
  });
  t.match((await balise(['handset', 'import', site, csv])).stdout, /0 added, 0 changed, 3 as they were/);
});

t.test('all faults of a table are told at once, by line and column', async (t) => {
  const { site, table, handsets } = openSite(t);
  const formal = await balise([
    'handset',
    'import',
    site,
    table('id,wing,profil,mac,model,mac\na-1,a,test,c074,HT814\n,a\na-1,a,test\na-2,a,test,c074ad000201\na-3,"a\n'),
  ]);
  t.equal(formal.status, 78);
  const told = formal.stderr.replaceAll(/^.*wing\.csv:/gm, '').split('\n');
  t.match(told, [
    /^1:9 +a column "profil", which there is not; did you mean profile\?/,
    /^1:26 +a second column mac/,
    /^2:12 +mac: expected 12 hexadecimal digits, found "c074"/,
    /^3:1 +a row without an id/,
    /^4:1 +the handset of line 2 a second time/,
    /^5:12 +a phone needs model, mac; model is empty/,
    /^6:5 +a quotation mark that is opened here and not closed/,
    /^7 faults; nothing was written/,
    '',
  ]);
  const real = await balise([
    'handset',
    'import',
    site,
    table('id,wing,profile\na-101,a,test\na-1,z,test\na-2,a,none\n'),
  ]);
  t.match(real.stderr, /:3:5 +found "z", expected a wing[\s\S]*:4:7 +found "none", expected a profile[\s\S]*2 faults/);
  t.match(await balise(['handset', 'import', site, table('id,wing\na-1,a\n')]), {
    status: 78,
    stderr: /:2:1 +profile: found nothing/,
  });
  t.equal(handsets().length, 1);
});

t.test('a table that a spreadsheet writes is read back as it was', async () => {
  const cell = fc.string({ maxLength: 8 }).map((text) => text.replaceAll('\r', '').trim());
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell), { maxLength: 5 }), fc.constantFrom(',', ';'), (rows, comma) => {
      const all = [['id', 'wing', 'profile'], ...rows];
      const text = all.map((row) => row.map(quoted).join(comma)).join('\r\n');
      const read = readCsv(text.replace(/^("id").("wing").("profile")/, `id${comma}wing${comma}profile`));
      const expected = all.filter((row) => row.some((one) => one !== ''));
      return (
        read.faults.length === 0 &&
        JSON.stringify(read.rows.map((row) => row.map((one) => one.text))) === JSON.stringify(expected)
      );
    }),
  );
});

t.test('whatever a file holds, it is read or told as faults', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const { rows, faults } = readHandsetRows(text);
      return Array.isArray(rows) && faults.every(({ line, column, what }) => line >= 1 && column >= 1 && what !== '');
    }),
  );
});

t.test('an address is read however people write it', async (t) => {
  for (const text of ['C0:74:AD:00:02:01', 'c0-74-ad-00-02-01', 'c074.ad00.0201', ' c074ad000201 '])
    t.equal(readMac(text), 'c074ad000201');
  for (const text of ['', 'c074ad00020', 'c0:74:ad:00:02', 'c0:74-ad:00:02:01x', 'g074ad000201'])
    t.equal(readMac(text), undefined);
});

const built = existsSync(join(projectRoot(), 'dist', 'scripts', 'cli', 'main.js'));
const hasPython = spawnSync('python3', ['-c', 'import pty']).status === 0;

t.test(
  'at a terminal a bar says how far an import is',
  { skip: !(built && hasPython) && 'no build, or no python3' },
  async (t) => {
    const { site, table } = openSite(t);
    const rows = Array.from({ length: 40 }, (_, at) => `a-${200 + at},a,test`).join('\n');
    const csv = table(`id,wing,profile\n${rows}\n`);
    const program = `import os, pty, sys
status = pty.spawn([${JSON.stringify(process.execPath)}, *sys.argv[1:]])
sys.exit(os.waitstatus_to_exitcode(status))`;
    const launcher = join(projectRoot(), 'scripts', 'balise.mjs');
    const run = spawnSync('python3', ['-c', program, launcher, 'handset', 'import', site, csv], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    t.equal(run.status, 0, run.stderr);
    t.match(run.stdout, /\rhandsets \[#{30}\] 40 of 40/);
    t.match(run.stdout, /40 rows: 40 added/);
    const folder = mkdtempSync(join(tmpdir(), 'balise-plain-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const plain = await balise(['handset', 'import', site, csv]);
    t.equal(plain.stderr, '', 'and elsewhere nothing');
  },
);
