import fc from 'fast-check';
import t from 'tap';
import { Temporal } from 'temporal-polyfill';
import { instantText } from '../../gateway/clock/instant-text.js';

const YEAR_0 = -62_167_219_200n * 1_000_000_000n;
const YEAR_10000 = 253_402_300_800n * 1_000_000_000n;

t.test('an instant is written to the letter as Temporal writes it', async (t) => {
  const roundTo = fc.constantFrom(1n, 1_000n, 1_000_000n, 1_000_000_000n, 60_000_000_000n);
  fc.assert(
    fc.property(fc.bigInt({ min: YEAR_0, max: YEAR_10000 - 1n }), roundTo, (ns, unit) => {
      const instant = Temporal.Instant.fromEpochNanoseconds(ns - (ns % unit));
      return instantText(instant) === instant.toString();
    }),
  );
  t.equal(instantText(Temporal.Instant.from('2026-03-29T01:00:00Z')), '2026-03-29T01:00:00Z');
  t.equal(instantText(Temporal.Instant.from('2026-03-29T01:00:00.1Z')), '2026-03-29T01:00:00.1Z');
  t.equal(instantText(Temporal.Instant.from('1969-12-31T23:59:59.999999999Z')), '1969-12-31T23:59:59.999999999Z');
  const never = Temporal.Instant.fromEpochMilliseconds(8.64e15);
  t.equal(instantText(never), never.toString(), 'and one that stands for never');
});
