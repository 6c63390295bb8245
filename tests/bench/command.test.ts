import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { hasSipp } from '../../scripts/bench/sipp.js';

const program = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'scripts', 'bench', 'main.js');

/** Starts the benchmark with a temporary folder of the test's own for whatever it makes. */
function start(t: Test, args: readonly string[], environment: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'balise-bench-test-'));
  const child: ChildProcess = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, INIT_CWD: folder, TMPDIR: folder, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('no pipes to the benchmark');
  const ended = Promise.all([once(child, 'close'), text(stdout), text(stderr)]).then(([[code], out, err]) => ({
    code: code as number | null,
    out,
    err,
  }));
  return { child, folder, ended };
}

t.test('--help names every figure, and measures nothing', async (t) => {
  const { code, out } = await start(t, ['--help']).ended;
  t.equal(code, 0);
  for (const name of ['set-up', 'cpu', 'rate', 'relay', 'cutoff', 'limit', 'decisions', 'store', 'start-up', 'memory'])
    t.match(out, new RegExp(`^ +${name} `, 'm'));
});

t.test('a figure that does not exist is refused with those that do', async (t) => {
  const { code, err } = await start(t, ['--only', 'cpu,speed']).ended;
  t.equal(code, 64);
  t.match(err, /--only speed: there is no such figure; there are start-up, memory/);
});

t.test('without SIPp the benchmark says which package is missing', async (t) => {
  const { code, err } = await start(t, ['--only', 'cpu'], { PATH: '/nowhere' }).ended;
  t.equal(code, 69);
  t.match(err, /apt-get install sip-tester/);
});

t.test('one figure alone is measured, shown in the table and written as JSON', async (t) => {
  const { folder, ended } = start(t, ['--only', 'decisions', '--quick', '--json', 'figures.json']);
  const { code, out } = await ended;
  t.equal(code, 0);
  t.match(out, /^\[\d+ s\] decisions\/s on one core, 10,000 rules: [\d,]+$/m);
  t.match(out, /^decisions\/s on one core, 10,000 rules +[\d,]+ +≥ 200,000 .*(within|over)$/m);
  const said = JSON.parse(readFileSync(join(folder, 'figures.json'), 'utf8'));
  t.match(said, { machine: { cores: Number, node: process.version }, quick: true });
  t.same(
    said.figures.map(({ id }: { id: string }) => id),
    ['decisions.10', 'decisions.10000', 'decisions.100000'],
  );
  for (const { detail } of said.figures) t.equal(detail.share, 1, 'every request that is measured is granted');
  t.same(readdirSync(folder), ['figures.json'], 'nothing else is left behind');
});

/** Settles with the pids of the gateway and its planes, when the gateway that is measured says that it is ready. */
async function gatewayReady(folder: string, child: ChildProcess): Promise<number[]> {
  const changes = watch(folder, { recursive: true });
  const gone = new AbortController();
  child.once('exit', () => gone.abort());
  try {
    for (;;) {
      const log = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) =>
        name.endsWith('gateway.log'),
      );
      const lines = log === undefined ? [] : readFileSync(join(folder, log), 'utf8').split('\n').slice(0, -1);
      const said = lines.map((line) => JSON.parse(line) as { event?: string; pid: number; planePid?: number });
      if (said.some(({ event }) => event === 'gateway.ready'))
        return [...new Set(said.flatMap(({ pid, planePid }) => (planePid === undefined ? [pid] : [pid, planePid])))];
      await once(changes, 'change', { signal: gone.signal });
    }
  } finally {
    changes.close();
  }
}

t.test(
  'SIGTERM ends the benchmark and everything that it started',
  hasSipp() ? {} : { skip: 'missing: sip-tester' },
  async (t) => {
    const { child, folder, ended } = start(t, ['--only', 'memory', '--quick']);
    const pids = await gatewayReady(folder, child);
    t.equal(pids.length, 4, 'gateway, engine, relay, agent');
    child.kill('SIGTERM');
    const { code, err } = await ended;
    t.equal(code, 143);
    t.match(err, /interrupted: ending what was started/);
    for (const pid of pids) t.notOk(existsSync(`/proc/${pid}`), `process ${pid} is gone`);
    t.same(readdirSync(folder), [], 'nothing is left behind');
  },
);
