import t, { type Test } from 'tap';
import { type Run, run } from './run.js';

const held = (t: Test, { story }: Run): void => {
  t.equal(story, undefined, story ?? '');
};

t.test('a site at which nobody calls keeps its promises', async (t) => {
  const silent = await run({ handsets: 10, callsPerDay: 0, shiftsPerDay: 0, seed: 1 }, 10);
  held(t, silent);
  t.equal(silent.world.tally.calls, 0);
});

t.test('no day at all is a site that is started and looked at', async (t) => {
  held(t, await run({ handsets: 10, seed: 2 }, 0));
});

t.test('one handset, one day', async (t) => {
  const one = await run({ handsets: 1, callsPerDay: 40, seed: 3, from: '2026-03-04', calm: true }, 1);
  held(t, one);
  t.ok(one.world.tally.granted > 0);
});

t.test('a handset that is never on the hook meets its quota and no more', async (t) => {
  const busy = await run({ handsets: 4, callsPerDay: 200, seed: 4, calm: true }, 1.5);
  held(t, busy);
  for (const rule of ['limit.calls', 'limit.attempts', 'limit.gap'])
    t.ok((busy.world.tally.refused.get(rule) ?? 0) > 0, `${rule} was met`);
});

/** From the midnight before to some hours after the last of them, days. */
const NIGHT = 1.5;
const NIGHTS = {
  'forward in Brussels and London': '2026-03-28',
  'back in Brussels and London': '2026-10-24',
  'forward in New York': '2026-03-07',
  'back in New York': '2026-10-31',
  'back in Sydney': '2026-04-04',
  'forward in Sydney': '2026-10-03',
};
for (const [what, from] of Object.entries(NIGHTS)) {
  t.test(`the night on which the clocks go ${what}`, async (t) => {
    const night = await run({ handsets: 12, callsPerDay: 60, seed: 1, from }, NIGHT);
    held(t, night);
    t.ok(night.world.tally.granted > 0, 'calls are granted around it');
  });
}

t.test(
  'a window that closes in the hour that comes twice closes the first time, for a running call as well',
  async (t) => {
    const night = await run({ handsets: 24, callsPerDay: 100, seed: 5, from: '2026-10-24', calm: true }, 1.3);
    held(t, night);
    t.ok((night.world.tally.ended.get('deadline') ?? 0) > 0, 'calls ended by their deadline');
  },
);
