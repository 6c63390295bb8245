import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import Sqlite from 'better-sqlite3';
import fc from 'fast-check';
import t from 'tap';
import type { EventDraft } from '../../gateway/calls/ports.js';
import { canonicalJson } from '../../gateway/store/canonical.js';
import { GENESIS, hashOf } from '../../gateway/store/chain.js';
import { eventFault } from '../../scripts/headquarters/message-check.js';
import { aFolder, aStore } from './folder.js';
import { ended, instant, StillClock } from './samples.js';

const START = { alarm: 0, event: 0 };
const draft = (kind: EventDraft['kind'], n: number): EventDraft => ({ kind, type: 'balise.test', data: { n } });

t.test('of a long range that is asked for again the beginning is sent, and the answer says how far', (t) => {
  const store = aStore(t);
  store.calls.append(Array.from({ length: 10_050 }, (_, n) => ended(`c-${n}`)));
  store.outbox.acknowledge(Array.from({ length: 10_050 }, (_, n) => n + 1));
  t.match(store.outbox.resend(41, 9_007_199_254_740_991), { resent: 10_000, missing: 0, oldest: 1, through: 10_040 });
  t.equal(store.outbox.depth(), 10_000);
  t.match(store.outbox.resend(10_041, 10_045), { resent: 5, through: 10_045 });
  t.match(store.outbox.resend(20, 10), { resent: 0, missing: 0 });
  t.match(store.outbox.resend(50_000, 60_000), { resent: 0, missing: 10_000 });
  t.end();
});

t.test('each event is a CloudEvent as the schema says, linked to the one before it', (t) => {
  const store = aStore(t);
  store.calls.append([draft('event', 1), draft('alarm', 2)]);
  const [second, first] = store.outbox.pending(START, 10).map(({ body }) => JSON.parse(body));
  for (const event of [first, second]) {
    t.equal(eventFault(event), undefined);
    t.equal(hashOf(event), event.hash);
  }
  t.match(first, { sequence: 1, prevhash: GENESIS, source: 'balise/demo/gw-1', bootid: 'boot-1', data: { n: 1 } });
  t.match(second, { sequence: 2, prevhash: first.hash, kind: 'alarm', time: '2026-03-02T10:00:00.000Z' });
  t.match(first.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.end();
});

t.test('alarms are given before events, each in order, beyond the cursor, and no more than asked for', (t) => {
  const store = aStore(t);
  store.calls.append((['event', 'event', 'alarm', 'event', 'alarm'] as const).map(draft));
  const asked = (after: typeof START, limit: number) =>
    store.outbox.pending(after, limit).map(({ sequence }) => sequence);
  t.same(asked(START, 10), [3, 5, 1, 2, 4]);
  t.same(asked(START, 3), [3, 5, 1]);
  t.same(asked({ alarm: 3, event: 1 }, 10), [5, 2, 4]);
  store.outbox.acknowledge([1, 5]);
  t.same(asked(START, 10), [3, 2, 4]);
  t.equal(store.outbox.depth(), 3);
  t.end();
});

t.test('the sequence goes on where it was after a restart, also when all was pruned', (t) => {
  const folder = aFolder(t);
  const clock = new StillClock();
  const store = aStore(t, { folder, clock });
  store.calls.append([draft('event', 1), draft('event', 2), draft('event', 3)]);
  store.outbox.acknowledge([1, 2, 3]);
  clock.set('2026-04-02T10:00:00Z');
  t.equal(store.prune(), 2, 'the last one stays, for the next to be linked to');
  store.close();
  const again = aStore(t, { folder, clock });
  again.calls.append([draft('event', 4)]);
  t.same(
    again.outbox.pending(START, 10).map(({ sequence }) => sequence),
    [4],
  );
  t.same(again.verifyChain(), { whole: true, from: 3, to: 4 });
  t.end();
});

t.test('only a beginning of the chain is pruned: what waits keeps what is behind it', (t) => {
  const clock = new StillClock();
  const store = aStore(t, { clock });
  store.calls.append((['event', 'event', 'alarm', 'event'] as const).map(draft));
  store.outbox.acknowledge([1, 3, 4]);
  clock.set('2026-04-02T10:00:00Z');
  t.equal(store.prune(), 1);
  t.same(store.verifyChain(), { whole: true, from: 2, to: 4 });
  t.end();
});

t.test('a range is sent again when headquarters asks, and what is gone is counted', (t) => {
  const clock = new StillClock();
  const store = aStore(t, { clock });
  store.calls.append([1, 2, 3, 4, 5].map((n) => draft('event', n)));
  store.outbox.acknowledge([1, 2, 3, 4, 5]);
  t.equal(store.outbox.depth(), 0);
  t.same(store.outbox.resend(2, 3), { resent: 2, missing: 0, oldest: 1, through: 3 });
  t.equal(store.outbox.depth(), 2);
  t.same(
    store.outbox.pending(START, 10).map(({ sequence }) => sequence),
    [2, 3],
  );
  t.same(store.outbox.resend(4, 9), { resent: 2, missing: 4, oldest: 1, through: 9 });
  t.end();
});

t.test('a command is taken once, also after a restart', (t) => {
  const folder = aFolder(t);
  const store = aStore(t, { folder });
  const until = instant('2026-03-03T10:00:00Z');
  t.ok(store.outbox.takeCommand('c-1', until));
  t.notOk(store.outbox.takeCommand('c-1', until));
  store.close();
  t.notOk(aStore(t, { folder }).outbox.takeCommand('c-1', until));
  t.end();
});

t.test('whoever changes, removes or exchanges events is found out, and where', (t) => {
  const deeds: readonly [string, object][] = [
    ['UPDATE event SET body = replace(body, \'"n":30\', \'"n":31\')', { sequence: 30, broken: 'content' }],
    ['DELETE FROM event WHERE sequence = 30', { sequence: 30, broken: 'gap' }],
    [
      'UPDATE event SET body = (SELECT body FROM event WHERE sequence = 31) WHERE sequence = 30',
      { sequence: 30, broken: 'gap' },
    ],
    ["UPDATE event SET body = 'x' WHERE sequence = 30", { sequence: 30, broken: 'unreadable' }],
  ];
  for (const [deed, found] of deeds) {
    const folder = aFolder(t);
    const store = aStore(t, { folder });
    store.calls.append(Array.from({ length: 60 }, (_, index) => draft('event', index + 1)));
    t.same(store.verifyChain(), { whole: true, from: 1, to: 60 });
    t.same(store.verifyChain(31), { whole: true, from: 31, to: 60 });
    const other = new Sqlite(`${folder}/balise.sqlite`);
    other.exec(deed);
    other.close();
    t.same(store.verifyChain(), { whole: false, ...found }, deed);
    store.close();
    const before = readFileSync(`${folder}/balise.sqlite`);
    t.throws(() => aStore(t, { folder }), { name: 'StoreFault', code: 'store.chain-broken', exitCode: 78 });
    t.same(readFileSync(`${folder}/balise.sqlite`), before, 'and the file is left as it is');
  }
  t.end();
});

t.test('canonical JSON is one text for one value, whatever the order of its members', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      const back: unknown = JSON.parse(text);
      const isSame = isDeepStrictEqual(back, JSON.parse(JSON.stringify(value)));
      return isSame && canonicalJson(back) === text && canonicalJson(shuffled(back)) === text;
    }),
    { numRuns: 300 },
  );
  t.equal(canonicalJson({ b: 1n, a: undefined, c: Number.NaN }), '{"b":"1","c":null}');
  t.equal(
    canonicalJson({ '€': 1, '\r': 2, '1': 3, ö: 4, '😀': 5 }),
    '{"\\r":2,"1":3,"ö":4,"€":1,"😀":5}',
    'RFC 8785 §3.2.3',
  );
  t.end();
});

function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, shuffled(member)]),
  );
}
