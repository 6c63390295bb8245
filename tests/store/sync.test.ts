/** Records are one fsync for all of them, and nothing leaves the outbox before it is past one. */
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import t from 'tap';
import type { EventDraft } from '../../gateway/calls/ports.js';
import { callId } from '../../gateway/policy/ids.js';
import { VirtualClock } from '../lines/virtual-clock.js';
import { aFolder, aStore } from './folder.js';
import { aGrant, aRecord, aRequest } from './samples.js';

const START = { alarm: 0, event: 0 };
const event = (n: number): EventDraft => ({ kind: 'event', type: 'balise.call.ended', data: { n } });

/** A store on a clock of the test's, and a way to record a call there. */
function open(t: Parameters<typeof aStore>[0]) {
  const clock = new VirtualClock();
  const folder = aFolder(t);
  const store = aStore(t, { clock, folder });
  let told = 0;
  store.onAppended(() => {
    told += 1;
  });
  const record = (n: number) => {
    const call = callId(`call-${n}`);
    store.calls.open(aRequest(call, clock.wall()), aGrant(clock.wall()));
    store.calls.record(aRecord(call, clock.wall()), [event(n)]);
  };
  const waiting = () => store.outbox.pending(START, 100).map(({ sequence }) => sequence);
  return { clock, folder, store, record, waiting, told: () => told };
}

t.test('records of one moment are told together, within 25 ms', (t) => {
  const s = open(t);
  for (let n = 1; n <= 20; n += 1) s.record(n);
  t.equal(s.told(), 0, 'a power cut could still undo them');
  s.clock.go(24);
  t.equal(s.told(), 0);
  s.clock.go(1);
  t.equal(s.told(), 1, 'once for all');
  t.equal(s.waiting().length, 20);
  s.clock.go(60_000);
  t.equal(s.told(), 1, 'and never again');
  t.end();
});

t.test('whatever is past fsync takes the records before it along: an alarm, a deadline', (t) => {
  const s = open(t);
  s.record(1);
  s.store.calls.append([{ kind: 'alarm', type: 'balise.alarm.test', data: {} }]);
  t.ok(s.told() > 0);
  const before = s.told();
  s.clock.go(1_000);
  t.equal(s.told(), before);
  t.same(s.waiting(), [2, 1], 'the alarm first');
  t.end();
});

t.test('who asks the outbox is given everything, past fsync by then', (t) => {
  const s = open(t);
  s.record(1);
  t.same(s.waiting(), [1]);
  t.equal(s.told(), 1);
  t.end();
});

t.test('while the disk takes nothing, what was past fsync is given, and the rest once it is', (t) => {
  const s = open(t);
  s.store.calls.append([event(0)]);
  s.record(1);
  const other = new Sqlite(join(s.folder, 'balise.sqlite'));
  other.exec('BEGIN IMMEDIATE');
  t.same(s.waiting(), [1], 'the record is held back');
  other.exec('ROLLBACK');
  other.close();
  s.clock.go(1_000);
  t.same(s.waiting(), [1, 2]);
  t.end();
});

t.test('a store that is closed in order leaves nothing to a power cut, and its successor gives all', (t) => {
  const s = open(t);
  s.record(1);
  s.store.close();
  t.equal(s.told(), 1);
  const next = aStore(t, { clock: s.clock, folder: s.folder });
  t.same(
    next.outbox.pending(START, 10).map(({ sequence }) => sequence),
    [1],
  );
  t.end();
});
