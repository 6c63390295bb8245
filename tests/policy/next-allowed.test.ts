/** `nextAllowed` is the first instant at which everything passes, and `notAfter` the last at which anything does. */
import fc from 'fast-check';
import t from 'tap';
import { Temporal } from 'temporal-polyfill';
import { personId } from '../../gateway/policy/ids.js';
import type { Lockdown } from '../../gateway/policy/request.js';
import { countedAt, ledgerAt, type NotedCall } from './ledger-oracle.js';
import { ask, at, EVERY, hoursOf, NOON, policyOf, used, WORKDAYS, window } from './sample-policy.js';
import { isOpenAt, MINUTE, type WallRule } from './wall-oracle.js';

const nextOf = (decision: ReturnType<typeof ask>): string | undefined =>
  decision.outcome === 'refusal' ? decision.nextAllowed?.toString() : 'granted';

const DAY_HOURS = [window('08:00', '20:00', WORKDAYS)];

t.test('a quota that is used up waits for the next day, and then for the windows', async (t) => {
  const policy = policyOf({ site: { windows: DAY_HOURS }, profile: { callsPerDay: 1 } });
  const friday = at('2026-03-06T12:00');
  const decision = ask(policy, friday, { usage: used({ calls: 1 }) });
  t.match(decision, { rule: 'limit.calls' });
  t.equal(nextOf(decision), at('2026-03-09T08:00').toString(), 'Monday at eight, not Saturday at midnight');
});

t.test('a gap that ends outside the windows waits for them', async (t) => {
  const policy = policyOf({ site: { windows: DAY_HOURS }, profile: { gapS: 3_600 } });
  const decision = ask(policy, at('2026-03-04T19:50'), { usage: used({ lastEndedAt: at('2026-03-04T19:45') }) });
  t.match(decision, { rule: 'limit.gap' });
  t.equal(nextOf(decision), at('2026-03-05T08:00').toString());
});

t.test('a lockdown waits for its end, and then for the windows, and for another lockdown', async (t) => {
  const lock = (from: string, until: string): Lockdown => ({
    target: { kind: 'site' },
    from: at(from),
    until: at(until),
    reason: 'drill',
  });
  const policy = policyOf({ site: { windows: DAY_HOURS } });
  const first = lock('2026-03-04T11:00', '2026-03-04T21:00');
  const one = ask(policy, NOON, { facts: { lockdowns: [first] } });
  t.match(one, { rule: 'lockdown.site', fact: 'a cutoff is in force: drill, until 21:00' });
  t.equal(nextOf(one), at('2026-03-05T08:00').toString());
  const second = lock('2026-03-05T07:00', '2026-03-05T09:30');
  t.equal(nextOf(ask(policy, NOON, { facts: { lockdowns: [first, second] } })), at('2026-03-05T09:30').toString());
});

t.test('the longest of several lockdowns counts', async (t) => {
  const lock = (until?: Temporal.Instant): Lockdown => ({
    target: { kind: 'site' },
    from: NOON,
    reason: 'drill',
    ...(until && { until }),
  });
  const hours = (n: number) => NOON.add({ hours: n });
  t.equal(
    nextOf(ask(policyOf(), NOON, { facts: { lockdowns: [lock(hours(1)), lock(hours(3)), lock(hours(2))] } })),
    hours(3).toString(),
  );
  t.equal(
    nextOf(ask(policyOf(), NOON, { facts: { lockdowns: [lock(hours(1)), lock()] } })),
    undefined,
    'until released',
  );
});

t.test('what time does not lift has no next instant, whatever rule is told first', async (t) => {
  const until = NOON.add({ hours: 1 });
  const lockdowns: readonly Lockdown[] = [{ target: { kind: 'site' }, from: NOON, until, reason: 'drill' }];
  t.equal(nextOf(ask(policyOf(), NOON, { facts: { lockdowns } })), until.toString());
  t.equal(nextOf(ask(policyOf({ profile: { allow: [] } }), NOON, { facts: { lockdowns } })), undefined);
  t.equal(nextOf(ask(policyOf({ enabled: false }), NOON, { facts: { lockdowns } })), undefined);
  const never = policyOf({ site: { windows: [window('08:00', '12:00')] }, wing: [window('18:00', '22:00')] });
  t.match(ask(never), { rule: 'window.site' });
  t.equal(nextOf(ask(never)), undefined, 'hours that are never open together');
  t.equal(nextOf(ask(policyOf(), NOON, { usage: used({ live: 1 }) })), undefined, 'nobody knows when a call ends');
});

t.test('a lockdown of another wing, handset or person is none of ours', async (t) => {
  const lockdowns: readonly Lockdown[] = [
    { target: { kind: 'wing', wing: 'b' as never }, from: NOON, reason: 'drill' },
    { target: { kind: 'handset', handset: 'a-102' as never }, from: NOON, reason: 'drill' },
    { target: { kind: 'person', person: personId('p-2') }, from: NOON, reason: 'drill' },
  ];
  t.equal(ask(policyOf(), NOON, { facts: { lockdowns }, person: personId('p-1') }).outcome, 'grant');
  t.equal(ask(policyOf(), NOON, { facts: { lockdowns } }).outcome, 'grant');
});

t.test('a grant ends with the first window to close, or the first lockdown to begin, and says which', async (t) => {
  const policy = policyOf({
    site: { windows: [window('08:00', '20:00')] },
    wing: [window('08:00', '18:00')],
    profile: { windows: [window('08:00', '19:00')] },
    callingHours: [hoursOf('GB', [window('08:00', '17:00')])],
  });
  const ends = (by: string, wall: string, decision = ask(policy)) => {
    if (decision.outcome !== 'grant') throw new Error(decision.rule);
    t.equal(decision.notAfterBy, by);
    t.equal(decision.notAfter.toString(), at(wall).toString());
  };
  ends('window.callee', '2026-03-04T17:00');
  const late = policyOf({ site: { windows: [window('08:00', '20:00')] }, wing: [window('08:00', '18:00')] });
  ends('window.wing', '2026-03-04T18:00', ask(late));
  const lockdowns: readonly Lockdown[] = [{ target: { kind: 'site' }, from: at('2026-03-04T13:00'), reason: 'count' }];
  ends('lockdown', '2026-03-04T13:00', ask(policy, NOON, { facts: { lockdowns } }));
});

t.test('the most talk is the profile’s, or what is left of the day’s, and says which', async (t) => {
  const policy = policyOf({ profile: { maxTalkS: 600, talkPerDayS: 900 } });
  t.match(ask(policy), { maxTalkMs: 600_000, maxTalkBy: 'max-talk' });
  t.match(ask(policy, NOON, { usage: used({ talkMs: 600_000 }) }), {
    maxTalkMs: 300_000,
    maxTalkBy: 'limit.talk',
  });
  t.match(ask(policy, NOON, { usage: used({ talkMs: 899_999 }) }), { maxTalkMs: 1 });
  t.match(ask(policy, NOON, { usage: used({ talkMs: 900_000 }) }), { rule: 'limit.talk' });
});

t.test('limits are used up at their number and not before', async (t) => {
  const policy = policyOf({ profile: { attemptsPerDay: 3, callsPerDay: 2, gapS: 10, concurrent: 2 } });
  t.equal(ask(policy, NOON, { usage: used({ attempts: 2, calls: 1, live: 1 }) }).outcome, 'grant');
  t.match(ask(policy, NOON, { usage: used({ attempts: 3 }) }), { rule: 'limit.attempts', sipStatus: 480 });
  t.match(ask(policy, NOON, { usage: used({ calls: 2 }) }), { rule: 'limit.calls' });
  t.match(ask(policy, NOON, { usage: used({ live: 2 }) }), { rule: 'limit.concurrent', sipStatus: 486 });
  const ended = (ms: number) => used({ lastEndedAt: NOON.subtract({ milliseconds: ms }) });
  t.match(ask(policy, NOON, { usage: ended(9_999) }), { rule: 'limit.gap' });
  t.equal(ask(policy, NOON, { usage: ended(10_000) }).outcome, 'grant');
});

t.test('the day of a quota ends at the midnight of the site’s zone, DST or not', async (t) => {
  const policy = policyOf({ site: { zone: 'Europe/Brussels' }, profile: { callsPerDay: 1 } });
  const tried = (wall: string) => nextOf(ask(policy, at(wall, 'Europe/Brussels'), { usage: used({ calls: 1 }) }));
  t.equal(tried('2026-03-28T23:30'), '2026-03-28T23:00:00Z');
  t.equal(tried('2026-03-29T12:00'), '2026-03-29T22:00:00Z', 'the day of 23 hours');
  t.equal(tried('2026-10-25T12:00'), '2026-10-25T23:00:00Z', 'the day of 25 hours');
});

const ZONES = ['Europe/Brussels', 'America/St_Johns', 'Australia/Lord_Howe', 'America/Havana'];
const two = (n: number) => String(n).padStart(2, '0');
const clockTime = fc.integer({ min: 0, max: 95 }).map((n) => `${two(Math.floor(n / 4))}:${two((n % 4) * 15)}`);
const windows = fc.array(
  fc.record({ days: fc.subarray([...EVERY], { minLength: 2 }), from: clockTime, to: clockTime }),
  { minLength: 1, maxLength: 3 },
);
/** Instants about the nights of 2026 on which the clocks of one of these zones change, and others. */
const NIGHTS = [
  '2026-03-08T05:00',
  '2026-03-29T01:00',
  '2026-04-04T15:00',
  '2026-10-03T15:30',
  '2026-10-25T01:00',
  '2026-11-01T05:00',
  '2026-06-10T00:00',
];
const moment = fc
  .tuple(fc.constantFrom(...NIGHTS), fc.integer({ min: -1_440, max: 1_440 }))
  .map(([night, off]) => at(night, 'UTC').epochMilliseconds + off * MINUTE);

t.test(
  'nextAllowed passes, nothing before it does, and notAfter is the first closed minute, against the oracle',
  async (t) => {
    const minutes = fc.integer({ min: -3_000, max: 4_000 });
    const world = fc.record({
      ms: moment,
      zone: fc.constantFrom(...ZONES),
      calleeZone: fc.constantFrom(...ZONES),
      site: windows,
      callee: windows,
      gapS: fc.constantFrom(0, 0, 1_800, 50_000),
      limits: fc.array(
        fc.record({
          per: fc.constantFrom('handset' as const, 'number' as const),
          of: fc.constantFrom('attempts' as const, 'calls' as const, 'talk' as const),
          most: fc.integer({ min: 1, max: 3 }),
          in: fc.constantFrom(
            'day' as const,
            'week' as const,
            'month' as const,
            '24-hours' as const,
            '30-days' as const,
          ),
        }),
        { maxLength: 2 },
      ),
      calls: fc.array(
        fc.record({
          ago: fc.oneof(fc.integer({ min: 20, max: 2_000 }), fc.integer({ min: 40_000, max: 43_300 })),
          answered: fc.boolean(),
          by: fc.subarray(['handset' as const, 'number' as const], { minLength: 1 }),
        }),
        { maxLength: 4 },
      ),
      locks: fc.array(fc.record({ from: minutes, lasts: fc.integer({ min: 1, max: 900 }) }), { maxLength: 2 }),
    });
    const seen = { granted: 0, refused: 0, waited: 0 };
    fc.assert(
      fc.property(world, ({ ms, zone, calleeZone, site, callee, gapS, limits, calls, locks }) => {
        const policy = policyOf({
          site: { zone, windows: site },
          profile: {
            gapS,
            limits: limits.map((one) => (one.of === 'talk' ? { ...one, most: one.most * 600 } : one)),
          },
          callingHours: [hoursOf('GB', callee)],
          zonesOf: { GB: [calleeZone] },
        });
        const noted: NotedCall[] = calls
          .map(({ ago, answered, by }) => ({
            startedMs: ms - ago * MINUTE,
            talkMs: answered ? 10 * MINUTE : 0,
            answered,
            by,
          }))
          .sort((a, b) => a.startedMs - b.startedMs);
        const instant = (at: number) => Temporal.Instant.fromEpochMilliseconds(at);
        const lockdowns: readonly Lockdown[] = locks.map(({ from, lasts }) => ({
          target: { kind: 'site' },
          from: instant(ms + from * MINUTE),
          until: instant(ms + (from + lasts) * MINUTE),
          reason: 'drill',
        }));
        const rules: readonly WallRule[] = [
          { zone, windows: site },
          { zone: calleeZone, windows: callee },
        ];
        /** By definition: every window open, no lockdown, and a ledger of that minute that leaves something. */
        const ledgerPasses = (at: number): boolean => {
          const ofHandset = noted.filter(({ by, startedMs }) => by?.includes('handset') === true && startedMs <= at);
          const ended = Math.max(...ofHandset.map(({ startedMs, talkMs }) => startedMs + talkMs));
          return (
            at - ended >= gapS * 1000 &&
            limits.every((limit) => {
              const most = limit.of === 'talk' ? limit.most * 600 : limit.most;
              return countedAt(limit, noted, limit.per === 'number' ? calleeZone : zone, at) < most;
            })
          );
        };
        const passes = (at: number): boolean =>
          locks.every(({ from, lasts }) => at < ms + from * MINUTE || at >= ms + (from + lasts) * MINUTE) &&
          rules.every((rule) => isOpenAt(rule, at)) &&
          ledgerPasses(at);
        const decision = ask(policy, instant(ms), { usage: ledgerAt(noted, ms), facts: { lockdowns } });
        const said = (what: string) => new Error(`${what} at ${instant(ms)}: ${JSON.stringify(decision)}`);
        if ((decision.outcome === 'grant') !== passes(ms)) throw said('judged otherwise than by the oracle');
        if (decision.outcome === 'grant') {
          seen.granted += 1;
          let end = ms;
          const until = ms + 2 * 1_440 * MINUTE;
          const open = (at: number) =>
            rules.every((rule) => isOpenAt(rule, at)) &&
            !lockdowns.some(({ from }) => at >= from.epochMilliseconds && from.epochMilliseconds > ms);
          while (end < until && open(end)) end += MINUTE;
          if (end < until && decision.notAfter.epochMilliseconds !== end)
            throw said(`ends ${instant(end)} by the oracle`);
          return;
        }
        seen.refused += 1;
        const next = decision.nextAllowed?.epochMilliseconds ?? Number.POSITIVE_INFINITY;
        const until = Math.min(next, ms + 5 * 1_440 * MINUTE);
        for (let at = ms; at < until; at += MINUTE)
          if (passes(at)) throw said(`passes at ${instant(at)} by the oracle`);
        if (next > until) return;
        seen.waited += 1;
        const then = ask(policy, instant(next), { usage: ledgerAt(noted, next), facts: { lockdowns } });
        if (then.outcome !== 'grant') throw said(`is refused then by ${then.rule}`);
        const before = ask(policy, instant(next - 1), { usage: ledgerAt(noted, next - 1), facts: { lockdowns } });
        if (before.outcome === 'grant') throw said('passes a millisecond before');
      }),
      { numRuns: 80 },
    );
    for (const [what, count] of Object.entries(seen)) t.ok(count > 4, `${count} ${what}`);
  },
);

t.test('narrowing any input never turns a refusal into a grant, and no grant ends later for it', async () => {
  const parts = fc.record({ site: windows, wing: windows, callee: windows, more: windows, ms: moment });
  fc.assert(
    fc.property(parts, ({ site, wing, callee, more, ms }) => {
      const wide = { site: { windows: site }, wing, callingHours: [hoursOf('GB', callee)] };
      const when = Temporal.Instant.fromEpochMilliseconds(ms);
      const first = ask(policyOf(wide), when);
      const narrowed = [
        { ...wide, handset: more },
        { ...wide, profile: { windows: more, maxTalkS: 60 } },
        { ...wide, profile: { block: ['+44207946000*'] } },
        { ...wide, profile: { allow: [] } },
        { ...wide, enabled: false },
        { ...wide, zonesOf: { GB: ['Europe/London', 'America/St_Johns'] } },
      ];
      for (const one of narrowed) {
        const then = ask(policyOf(one), when);
        if (then.outcome === 'refusal') continue;
        if (first.outcome === 'refusal') throw new Error(`refused by ${first.rule}, and granted when narrower`);
        if (Temporal.Instant.compare(then.notAfter, first.notAfter) > 0 || then.maxTalkMs > first.maxTalkMs) {
          throw new Error('ends later when narrower');
        }
      }
    }),
    { numRuns: 80 },
  );
});
