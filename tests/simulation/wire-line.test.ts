import t from 'tap';
import { run } from './run.js';

const WIRE = { handsets: 4, callsPerDay: 500, wire: true };

t.test(
  'on the whole line plane every promise holds while agents, boards and the bus fail twelve times as often',
  async (t) => {
    const { story, world } = await run({ ...WIRE, seed: Math.floor(Math.random() * 2 ** 31) }, 0.3);
    t.equal(story, undefined, story ?? '');
    const { tally } = world;
    t.ok(tally.talked > 0, 'and there was talk');
    const ofTheLine = ['device agent lost', 'relay board lost', 'bus lost'];
    t.ok(
      ofTheLine.some((fault) => tally.faults.has(fault)),
      'and something of it failed',
    );
  },
);

t.test('the whole line plane replays exactly', async (t) => {
  const first = await run({ ...WIRE, seed: 11 }, 0.05);
  const second = await run({ ...WIRE, seed: 11 }, 0.05);
  t.equal(second.summary, first.summary);
});

t.test('a lease that outlives its deadline is found on the whole line plane too', async (t) => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const { breach, story } = await run({ ...WIRE, seed, calm: true, plant: 'lease-outlives-deadline' }, 0.3);
    if (breach === undefined) continue;
    t.equal(breach.promise, 'no relay closed past its last lease', story ?? '');
    return;
  }
  t.fail('no seed finds it');
});

t.test('with no fault at all every talk has its relay closed', async (t) => {
  const { story, world } = await run({ ...WIRE, seed: 13, calm: true, from: '2026-03-04' }, 0.2);
  t.equal(story, undefined, story ?? '');
  t.equal(world.tally.refused.get('line.unsupervised') ?? 0, 0, 'and no controller was missed');
});
