/**
 * The installation on a machine that boots: Debian's own systemd starts the units, watches them and restarts them.
 * BALISE_TEST_BOOT=<folder> runs it, as root; the folder keeps a small Debian of debootstrap's, made at the first run.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { runInstaller } from '../../scripts/installation/main.js';
import { writeSite } from '../../scripts/peers/site.js';
import { until } from '../device-agents/harness.js';
import { BootedMachine } from './booted-machine.js';

const folder = process.env.BALISE_TEST_BOOT;
const opts = {
  timeout: 600_000,
  ...(folder === undefined ? { skip: 'BALISE_TEST_BOOT=<folder for a small Debian> boots one' } : {}),
};
const SERVICE = 'balise.service';

t.test('a machine with systemd is installed on, and its units start, are watched and restarted', opts, async (t) => {
  const root = folder ?? '';
  BootedMachine.prepare(root);
  const made = mkdtempSync(join(tmpdir(), 'balise-boot-'));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  const silent = () => new PassThrough().resume();
  const status = await runInstaller(['--root', made, '--runtime', 'machine'], { stdout: silent(), stderr: silent() });
  t.equal(status, 0, 'a whole release is made');
  cpSync(join(made, 'opt', 'balise'), join(root, 'srv', 'balise'), { recursive: true, verbatimSymlinks: true });
  mkdirSync(join(root, 'srv', 'site'));
  writeSite(join(root, 'srv', 'site'), 5999);

  const machine = await BootedMachine.boot(t, root);
  const restarts = () => Number(machine.is(SERVICE, 'NRestarts'));
  const isUp = () => machine.is(SERVICE, 'ActiveState') === 'active';
  /** Waits for the restart after `before` ones, and tells what systemd says that the last life ended by. */
  const isBack = async (before: number): Promise<void> => {
    await until('it is back', () => restarts() > before && isUp());
  };

  await t.test('the installer makes users and units, and the gateway is up when it ends', async (t) => {
    const done = machine.run('/srv/balise/current/scripts/install', '--runtime', 'machine', '--site', '/srv/site');
    t.equal(done.status, 0, done.said);
    t.equal(machine.is(SERVICE, 'ActiveState'), 'active');
    t.match(machine.is(SERVICE, 'StatusText'), /^0 calls; relay up, engine up, bus up$/);
    t.match(machine.run('balise', 'status'), { status: 0, said: /clock +trusted/ });
    t.equal(machine.is(SERVICE, 'UnitFileState'), 'enabled', 'and at every start of the machine');
  });

  await t.test('it runs as nobody special, and writes its data and nothing else', async (t) => {
    const pid = machine.is(SERVICE, 'MainPID');
    const { said } = machine.run('cat', `/proc/${pid}/status`);
    t.match(said, /^CapEff:\t0+$/m, 'without any capability');
    t.match(said, /^NoNewPrivs:\t1$/m);
    t.match(said, /^Seccomp:\t2$/m);
    t.equal(machine.run('ps', '-o', 'user=', '-p', pid).said.trim(), 'balise');
    // Its own view of the files, as its user: what may be written there is what it may write.
    const enter = [
      'nsenter',
      '-t',
      pid,
      '-m',
      '-r',
      '-w',
      'setpriv',
      '--reuid=balise',
      '--regid=balise',
      '--clear-groups',
    ];
    const asIt = (...command: string[]) => machine.run(...enter, ...command);
    t.match(
      asIt('touch', '/etc/balise/site/profiles.json').said,
      /Read-only file system|Permission denied/,
      'policy is not its own to change',
    );
    t.match(asIt('touch', '/usr/bin/node').said, /Read-only file system|Permission denied/);
    t.same(asIt('touch', '/var/lib/balise/boards.json'), { status: 0, said: '' });
  });

  await t.test('handsets and boards are changed where it runs, and it takes them', async (t) => {
    const add = machine.run('balise', 'handset', 'add', 'a-109', '--wing', 'a', '--profile', 'test');
    t.match(add, { status: 0, said: /the running gateway has taken it/ });
    const place = ['--device', 'generic-8r8i', '--tcp', '127.0.0.1:4001'];
    const board = machine.run('balise', 'board', 'add', 'b1', ...place);
    t.match(board, { status: 0, said: /the running gateway has taken it/ });
    t.match(JSON.parse(readFileSync(join(root, 'var', 'lib', 'balise', 'boards.json'), 'utf8')), [{ id: 'b1' }]);
    await until('its agent runs', () => /modbus-1 up/.test(machine.is(SERVICE, 'StatusText')));
  });

  await t.test('a gateway that is killed is started again, and so are its planes', async (t) => {
    const before = restarts();
    const pid = machine.is(SERVICE, 'MainPID');
    machine.run('kill', '-KILL', pid);
    await isBack(before);
    t.not(machine.is(SERVICE, 'MainPID'), pid);
    t.match(machine.is(SERVICE, 'StatusText'), /relay up, engine up/);
  });

  await t.test('one that hangs is ended by the watchdog and started again', async (t) => {
    const dropIn = join(root, 'etc', 'systemd', 'system', `${SERVICE}.d`);
    mkdirSync(dropIn, { recursive: true });
    // The unit's own half minute, shorter.
    writeFileSync(join(dropIn, 'watchdog.conf'), '[Service]\nWatchdogSec=3\n');
    machine.run('systemctl', 'daemon-reload');
    t.equal(machine.run('systemctl', 'restart', SERVICE).status, 0);
    const before = restarts();
    machine.run('kill', '-STOP', machine.is(SERVICE, 'MainPID'));
    await isBack(before);
    const { said } = machine.run('journalctl', '--unit', SERVICE, '--output', 'cat', '--lines', '400');
    t.match(said, /Watchdog timeout|Failed with result 'watchdog'/);
  });

  await t.test('a site at fault is not tried again and again', async (t) => {
    const file = join(root, 'etc', 'balise', 'site', 'trunks.json');
    const good = readFileSync(file, 'utf8');
    writeFileSync(file, '[]');
    t.not(machine.run('systemctl', 'restart', SERVICE).status, 0);
    await until('it stays down', () => machine.is(SERVICE, 'ActiveState') === 'failed');
    t.equal(machine.is(SERVICE, 'ExecMainStatus'), '78');
    writeFileSync(file, good);
    machine.run('systemctl', 'reset-failed', SERVICE);
    t.equal(machine.run('systemctl', 'start', SERVICE).status, 0);
  });

  await t.test('it is stopped in order, its planes by it and not by systemd', async (t) => {
    const since = machine.run('date', '+%s').said.trim();
    t.equal(machine.run('systemctl', 'stop', SERVICE).status, 0);
    t.equal(machine.is(SERVICE, 'Result'), 'success');
    const { said } = machine.run('journalctl', '--unit', SERVICE, '--output', 'cat', '--since', `@${since}`);
    t.match(said, /"event":"gateway.stopped"/);
    t.notMatch(said, /plane-lost|"event":"plane\.(lost|killed)"/);
  });

  await t.test('and is taken away again', async (t) => {
    const done = machine.run('/opt/balise/current/scripts/install', '--uninstall', '--purge');
    t.equal(done.status, 0, done.said);
    t.match(machine.run('systemctl', 'status', SERVICE).said, /could not be found/);
    t.match(machine.run('id', 'balise').said, /no such user/);
  });
});
