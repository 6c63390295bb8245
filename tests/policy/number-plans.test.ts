import fc from 'fast-check';
import {
  getCountries,
  getCountryCallingCode,
  getExampleNumber,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import t from 'tap';
import { NumberReader } from '../../gateway/policy/number.js';
import { plannedAs } from '../../gateway/policy/number-plans.js';

/** Set to look for longer. */
const RUNS = Number(process.env.BALISE_NUMBER_RUNS ?? 6_000);

const quick = new NumberReader('BE', 0);
const slow = new NumberReader('BE', 0, () => null);

const digits = (least: number, most: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: least, maxLength: most });
const codes = [
  ...new Set(
    getCountries()
      .map(String)
      .map((one) => getCountryCallingCode(one as 'BE').toString()),
  ),
];
const anyCode = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...codes) },
  // Those that many countries share.
  { weight: 4, arbitrary: fc.constantFrom('1', '7', '39', '44', '47', '61', '212', '262', '290', '358', '590', '599') },
  // Those of no country, and none at all.
  { weight: 3, arbitrary: fc.constantFrom('800', '808', '870', '878', '881', '882', '883', '888', '979') },
  { weight: 1, arbitrary: digits(1, 3) },
);
const anyNumber = fc.tuple(anyCode, digits(0, 18)).map(([code, rest]) => `+${code}${rest}`);
const likely = fc.tuple(anyCode, digits(6, 11)).map(([code, rest]) => `+${code}${rest}`);
/** Numbers that a plan has, with a few digits changed. */
const near = fc
  .tuple(fc.constantFrom(...getCountries()), fc.array(fc.tuple(fc.nat(14), fc.nat(9)), { maxLength: 4 }), fc.nat(20))
  .map(([country, changes, more]) => {
    const code = getCountryCallingCode(country);
    const national = [...(getExampleNumber(country, examples)?.nationalNumber ?? '1234567')];
    for (const [place, digit] of changes) if (place < national.length) national[place] = String(digit);
    return `+${code}${more === 0 ? '0' : ''}${national.join('')}${more === 1 ? '7' : ''}`;
  });

t.test('a plain number is looked up in the tables as the parser would read it, whatever it is', async (t) => {
  let looked = 0;
  fc.assert(
    fc.property(fc.oneof(anyNumber, likely, near), (number) => {
      const [one, other] = [quick.read(number), slow.read(number)];
      if (JSON.stringify(one) !== JSON.stringify(other))
        throw new Error(`${number}: ${JSON.stringify(one)}, and the parser: ${JSON.stringify(other)}`);
      const planned = plannedAs(number);
      if (planned === null) return;
      looked += 1;
      const parsed = parsePhoneNumberFromString(number);
      if (parsed?.country !== planned.country || parsed?.getType() !== planned.type)
        throw new Error(`${number}: ${JSON.stringify(planned)}`);
    }),
    { numRuns: RUNS },
  );
  t.ok(looked > RUNS / 5, `${looked} of ${RUNS} needed no parser`);
});

t.test('the example of every country is read as the parser reads it, and most of them without it', async (t) => {
  const numbers = getCountries().flatMap((country) => getExampleNumber(country, examples)?.number ?? []);
  t.same(
    numbers.filter((number) => JSON.stringify(quick.read(number)) !== JSON.stringify(slow.read(number))),
    [],
  );
  const parsed = numbers.filter((number) => plannedAs(number) === null);
  t.ok(parsed.length < numbers.length / 5, `${parsed.length} of ${numbers.length} begin as if with a prefix`);
});
