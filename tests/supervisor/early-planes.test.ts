import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import t, { type Test } from 'tap';
import { systemClock } from '../../gateway/clock/system-clock.js';
import { EarlyPlanes } from '../../gateway/supervisor/early-planes.js';
import { PlaneProcess } from '../../gateway/supervisor/plane-process.js';

const script = join(dirname(fileURLToPath(import.meta.url)), 'fixtures', 'plane.js');

/** The process that was started ahead, taken, and a plane that is to begin with it. */
function startedAhead(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'balise-early-'));
  const child = new EarlyPlanes([{ script }]).take(script);
  if (child === undefined) throw new Error('no process');
  const ready: number[] = [];
  let respawned: () => void = () => undefined;
  const second = new Promise<void>((resolve) => (respawned = resolve));
  const plane = new PlaneProcess({
    name: 'relay',
    script,
    early: child,
    config: () => ({}),
    pidFile: join(folder, 'relay.pid'),
    clock: systemClock(() => ({ trusted: true })),
    log: pino({ level: 'silent' }),
    onReady: async (facts) => {
      ready.push(Number(facts.pid));
      if (ready.length === 2) respawned();
    },
    onLost: () => undefined,
    onCrashLoop: () => undefined,
  });
  t.teardown(async () => {
    await plane.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { child, plane, ready, second };
}

t.test('a process that was started ahead becomes the plane when its configuration comes', async (t) => {
  const { child, plane, ready } = startedAhead(t);
  await plane.start();
  t.same(ready, [child.pid]);
});

t.test('one that died before is replaced, and so is one that dies later', async (t) => {
  const { child, plane, ready, second } = startedAhead(t);
  child.kill('SIGKILL');
  await once(child, 'close');
  await plane.start();
  t.not(ready[0], child.pid);
  plane.kill('the test');
  await second;
  t.not(ready[1], ready[0]);
});

t.test('a process is handed over once', async (t) => {
  const early = new EarlyPlanes([{ script }]);
  const child = early.take(script);
  t.ok(child);
  t.equal(early.take(script), undefined);
  await early.end();
  t.equal(child?.killed, false, 'what was taken is its taker’s');
  child?.kill();
  if (child !== undefined) await once(child, 'close');
});

t.test('processes that nobody takes are ended, and one that cannot run is none', async (t) => {
  const early = new EarlyPlanes([{ script: join(script, 'nowhere.js') }, { script }]);
  await early.end();
  t.equal(early.take(script), undefined);
});
