/** The algebra of levels: joining is commutative, associative, idempotent, and never wider than either side. */
import fc from 'fast-check';
import t from 'tap';
import type { Limit } from '../../config/schema/types.generated.js';
import { AskingLevels } from '../../gateway/policy/asking.js';
import { HoursBook } from '../../gateway/policy/hours-book.js';
import { handsetId } from '../../gateway/policy/ids.js';
import { isAllowed, isBlocked, join, type Level, WIDEST } from '../../gateway/policy/level.js';
import { isNoLooser, limitSet } from '../../gateway/policy/limits.js';
import { NumberList } from '../../gateway/policy/number-list.js';
import { at, EVERY } from './sample-policy.js';
import { MINUTE } from './wall-oracle.js';

const two = (n: number) => String(n).padStart(2, '0');
const clockTime = fc.integer({ min: 0, max: 47 }).map((n) => `${two(n >> 1)}:${two((n % 2) * 30)}`);
const window = fc.record({ days: fc.subarray([...EVERY], { minLength: 1 }), from: clockTime, to: clockTime });
const per = fc.constantFrom('handset' as const, 'number' as const, 'person' as const);
const limit: fc.Arbitrary<Limit> = fc.oneof(
  fc.record({
    per,
    of: fc.constantFrom('attempts' as const, 'calls' as const, 'talk' as const),
    most: fc.integer({ min: 1, max: 5 }),
    in: fc.constantFrom('day' as const, 'week' as const, 'month' as const, '24-hours' as const, '30-days' as const),
  }),
  fc.record({ per, of: fc.constant('gap' as const), leastS: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ per, of: fc.constant('concurrent' as const), most: fc.integer({ min: 1, max: 5 }) }),
);
const digits = fc.string({ unit: fc.constantFrom('1', '2'), minLength: 1, maxLength: 3 });
const list = fc
  .array(fc.tuple(digits, fc.constantFrom('', '*')), { maxLength: 4 })
  .map((all) => new NumberList(all.map(([text, star]) => `+${text}${star}`)));

const book = new HoursBook('Europe/Brussels', () => false);
const level: fc.Arbitrary<Level> = fc.record({
  hours: fc
    .option(fc.array(window, { minLength: 1, maxLength: 2 }), { nil: undefined })
    .map((windows) => book.of(windows ? { windows } : {})),
  limits: fc.array(limit, { maxLength: 4 }).map(limitSet),
  allow: fc.array(list, { maxLength: 2 }).map((lists) => new Set(lists)),
  block: fc.array(list, { maxLength: 2 }).map((lists) => new Set(lists)),
});

const START = at('2026-10-24T00:00', 'Europe/Brussels').epochMilliseconds;
const moments = Array.from({ length: 96 }, (_, n) => START + n * 30 * MINUTE);
const numbers = ['+1', '+2', '+11', '+12', '+21', '+22', '+111', '+122', '+212', '+221'];

/** Everything that a level says, written out: two levels that say the same are the same. */
function said({ hours, limits, ...lists }: Level): unknown {
  return {
    open: moments.map((ms) => hours.stretchAt(ms).isOpen),
    limits: [...limits].sort(([a], [b]) => (a < b ? -1 : 1)),
    passes: numbers.map(
      (number) => isAllowed({ ...WIDEST, ...lists }, number) && !isBlocked({ ...WIDEST, ...lists }, number),
    ),
  };
}

const same = (a: Level, b: Level): boolean => JSON.stringify(said(a)) === JSON.stringify(said(b));
const passes = (one: Level, number: string): boolean => isAllowed(one, number) && !isBlocked(one, number);

/** Whether whatever `a` lets through, `b` lets through. */
function isNoWider(a: Level, b: Level): boolean {
  return (
    moments.every((ms) => !a.hours.stretchAt(ms).isOpen || b.hours.stretchAt(ms).isOpen) &&
    numbers.every((number) => !passes(a, number) || passes(b, number)) &&
    isNoLooser(a.limits, b.limits)
  );
}

const holds = (what: string, law: (a: Level, b: Level, c: Level) => boolean) =>
  t.test(what, async () => fc.assert(fc.property(level, level, level, law), { numRuns: 150 }));

holds('joining two levels is commutative', (a, b) => same(join(a, b), join(b, a)));
holds('joining three is associative', (a, b, c) => same(join(join(a, b), c), join(a, join(b, c))));
holds('a level joined with itself is itself', (a) => same(join(a, a), a));
holds(
  'the level that lets everything through changes none',
  (a) => same(join(a, WIDEST), a) && same(join(WIDEST, a), a),
);
holds('two joined are never wider than either', (a, b) => isNoWider(join(a, b), a) && isNoWider(join(a, b), b));
holds('two joined let through exactly what both do', (a, b) => {
  const both = join(a, b);
  return (
    moments.every(
      (ms) => both.hours.stretchAt(ms).isOpen === (a.hours.stretchAt(ms).isOpen && b.hours.stretchAt(ms).isOpen),
    ) && numbers.every((number) => passes(both, number) === (passes(a, number) && passes(b, number)))
  );
});
holds('hours that are remembered are the hours', (a, b, c) => {
  const remembered = [a, b, c].reduce((x, y) => join(x, y, (hours) => book.together(hours)));
  return same(remembered, join(join(a, b), c));
});

const facts = fc.record(
  {
    id: fc.constantFrom('one', 'another'),
    windows: fc.array(window, { minLength: 1, maxLength: 2 }),
    limits: fc.array(limit, { maxLength: 4 }),
  },
  { requiredKeys: ['id'] },
);
t.test('a person and a campaign join a handset in whatever order, and never make it wider', async () => {
  fc.assert(
    fc.property(level, facts, facts, (own, personFacts, campaign) => {
      const asking = new AskingLevels(book);
      const request = { handset: handsetId('a-101'), dialled: '', personFacts, campaign };
      const [person, work] = [asking.person(request), asking.campaign(request)];
      if (person === undefined || work === undefined) return false;
      const both = asking.joined(asking.joined(own, person), work);
      return (
        same(both, asking.joined(asking.joined(own, work), person)) &&
        same(both, join(own, join(person, work))) &&
        [own, person, work].every((one) => isNoWider(both, one)) &&
        asking.joined(own, undefined) === own &&
        asking.joined(asking.joined(own, person), work) === both
      );
    }),
    { numRuns: 150 },
  );
});
