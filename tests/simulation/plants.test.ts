import t from 'tap';
import { type Breach, PROMISES } from './breach.js';
import { PLANTS } from './plants.js';
import { run } from './run.js';
import type { WorldOptions } from './world.js';

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const DAYS = 12;
/** The whole line plane is dear. */
const WIRE_DAYS = 0.2;

const daysOf = ({ wire, from }: WorldOptions): number =>
  wire === true ? WIRE_DAYS : from === FEAST.from ? FEAST_DAYS : DAYS;

/** A site that is seldom still, over the feasts, for as long as they last. */
const FEAST: Partial<WorldOptions> = { from: '2026-12-24', callsPerDay: 30 };
const FEAST_DAYS = 3;

/** Where a fault shows that needs a rare night. */
const PLACES: Readonly<Record<string, Partial<WorldOptions>>> = {
  'coil-stuck': { wire: true, handsets: 4, callsPerDay: 400, calm: true },
  'holiday-ignored': FEAST,
  'wide-night': { from: '2026-10-24', callsPerDay: 30 },
};

const worldOf = (name: string, seed: number): WorldOptions => ({ handsets: 40, seed, ...PLACES[name] });

/** The stories of the same worlds with nothing planted; many faults share one. */
const stories = new Map<string, Promise<string | undefined>>();
function withoutPlants(options: WorldOptions): Promise<string | undefined> {
  const key = JSON.stringify(options);
  const known = stories.get(key) ?? run(options, daysOf(options)).then(({ story }) => story);
  stories.set(key, known);
  return known;
}

const broken = new Set<string>();

for (const [name, { what, breaks }] of Object.entries(PLANTS)) {
  t.test(`a planted fault is found: ${what}`, async (t) => {
    let found: Breach | undefined;
    for (const seed of SEEDS) {
      const options = worldOf(name, seed);
      const { breach, story } = await run({ ...options, plant: name }, daysOf(options));
      if (breach === undefined) continue;
      found = breach;
      t.equal(breach.promise, breaks, story ?? '');
      t.match(
        story,
        `replay: npm run simulate -- --seed ${seed} `,
        'and the story ends with the command that replays it',
      );
      const without = await withoutPlants(options);
      t.equal(without, undefined, without ?? '');
      break;
    }
    t.ok(found, `some seed of ${SEEDS.join(', ')} finds it`);
    if (found !== undefined) broken.add(found.promise);
  });
}

t.test('every promise that is checked can be broken', async (t) => {
  t.same(
    PROMISES.filter((promise) => !broken.has(promise)),
    [],
  );
});

t.test('a fault that nobody knows is not planted', async (t) => {
  await t.rejects(run({ handsets: 1, seed: 1, plant: 'gremlin' }, 1), /no fault "gremlin"/);
});
