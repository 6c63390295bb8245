import t from 'tap';
import type { Temporal } from 'temporal-polyfill';
import { wingId } from '../../gateway/policy/ids.js';
import type { Store } from '../../gateway/store/store.js';
import { aFolder, aStore } from './folder.js';
import {
  A101,
  aDeadline,
  aDialog,
  aGrant,
  aRecord,
  aRequest,
  CALLEE,
  callNumber,
  committed,
  ended,
  ignore,
  instant,
  number,
  StillClock,
} from './samples.js';

const AT = instant('2026-03-02T10:00:00.123456789Z');
const DAY = instant('2026-03-01T23:00:00Z');

function usageOf(store: Store, handset: string, number: string | undefined, since: Temporal.Instant) {
  const used = (kind: 'handset' | 'number', id: string) => store.calls.used({ kind, id }, since.epochMilliseconds);
  return { handset: used('handset', handset), number: used('number', number ?? '') };
}

t.test('an open call comes back from the disk as it was, to the nanosecond', async (t) => {
  const folder = aFolder(t);
  const store = aStore(t, { folder });
  const call = callNumber(1);
  const [request, grant, deadline] = [aRequest(call, AT), aGrant(AT), aDeadline(AT.add({ minutes: 30 }))];
  store.calls.open(request, grant);
  store.calls.saveDialogs(call, [{ ...aDialog('trunk', 'x'), state: 'early', remoteTag: '' }]);
  t.same(
    store.calls.openCalls().map(({ dialogs }) => dialogs.map(({ state }) => state)),
    [['early']],
  );
  const dialogs = [aDialog('handset', 'y'), aDialog('trunk', 'x')];
  await committed(store, call, AT.add({ seconds: 5 }), deadline, dialogs);
  store.close();

  const [open] = aStore(t, { folder }).calls.openCalls();
  t.same(open?.request, { ...request, at: open?.request.at });
  t.ok(open?.request.at.equals(AT));
  t.ok(open?.grant.notAfter.equals(grant.notAfter));
  t.same({ ...open?.grant, notAfter: 0 }, { ...grant, notAfter: 0 });
  t.ok(open?.answeredAt?.equals(AT.add({ seconds: 5 })));
  t.equal(open?.deadline?.monotonicNs, deadline.monotonicNs);
  t.ok(open?.deadline?.wall.equals(deadline.wall));
  t.equal(open?.deadline?.bootId, 'boot-1');
  t.same(open?.dialogs, dialogs);
});

t.test('a deadline for a call that was never opened is refused: a restart would forget it', (t) => {
  const store = aStore(t);
  const done = () => t.fail('who was thrown at is not called back');
  t.throws(() => store.calls.commitDeadline(callNumber(1), AT, aDeadline(AT), [aDialog('trunk', 'x')], done));
  store.calls.open(aRequest(callNumber(1), AT), aGrant(AT));
  t.same(store.calls.openCalls()[0]?.dialogs, [], 'and nothing of it was kept');
  t.end();
});

t.test('a record closes the call, counts it, and brings its events, all at once', (t) => {
  const store = aStore(t);
  const call = callNumber(1);
  store.calls.open(aRequest(call, AT), aGrant(AT));
  store.calls.record(aRecord(call, AT), [ended(call)]);
  t.same(store.calls.openCalls(), []);
  t.equal(store.outbox.depth(), 1);
  const { handset, number } = usageOf(store, A101, CALLEE, DAY);
  for (const used of [handset, number]) {
    t.match(used, { attempts: 1, calls: 1, talkMs: 60_000, live: 0 });
    t.equal(used.lastEndedAt?.epochMilliseconds, AT.add({ seconds: 65 }).epochMilliseconds + 1, 'rounded up');
  }
  t.end();
});

t.test('a call recorded twice is recorded once, with its events once', (t) => {
  const store = aStore(t);
  for (let time = 0; time < 2; time += 1) store.calls.record(aRecord(callNumber(1), AT), [ended(callNumber(1))]);
  t.equal(store.outbox.depth(), 1);
  t.equal(usageOf(store, A101, CALLEE, DAY).handset.calls, 1);
  t.end();
});

t.test('when the events cannot be written, neither is the record', (t) => {
  const store = aStore(t);
  const call = callNumber(1);
  store.calls.open(aRequest(call, AT), aGrant(AT));
  const unwritable = {
    kind: 'event' as const,
    type: 'balise.call.ended',
    get data(): Record<string, unknown> {
      throw new Error('no');
    },
  };
  t.throws(() => store.calls.record(aRecord(call, AT), [ended(call), unwritable]));
  t.equal(store.calls.openCalls().length, 1);
  t.equal(store.outbox.depth(), 0);
  t.equal(store.outbox.pending({ alarm: 0, event: 0 }, 10).length, 0);
  t.equal(usageOf(store, A101, CALLEE, DAY).handset.live, 1);
  t.end();
});

t.test('a call in progress counts with its whole lease: what the grant allows, then what the deadline leaves', (t) => {
  const store = aStore(t);
  const call = callNumber(1);
  store.calls.open(aRequest(call, AT), aGrant(AT));
  const before = usageOf(store, A101, CALLEE, DAY);
  t.match(before.handset, { attempts: 1, calls: 1, talkMs: 1_800_000, live: 1 });
  t.match(before.number, { attempts: 1, talkMs: 1_800_000, live: 1 });
  store.calls.commitDeadline(call, AT, aDeadline(AT.add({ minutes: 10 })), [], ignore);
  t.equal(usageOf(store, A101, CALLEE, DAY).handset.talkMs, 600_000);
  const tomorrow = DAY.add({ hours: 24 });
  t.equal(usageOf(store, A101, CALLEE, tomorrow).handset.live, 1, 'whichever day it began in');
  t.end();
});

t.test('a grant that a window bounds counts to the end of the window before the answer', (t) => {
  const store = aStore(t);
  store.calls.open(aRequest(callNumber(1), AT), { ...aGrant(AT), notAfter: AT.add({ minutes: 3 }) });
  t.equal(usageOf(store, A101, undefined, DAY).handset.talkMs, 180_000);
  t.end();
});

t.test('refusals use up nothing, and do not begin a gap', (t) => {
  const store = aStore(t);
  const { answeredAt: _, trunk: __, ...refused } = aRecord(callNumber(1), AT, { cause: 'refused', talkMs: 0 });
  store.calls.record(refused, [ended(callNumber(1))]);
  const { handset, number } = usageOf(store, A101, CALLEE, DAY);
  t.same(handset, { attempts: 0, calls: 0, talkMs: 0, live: 0, liveTalkMs: 0 });
  t.same(number, handset);
  t.end();
});

t.test('an attempt that was not answered counts as an attempt and as no call', (t) => {
  const store = aStore(t);
  const { answeredAt: _, ...busy } = aRecord(callNumber(1), AT, { cause: 'busy', talkMs: 0 });
  store.calls.record(busy, []);
  t.match(usageOf(store, A101, CALLEE, DAY).number, { attempts: 1, calls: 0, talkMs: 0 });
  t.end();
});

t.test('a call that a crash ended counts as an attempt, because its INVITE may have gone out', (t) => {
  const store = aStore(t);
  const call = callNumber(1);
  store.calls.open(aRequest(call, AT), aGrant(AT));
  const { answeredAt: _, trunk: __, number: ___, ...crashed } = aRecord(call, AT, { cause: 'gateway-restarted' });
  store.calls.record({ ...crashed, talkMs: 0 }, []);
  t.equal(usageOf(store, A101, CALLEE, DAY).number.attempts, 1, 'and by the number of its grant');
  t.end();
});

t.test('yesterday does not count today, and the last end is remembered across days', (t) => {
  const store = aStore(t);
  store.calls.record(aRecord(callNumber(1), DAY.subtract({ milliseconds: 1 })), []);
  const other = number('+442079460002');
  store.calls.record(aRecord(callNumber(2), DAY, { number: other }), []);
  const used = usageOf(store, A101, CALLEE, DAY);
  t.equal(used.handset.attempts, 1);
  t.equal(used.number.attempts, 0);
  t.ok(used.number.lastEndedAt);
  t.end();
});

t.test('lockdowns outlive the process, end on their instant, and are lifted by their exact target', (t) => {
  const folder = aFolder(t);
  const clock = new StillClock();
  const store = aStore(t, { folder, clock });
  const from = clock.wall();
  const wing = { kind: 'wing' as const, wing: wingId('a') };
  const order = { from, reason: 'search', target: wing };
  store.calls.setLockdown('1', { ...order, until: from.add({ seconds: 10 }) }, [ended('x')]);
  store.calls.setLockdown('2', order, []);
  store.calls.setLockdown('3', { ...order, target: { kind: 'handset', handset: A101 } }, []);
  store.close();

  const again = aStore(t, { folder, clock });
  t.equal(again.calls.lockdowns().length, 3);
  clock.add(9_999);
  t.equal(again.calls.lockdowns().length, 3);
  clock.add(1);
  t.equal(again.calls.lockdowns().length, 2);
  again.calls.releaseLockdown({ kind: 'site' }, []);
  t.equal(again.calls.lockdowns().length, 2, 'a release of the site does not lift that of a wing');
  again.calls.releaseLockdown(wing, [ended('y')]);
  t.match(again.calls.lockdowns(), [{ target: { kind: 'handset', handset: A101 }, reason: 'search' }]);
  t.equal(again.outbox.depth(), 2);
  t.end();
});

t.test('a wrong clock does not forget a lockdown for good', (t) => {
  const clock = new StillClock();
  const store = aStore(t, { clock });
  const until = clock.wall().add({ hours: 1 });
  store.calls.setLockdown('1', { target: { kind: 'site' }, from: clock.wall(), until, reason: 'r' }, []);
  clock.set('2030-01-01T00:00:00Z');
  clock.trusted = { trusted: false, why: 'it stepped' };
  store.prune();
  clock.set('2026-03-02T10:30:00Z');
  t.equal(store.calls.lockdowns().length, 1);
  t.end();
});

t.test('the newest instant on disk only rises, survives a restart, and ignores a clock that is not believed', (t) => {
  const folder = aFolder(t);
  const clock = new StillClock();
  const store = aStore(t, { folder, clock });
  t.equal(store.calls.newestInstant(), undefined);
  store.calls.append([ended('x')]);
  clock.set('2026-03-02T09:00:00Z');
  store.calls.append([ended('y')]);
  t.equal(store.calls.newestInstant()?.toString(), '2026-03-02T10:00:00Z');
  clock.set('2031-01-01T00:00:00Z');
  clock.trusted = { trusted: false, why: 'it stepped' };
  store.calls.append([ended('z')]);
  t.equal(store.calls.newestInstant()?.toString(), '2026-03-02T10:00:00Z');
  store.close();
  t.equal(aStore(t, { folder, clock }).calls.newestInstant()?.toString(), '2026-03-02T10:00:00Z');
  t.end();
});

t.test('near its limit the store has no room for new calls, and still takes records', (t) => {
  const store = aStore(t, { limitBytes: 400_000 });
  t.ok(store.calls.hasRoom());
  const big: { kind: 'event'; type: string; data: { text: string } } = {
    kind: 'event',
    type: 'balise.test',
    data: { text: 'x'.repeat(20_000) },
  };
  for (let time = 0; time < 18; time += 1) store.calls.append([big]);
  t.notOk(store.calls.hasRoom());
  t.doesNotThrow(() => store.calls.record(aRecord(callNumber(1), AT), [ended('x')]));
  t.equal(store.prune(), 0, 'what headquarters has not confirmed is never dropped');
  store.outbox.acknowledge(Array.from({ length: 18 }, (_, index) => index + 1));
  t.equal(store.prune(), 18, 'what it has is, when room is short');
  t.ok(store.calls.hasRoom());
  t.end();
});
