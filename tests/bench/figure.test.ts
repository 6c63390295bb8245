import fc from 'fast-check';
import t from 'tap';
import { joinRuns, type Reading, rounded, table, verdictOf } from '../../scripts/bench/figure.js';
import { quantile } from '../../scripts/bench/quantile.js';

const delay = (value: number): Reading => ({
  id: 'set-up.p50',
  title: 'set-up delay',
  unit: 'ms',
  value,
  better: 'less',
  budget: { is: 'at most', value: 1.7 },
  reference: { text: 'Asterisk 1.7 ms', measuredHere: false },
});
const rate = (value: number): Reading => ({
  id: 'rate',
  title: 'calls/s held',
  unit: '',
  value,
  better: 'more',
  budget: { is: 'at least', value: 400 },
  reference: { text: 'Asterisk 355', measuredHere: true },
});

t.test('a figure at its budget is within it, and one beyond it is over', async (t) => {
  t.equal(verdictOf(delay(1.7)), 'within');
  t.equal(verdictOf(delay(1.71)), 'over');
  t.equal(verdictOf(rate(400)), 'within');
  t.equal(verdictOf(rate(399)), 'over');
});

t.test('what was not measured, or never came, is within no budget', async (t) => {
  t.equal(verdictOf(delay(Number.NaN)), 'over');
  t.equal(verdictOf(delay(Number.POSITIVE_INFINITY)), 'over');
  t.equal(verdictOf(rate(Number.NaN)), 'over');
});

t.test('a figure without a budget is only shown', async (t) => {
  const { budget: _, ...shown } = rate(1);
  t.equal(verdictOf(shown), 'shown');
});

t.test('of the runs of a figure the better counts, and each is kept', async (t) => {
  const figures = joinRuns([delay(2.5), rate(300), delay(1.5), rate(500), rate(200)]);
  t.match(figures, [
    { id: 'set-up.p50', value: 1.5, runs: [2.5, 1.5], verdict: 'within' },
    { id: 'rate', value: 500, runs: [300, 500, 200], verdict: 'within' },
  ]);
});

t.test('whatever the order of the runs, the better one counts', async () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, min: 0, max: 1e6 }), { minLength: 1 }), (values) => {
      const [least] = joinRuns(values.map(delay));
      const [most] = joinRuns(values.map(rate));
      return least?.value === Math.min(...values) && most?.value === Math.max(...values);
    }),
  );
});

t.test('a run that measured nothing does not hide one that did', async (t) => {
  t.equal(joinRuns([delay(Number.NaN), delay(3)])[0]?.value, 3);
  t.equal(joinRuns([delay(3), delay(Number.NaN)])[0]?.value, 3);
});

t.test('the table has a row for each figure, and says which references were measured elsewhere', async (t) => {
  const [head = '', first = '', second = ''] = table(joinRuns([delay(2.345), rate(12_345)])).split('\n');
  t.match(head, /^figure +measured +budget +reference +verdict$/);
  t.match(first, /^set-up delay +2\.35 ms +≤ 1\.7 ms +reference: Asterisk 1\.7 ms +over$/);
  t.match(second, /^calls\/s held +12,345 +≥ 400 +Asterisk 355 \(here\) +within$/);
});

t.test('figures are written with the digits that count', async (t) => {
  t.equal(rounded(0.012345), '0.0123');
  t.equal(rounded(0), '0');
  t.equal(rounded(123.4), '123');
  t.equal(rounded(1_234_567), '1,234,567');
  t.equal(rounded(Number.NaN), 'none');
  t.equal(rounded(Number.POSITIVE_INFINITY), 'never');
});

t.test('a quantile is one of the values, and lies between the least and the greatest', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true }), { minLength: 1 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, share) => values.includes(quantile(values, share)),
    ),
  );
  t.equal(quantile([4, 1, 3, 2], 0), 1);
  t.equal(quantile([4, 1, 3, 2], 0.5), 3);
  t.equal(quantile([4, 1, 3, 2], 1), 4);
  t.ok(Number.isNaN(quantile([], 0.5)));
});
