import t from 'tap';
import type { Judged } from '../../gateway/policy/explain.js';
import { aFolder, aStore } from './folder.js';
import { aRecord, callNumber, instant, StillClock } from './samples.js';

const AT = instant('2026-03-02T10:00:00Z');
const JUDGED: readonly Judged[] = [
  { rule: 'clock.untrusted', verdict: 'passes', facts: [] },
  { rule: 'window.callee', verdict: 'passes', facts: [{ is: 'open', now: '10:00', until: '12:00' }] },
  { rule: 'number.not-sanctioned', verdict: 'refuses', facts: [{ is: 'not-sanctioned' }] },
];
const refused = (index: number) => aRecord(callNumber(index), AT, { cause: 'refused', rule: 'number.not-sanctioned' });

t.test('how every rule stood at a refusal is there after a restart, word for word', (t) => {
  const folder = aFolder(t);
  const before = aStore(t, { folder });
  before.calls.record(refused(1), []);
  before.whys.keep(callNumber(1), { judged: JUDGED });
  before.close();
  const store = aStore(t, { folder });
  t.same(store.whys.of(callNumber(1)), JUDGED);
  t.equal(store.whys.of(callNumber(2)), undefined);
  t.end();
});

t.test('it goes when the ledger forgets the refusal, and not before', (t) => {
  const clock = new StillClock();
  const store = aStore(t, { clock, keepLedgerMs: 86_400_000 });
  store.calls.record(refused(1), []);
  store.whys.keep(callNumber(1), { judged: JUDGED });
  store.prune();
  t.same(store.whys.of(callNumber(1)), JUDGED);
  clock.add(86_400_000 * 3);
  store.prune();
  t.equal(store.history.call(callNumber(1)), undefined);
  t.equal(store.whys.of(callNumber(1)), undefined);
  t.end();
});

t.test('nothing is kept of a call that is on no record: nothing would ever forget it', (t) => {
  const store = aStore(t);
  store.whys.keep(callNumber(1), { judged: JUDGED });
  t.equal(store.whys.of(callNumber(1)), undefined);
  t.end();
});

t.test('while room is short it is let go, and the refusal itself is not', (t) => {
  const store = aStore(t, { limitBytes: 300_000 });
  while (!store.roomLeft().isShort)
    store.calls.append([{ kind: 'event', type: 'x', data: { filler: 'x'.repeat(2_000) } }]);
  store.calls.record(refused(1), []);
  store.whys.keep(callNumber(1), { judged: JUDGED });
  t.equal(store.whys.of(callNumber(1)), undefined);
  t.match(store.history.call(callNumber(1)), { cause: 'refused' });
  t.end();
});
