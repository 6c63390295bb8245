/** Who asks, and for whom: a person and a campaign come with a request, and only ever narrow what the handset may. */
import fc from 'fast-check';
import t from 'tap';
import { Temporal } from 'temporal-polyfill';
import type { Limit } from '../../config/schema/types.generated.js';
import { personId } from '../../gateway/policy/ids.js';
import type { CampaignFacts, ContactFacts, PersonFacts, Subject, UsageBook } from '../../gateway/policy/request.js';
import { NO_USAGE } from '../../gateway/policy/request.js';
import { ledgerAt, type NotedCall } from './ledger-oracle.js';
import {
  type Asking,
  ask,
  at,
  EVERY,
  hoursOf,
  NOON,
  type PolicyParts,
  policyOf,
  WORKDAYS,
  window,
} from './sample-policy.js';
import { isWithin, MINUTE, wallAt } from './wall-oracle.js';

const PERSON: PersonFacts = { id: 'p-1' };
const CAMPAIGN: CampaignFacts = { id: 'survey' };

t.test('a profile may ask for somebody who is signed on', async (t) => {
  const policy = policyOf({ profile: { personRequired: true } });
  t.match(ask(policy), { rule: 'person.not-signed-on', sipStatus: 403, fact: 'nobody is signed on at this handset' });
  t.match(ask(policy, NOON, { person: personId('p-1') }), { outcome: 'grant', person: 'p-1' });
  t.match(ask(policy, NOON, { personFacts: PERSON }), { outcome: 'grant', person: 'p-1' });
  t.match(ask(policyOf(), NOON), { outcome: 'grant' }, 'another profile does not');
});

t.test('a request of two persons is nobody’s', async (t) => {
  const two: Asking = { person: personId('p-2'), personFacts: PERSON };
  t.match(ask(policyOf(), NOON, two), { rule: 'person.not-signed-on' });
});

t.test('somebody who is suspended calls nobody, whatever the profile asks for', async (t) => {
  const suspended = { personFacts: { ...PERSON, suspended: true } };
  t.match(ask(policyOf(), NOON, suspended), { rule: 'person.suspended', sipStatus: 403 });
  t.notOk('nextAllowed' in ask(policyOf(), NOON, suspended), 'waiting does not help');
});

t.test('a lockdown of a person holds whoever names it', async (t) => {
  const lockdowns = [{ target: { kind: 'person', person: personId('p-1') }, from: NOON, reason: 'drill' }] as const;
  t.match(ask(policyOf(), NOON, { personFacts: PERSON, facts: { lockdowns } }), { rule: 'lockdown.person' });
});

for (const [what, rule, levelOf] of [
  ['a person', 'window.person', (hours: PersonFacts['windows']) => ({ personFacts: { ...PERSON, windows: hours } })],
  ['a campaign', 'window.campaign', (hours: PersonFacts['windows']) => ({ campaign: { ...CAMPAIGN, windows: hours } })],
] as const) {
  t.test(`hours of ${what} close a call, open it to the instant, and end it`, async (t) => {
    const asking = levelOf([window('13:00', '15:00')]);
    const refused = ask(policyOf(), NOON, asking);
    t.match(refused, { rule, sipStatus: 480 });
    const opens = at('2026-03-04T13:00');
    t.equal(refused.outcome === 'refusal' && refused.nextAllowed?.toString(), opens.toString());
    t.match(ask(policyOf(), opens.subtract({ milliseconds: 1 }), asking), { rule });
    const granted = ask(policyOf(), opens, asking);
    t.match(granted, { outcome: 'grant', notAfterBy: rule });
    t.equal(granted.outcome === 'grant' && granted.notAfter.toString(), at('2026-03-04T15:00').toString());
  });
}

t.test('a person’s limits count wherever the person is signed on', async (t) => {
  const usage: UsageBook = {
    used: ({ kind, id }: Subject) => (kind === 'person' && id === 'p-1' ? { ...NO_USAGE, calls: 3 } : NO_USAGE),
    callsSince: () => [],
  };
  const limits: Limit[] = [{ per: 'person', of: 'calls', most: 3, in: 'day' }];
  const refused = ask(policyOf(), NOON, { usage, personFacts: { ...PERSON, limits } });
  t.match(refused, { rule: 'limit.calls', fact: '3 of 3 calls of this person today are used' });
  t.match(ask(policyOf(), NOON, { usage, personFacts: { id: 'p-2', limits } }), { outcome: 'grant' });
});

t.test('a campaign tries a contact so often, so far apart, and so often in a day', async (t) => {
  const attempts = { most: 4, perDay: 2, spacingS: 3_600 };
  const campaign = { ...CAMPAIGN, attempts };
  const call = (minutesAgo: number): NotedCall => ({
    startedMs: NOON.epochMilliseconds - minutesAgo * MINUTE,
    talkMs: 0,
    answered: false,
    by: ['number'],
  });
  const with_ = (calls: readonly NotedCall[], contact: ContactFacts) =>
    ask(policyOf(), NOON, { campaign, contact, usage: ledgerAt(calls, NOON.epochMilliseconds) });
  t.match(with_([], { attempts: 3 }), { outcome: 'grant' });
  t.match(with_([], { attempts: 4 }), {
    rule: 'limit.attempts',
    fact: '4 of 4 attempts at this contact in its campaign are used',
  });
  const early = with_([call(59)], { attempts: 1 });
  t.match(early, { rule: 'limit.gap' });
  t.equal(early.outcome === 'refusal' && early.nextAllowed?.toString(), NOON.add({ minutes: 1 }).toString());
  t.match(with_([call(59)], { attempts: 1, isAgreed: true }), { outcome: 'grant' }, 'a call-back that was agreed on');
  t.match(with_([call(60)], { attempts: 1 }), { outcome: 'grant' });
  const full = with_([call(130), call(61)], { attempts: 2, isAgreed: true });
  t.match(full, { rule: 'limit.attempts' }, 'an agreed call-back counts like any other');
  t.equal(full.outcome === 'refusal' && full.nextAllowed?.toString(), at('2026-03-05T00:00').toString());
});

t.test('a campaign’s law holds beside that of the callee’s country, in the callee’s zone', async (t) => {
  const callingHours = [hoursOf('GB'), hoursOf('FR', [window('10:00', '13:00', WORKDAYS)], true)];
  const policy = policyOf({ callingHours });
  const campaign = { ...CAMPAIGN, law: 'FR' };
  t.match(ask(policy, at('2026-03-04T13:30'), { campaign }), { rule: 'window.callee', fact: /in London it is 13:30/ });
  const granted = ask(policy, NOON, { campaign });
  t.match(granted, { outcome: 'grant', notAfterBy: 'window.callee' });
  t.equal(granted.outcome === 'grant' && granted.notAfter.toString(), at('2026-03-04T13:00').toString());
  t.match(ask(policy, at('2026-07-14T12:00'), { campaign }), { rule: 'holiday.callee' }, 'a holiday of that law');
  t.match(ask(policy, at('2026-07-14T12:00')), { outcome: 'grant' });
  t.match(ask(policy, at('2026-03-04T20:30'), { campaign: { ...CAMPAIGN, law: 'ZZ' } }), { rule: 'window.callee' });
});

t.test('a campaign’s do-not-call lists are asked beside the profile’s, by its own age', async (t) => {
  const list = (hours: number) => ({
    isThere: true as const,
    madeMs: NOON.subtract({ hours }).epochMilliseconds,
    has: (number: string) => number === '+442079460002',
  });
  const campaign: CampaignFacts = { ...CAMPAIGN, doNotCall: [{ list: 'tps', mostAgeH: 24 }] };
  const told = (hours: number, dialled?: string) =>
    ask(policyOf(), NOON, {
      campaign,
      ...(dialled !== undefined && { dialled }),
      facts: { doNotCall: { list: () => list(hours) } },
    });
  t.match(told(1), { outcome: 'grant' });
  t.match(told(1, '+442079460002'), { rule: 'dnc.listed' });
  t.match(told(25), { rule: 'dnc.stale' });
  t.match(ask(policyOf(), NOON, { campaign }), { rule: 'dnc.stale' }, 'a list that is not there');
});

t.test('a refusal is silence for as long as the strictest of law, profile and campaign says', async (t) => {
  const refusedMs = NOON.subtract({ hours: 24 * 20 }).epochMilliseconds;
  const doNotCall = { list: () => ({ isThere: false, why: 'none' }) as const, word: () => ({ refusedMs }) };
  const told = (silenceDays: number) =>
    ask(policyOf({ profile: { silenceDays: 10 } }), NOON, {
      campaign: { ...CAMPAIGN, silenceDays },
      facts: { doNotCall },
    });
  t.match(told(19), { outcome: 'grant' });
  t.match(told(21), { rule: 'contact.refused' });
});

t.test('a campaign may shorten talk and ringing, and lengthen neither', async (t) => {
  t.match(ask(policyOf(), NOON, { campaign: { ...CAMPAIGN, maxTalkS: 60, ringS: 20 } }), {
    maxTalkMs: 60_000,
    ringMs: 20_000,
  });
  t.match(ask(policyOf(), NOON, { campaign: { ...CAMPAIGN, maxTalkS: 7_200, ringS: 40 } }), {
    maxTalkMs: 600_000,
    ringMs: 30_000,
  });
});

const two = (n: number) => String(n).padStart(2, '0');
const clockTime = fc.integer({ min: 0, max: 47 }).map((n) => `${two(n >> 1)}:${two((n % 2) * 30)}`);
const windows = fc.array(
  fc.record({ days: fc.subarray([...EVERY], { minLength: 3 }), from: clockTime, to: clockTime }),
  { minLength: 1, maxLength: 2 },
);
const per = fc.constantFrom('handset' as const, 'number' as const, 'person' as const);
const limit: fc.Arbitrary<Limit> = fc.oneof(
  fc.record({
    per,
    of: fc.constantFrom('attempts' as const, 'calls' as const, 'talk' as const),
    most: fc.integer({ min: 1, max: 4 }),
    in: fc.constantFrom('day' as const, 'week' as const, '24-hours' as const),
  }),
  fc.record({ per, of: fc.constant('gap' as const), leastS: fc.integer({ min: 60, max: 90_000 }) }),
);
const limits = fc.array(limit, { maxLength: 3 });
const person: fc.Arbitrary<PersonFacts> = fc.record(
  { id: fc.constant('p-1'), windows, limits, suspended: fc.boolean() },
  { requiredKeys: ['id'] },
);
const campaign: fc.Arbitrary<CampaignFacts> = fc.record(
  {
    id: fc.constant('survey'),
    windows,
    limits,
    law: fc.constantFrom('FR', 'GB'),
    attempts: fc.record({
      most: fc.integer({ min: 1, max: 3 }),
      perDay: fc.integer({ min: 1, max: 3 }),
      spacingS: fc.integer({ min: 60, max: 90_000 }),
    }),
    maxTalkS: fc.integer({ min: 30, max: 1_200 }),
  },
  { requiredKeys: ['id'] },
);
const contact: fc.Arbitrary<ContactFacts> = fc.record({
  attempts: fc.integer({ min: 0, max: 3 }),
  isAgreed: fc.boolean(),
});
/** Around a night on which the clocks of London change, half of the time. */
const when = fc
  .tuple(fc.constantFrom('2026-03-28T12:00', '2026-10-24T12:00', '2026-03-02T00:00', '2026-07-14T00:00'), fc.nat(2_880))
  .map(([from, minutes]) => at(from).add({ minutes }));
const calls = (ms: number): fc.Arbitrary<NotedCall[]> =>
  fc
    .array(fc.record({ ago: fc.integer({ min: 2, max: 4_000 }), answered: fc.boolean() }), { maxLength: 4 })
    .map((all) =>
      all
        .map(({ ago, answered }) => ({ startedMs: ms - ago * MINUTE, talkMs: MINUTE, answered }))
        .sort((a, b) => a.startedMs - b.startedMs),
    );
const PARTS: PolicyParts = {
  site: { windows: [window('06:00', '03:30')] },
  callingHours: [hoursOf('GB', [window('07:00', '01:30')]), hoursOf('FR', [window('08:00', '22:00')], true)],
};
const world = when.chain((now) =>
  fc.record({ now: fc.constant(now), person, campaign, contact, calls: calls(now.epochMilliseconds) }),
);

const endOf = (decision: ReturnType<typeof ask>): number =>
  decision.outcome === 'refusal' ? Number.NEGATIVE_INFINITY : decision.notAfter.epochMilliseconds;
const talkOf = (decision: ReturnType<typeof ask>): number => (decision.outcome === 'refusal' ? 0 : decision.maxTalkMs);

t.test('a person and a campaign never turn a refusal into a grant, nor make one longer', async () => {
  const policy = policyOf(PARTS);
  fc.assert(
    fc.property(world, ({ now, person, campaign, contact, calls }) => {
      const usage = ledgerAt(calls, now.epochMilliseconds);
      const all = ask(policy, now, { personFacts: person, campaign, contact, usage });
      // Each of these has a part less to be narrowed by; the person stays, because it is counted by.
      const wider: readonly Asking[] = [
        { personFacts: person, usage },
        { personFacts: { id: person.id }, campaign, contact, usage },
        { personFacts: { id: person.id }, usage },
        { usage },
        { personFacts: person, campaign: { id: campaign.id }, contact, usage },
        { personFacts: person, campaign, contact: { ...contact, isAgreed: true }, usage },
        { personFacts: person, campaign, contact: { ...contact, attempts: 0 }, usage },
      ];
      for (const [index, asking] of wider.entries()) {
        const other = ask(policy, now, asking);
        if (endOf(other) < endOf(all) || talkOf(other) < talkOf(all)) throw new Error(`${index} is narrower`);
      }
    }),
    { numRuns: 400 },
  );
});

t.test(
  'the hours of a person and a campaign are those that a wall clock shows, and nextAllowed is the first that passes',
  async () => {
    const policy = policyOf();
    fc.assert(
      fc.property(when, windows, windows, (now, ofPerson, ofCampaign) => {
        const asking: Asking = {
          personFacts: { ...PERSON, windows: ofPerson },
          campaign: { ...CAMPAIGN, windows: ofCampaign },
        };
        const zone = 'Europe/London';
        const inside = (ms: number, hours: typeof ofPerson) => isWithin({ zone, windows: hours }, wallAt(zone, ms));
        const decision = ask(policy, now, asking);
        const nowMs = now.epochMilliseconds;
        // The doubtful hours of a night are the window tests' own; here each level's part is what is asked.
        const isQuiet = [-4, 0, 4].every(
          (hours) =>
            wallAt(zone, nowMs + hours * 60 * MINUTE) - nowMs - hours * 60 * MINUTE === wallAt(zone, nowMs) - nowMs,
        );
        if (isQuiet) {
          const isOpen = inside(nowMs, ofPerson) && inside(nowMs, ofCampaign);
          if (isOpen !== (decision.outcome === 'grant')) throw new Error(JSON.stringify(decision));
          if (decision.outcome === 'refusal') {
            const expected = inside(nowMs, ofPerson) ? 'window.campaign' : 'window.person';
            if (decision.rule !== expected) throw new Error(`${decision.rule} where ${expected} is due`);
          }
        }
        if (decision.outcome === 'grant' || decision.nextAllowed === undefined) return;
        const next = decision.nextAllowed;
        if (ask(policy, next, asking).outcome !== 'grant') throw new Error(`${next} does not pass`);
        const before = Temporal.Instant.fromEpochMilliseconds(next.epochMilliseconds - 1);
        if (ask(policy, before, asking).outcome !== 'refusal') throw new Error(`${before} passes already`);
      }),
      { numRuns: 300 },
    );
  },
);
