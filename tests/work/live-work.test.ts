/** What a live call of the work is judged by is what its person and its campaign are now, and not what they were when it began. */
import fc from 'fast-check';
import t from 'tap';
import type { Campaign, Person, Window } from '../../config/schema/types.generated.js';
import { decide } from '../../gateway/policy/decide.js';
import type { Decision } from '../../gateway/policy/decision.js';
import { callId, type E164, handsetId } from '../../gateway/policy/ids.js';
import { UNUSED } from '../../gateway/policy/request.js';
import { LiveWork } from '../../gateway/site-live-work.js';
import { ContactJudge } from '../../gateway/work/contact-judge.js';
import { at, GOOD_FACTS, NOON, NUMBER, policyOf, window } from '../policy/sample-policy.js';
import { isOpenAt, MINUTE } from '../policy/wall-oracle.js';
import { StillClock } from '../store/samples.js';
import { aCampaign } from './samples.js';

const HANDSET = handsetId('a-101');
const PERSON: Person = {
  ...{
    id: 'p-1',
    code: '1001',
    pin: 'x',
    languages: ['nl'],
    campaigns: ['survey'],
    handsets: ['a-101'],
    suspended: false,
  },
};

/** One person at a-101 in the call of a contact, whom other processes may change. */
function working(first: { readonly person?: Partial<Person>; readonly campaign?: Partial<Campaign> } = {}) {
  let person: Person | undefined = { ...PERSON, ...first.person };
  let campaign = aCampaign(first.campaign);
  const judged: Decision[] = [];
  const clock = new StillClock(NOON);
  const live = new LiveWork({
    clock,
    store: { person: () => person, campaigns: () => [campaign] },
    judgeAgain: () => void judge(),
    onFault: (fault) => {
      throw fault;
    },
  });
  const policy = policyOf();
  const contacts = new ContactJudge({
    judge: { judge: (request, facts, when, usage) => decide(policy, usage, facts, request, when) },
    numberOf: () => NUMBER as E164,
    asked: (dialled) => live.asked(dialled),
    numberToken: () => 'token',
  });
  const judge = (): Decision => {
    const request = { handset: HANDSET, dialled: 'contact:1', isContact: true as const };
    const decision = contacts.judge(request, GOOD_FACTS, clock.wall(), UNUSED);
    judged.push(decision);
    return decision;
  };
  live.add('contact:1', callId('c-1'), { person, campaign, contact: { attempts: 0 } });
  judge();
  live.look();
  return {
    ...{ live, judged, judge },
    now: (part: { readonly person?: Partial<Person> | 'gone'; readonly campaign?: Partial<Campaign> }) => {
      person = part.person === 'gone' ? undefined : { ...PERSON, ...part.person };
      campaign = aCampaign(part.campaign);
      live.look();
      return judged.at(-1);
    },
  };
}

const until = (wall: string) => at(`2026-03-04T${wall}`);

t.test('a campaign whose hours are narrowed in mid-call ends the call where they do', async (t) => {
  const { judged, now } = working();
  t.match(judged, [{ outcome: 'grant' }]);
  const again = now({ campaign: { windows: [window('08:00', '12:20')] } });
  t.match(again, { outcome: 'grant', notAfterBy: 'window.campaign' });
  t.ok(again?.outcome === 'grant' && again.notAfter.equals(until('12:20')));
  t.match(now({ campaign: { windows: [window('08:00', '11:00')] } }), { rule: 'window.campaign' });
});

t.test('so does a person', async (t) => {
  const { now } = working();
  const again = now({ person: { windows: [window('08:00', '12:10')] } });
  t.match(again, { outcome: 'grant', notAfterBy: 'window.person' });
  t.ok(again?.outcome === 'grant' && again.notAfter.equals(until('12:10')));
  t.match(now({ person: { windows: [window('08:00', '11:00')] } }), { rule: 'window.person' });
});

t.test('so does, at once, a handset that is the person’s no longer', async (t) => {
  const { now } = working();
  t.match(now({ person: { handsets: ['a-102'] } }), { rule: 'window.person', fact: 'p-1 may not work at a-101' });
});

t.test('somebody who is suspended, or no longer known, is in no call', async (t) => {
  t.match(working().now({ person: { suspended: true } }), { rule: 'person.suspended' });
  t.match(working().now({ person: 'gone' }), { rule: 'person.suspended' });
});

t.test('a campaign that shortens its talk shortens the call; what it counts ends none that is up', async (t) => {
  t.match(working().now({ campaign: { maxTalkS: 120 } }), { outcome: 'grant', maxTalkMs: 120_000 });
  const fewer = working();
  fewer.live.add('contact:1', callId('c-1'), { campaign: aCampaign(), contact: { attempts: 2 } });
  t.match(fewer.judge(), { outcome: 'grant' });
  t.match(fewer.now({ campaign: { attempts: { most: 1, perDay: 1, spacingS: 3_600 } } }), { outcome: 'grant' });
});

t.test('nothing is judged again while nothing has changed, nor of a call that is over', async (t) => {
  const { live, judged, now } = working();
  for (let times = 0; times < 3; times += 1) live.look();
  t.equal(judged.length, 1);
  live.ended(callId('c-1'));
  now({ campaign: { windows: [window('08:00', '11:00')] } });
  t.equal(judged.length, 1);
  t.equal(live.asked('contact:1'), undefined);
});

const aTime = fc.integer({ min: 0, max: 95 }).map((quarter) => {
  const [hour, minute] = [Math.floor(quarter / 4), (quarter % 4) * 15];
  return `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
});
const someWindows: fc.Arbitrary<readonly Window[] | undefined> = fc.option(
  fc.array(
    fc.tuple(aTime, aTime).map(([from, to]) => window(from, to)),
    { minLength: 1, maxLength: 3 },
  ),
  { nil: undefined },
);

t.test('whatever the two become, the call is judged to end at the first minute that either has not', async () => {
  fc.assert(
    fc.property(someWindows, someWindows, (ofPerson, ofCampaign) => {
      const { judged, now } = working();
      const part = (windows: readonly Window[] | undefined) => (windows === undefined ? {} : { windows });
      now({ person: part(ofPerson), campaign: part(ofCampaign) });
      const isOpen = (ms: number) =>
        [ofPerson, ofCampaign].every(
          (windows) => windows === undefined || isOpenAt({ zone: 'Europe/London', windows }, ms),
        );
      const from = NOON.epochMilliseconds;
      let end = from;
      while (end < from + 15 * MINUTE && isOpen(end)) end += MINUTE;
      const last = judged.at(-1);
      if (end === from) return last?.outcome === 'refusal';
      return last?.outcome === 'grant' && Math.min(last.notAfter.epochMilliseconds, from + 15 * MINUTE) === end;
    }),
    { numRuns: 200 },
  );
});
