/** Numbers that asked not to be called again: in force at once, kept, and taken off by a list alone. */
import t, { type Test } from 'tap';
import type { EventDraft } from '../../gateway/calls/ports.js';
import { type ContactMark, type ContactStore, OwnList } from '../../gateway/do-not-call/own-list.js';
import type { E164 } from '../../gateway/policy/ids.js';
import type { DoNotCallLists } from '../../gateway/policy/request.js';
import { numberTokens } from '../../gateway/uplink/number-token.js';
import { VirtualClock } from '../lines/virtual-clock.js';
import { ask, NOON, policyOf } from '../policy/sample-policy.js';
import { aFolder, aStore } from '../store/folder.js';

const CALLED = '+442079460001' as E164;
const OTHER = '+442079460002' as E164;
const tokenOf = (fill: number) => numberTokens(Buffer.alloc(32, fill).toString('base64'));
const said = { why: 'asked at the end of a call', by: 'a-101' };

function open(store: ContactStore, clock = new VirtualClock(), key = 1) {
  const faults: string[] = [];
  const list = new OwnList({ store, clock, numberToken: tokenOf(key), onFault: (code) => faults.push(code) });
  return { list, faults, clock };
}

const kept = (t: Test, folder: string) => aStore(t, { folder, clock: new VirtualClock() });

t.test('a number is refused from the next question on, and after a restart', (t) => {
  const folder = aFolder(t);
  const store = kept(t, folder);
  const { list } = open(store);
  t.equal(list.word(CALLED), undefined);
  t.equal(list.add(CALLED, said.why), true);
  t.ok(list.word(CALLED)?.neverSinceMs);
  t.equal(list.word(OTHER), undefined);
  store.close();
  const again = kept(t, folder);
  t.ok(open(again).list.word(CALLED)?.neverSinceMs);
  again.close();
  t.end();
});

t.test(
  'refusals of several numbers, by token, are silence and not for good; they are kept, and told without a number',
  (t) => {
    const folder = aFolder(t);
    const store = kept(t, folder);
    const { list, clock } = open(store);
    t.equal(list.refusedAll({ numbers: [OTHER], numberTokens: [tokenOf(1)(CALLED)], ...said }), true);
    const { epochMilliseconds } = clock.wall();
    for (const number of [CALLED, OTHER]) t.same(list.word(number), { refusedMs: epochMilliseconds });
    t.equal(list.size, 0, 'none is on the list of those who are never called again');
    const [event] = store.outbox.pending({ alarm: 0, event: 0 }, 10).map(({ body }) => JSON.parse(body));
    t.match(event, {
      type: 'balise.contact.refused',
      data: { ...said, numberTokens: [tokenOf(1)(OTHER), tokenOf(1)(CALLED)] },
    });
    t.notMatch(JSON.stringify(event), /2079460/);
    store.close();
    const again = kept(t, folder);
    t.same(open(again).list.word(CALLED), { refusedMs: epochMilliseconds }, 'after a restart too');
    again.close();
    t.end();
  },
);

t.test('headquarters may name numbers by their tokens alone, and no event has a number in clear', (t) => {
  const folder = aFolder(t);
  const store = kept(t, folder);
  const { list } = open(store);
  list.addAll({ numbers: [OTHER], numberTokens: [tokenOf(1)(CALLED)], ...said });
  t.ok(list.word(CALLED));
  t.ok(list.word(OTHER));
  t.equal(list.word('+442079460003'), undefined);
  const bodies = store.outbox.pending({ alarm: 0, event: 0 }, 10).map(({ body }) => body);
  t.equal(bodies.length, 1);
  t.notMatch(bodies.join(), /2079460/);
  t.match(bodies.join(), tokenOf(1)(OTHER));
  store.close();
  const again = kept(t, folder);
  t.ok(open(again).list.word(CALLED), 'after a restart too');
  const { list: strange, faults } = open(again, new VirtualClock(), 2);
  t.same(faults, ['dnc.token-key'], 'another key knows none of the tokens, and says so');
  t.ok(strange.word(OTHER), 'what is in clear stays known');
  again.close();
  t.end();
});

t.test(
  'a disk that fails keeps no number callable: it is in force, alarmed once, and written when the disk is back',
  (t) => {
    let isBroken = true;
    const marks: ContactMark[] = [];
    const events: EventDraft[] = [];
    const store: ContactStore = {
      contactMarks: () => [],
      addContactMarks: (more, told) => {
        if (isBroken) throw new Error('ENOSPC');
        marks.push(...more);
        events.push(...told);
      },
    };
    const { list, faults, clock } = open(store);
    t.equal(list.add(CALLED, said.why), false);
    t.equal(list.add(OTHER, said.why), false);
    t.ok(list.word(CALLED));
    clock.go(10_000);
    t.same(faults, ['dnc.not-kept']);
    isBroken = false;
    clock.go(10_000);
    t.same(
      marks.map(({ subject }) => subject),
      [CALLED, OTHER],
    );
    t.equal(events.length, 2);
    clock.go(60_000);
    t.equal(marks.length, 2, 'once');
    t.end();
  },
);

function lists(
  own: OwnList,
  lifted?: { readonly madeMs: number; readonly numbers: readonly string[] },
): DoNotCallLists {
  return {
    list: (name) =>
      name === 'lifted' && lifted !== undefined
        ? { isThere: true, madeMs: lifted.madeMs, has: (number) => lifted.numbers.includes(number) }
        : { isThere: false, why: 'it was never imported' },
    word: (number) => own.word(number),
  };
}

t.test('it refuses whatever the profile names, and only a later list named lifted takes a number off', (t) => {
  const clock = new VirtualClock();
  const store = aStore(t, { clock });
  const { list } = open(store, clock);
  const asked = (doNotCall: DoNotCallLists) => ask(policyOf({}), NOON, { facts: { doNotCall } });
  t.match(asked(lists(list)), { outcome: 'grant' });
  list.add(CALLED, said.why);
  const since = clock.wall().epochMilliseconds;
  t.match(asked(lists(list)), {
    rule: 'dnc.listed',
    fact: 'the number has asked not to be called again',
    sipStatus: 403,
  });
  t.match(
    asked(lists(list, { madeMs: since - 1, numbers: [CALLED] })),
    { rule: 'dnc.listed' },
    'it asked after the list',
  );
  t.match(asked(lists(list, { madeMs: since, numbers: [OTHER] })), { rule: 'dnc.listed' });
  t.match(asked(lists(list, { madeMs: since, numbers: [CALLED] })), { outcome: 'grant' });
  clock.go(1_000);
  list.add(CALLED, 'asked again');
  t.match(
    asked(lists(list, { madeMs: since, numbers: [CALLED] })),
    { rule: 'dnc.listed' },
    'who asks again is listed again',
  );
  store.close();
  t.end();
});

t.test('a refusal is silence for as long as the profile or the country wants, to the millisecond', (t) => {
  const own = { word: () => ({ refusedMs: NOON.epochMilliseconds }) };
  const doNotCall: DoNotCallLists = { list: () => ({ isThere: false, why: 'none' }), ...own };
  const askedAfter = (hours: number, silenceDays?: number) =>
    ask(
      policyOf({ profile: silenceDays === undefined ? {} : { silenceDays } }),
      NOON.add({ milliseconds: hours * 3_600_000 }),
      {
        facts: { doNotCall },
      },
    );
  t.match(askedAfter(1), { outcome: 'grant' }, 'where neither wants it, there is none');
  const refusal = askedAfter(1, 2);
  t.match(refusal, { rule: 'contact.refused', fact: /left alone for 2 days/ });
  if (refusal.outcome === 'refusal') t.equal(String(refusal.nextAllowed), String(NOON.add({ hours: 48 })));
  t.match(askedAfter(47.99, 2), { rule: 'contact.refused' });
  t.match(askedAfter(48, 2), { outcome: 'grant' });
  t.end();
});
