import t from 'tap';
import type { Limit } from '../../config/schema/types.generated.js';
import { personId } from '../../gateway/policy/ids.js';
import { periodAt } from '../../gateway/policy/periods.js';
import { ledgerAt, type NotedCall } from './ledger-oracle.js';
import { ask, at, hoursOf, NOON, type PolicyParts, policyOf, window } from './sample-policy.js';

const call = (wall: string, talkS = 60, zone = 'Europe/London'): NotedCall => ({
  startedMs: at(wall, zone).epochMilliseconds,
  talkMs: talkS * 1000,
  answered: talkS > 0,
});

function asked(parts: PolicyParts, calls: readonly NotedCall[], wall = '2026-03-04T12:00', person?: string) {
  const when = at(wall);
  const decision = ask(policyOf(parts), when, {
    usage: ledgerAt(calls, when.epochMilliseconds),
    ...(person !== undefined && { person: personId(person) }),
  });
  if (decision.outcome === 'grant')
    return { rule: 'granted', talk: `${decision.maxTalkMs / 1000} s by ${decision.maxTalkBy}` };
  return { rule: decision.rule, fact: decision.fact, next: decision.nextAllowed?.toString() };
}

const withLimits = (...limits: readonly Limit[]): PolicyParts => ({ profile: { limits } });
const attempts = (
  most: number,
  period: 'day' | 'week' | 'month' | '30-days',
  per: Limit['per'] = 'handset',
): Limit => ({
  per,
  of: 'attempts',
  most,
  in: period,
});

t.test('a week begins on Monday, whatever the month', async (t) => {
  const parts = withLimits(attempts(2, 'week'));
  // 2026-03-01 was a Sunday.
  t.match(asked(parts, [call('2026-03-01T10:00'), call('2026-03-02T10:00')]), { rule: 'granted' });
  t.match(asked(parts, [call('2026-03-02T00:00'), call('2026-03-03T10:00')]), {
    rule: 'limit.attempts',
    fact: '2 of 2 attempts of this handset this week are used',
    next: at('2026-03-09T00:00').toString(),
  });
});

t.test('a month is that of the calendar', async (t) => {
  const parts = withLimits(attempts(1, 'month'));
  t.match(asked(parts, [call('2026-02-28T23:59')]), { rule: 'granted' });
  t.match(asked(parts, [call('2026-03-01T00:00')]), { next: at('2026-04-01T00:00').toString() });
  t.match(asked(parts, [call('2025-12-31T10:00')], '2025-12-31T12:00'), { next: at('2026-01-01T00:00').toString() });
});

t.test('thirty days roll: each call is forgotten thirty days after it was asked for', async (t) => {
  const parts = withLimits(attempts(4, '30-days'));
  const days = ['2026-02-05T12:00', '2026-02-10T10:00', '2026-02-20T10:00', '2026-03-01T10:00'];
  const calls = days.map((day) => call(day));
  const next = at('2026-03-07T12:00').add({ milliseconds: 1 }).toString();
  t.match(asked(parts, calls), { rule: 'limit.attempts', next });
  t.match(asked(parts, calls, '2026-03-07T12:01'), { rule: 'granted' });
  t.match(asked(parts, [call('2026-02-02T11:59'), ...calls.slice(1)]), { rule: 'granted' });
});

t.test('of several limits the longest wait is told', async (t) => {
  const parts = withLimits(attempts(1, 'day'), attempts(1, 'week'));
  t.match(asked(parts, [call('2026-03-04T10:00')]), { next: at('2026-03-09T00:00').toString() });
});

t.test('the tighter of two limits for the same thing counts, at whichever levels they stand', async (t) => {
  const parts: PolicyParts = { site: { limits: [attempts(5, 'day')] }, profile: { limits: [attempts(3, 'day')] } };
  const calls = ['08:00', '09:00', '10:00'].map((time) => call(`2026-03-04T${time}`));
  t.match(asked(parts, calls), { rule: 'limit.attempts', fact: '3 of 3 attempts of this handset today are used' });
  const swapped: PolicyParts = { site: { limits: [attempts(3, 'day')] }, profile: { limits: [attempts(5, 'day')] } };
  t.match(asked(swapped, calls), { rule: 'limit.attempts' });
});

t.test('a number’s day is the callee’s: over there it is another day already', async (t) => {
  const parts: PolicyParts = {
    profile: { limits: [attempts(1, 'day', 'number')] },
    zonesOf: { GB: ['Australia/Sydney'] },
  };
  // Noon in London on the 4th is 23:00 in Sydney; 12:30 on the 3rd in London was 23:30 of the 3rd there.
  t.match(asked(parts, [call('2026-03-03T12:30')]), { rule: 'granted' });
  t.match(asked(parts, [call('2026-03-03T13:30')]), {
    rule: 'limit.attempts',
    next: at('2026-03-05T00:00', 'Australia/Sydney').toString(),
  });
});

t.test('where the callee may be in several zones, the day is as long as all of theirs', async (t) => {
  const { sinceMs, endsMs } = periodAt('day', ['America/Los_Angeles', 'America/New_York'], NOON.epochMilliseconds);
  t.equal(sinceMs, at('2026-03-04T00:00', 'America/New_York').epochMilliseconds);
  t.equal(endsMs, at('2026-03-05T00:00', 'America/Los_Angeles').epochMilliseconds);
});

t.test('the law of a country limits its numbers', async (t) => {
  const parts: PolicyParts = {
    callingHours: [{ ...hoursOf('GB'), limits: [attempts(1, '30-days', 'number')] }],
  };
  t.match(asked(parts, [call('2026-02-20T10:00')]), {
    rule: 'limit.attempts',
    fact: '1 of 1 attempts of this number in 30 days are used',
  });
});

t.test('a person’s limits count where one is signed on', async (t) => {
  const parts = withLimits({ per: 'person', of: 'talk', most: 600, in: 'week' });
  const calls = [{ ...call('2026-03-03T10:00', 500), by: ['person' as const] }];
  t.match(asked(parts, calls), { talk: '600 s by max-talk' });
  t.match(asked(parts, calls, '2026-03-04T12:00', 'p-1'), { talk: '100 s by limit.talk' });
  const more = [...calls, { ...call('2026-03-03T11:00', 100), by: ['person' as const] }];
  t.match(asked(parts, more, '2026-03-04T12:00', 'p-1'), {
    rule: 'limit.talk',
    fact: 'the talk of this person this week, 10 minutes, is used',
  });
});

t.test('a gap counts by handset and by number, from the end of the last call', async (t) => {
  const parts = withLimits({ per: 'number', of: 'gap', leastS: 86_400 });
  t.match(asked(parts, [call('2026-03-03T12:00', 60)]), {
    rule: 'limit.gap',
    next: at('2026-03-04T12:01').toString(),
  });
  t.match(asked(parts, [call('2026-03-03T11:59', 60)]), { rule: 'granted' });
});

t.test('calls in progress that use up a limit by themselves give no instant: nobody knows when they end', async (t) => {
  const usage = {
    used: () => ({ attempts: 2, calls: 2, talkMs: 900_000, live: 2, liveTalkMs: 900_000 }),
    callsSince: () => [],
  };
  for (const limit of [attempts(2, 'day'), { per: 'handset', of: 'talk', most: 900, in: 'day' } as const]) {
    const decision = ask(policyOf({ profile: { concurrent: 8, limits: [limit] } }), NOON, { usage });
    t.match(decision, { outcome: 'refusal' });
    t.equal('nextAllowed' in decision, false);
  }
  t.match(ask(policyOf({ profile: { concurrent: 2 } }), NOON, { usage }), { rule: 'limit.concurrent' });
  const perNumber = policyOf({ profile: { concurrent: 8, limits: [{ per: 'number', of: 'concurrent', most: 2 }] } });
  t.match(ask(perNumber, NOON, { usage }), { rule: 'limit.concurrent', fact: '2 calls of this number are up already' });
});

t.test('a limit’s end waits for the windows as well', async (t) => {
  const parts: PolicyParts = {
    site: { windows: [window('08:00', '20:00', ['wed'])] },
    ...withLimits(attempts(1, 'week')),
  };
  t.match(asked(parts, [call('2026-03-04T08:00')]), { next: at('2026-03-11T08:00').toString() });
});

t.test('dates with hours of their own hold at every level', async (t) => {
  const exceptions = { '03-04': [{ from: '13:00', to: '14:00' }] };
  for (const parts of [{ site: { exceptions } }, { profile: { exceptions } }]) {
    t.match(asked(parts, []), { next: at('2026-03-04T13:00').toString() });
  }
});

t.test('a block list of the site beats the allow list of a profile', async (t) => {
  t.match(asked({ site: { block: ['+442079460001'] } }, []), { rule: 'number.blocked' });
});
