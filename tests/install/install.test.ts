/**
 * An installation into a temporary root, from the tree to its end: the gateway runs from it, an upgrade brings the store
 * forward, going back puts it back. The runtime is the machine's, unless BALISE_TEST_RUNTIME=1 has the installer bring its
 * own (minutes, and the npm registry).
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import Sqlite from 'better-sqlite3';
import t, { type Test } from 'tap';
import { runInstaller } from '../../scripts/installation/main.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { makeSite } from '../peers/site.js';

const RUNTIME = process.env.BALISE_TEST_RUNTIME === '1' ? [] : ['--runtime', 'machine'];

function temporary(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'balise-install-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return realpathSync(folder);
}

/** Runs the installer in this process; what it says to both ends. */
async function installer(...args: string[]): Promise<{ status: number; said: string; fault: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const status = await runInstaller(args, { stdout, stderr });
  return { status, said: `${stdout.read() ?? ''}`, fault: `${stderr.read() ?? ''}` };
}

/** A root with an installation in it, and what there is to see of it. */
class Root {
  constructor(readonly folder: string) {}

  at(path: string): string {
    return join(this.folder, path);
  }

  /** Runs the installer that belongs to a release, as a technician does. */
  run(release: string, ...args: string[]) {
    const { status, stdout, stderr } = spawnSync(
      join(release, 'scripts', 'install'),
      ['--root', this.folder, ...args],
      {
        encoding: 'utf8',
      },
    );
    return { status, said: stdout, fault: stderr };
  }

  get current(): string {
    return readlinkSync(this.at('opt/balise/current'));
  }

  get store() {
    const db = new Sqlite(this.at('var/lib/balise/balise.sqlite'));
    try {
      return {
        version: db.pragma('user_version', { simple: true }) as number,
        events: db.prepare('SELECT count(*) FROM event').pluck().get() as number,
      };
    } finally {
      db.close();
    }
  }

  gateway(t: Test): Promise<GatewayProcess> {
    const program = this.at('opt/balise/current');
    return GatewayProcess.start(t, this.at('etc/balise/site'), {}, [
      join(program, 'runtime', 'bin', 'node'),
      join(program, 'dist', 'gateway', 'main.js'),
    ]);
  }

  /** A copy of an installed release with another version, and with one more step of the store. */
  nextRelease(version: string, step: string): string {
    const release = this.at(`carried/${version}`);
    mkdirSync(this.at('carried'), { recursive: true });
    spawnSync('cp', ['-r', '--link', '--no-dereference', this.at(`opt/balise/${this.current}`), release]);
    const edit = (file: string, change: (text: string) => string): void => {
      const path = join(release, file);
      const text = change(readFileSync(path, 'utf8'));
      rmSync(path);
      writeFileSync(path, text);
    };
    edit('package.json', (text) => text.replace(/"version": ".*?"/, `"version": "${version}"`));
    edit('dist/gateway/store/migrations.js', (text) =>
      text.replace('export const SCHEMA_VERSION', `STEPS.push(${JSON.stringify(step)});\nexport const SCHEMA_VERSION`),
    );
    return release;
  }

  /** Every file with its inode and its time: what was not touched is the same. */
  seen(path: string): readonly string[] {
    return readdirSync(this.at(path), { recursive: true, withFileTypes: true })
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
      .filter((file) => existsSync(file) && statSync(file).isFile())
      .map((file) => `${file} ${statSync(file).ino} ${statSync(file).mtimeMs}`)
      .sort();
  }
}

t.test('an installation from the tree to its end', { timeout: 600_000 }, async (t) => {
  const root = new Root(temporary(t));
  const site = makeSite(t, await freePort());
  let version = '';
  let shape = 0;

  await t.test('dry, it says what it would do and does nothing', async (t) => {
    const there = join(root.folder, 'not-yet');
    const { status, said } = await installer('--root', there, '--site', site, '--dry-run', ...RUNTIME);
    t.equal(status, 0);
    for (const line of ['would put release', 'would write /etc/systemd/system/balise.service', 'would point'])
      t.match(said, line);
    t.notOk(existsSync(there));
  });

  await t.test('it puts program, site, units and rules into the root, and tells what a root cannot have', async (t) => {
    const { status, said, fault } = await installer('--root', root.folder, '--site', site, ...RUNTIME);
    t.equal(status, 0, fault);
    version = root.current;
    t.match(version, /^\d+\.\d+\.\d+$/);
    for (const file of [
      'etc/systemd/system/balise.service',
      'etc/systemd/system/balise-agent@.service',
      'etc/sysusers.d/balise.conf',
      'etc/udev/rules.d/60-balise-serial.rules',
      'etc/systemd/journald.conf.d/balise.conf',
      'usr/local/bin/balise',
      'opt/balise/current/runtime/bin/node',
    ])
      t.ok(existsSync(root.at(file)), file);
    for (const command of ['systemd-sysusers', 'systemctl enable balise.service', 'udevadm'])
      t.match(said, new RegExp(`left out, as this is a root.*${command}`));
    t.equal(statSync(root.at('etc/balise/site/profiles.json')).mode & 0o777, 0o640);
    t.ok(
      lstatSync(root.at('etc/balise/site/handsets.json')).isSymbolicLink(),
      'the handsets are the console’s to change',
    );
    t.equal(statSync(root.at('var/lib/balise/handsets.json')).mode & 0o777, 0o600);
    t.ok(lstatSync(root.at('etc/balise/site/boards.json')).isSymbolicLink(), 'and so are the boards');
    t.equal(readFileSync(root.at('var/lib/balise/boards.json'), 'utf8').trim(), '[]', 'of which the site had none');
    t.equal(statSync(root.at('var/lib/balise')).mode & 0o777, 0o700);
    t.notOk(existsSync(root.at('opt/balise/current/dist/tests')), 'tests stay behind');
    t.notOk(existsSync(root.at('opt/balise/current/node_modules/typescript')), 'and so do tools');
  });

  await t.test('again, it changes nothing', async (t) => {
    const [etc, opt] = [root.seen('etc'), root.seen('opt/balise')];
    const { status, said } = await installer('--root', root.folder, '--site', site, ...RUNTIME);
    t.equal(status, 0);
    t.match(said, `release ${version} is in use already`);
    t.notMatch(said, /try-restart/, 'no call is ended by it');
    t.same(root.seen('etc'), etc);
    t.same(root.seen('opt/balise'), opt);
  });

  await t.test('systemd finds nothing to say against the units', needs('systemd'), async (t) => {
    const units = root.at('units');
    mkdirSync(units);
    const files = ['balise.service', 'balise-agent@.service'].map((name) => {
      const text = readFileSync(root.at(`etc/systemd/system/${name}`), 'utf8');
      writeFileSync(join(units, name), text.replaceAll('/opt/balise', root.at('opt/balise')));
      return join(units, name);
    });
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', ...files], {
      encoding: 'utf8',
    });
    t.same({ status, said: `${stdout}${stderr}` }, { status: 0, said: '' });
  });

  await t.test('the gateway runs from there, and nothing is installed over it meanwhile', async (t) => {
    const running = await root.gateway(t);
    t.ok(existsSync(root.at('run/balise/gateway.pid')));
    for (const args of [RUNTIME, ['--uninstall', '--purge']]) {
      const { status, fault } = await installer('--root', root.folder, ...args);
      t.equal(status, 1);
      t.match(fault, /^balise: a gateway runs on .*: stop it first/);
    }
    t.ok(existsSync(root.at('opt/balise/current/package.json')));
    const program = root.at('opt/balise/current');
    const order = ['cut', 'wing', 'a', '--reason', 'an inspection', '--hold', 'until-released'];
    const balise = [join(program, 'scripts', 'balise.mjs'), ...order, '--site', root.at('etc/balise/site')];
    const cut = spawnSync(join(program, 'runtime', 'bin', 'node'), balise, { encoding: 'utf8' });
    t.equal(cut.status, 0, cut.stderr);
    const add = ['handset', 'add', root.at('etc/balise/site'), 'a-199', '--wing', 'a', '--profile', 'test'];
    const added = spawnSync(join(program, 'runtime', 'bin', 'node'), [balise[0] ?? '', ...add], { encoding: 'utf8' });
    t.equal(added.status, 0, added.stderr);
    t.match(
      readFileSync(root.at('var/lib/balise/handsets.json'), 'utf8'),
      /a-199/,
      'an edit goes where the link leads',
    );
    t.ok(lstatSync(root.at('etc/balise/site/handsets.json')).isSymbolicLink());
    await running.end();
    shape = root.store.version;
    t.ok(root.store.events > 0);
  });

  await t.test('an upgrade that fails leaves the store, the program and the site as they were', async (t) => {
    const before = root.store;
    const { status, fault } = root.run(root.nextRelease('98.0.0', 'CREATE TABLE meta (again TEXT)'));
    t.equal(status, 69);
    t.match(fault, /table meta already exists/);
    t.same(root.store, before);
    t.equal(root.current, version);
  });

  await t.test('an upgrade keeps the data, and brings the store forward after a copy', async (t) => {
    const before = root.store;
    const { status, said, fault } = root.run(root.nextRelease('99.0.0', 'CREATE TABLE later (what TEXT)'));
    t.equal(status, 0, fault);
    t.match(said, `packages and runtime are those of release ${version}`);
    t.equal(root.current, '99.0.0');
    t.same(root.store, { ...before, version: shape + 1 });
    t.same(readdirSync(root.at('var/lib/balise/backups')).sort(), ['before-98.0.0', 'before-99.0.0']);
    t.notOk(existsSync(root.at('opt/balise/98.0.0')), 'what was never used is gone');
    await (await root.gateway(t)).end();
    t.ok(root.store.events >= before.events);
  });

  await t.test('it goes back one version with the store of that time, once', async (t) => {
    const { status, said, fault } = root.run(root.at('opt/balise/current'), '--back');
    t.equal(status, 0, fault);
    t.match(said, 'backups/of-99.0.0');
    t.equal(root.current, version);
    t.equal(root.store.version, shape);
    t.ok(existsSync(root.at('var/lib/balise/backups/of-99.0.0/balise.sqlite')), 'the newer store is kept');
    t.match(await installer('--root', root.folder, '--back'), { status: 1, fault: /nothing to go back to/ });
  });

  await t.test('uninstalled, the site and its data stay until they are purged', async (t) => {
    const { status, fault } = await installer('--root', root.folder, '--uninstall');
    t.equal(status, 0, fault);
    for (const path of ['opt/balise', 'etc/systemd/system/balise.service', 'usr/local/bin/balise'])
      t.notOk(existsSync(root.at(path)), path);
    for (const path of ['etc/balise/site/site.json', 'var/lib/balise/balise.sqlite'])
      t.ok(existsSync(root.at(path)), path);
    t.equal((await installer('--root', root.folder, '--uninstall', '--purge')).status, 0);
    for (const path of ['etc/balise', 'var/lib/balise']) t.notOk(existsSync(root.at(path)), path);
  });
});

t.test('a site that the program cannot run is refused before anything is written', async (t) => {
  const folder = temporary(t);
  const site = makeSite(t, await freePort());
  writeFileSync(join(site, 'wings.json'), '[{"id": "a"}]\n');
  const nowhere = await installer('--root', folder, '--site', join(site, 'nowhere'), ...RUNTIME);
  t.match(nowhere, { status: 78, fault: /site\.json/ });
  const { status, fault } = await installer('--root', folder, '--site', site, ...RUNTIME);
  t.equal(status, 78);
  t.match(fault, /wings\.json/);
  t.same(readdirSync(folder), []);
});

t.test('a root with a link that leads out of it is not written through', async (t) => {
  const folder = temporary(t);
  const outside = temporary(t);
  symlinkSync(outside, join(folder, 'opt'));
  const { status, fault } = await installer('--root', folder, ...RUNTIME);
  t.equal(status, 1);
  t.match(fault, 'leads out of the root');
  t.same(readdirSync(outside), []);
});

t.test('called wrongly, it says how it is called', async (t) => {
  for (const args of [
    ['--back', '--uninstall'],
    ['--purge'],
    ['--runtime', '12'],
    ['--back', '--site', '/nowhere'],
    ['--root', '/'],
    ['--nothing'],
  ]) {
    const { status, fault } = await installer(...args);
    t.equal(status, 64, args.join(' '));
    t.match(fault, /^balise: /);
  }
  t.match(await installer('--help'), { status: 0, said: /exit status/ });
});
