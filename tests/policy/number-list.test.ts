import fc from 'fast-check';
import t from 'tap';
import { NumberList } from '../../gateway/policy/number-list.js';

t.test('a whole number is itself, and a beginning with a star is all that begin so', async (t) => {
  const list = new NumberList(['+442079460001', '+3319900*']);
  t.ok(list.has('+442079460001'));
  t.notOk(list.has('+4420794600011'), 'a longer number is another');
  t.notOk(list.has('+44207946000'), 'and so is a shorter');
  t.ok(list.has('+33199001234'));
  t.ok(list.has('+3319900'), 'the beginning itself');
  t.notOk(list.has('+331990'));
  t.equal(list.size, 2);
});

t.test('an empty list has nothing, and +1* has all of +1', async (t) => {
  t.notOk(new NumberList([]).has('+12125550100'));
  t.ok(new NumberList(['+1*']).has('+12125550100'));
});

const digits = fc.string({ unit: fc.constantFrom('1', '2', '3'), minLength: 1, maxLength: 6 });

t.test('the list says what a walk through every pattern would', async () => {
  const pattern = fc.tuple(digits, fc.boolean()).map(([text, isPrefix]) => `+${text}${isPrefix ? '*' : ''}`);
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 20 }), digits, (patterns, text) => {
      const number = `+${text}`;
      const walked = patterns.some((one) => (one.endsWith('*') ? number.startsWith(one.slice(0, -1)) : one === number));
      return new NumberList(patterns).has(number) === walked;
    }),
    { numRuns: 800 },
  );
});
