import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import t, { type Test } from 'tap';
import { systemClock } from '../../gateway/clock/system-clock.js';
import { livePid } from '../../gateway/supervisor/pid-file.js';
import { PlaneProcess, type PlaneProcessOptions } from '../../gateway/supervisor/plane-process.js';

const fixtures = join(dirname(fileURLToPath(import.meta.url)), 'fixtures');

/** A plane process over the fixture, with a promise for each thing that it reports. */
function supervised(t: Test, config: () => unknown, more: Partial<PlaneProcessOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'balise-supervisor-'));
  const reports = { ready: [] as number[], lost: [] as string[], loops: 0 };
  let wake: () => void = () => undefined;
  const plane = new PlaneProcess({
    name: 'relay',
    script: join(fixtures, 'plane.js'),
    config,
    pidFile: join(folder, 'relay.pid'),
    clock: systemClock(() => ({ trusted: true })),
    log: pino({ level: 'silent' }),
    onReady: async (facts) => {
      reports.ready.push(Number(facts.pid));
      wake();
    },
    onLost: (why) => {
      reports.lost.push(why);
      wake();
    },
    onCrashLoop: () => {
      reports.loops += 1;
      wake();
    },
    ...more,
  });
  t.teardown(async () => {
    await plane.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const until = async (reached: () => boolean) => {
    while (!reached()) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { plane, reports, until, folder };
}

t.test('a plane that is killed is reported lost once and respawned at once', async (t) => {
  const { plane, reports, until } = supervised(t, () => ({}));
  await plane.start();
  const first = plane.pid;
  plane.kill('the test');
  await until(() => reports.ready.length === 2);
  t.equal(reports.lost.length, 1);
  t.match(reports.lost[0], /SIGKILL/);
  t.not(plane.pid, first);
});

t.test('a plane that cannot start at all fails the start, with its exit code', async (t) => {
  const { plane, reports } = supervised(t, () => ({ fail: 'before-ready' }));
  await t.rejects(plane.start(), /relay ended before it was ready \(exit code 78\)/);
  t.same(reports.lost, []);
});

t.test('a plane that dies again and again is a crash loop, said once, and is still tried', async (t) => {
  const { plane, reports, until } = supervised(t, () => ({ fail: 'after-ready' }));
  await plane.start();
  await until(() => reports.loops === 1);
  await until(() => reports.ready.length >= 6);
  t.equal(reports.loops, 1);
});

t.test('a plane that its driver cannot reach is killed and tried again', async (t) => {
  let tries = 0;
  let reached: () => void = () => undefined;
  const second = new Promise<void>((resolve) => (reached = resolve));
  const { plane } = supervised(t, () => ({}), {
    onReady: async () => {
      tries += 1;
      if (tries === 2) throw new Error('no contact');
      if (tries === 3) reached();
    },
  });
  await plane.start();
  plane.kill('the test');
  await second;
  t.equal(tries, 3);
});

t.test('stop ends the process and does not respawn it', async (t) => {
  const { plane, reports } = supervised(t, () => ({}));
  await plane.start();
  const pid = plane.pid ?? 0;
  await plane.stop();
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  t.same(reports.lost, []);
  t.equal(reports.ready.length, 1);
});

t.test('kill -9 of the gateway cuts the life line of its planes', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'balise-supervisor-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const mark = join(folder, 'mark');
  const marked = new Promise<void>((resolve) => {
    const watcher = watch(folder, () => {
      if (!existsSync(mark)) return;
      watcher.close();
      resolve();
    });
  });
  const parent = spawn(
    process.execPath,
    [join(fixtures, 'parent.js'), join(fixtures, 'plane.js'), join(folder, 'relay.pid'), mark],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [said] = (await once(parent.stdout, 'data')) as [Buffer];
  const planePid = Number(said.toString());
  t.equal(livePid(join(folder, 'relay.pid')), planePid);
  parent.kill('SIGKILL');
  await marked;
  t.ok(existsSync(mark));
});

t.test('a gateway that starts waits for the planes of the one before it, and kills one that hangs', async (t) => {
  const { plane, folder } = supervised(t, () => ({}));
  const parent = spawn(
    process.execPath,
    [join(fixtures, 'parent.js'), join(fixtures, 'plane.js'), join(folder, 'relay.pid'), ''],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [said] = (await once(parent.stdout, 'data')) as [Buffer];
  const orphan = Number(said.toString());
  process.kill(orphan, 'SIGSTOP');
  parent.kill('SIGKILL');
  await plane.start();
  const state = existsSync(`/proc/${orphan}/stat`)
    ? readFileSync(`/proc/${orphan}/stat`, 'utf8').split(') ')[1]
    : 'gone';
  t.match(state, /^(gone|Z)/, 'the hanging orphan is dead, whether or not somebody has reaped it');
  t.ok(plane.pid);
});

t.test('a plane that is renewed ends first, starts anew with its new configuration, and was never lost', async (t) => {
  let asked = 0;
  const { plane, reports, folder } = supervised(t, () => {
    asked += 1;
    return {};
  });
  await plane.start();
  const first = plane.pid;
  let between: number | undefined = -1;
  await plane.renew(() => {
    between = livePid(join(folder, 'relay.pid'));
  });
  t.equal(between, undefined, 'nobody runs in between');
  t.not(plane.pid, first);
  t.equal(asked, 2, 'the configuration is asked for anew');
  t.same(reports.lost, []);
  t.equal(reports.ready.length, 2);
});

t.test('a plane that is renewed while it is being stopped does not come back', async (t) => {
  const { plane, reports } = supervised(t, () => ({}));
  await plane.start();
  const renewed = plane.renew(() => undefined);
  await Promise.all([plane.stop(), renewed]);
  t.equal(plane.pid, undefined);
  t.equal(reports.ready.length, 1);
});
