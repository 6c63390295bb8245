/** Which change of policy widens: whatever is said to narrow turns no refusal into a grant. */
import fc from 'fast-check';
import t from 'tap';
import { Temporal } from 'temporal-polyfill';
import type { Limit, Profile, Window } from '../../config/schema/types.generated.js';
import { widenings } from '../../gateway/policy/compare.js';
import { compilePolicy, type PolicyInput } from '../../gateway/policy/policy.js';
import { ask, at, EVERY, inputOf, profile, used, window } from './sample-policy.js';

const policyWith = (
  more: Partial<Profile>,
  content: Partial<NonNullable<PolicyInput['bundle']>> = {},
): PolicyInput => ({
  ...inputOf(),
  bundle: { profiles: [profile(more)], lists: { good: ['+442079460001'], bad: ['+442079460009'] }, ...content },
});

const WIDE: Partial<Profile> = {
  allow: ['+4420794600*'],
  block: ['+442079460009'],
  windows: [window('08:00', '20:00')],
  exceptions: { '12-24': [{ from: '08:00', to: '12:00' }] },
  limits: [{ per: 'handset', of: 'calls', most: 5, in: 'day' }],
  doNotCall: [{ list: 'tps', mostAgeH: 24 }],
  digitsAllowed: '12',
};

const NARROWER: readonly (readonly [string, Partial<Profile>])[] = [
  ['fewer numbers', { allow: ['+44207946000*'] }],
  ['one number', { allow: ['+442079460001'] }],
  ['a list within the pattern', { allow: [], lists: { allow: ['good'], block: [] } }],
  ['more blocked', { block: ['+44207946000*'] }],
  ['shorter hours', { windows: [window('09:00', '12:00'), window('13:00', '20:00')] }],
  ['fewer days', { windows: [window('08:00', '20:00', ['mon'])] }],
  ['no holidays', { windows: [{ ...window('08:00', '20:00'), holidays: 'never' }] }],
  ['a shorter date', { exceptions: { '12-24': [], '12-25': [] } }],
  ['a tighter limit', { limits: [{ per: 'handset', of: 'calls', most: 4, in: 'day' }] }],
  ['one limit more', { limits: [...(WIDE.limits ?? []), { per: 'number', of: 'gap', leastS: 5 }] }],
  ['less talk', { maxTalkS: 300 }],
  ['a younger list', { doNotCall: [{ list: 'tps', mostAgeH: 12 }] }],
  ['fewer digits', { digitsAllowed: '1' }],
  ['codes alone', { tokenOnly: true, tokens: { '1': '+442079460001' } }],
];

t.test('what only takes away is said to narrow, and its undoing to widen', async (t) => {
  const wide = policyWith(WIDE);
  t.same(widenings(wide, wide), []);
  for (const [what, more] of NARROWER) {
    const narrow = policyWith({ ...WIDE, ...more });
    t.same(widenings(wide, narrow), [], what);
    t.not(widenings(narrow, wide).length, 0, `${what}, undone`);
  }
});

t.test('what is neither is said to widen: two people look at it', async (t) => {
  const wide = policyWith(WIDE);
  for (const [what, more] of [
    ['a code to sign on to work', { signOnCode: '*1' }],
    ['another identity', { callerIdentity: '+442079460900' }],
    ['another trunk', { trunks: ['other'] }],
    ['other hours', { windows: [window('07:00', '19:00')] }],
    ['other numbers', { allow: ['+33*'] }],
    ['another list', { doNotCall: [{ list: 'be', mostAgeH: 24 }] }],
    [
      'a yearly date that one year leaves out',
      { exceptions: { ...WIDE.exceptions, '2027-12-24': [{ from: '00:00', to: '24:00' }] } },
    ],
  ] as const) {
    t.not(widenings(wide, policyWith({ ...WIDE, ...more } as Partial<Profile>)).length, 0, what);
  }
});

t.test('levels and calling hours are compared too', async (t) => {
  const hours = { windows: [window('08:00', '18:00')] };
  const plain = policyWith(WIDE);
  const tight = policyWith(WIDE, {
    site: hours,
    wings: { a: hours },
    handsets: { 'a-101': { ...hours, enabled: false } },
    callingHours: [
      { country: 'GB', status: 's', source: 's', windows: [window('10:00', '12:00')], closedOnHolidays: true },
    ],
  });
  t.same(widenings(plain, tight), []);
  t.same(widenings(tight, plain), [
    'site: hours open that were closed',
    'wing a: hours open that were closed',
    'handset a-101: hours open that were closed',
    'handset a-101: is enabled',
    'callees in GB: hours open that were closed',
  ]);
});

const two = (n: number) => String(n).padStart(2, '0');
const clockTime = fc.integer({ min: 0, max: 7 }).map((n) => `${two(n * 3)}:00`);
const windows = fc.array(
  fc.record({ days: fc.subarray([...EVERY], { minLength: 1 }), from: clockTime, to: clockTime }),
  { minLength: 1, maxLength: 2 },
);
const pattern = fc.constantFrom('+442079460001', '+442079460002', '+44207946000*', '+4420794600*', '+44*');
const limit: fc.Arbitrary<Limit> = fc.record({
  per: fc.constantFrom('handset' as const, 'number' as const),
  of: fc.constantFrom('attempts' as const, 'calls' as const),
  most: fc.integer({ min: 1, max: 3 }),
  in: fc.constantFrom('day' as const, 'week' as const),
});
const some = fc.record({
  allow: fc.array(pattern, { maxLength: 2 }),
  block: fc.array(pattern, { maxLength: 1 }),
  windows: fc.option(windows as fc.Arbitrary<Window[]>, { nil: undefined }),
  exceptions: fc.dictionary(
    fc.constantFrom('03-04', '03-05'),
    fc.array(fc.constant({ from: '09:00', to: '15:00' }), { maxLength: 1 }),
    { maxKeys: 2 },
  ),
  limits: fc.array(limit, { maxLength: 2 }),
  maxTalkS: fc.constantFrom(60, 600),
  tokenOnly: fc.boolean(),
  site: fc.option(windows as fc.Arbitrary<Window[]>, { nil: undefined }),
});

t.test(
  'a change that is said only to narrow never turns a refusal into a grant, nor lets a call last longer',
  async (t) => {
    let narrowing = 0;
    const make = ({
      site,
      windows: own,
      ...more
    }: { site: Window[] | undefined; windows: Window[] | undefined } & Partial<Profile>) =>
      policyWith({ ...more, ...(own && { windows: own }) }, site === undefined ? {} : { site: { windows: site } });
    // Pairs that differ in little are the ones of which some only narrow.
    const pair = fc.tuple(
      some,
      some,
      fc.subarray(['allow', 'block', 'windows', 'exceptions', 'limits', 'maxTalkS', 'tokenOnly', 'site'] as const, {
        maxLength: 2,
      }),
    );
    fc.assert(
      fc.property(
        pair,
        fc.array(fc.tuple(fc.integer({ min: 0, max: 335 }), fc.integer({ min: 0, max: 4 }), pattern), {
          minLength: 12,
          maxLength: 12,
        }),
        ([old, other, keys], asks) => {
          const fresh = { ...old, ...Object.fromEntries(keys.map((key) => [key, other[key]])) };
          const [from, to] = [make(old), make(fresh)];
          if (widenings(from, to).length > 0) return;
          narrowing += 1;
          const [before, after] = [compilePolicy(from), compilePolicy(to)];
          for (const [half, calls, asked] of asks) {
            const when = at('2026-03-02T00:15').add({ minutes: half * 30 });
            const asking = {
              dialled: asked.replace('*', '01').padEnd(13, '0').slice(0, 13),
              usage: used({ calls, attempts: calls }),
            };
            const now = ask(after, when, asking);
            if (now.outcome === 'refusal') continue;
            const then = ask(before, when, asking);
            if (then.outcome === 'refusal') throw new Error(`refused by ${then.rule}, and granted by what narrows`);
            if (Temporal.Instant.compare(now.notAfter, then.notAfter) > 0 || now.maxTalkMs > then.maxTalkMs)
              throw new Error('lasts longer');
          }
        },
      ),
      { numRuns: 400 },
    );
    t.ok(narrowing > 20, `${narrowing} of the changes narrowed`);
  },
);
