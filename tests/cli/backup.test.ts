import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import t, { type Test } from 'tap';
import { freePort } from '../../scripts/peers/free-port.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { handset, makeSite } from '../peers/site.js';
import { PseudoTerminal } from './pseudo-terminal.js';
import { balise } from './terminal.js';

function shelf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'balise-backup-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const handsetsIn = (site: string) => readFileSync(join(site, 'handsets.json'), 'utf8');

/** Unpacks a backup, lets something be done to it, and packs it again. */
function altered(t: Test, file: string, change: (folder: string) => void): string {
  const folder = shelf(t);
  execFileSync('tar', ['-xzf', file, '-C', folder]);
  change(folder);
  const packed = join(shelf(t), 'altered.tar.gz');
  execFileSync('tar', ['-czf', packed, '-C', folder, 'manifest.json', 'site', 'data']);
  return packed;
}

t.test(
  'a site that is backed up while its gateway runs comes back as it was, with its keys and its chain',
  async (t) => {
    const site = makeSite(t, await freePort(), { site: { provisioning: { port: 0, http: true } } });
    const file = join(shelf(t), 'gw.tar.gz');
    const running = await GatewayProcess.start(t, site);
    const phone = ['--model', 'HT814', '--mac', 'c074ad000201'];
    const added = await balise(['handset', 'add', site, 'a-104', '--wing', 'a', '--profile', 'test', ...phone]);
    t.match(added, { status: 0 });
    const before = handsetsIn(site);
    const key = readFileSync(join(site, 'data', 'provisioning.key'));

    const made = await balise(['backup', file, '--site', site, '--json']);
    t.match(made, { status: 0 }, made.stderr);
    t.match(JSON.parse(made.stdout), { site: 'test', gateway: 'gw-1', sha256: /^[0-9a-f]{64}$/, parts: Number });
    t.equal(statSync(file).mode & 0o777, 0o600, 'it is for its owner alone');
    t.match(await balise(['backup', file, '--site', site]), { status: 64, stderr: /is there already/ });
    t.match(await balise(['restore', file, '--site', site]), { status: 1, stderr: /a gateway of this site runs/ });
    await running.end();

    writeFileSync(join(site, 'handsets.json'), JSON.stringify([handset('a-999')]));
    rmSync(join(site, 'data', 'provisioning.key'));
    t.match(await balise(['restore', file, '--check']), { status: 0, stdout: /sound\n$/ });
    const restored = await balise(['restore', file, '--site', site]);
    t.match(restored, { status: 0, stdout: /is kept: .*\.before-[\s\S]*is restored/ }, restored.stderr);
    const aside = /is kept: (.*)\n/.exec(restored.stdout)?.[1] ?? '';
    t.teardown(() => rmSync(aside, { recursive: true, force: true }));
    t.match(handsetsIn(aside), /a-999/, 'what was there is kept');
    t.equal(handsetsIn(site), before);
    t.same(readFileSync(join(site, 'data', 'provisioning.key')), key);
    t.equal(statSync(join(site, 'data', 'provisioning.key')).mode & 0o777, 0o600);
    const again = await GatewayProcess.start(t, site);
    t.ok(again.port('cell') > 0, 'and a gateway starts on it');
    await again.end();
    t.match(await balise(['audit', 'verify', join(site, 'data')]), { status: 0 });
    const chain = new Sqlite(join(site, 'data', 'balise.sqlite'), { readonly: true });
    t.teardown(() => chain.close());
    const said = chain.prepare("SELECT body FROM event WHERE body LIKE '%site.restored%'").pluck().get() as string;
    t.match((JSON.parse(said) as { data: object }).data, {
      ...{ who: /^unix:/, what: 'site.restored', subject: 'test/gw-1' },
      after: { file: 'gw.tar.gz', madeAt: /Z$/ },
    });
  },
);

t.test('a backup that is not what it was made as replaces nothing', async (t) => {
  const site = makeSite(t, 9);
  mkdirSync(join(site, 'data'), { mode: 0o700 });
  writeFileSync(join(site, 'data', 'people.json'), '{}', { mode: 0o600 });
  const file = join(shelf(t), 'gw.tar.gz');
  t.match(await balise(['backup', file, '--site', site]), { status: 0 });
  const manifest = (folder: string, change: (all: Record<string, unknown>) => void): void => {
    const all = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Record<string, unknown>;
    change(all);
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(all));
  };
  const cases: [string, (folder: string) => void, RegExp][] = [
    [
      'changed',
      (folder) => writeFileSync(join(folder, 'site', 'wings.json'), '[]'),
      /wings.json is not what was backed up/,
    ],
    [
      'more',
      (folder) => writeFileSync(join(folder, 'data', 'more'), ''),
      /data\/more is in the file and not in its manifest/,
    ],
    [
      'less',
      (folder) => rmSync(join(folder, 'data', 'people.json')),
      /people.json is in the manifest and not in the file/,
    ],
    ['newer', (folder) => manifest(folder, (all) => Object.assign(all, { format: 3 })), /it is of form 3/],
    [
      'outside',
      (folder) => manifest(folder, (all) => Object.assign(all, { parts: [{ path: 'site/../../etc/passwd' }] })),
      /outside of a site/,
    ],
  ];
  for (const [what, change, why] of cases) {
    const result = await balise(['restore', altered(t, file, change), '--site', site]);
    t.match(result, { status: 1, stderr: why }, what);
    t.match(result.stderr, /nothing was replaced/);
  }
  const cut = join(shelf(t), 'cut.tar.gz');
  writeFileSync(cut, readFileSync(file).subarray(0, 300));
  t.match(await balise(['restore', cut, '--site', site]), { status: 1 }, 'half a file');
  const foreign = join(shelf(t), 'foreign.tar.gz');
  execFileSync('tar', ['-czPf', foreign, '/etc/hostname']);
  t.match(await balise(['restore', foreign, '--site', site]), { status: 1, stderr: /is no backup of a site/ });
  t.match(await balise(['restore', join(site, 'none'), '--site', site]), { status: 64, stderr: /there is no file/ });
  t.same(
    readdirSync(join(site, '..')).filter((name) => name.startsWith('.balise-restore-')),
    [],
  );
});

t.test(
  'certificates outside of the site’s folder are in the backup, told, and put back where nothing is',
  async (t) => {
    const elsewhere = shelf(t);
    const [cert, key] = [join(elsewhere, 'console.pem'), join(elsewhere, 'keys', 'console.key')];
    mkdirSync(join(elsewhere, 'keys'));
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
    execFileSync('openssl', ['req', '-x509', ...ec, '-subj', '/CN=gw', '-days', '2', '-out', cert], {
      stdio: 'ignore',
    });
    const site = makeSite(t, 9, { site: { console: { address: '127.0.0.1', port: 0, tls: { cert, key } } } });
    const file = join(shelf(t), 'gw.tar.gz');
    const made = await balise(['backup', file, '--site', site]);
    t.match(made, { status: 0 }, made.stderr);
    t.match(made.stdout, `from outside of the site's folder: ${cert} (site.json /console/tls/cert)`);
    t.match(made.stdout, `from outside of the site's folder: ${key} (site.json /console/tls/key)`);

    rmSync(join(elsewhere, 'keys'), { recursive: true });
    writeFileSync(cert, 'another');
    t.match(await balise(['restore', file, '--check']), { status: 0 }, 'sound by itself');
    t.notOk(existsSync(key), 'and a check puts nothing anywhere');
    const restored = await balise(['restore', file, '--site', site]);
    t.match(restored, { status: 0 }, restored.stderr);
    t.teardown(() => rmSync(/is kept: (.*)\n/.exec(restored.stdout)?.[1] ?? '', { recursive: true, force: true }));
    t.match(restored.stdout, `${key} (site.json /console/tls/key) is restored too`);
    t.match(readFileSync(key, 'utf8'), /PRIVATE KEY/);
    t.equal(statSync(key).mode & 0o777, 0o600);
    t.match(restored.stdout, `${cert} (site.json /console/tls/cert) is another than at the backup`);
    t.equal(readFileSync(cert, 'utf8'), 'another', 'what is there is never written over');
  },
);

t.test('a database that is written to meanwhile is whole in the backup, and of one moment', async (t) => {
  const site = makeSite(t, 9);
  mkdirSync(join(site, 'data'), { mode: 0o700 });
  const db = new Sqlite(join(site, 'data', 'busy.sqlite'));
  t.teardown(() => db.close());
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = OFF');
  db.exec('CREATE TABLE one (n INTEGER); CREATE TABLE two (n INTEGER, filling TEXT)');
  const both = db.transaction((n: number) => {
    db.prepare('INSERT INTO one VALUES (?)').run(n);
    db.prepare('INSERT INTO two VALUES (?, ?)').run(n, 'x'.repeat(3_000));
  });
  for (let n = 0; n < 3_000; n += 1) both(n);
  let isOver = false;
  const file = join(shelf(t), 'gw.tar.gz');
  const backedUp = balise(['backup', file, '--site', site]).finally(() => {
    isOver = true;
  });
  for (let n = 3_000; !isOver; n += 1) {
    both(n);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.match(await backedUp, { status: 0 });
  const folder = shelf(t);
  execFileSync('tar', ['-xzf', file, '-C', folder]);
  const copy = new Sqlite(join(folder, 'data', 'busy.sqlite'));
  t.equal(copy.pragma('integrity_check', { simple: true }), 'ok');
  t.same(
    copy.prepare('SELECT count(*), max(n) FROM one').get(),
    copy.prepare('SELECT count(*), max(n) FROM two').get(),
  );
  copy.close();
  t.notOk(existsSync(join(folder, 'data', 'busy.sqlite-wal')));
});

t.test('at a terminal it shows how far it is', async (t) => {
  const site = makeSite(t, 9);
  const terminal = new PseudoTerminal(t, ['backup', join(shelf(t), 'gw.tar.gz'), '--site', site]);
  await terminal.shows('files [##############################]');
  t.equal(await terminal.exited, 0);
});
