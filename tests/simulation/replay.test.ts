import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { run } from './run.js';

const OPTIONS = { handsets: 20, callsPerDay: 12 };
const PROGRAM = fileURLToPath(new URL('../../scripts/simulate.js', import.meta.url));

t.test('the same seed gives the same run, to the last happening', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const first = await run({ ...OPTIONS, seed }, 2);
  const second = await run({ ...OPTIONS, seed }, 2);
  t.equal(second.summary, first.summary);
  const other = await run({ ...OPTIONS, seed: seed + 1 }, 0.5);
  t.not(other.world.watch.chronicle.digest, first.world.watch.chronicle.digest, 'and another seed another one');
});

t.test('the same seed gives the same run in another process', async (t) => {
  const here = await run({ ...OPTIONS, seed: 42 }, 1);
  const args = [PROGRAM, '--seed', '42', '--days', '1', '--handsets', '20', '--calls', '12', '--quiet'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  t.ok(stdout.includes(here.summary), `${stdout}\nis not\n${here.summary}`);
});

t.test('a breach is found again by its seed, at the same step and in the same words', async (t) => {
  const options = { ...OPTIONS, seed: 7, plant: 'bye-to-one-leg' };
  const first = await run(options, 10);
  const second = await run(options, 10);
  t.type(first.story, 'string');
  t.equal(second.story, first.story);
  t.equal(second.world.timeline.steps, first.world.timeline.steps);
});
