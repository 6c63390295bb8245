/** A decision depends on what is written and on nothing else: not on the order of rules, of entries, or of questions. */
import fc from 'fast-check';
import t from 'tap';
import type { Limit } from '../../config/schema/types.generated.js';
import { caseOf } from '../../gateway/policy/case.js';
import { handsetId, personId } from '../../gateway/policy/ids.js';
import { JUDGEMENT, RULE_GROUPS } from '../../gateway/policy/judgement.js';
import { compilePolicy } from '../../gateway/policy/policy.js';
import type { DialRequest, Facts } from '../../gateway/policy/request.js';
import { ledgerAt, type NotedCall } from './ledger-oracle.js';
import { ask, at, EVERY, GOOD_FACTS, hoursOf, inputOf, profile } from './sample-policy.js';

const two = (n: number) => String(n).padStart(2, '0');
const clockTime = fc.integer({ min: 0, max: 23 }).map((n) => `${two(n)}:00`);
const window = fc.record({ days: fc.subarray([...EVERY], { minLength: 3 }), from: clockTime, to: clockTime });
const windows = fc.array(window, { minLength: 1, maxLength: 3 });
const pattern = fc.constantFrom('+442079460001', '+442079460002', '+44207946000*', '+4420794600*', '+33*');
const limit: fc.Arbitrary<Limit> = fc.oneof(
  fc.record({
    per: fc.constantFrom('handset' as const, 'number' as const),
    of: fc.constantFrom('attempts' as const, 'calls' as const, 'talk' as const),
    most: fc.integer({ min: 1, max: 4 }),
    in: fc.constantFrom('day' as const, 'week' as const, '24-hours' as const),
  }),
  fc.record({
    per: fc.constant('number' as const),
    of: fc.constant('gap' as const),
    leastS: fc.integer({ min: 60, max: 90_000 }),
  }),
);
const noted: fc.Arbitrary<NotedCall[]> = fc
  .array(fc.record({ ago: fc.integer({ min: 1, max: 4_000 }), answered: fc.boolean() }), { maxLength: 4 })
  .map((calls) =>
    calls
      .map(({ ago, answered }) => ({ startedMs: NOW - ago * 60_000 - 60_000, talkMs: 60_000, answered }))
      .sort((a, b) => a.startedMs - b.startedMs),
  );
const NOW = at('2026-03-04T12:00').epochMilliseconds;
const world = fc.record({
  site: windows,
  wing: windows,
  own: windows,
  callee: windows,
  allow: fc.array(pattern, { maxLength: 4 }),
  block: fc.array(pattern, { maxLength: 2 }),
  limits: fc.array(limit, { maxLength: 4 }),
  calls: noted,
  minute: fc.integer({ min: 0, max: 10_000 }),
  dialled: fc.constantFrom('+442079460001', '02079460002', '+33199000001', '112', 'x'),
});
type World = typeof world extends fc.Arbitrary<infer W> ? W : never;

/** The policy of a world, with every list in it put into another order by `mix`. */
function policyOf(
  { site, wing, own, callee, allow, block, limits }: World,
  mix: <T>(all: readonly T[]) => readonly T[],
) {
  const input = inputOf({
    site: { windows: mix(site), limits: mix(limits) },
    wing: mix(wing),
    profile: { windows: mix(own), allow: mix(allow), block: mix(block), limits: mix(limits.slice(1)) },
    callingHours: [hoursOf('GB', mix(callee)), hoursOf('FR', mix(callee))],
    zonesOf: { GB: mix(['Europe/London', 'Europe/Jersey']), FR: ['Europe/Paris'] },
  });
  const strangers = ['b-1', 'b-2'].map(
    (id) => ({ ...input.handsets[0], id, user: id }) as (typeof input.handsets)[number],
  );
  return compilePolicy({
    ...input,
    handsets: mix([...input.handsets, ...strangers]),
    profiles: mix([...input.profiles, profile({ id: 'other', allow: ['+1*'] })]),
  });
}

t.test('entries in another order, and entries that stand twice, decide the same', async () => {
  fc.assert(
    fc.property(world, fc.infiniteStream(fc.nat()), (one, random) => {
      const shuffled = <T>(all: readonly T[]): readonly T[] =>
        all
          .map((value) => ({ value, key: random.next().value ?? 0 }))
          .sort((a, b) => a.key - b.key)
          .map(({ value }) => value);
      const when = at('2026-03-02T00:00').add({ minutes: one.minute });
      const asking = { dialled: one.dialled, usage: ledgerAt(one.calls, when.epochMilliseconds) };
      const said = (policy: ReturnType<typeof policyOf>) => {
        const { calleeZones, ...decision } = { calleeZones: [] as readonly string[], ...ask(policy, when, asking) };
        // Of two zones that are closed alike, the first is named.
        return JSON.stringify([decision, [...calleeZones].sort()]).replace(/in (London|Jersey) it/, 'there it');
      };
      const plain = said(policyOf(one, (all) => all));
      if (said(policyOf(one, shuffled)) !== plain) throw new Error(`another order: ${plain}`);
      const doubled: World = {
        ...one,
        limits: [...one.limits, ...one.limits],
        allow: [...one.allow, ...one.allow],
        site: [...one.site, ...one.site],
      };
      if (said(policyOf(doubled, (all) => all)) !== plain) throw new Error(`doubled: ${plain}`);
    }),
    { numRuns: 150 },
  );
});

t.test('a call is granted exactly when no rule objects, in whatever order the rules are asked', async () => {
  fc.assert(
    fc.property(world, fc.shuffledSubarray([...JUDGEMENT], { minLength: JUDGEMENT.length }), (one, rules) => {
      const policy = policyOf(one, (all) => all);
      const when = at('2026-03-02T00:00').add({ minutes: one.minute });
      const usage = ledgerAt(one.calls, when.epochMilliseconds);
      const request = { handset: handsetId('a-101'), dialled: one.dialled };
      const objecting = rules.filter(
        ({ judge }) => judge(caseOf(policy, usage, GOOD_FACTS, request, when.epochMilliseconds)) !== undefined,
      );
      const decision = ask(policy, when, { dialled: one.dialled, usage });
      if ((decision.outcome === 'grant') !== (objecting.length === 0)) throw new Error(JSON.stringify(decision));
    }),
    { numRuns: 150 },
  );
});

const policyState: fc.Arbitrary<NonNullable<Facts['policy']>> = fc.constantFrom(
  { is: 'missing' } as const,
  { is: 'unsigned' } as const,
  { is: 'good', expiresMs: NOW } as const,
  { is: 'good', expiresMs: Number.POSITIVE_INFINITY } as const,
);
const facts: fc.Arbitrary<Facts> = fc.record({
  clock: fc.constantFrom({ trusted: true } as const, { trusted: false, why: 'a step' } as const),
  line: fc.record({
    fitted: fc.boolean(),
    hook: fc.constantFrom('on' as const, 'off' as const, 'unknown' as const),
    supervised: fc.boolean(),
    relay: fc.constant('connected' as const),
  }),
  lockdowns: fc.constantFrom(
    [],
    [{ target: { kind: 'site' as const }, from: at('2026-03-03T00:00'), reason: 'drill' }],
    [{ target: { kind: 'person' as const, person: personId('p-1') }, from: at('2026-03-03T00:00'), reason: 'drill' }],
  ),
  policy: fc.option(policyState, { nil: undefined }),
  doNotCall: fc.constant({
    list: () => ({ isThere: true as const, madeMs: NOW, has: (number: string) => number.endsWith('2') }),
    word: (number: string) => (number.endsWith('1') ? { refusedMs: NOW - 86_400_000 } : undefined),
  }),
});
const asking: fc.Arbitrary<Omit<DialRequest, 'dialled'>> = fc.record({
  handset: fc.constantFrom(...['a-101', 'b-1', 'nobody'].map(handsetId)),
  person: fc.option(fc.constant(personId('p-1')), { nil: undefined }),
  personFacts: fc.option(
    fc.record({ id: fc.constantFrom('p-1', 'p-2'), suspended: fc.boolean(), windows }, { requiredKeys: ['id'] }),
    { nil: undefined },
  ),
  campaign: fc.option(fc.record({ id: fc.constant('trains'), windows }), { nil: undefined }),
});

t.test('rules that are passed over together would not have objected, whoever asks and whatever is true', async () => {
  const profiles = fc.record({ hookRequired: fc.boolean(), personRequired: fc.boolean(), silenceDays: fc.nat(2) });
  fc.assert(
    fc.property(world, facts, asking, profiles, fc.boolean(), (one, true_, who, settings, enabled) => {
      const { allow, block, limits, own } = one;
      const policy = compilePolicy(
        inputOf({ enabled, site: { windows: one.site }, profile: { allow, block, limits, windows: own, ...settings } }),
      );
      const when = at('2026-03-02T00:00').add({ minutes: one.minute }).epochMilliseconds;
      const c = caseOf(policy, ledgerAt(one.calls, when), true_, { ...who, dialled: one.dialled }, when);
      for (const { rules, isMoot } of RULE_GROUPS) {
        if (isMoot?.(c) !== true) continue;
        for (const { id, judge } of rules) if (judge(c) !== undefined) throw new Error(`${id} objects`);
      }
    }),
    { numRuns: 400 },
  );
});

t.test('several limits by one handset and one period ask the ledger once', async (t) => {
  const asked: string[] = [];
  const limits = (['attempts', 'calls', 'talk'] as const).map(
    (of) => ({ per: 'handset', of, most: 9, in: 'day' }) as const,
  );
  const usage = {
    used: ({ kind, id }: { readonly kind: string; readonly id: string }, sinceMs: number) => {
      asked.push(`${kind} ${id} ${sinceMs}`);
      return { attempts: 0, calls: 0, talkMs: 0, live: 0, liveTalkMs: 0 };
    },
    callsSince: () => [],
  };
  const policy = compilePolicy(inputOf({ profile: { limits } }));
  t.match(ask(policy, at('2026-03-04T12:00'), { usage }), { outcome: 'grant' });
  t.equal(asked.length, new Set(asked).size);
  t.equal(asked.length, 2, 'one for the day, one for the calls that are up now');
});
