/** Which contact is next. Hours are those of the program's own files; instants are of a working week of winter time. */
import fc from 'fast-check';
import t from 'tap';
import type { CallingHours, Language } from '../../config/schema/types.generated.js';
import type { Choice, ContactBook } from '../../gateway/work/contact-book.js';
import { ContactHours } from '../../gateway/work/contact-hours.js';
import { fateOf } from '../../gateway/work/dispositions.js';
import {
  ANKARA,
  aBook,
  aCampaign,
  aContact,
  at,
  BRUSSELS,
  calleeHours,
  contactHours,
  readCalleeHours,
} from './samples.js';

const WEDNESDAY = at('2026-03-04T10:00:00Z');
const DUTCH = { languages: ['nl'], campaigns: ['survey'] } as const;

function given(choice: Choice): number {
  if (choice.is !== 'contact') throw new Error('nothing was given');
  return choice.ref;
}

t.test(
  'the next contact is one of the language and the campaigns of whoever asks, by priority and then by age',
  async (t) => {
    const book = aBook([aCampaign(), aCampaign({ id: 'sales' })]);
    book.add(aContact(1, { priority: 7 }), WEDNESDAY);
    book.add(aContact(2, { language: 'fr' }), WEDNESDAY);
    book.add(aContact(3, { priority: 2 }), WEDNESDAY);
    book.add(aContact(4, { campaign: 'sales', priority: 0 }), WEDNESDAY);
    t.equal(given(book.choose(DUTCH, WEDNESDAY)), 3);
    t.equal(given(book.choose(DUTCH, WEDNESDAY)), 1);
    t.match(book.choose(DUTCH, WEDNESDAY), { is: 'nothing', opensMs: undefined });
    t.equal(given(book.choose({ languages: ['nl', 'fr'], campaigns: ['sales', 'survey'] }, WEDNESDAY)), 4);
  },
);

t.test('a due call-back goes before everything, the one that was due first before the others', async (t) => {
  const book = aBook();
  book.add(aContact(1, { priority: 0 }), WEDNESDAY);
  book.add(aContact(2, { priority: 9, isCallBack: true, readyMs: WEDNESDAY - 60_000 }), WEDNESDAY);
  book.add(aContact(3, { priority: 9, isCallBack: true, readyMs: WEDNESDAY - 90_000 }), WEDNESDAY);
  book.add(aContact(4, { isCallBack: true, readyMs: WEDNESDAY + 1 }), WEDNESDAY);
  t.same(
    [1, 2, 3].map(() => given(book.choose(DUTCH, WEDNESDAY))),
    [3, 2, 1],
  );
  t.match(book.choose(DUTCH, WEDNESDAY), { is: 'nothing', opensMs: WEDNESDAY + 1 });
});

t.test(
  'a window that is open, but not for ring and talk, gives nothing, and says when the next one opens',
  async (t) => {
    // The law on file for Turkey is the strictest set: 10 to 13 and 14 to 20 there, three hours ahead of UTC.
    const book = aBook();
    book.add(aContact(1, { place: ANKARA }), WEDNESDAY);
    const late = at('2026-03-04T09:58:31Z');
    t.match(book.choose(DUTCH, late), { is: 'nothing', opensMs: at('2026-03-04T11:00:00Z') });
    t.equal(given(book.choose(DUTCH, late - 1_000)), 1);
  },
);

t.test('own times and the campaign’s windows narrow the hours, and never widen them', async (t) => {
  const book = aBook([aCampaign({ windows: [{ days: ['wed'], from: '09:00', to: '18:00' }] })]);
  book.add(aContact(1, { times: { earliest: '17:00', latest: '23:00' } }), WEDNESDAY);
  t.match(book.choose(DUTCH, WEDNESDAY), { opensMs: at('2026-03-04T16:00:00Z') });
  t.equal(given(book.choose(DUTCH, at('2026-03-04T16:30:00Z'))), 1);
  const law = contactHours().hoursOf(aCampaign({ law: 'FR' }), BRUSSELS, {});
  t.notOk(law.stretchAt(at('2026-03-07T10:00:00Z')).isOpen, 'a French firm calls nobody on a Saturday');
});

const EVERY_DAY = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
/** Calling hours as a signed policy brings them. */
const bundled = (country: string, from: string, to: string): CallingHours => ({
  ...{ country, status: 'of the bundle', source: 'the test', closedOnHolidays: false },
  windows: [{ days: [...EVERY_DAY], from, to }],
});

t.test('a signed policy with other calling hours holds for what is chosen next, narrower and wider', async (t) => {
  let inForce = calleeHours();
  const book = aBook([aCampaign()], () => inForce);
  for (const ref of [1, 2, 3]) book.add(aContact(ref), WEDNESDAY);
  t.equal(given(book.choose(DUTCH, WEDNESDAY)), 1);
  inForce = readCalleeHours([bundled('BE', '14:00', '15:00')]);
  t.notOk(book.hasWork(DUTCH, WEDNESDAY), 'policy would refuse it: nobody is offered it, and no attempt is made of it');
  t.match(book.choose(DUTCH, WEDNESDAY), { is: 'nothing', opensMs: at('2026-03-04T13:00:00Z') });
  t.match(book.choose(DUTCH, at('2026-03-04T13:30:00Z')), { is: 'contact' });
  const night = at('2026-03-04T23:30:00Z');
  t.notOk(book.hasWork(DUTCH, night));
  inForce = readCalleeHours([bundled('BE', '00:00', '24:00')]);
  t.ok(book.hasWork(DUTCH, night), 'nor has anybody to wait for the old hours');
});

t.test('a contact is spaced, and gets no more attempts in a day or in all than its campaign allows', async (t) => {
  const book = aBook();
  book.add(aContact(1), WEDNESDAY);
  let now = WEDNESDAY;
  const tries: string[] = [];
  for (let asked = 0; asked < 10; asked += 1) {
    const choice = book.choose(DUTCH, now);
    if (choice.is === 'nothing') {
      if (choice.opensMs === undefined) break;
      now = choice.opensMs;
      continue;
    }
    tries.push(new Date(now).toISOString().slice(5, 16));
    const { attempts } = book.attempt(1, now);
    const facts = { attempts, mostAttempts: 3, spacingMs: 3_600_000 };
    book.settle(1, fateOf('no-answer', facts, now), now);
  }
  t.same(tries, ['03-04T10:00', '03-04T11:00', '03-05T09:00'], 'two a day, and the third as Belgium opens');
  t.equal(book.size, 0);
});

t.test('a callee is never called by two at once, whichever campaigns the contact is in', async (t) => {
  const book = aBook([aCampaign(), aCampaign({ id: 'sales' })]);
  book.add(aContact(1, { callee: 77 }), WEDNESDAY);
  book.add(aContact(2, { callee: 77, campaign: 'sales' }), WEDNESDAY);
  const both = { languages: ['nl'], campaigns: ['survey', 'sales'] } as const;
  const first = given(book.choose(both, WEDNESDAY));
  t.match(book.choose(both, WEDNESDAY), { is: 'nothing' });
  book.settle(first, { is: 'over' }, WEDNESDAY);
  t.not(given(book.choose(both, WEDNESDAY)), first);
});

t.test('"do not call again" holds at once in every campaign; a refusal for as long as its silence lasts', async (t) => {
  const book = aBook([aCampaign(), aCampaign({ id: 'sales' })]);
  book.add(aContact(1, { callee: 77, campaign: 'sales' }), WEDNESDAY);
  book.add(aContact(2, { callee: 78, campaign: 'sales' }), WEDNESDAY);
  book.silence(77, Number.POSITIVE_INFINITY);
  book.silence(78, WEDNESDAY + 86_400_000);
  const sales = { languages: ['nl'], campaigns: ['sales'] } as const;
  t.match(book.choose(sales, WEDNESDAY), { is: 'nothing', opensMs: WEDNESDAY + 86_400_000 });
  t.equal(given(book.choose(sales, WEDNESDAY + 86_400_000)), 2);
  t.equal(book.size, 1, 'the other is gone');
});

t.test('a lent contact is not called when its call could outlast the loan', async (t) => {
  const book = aBook();
  const lentUntilMs = WEDNESDAY + (30 + 900) * 1_000;
  book.add(aContact(1, { lentUntilMs }), WEDNESDAY);
  book.add(aContact(2, { lentUntilMs: lentUntilMs - 1 }), WEDNESDAY);
  t.equal(given(book.choose(DUTCH, WEDNESDAY)), 1);
  t.match(book.choose(DUTCH, WEDNESDAY), { is: 'nothing' });
});

t.test('"it is night here" puts the contact into its new zones', async (t) => {
  const book = aBook();
  book.add(aContact(1), WEDNESDAY);
  given(book.choose(DUTCH, WEDNESDAY));
  book.settle(1, { is: 'again', notBeforeMs: WEDNESDAY, zones: ['America/New_York'] }, WEDNESDAY);
  const choice = book.choose({ ...DUTCH }, at('2026-03-04T15:30:00Z'));
  t.match(choice, { is: 'contact', place: { country: 'BE', zones: ['America/New_York'] } });
});

t.test('campaigns that a person works for are served in turn, and none is starved by a larger one', async (t) => {
  const book = aBook([aCampaign(), aCampaign({ id: 'sales' })]);
  for (let ref = 1; ref <= 50; ref += 1) book.add(aContact(ref, { priority: 0 }), WEDNESDAY);
  for (let ref = 51; ref <= 55; ref += 1) book.add(aContact(ref, { campaign: 'sales', priority: 9 }), WEDNESDAY);
  const both = { languages: ['nl'], campaigns: ['survey', 'sales'] } as const;
  const first = Array.from({ length: 10 }, () => given(book.choose(both, WEDNESDAY)));
  t.equal(first.filter((ref) => ref > 50).length, 5);
});

interface Life {
  readonly campaign: string;
  readonly callee: number;
  attempts: number[];
  over: boolean;
  held: boolean;
}

const PLACES = [BRUSSELS, ANKARA, { country: 'RU', zones: ['Europe/Moscow', 'Asia/Vladivostok'] }];
const contacts = fc.array(
  fc.record({
    campaign: fc.constantFrom('survey', 'sales'),
    language: fc.constantFrom<Language>('nl', 'fr'),
    place: fc.constantFrom(...PLACES),
    callee: fc.integer({ min: 1, max: 30 }),
    priority: fc.nat(9),
    times: fc.constantFrom({}, { earliest: '18:00', latest: '21:00' }, { earliest: '22:00', latest: '06:00' }),
  }),
  { minLength: 1, maxLength: 40 },
);
const OUTCOMES = [
  'completed',
  'refused',
  'do-not-call',
  'no-answer',
  'answering-machine',
  'call-back',
  'not-called',
] as const;
const deeds = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('ask' as const), languages: fc.subarray<Language>(['nl', 'fr'], { minLength: 1 }) }),
    fc.record({ do: fc.constant('settle' as const), which: fc.nat(50), how: fc.constantFrom(...OUTCOMES) }),
    fc.record({ do: fc.constant('wait' as const), minutes: fc.integer({ min: 1, max: 600 }) }),
    fc.record({ do: fc.constant('policy' as const), which: fc.nat(3) }),
  ),
  { minLength: 20, maxLength: 120, size: 'max' },
);

const POLICIES = [
  calleeHours(),
  readCalleeHours([bundled('BE', '14:00', '15:00'), bundled('TR', '18:00', '23:00')]),
  readCalleeHours([bundled('RU', '00:00', '24:00')]),
  readCalleeHours([bundled('BE', '00:00', '24:00'), bundled('TR', '06:00', '07:30')]),
];

const CAMPAIGNS = [
  aCampaign({ windows: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '22:00' }] }),
  aCampaign({ id: 'sales', attempts: { most: 2, perDay: 1, spacingS: 7_200 } }),
];

t.test(
  'whoever asks in whatever order: never outside hours, over a limit, twice at once, or after a refusal',
  async (t) => {
    let chosen = 0;
    fc.assert(
      fc.property(contacts, deeds, (made, script) => {
        let inForce = calleeHours();
        const book = aBook(CAMPAIGNS, () => inForce);
        const lives = new Map<number, Life>();
        const silent = new Map<number, number>();
        let now = at('2026-03-25T06:00:00Z');
        for (const [index, part] of made.entries()) {
          book.add(aContact(index + 1, part), now);
          lives.set(index + 1, {
            campaign: part.campaign,
            callee: part.callee,
            attempts: [],
            over: false,
            held: false,
          });
        }
        const held: number[] = [];
        for (const deed of script) {
          if (deed.do === 'wait') now += deed.minutes * 60_000;
          else if (deed.do === 'policy') inForce = POLICIES[deed.which] ?? inForce;
          else if (deed.do === 'ask') {
            const choice = book.choose({ languages: deed.languages, campaigns: ['survey', 'sales'] }, now);
            if (choice.is === 'nothing') {
              if (choice.opensMs !== undefined && choice.opensMs < now) throw new Error('it opens in the past');
              continue;
            }
            chosen += 1;
            check(choice, lives, silent, now, deed.languages);
            const own = made[choice.ref - 1];
            const hours = new ContactHours(
              () => inForce,
              'Europe/Brussels',
              () => false,
            );
            const open = hours.hoursOf(choice.campaign, choice.place, own?.times ?? {}).stretchAt(now);
            if (!open.isOpen || open.to - now < 90_000) throw new Error(`contact ${choice.ref} outside its hours`);
            held.push(choice.ref);
          } else settle(book, held, deed.which, deed.how, lives, silent, now);
        }
      }),
      { numRuns: 150 },
    );
    t.ok(chosen > 200, `${chosen} contacts were chosen`);

    function check(
      { ref, campaign, attempts }: Extract<Choice, { is: 'contact' }>,
      lives: Map<number, Life>,
      silent: Map<number, number>,
      now: number,
      languages: readonly Language[],
    ): void {
      const life = lives.get(ref) as Life;
      if (languages.length === 0) throw new Error('nobody asked');
      if (life.held || [...lives.values()].some(({ held, callee }) => held && callee === life.callee))
        throw new Error('twice at once');
      if (life.over) throw new Error('after its end');
      if ((silent.get(life.callee) ?? 0) > now) throw new Error('a silenced callee');
      if (attempts >= campaign.attempts.most || life.attempts.length >= campaign.attempts.most)
        throw new Error('over its attempts');
      const last = life.attempts.at(-1);
      if (last !== undefined && now - last < campaign.attempts.spacingS * 1_000) throw new Error('not spaced');
      life.held = true;
    }

    function settle(
      book: ContactBook,
      held: number[],
      which: number,
      how: (typeof OUTCOMES)[number],
      lives: Map<number, Life>,
      silent: Map<number, number>,
      now: number,
    ): void {
      const [ref] = held.length === 0 ? [] : held.splice(which % held.length, 1);
      if (ref === undefined) return;
      const life = lives.get(ref) as Life;
      const { attempts: rules } = CAMPAIGNS.find(({ id }) => id === life.campaign) ?? aCampaign();
      if (how !== 'not-called') {
        book.attempt(ref, now);
        life.attempts.push(now);
      }
      const spacingMs = rules.spacingS * 1_000;
      const facts = {
        attempts: life.attempts.length,
        mostAttempts: rules.most,
        spacingMs,
        callBackMs: now + spacingMs,
      };
      const fate = fateOf(how, facts, now);
      if (how === 'do-not-call' || how === 'refused') {
        const untilMs = how === 'refused' ? now + 86_400_000 : Number.POSITIVE_INFINITY;
        book.silence(life.callee, untilMs);
        silent.set(life.callee, Math.max(untilMs, silent.get(life.callee) ?? 0));
      }
      life.over = fate.is === 'over';
      life.held = false;
      book.settle(ref, fate, now);
    }
  },
);

t.test('no starvation: whoever goes on asking calls every contact as often as its campaign allows', async () => {
  fc.assert(
    fc.property(contacts, (made) => {
      const book = aBook(CAMPAIGNS);
      let now = at('2026-03-25T06:00:00Z');
      const tries = new Map<number, number>();
      for (const [index, part] of made.entries()) book.add(aContact(index + 1, { ...part, times: {} }), now);
      for (let asked = 0; asked < 2_000 && book.size > 0; asked += 1) {
        const choice = book.choose({ languages: ['nl', 'fr'], campaigns: ['survey', 'sales'] }, now);
        if (choice.is === 'nothing') {
          if (choice.opensMs === undefined) break;
          now = Math.max(now + 1, choice.opensMs);
          continue;
        }
        const { attempts } = book.attempt(choice.ref, now);
        tries.set(choice.ref, attempts);
        const { most, spacingS } = choice.campaign.attempts;
        book.settle(
          choice.ref,
          fateOf('no-answer', { attempts, mostAttempts: most, spacingMs: spacingS * 1_000 }, now),
          now,
        );
        now += 30_000;
      }
      for (const [index, { campaign, place }] of made.entries()) {
        // Moscow and Vladivostok are never both within the strictest hours for long; whatever opens at all is called.
        const opens =
          place.zones.length === 1 || contactHours().hoursOf(aCampaign(), place, {}).stretchAt(now).to !== Infinity;
        const most = CAMPAIGNS.find(({ id }) => id === campaign)?.attempts.most;
        if (opens && (tries.get(index + 1) ?? 0) !== most && place.zones.length === 1)
          throw new Error(`contact ${index + 1} had ${tries.get(index + 1) ?? 0} of ${most} attempts`);
      }
    }),
    { numRuns: 60 },
  );
});
