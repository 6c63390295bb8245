import t from 'tap';
import { run } from './run.js';
import type { WorldOptions } from './world-options.js';

/** Another one each time: what the tests have not seen yet is the point. A failure tells the command that replays it. */
const seed = (): number => Math.floor(Math.random() * 2 ** 31);

const SITES: readonly { readonly what: string; readonly options: Omit<WorldOptions, 'seed'>; readonly days: number }[] =
  [
    { what: 'a site of a hundred handsets, for a week', options: { handsets: 100 }, days: 7 },
    {
      what: 'a wing of eight handsets that are never still, for a fortnight',
      options: { handsets: 8, callsPerDay: 60 },
      days: 14,
    },
    {
      what: 'a site at which people work all day',
      options: { handsets: 20, callsPerDay: 4, shiftsPerDay: 16 },
      days: 8,
    },
    { what: 'a small site that calls little, for a season', options: { handsets: 6, callsPerDay: 3 }, days: 90 },
  ];

for (const { what, options, days } of SITES) {
  t.test(`every promise holds in ${what}`, async (t) => {
    const { story, world } = await run({ ...options, seed: seed() }, days);
    t.equal(story, undefined, story ?? '');
    t.ok(world.tally.talked > 0, 'and there was talk');
    if (options.shiftsPerDay !== undefined)
      t.ok((world.work?.watch.sat ?? 0) > 0, 'and people sat at the desk, whose time adds up');
  });
}

t.test('without faults nobody is refused or cut off for one', async (t) => {
  const { story, world } = await run({ handsets: 40, seed: seed(), calm: true }, 5);
  t.equal(story, undefined, story ?? '');
  const faults = [...world.tally.refused.keys()].filter((rule) =>
    // A handset that is not there when the call that was keyed on it is granted is no fault of ours; of any other call it is.
    /^(keyed: )?(fault.store|clock|store|lockdown|line.unsupervised)|^fault.signalling/.test(rule),
  );
  t.same(faults, [], 'no refusal for a fault');
  t.same([...world.tally.faults.keys()], [], 'no fault');
});
