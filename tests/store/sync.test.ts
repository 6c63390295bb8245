/** Records and deadlines are one fsync for all that wait for it, it holds nobody up, and nothing leaves the outbox before it. */
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import t from 'tap';
import type { EventDraft } from '../../gateway/calls/ports.js';
import { callId } from '../../gateway/policy/ids.js';
import { VirtualClock } from '../lines/virtual-clock.js';
import { aFolder, aStore } from './folder.js';
import { aDeadline, aDialog, aGrant, aRecord, aRequest } from './samples.js';

const START = { alarm: 0, event: 0 };
const event = (n: number): EventDraft => ({ kind: 'event', type: 'balise.call.ended', data: { n } });

/** A store on a clock of the test's whose fsyncs are done when the test says so, and ways to call and record there. */
function open(t: Parameters<typeof aStore>[0]) {
  const clock = new VirtualClock();
  const folder = aFolder(t);
  const begun: ((fault: Error | null) => void)[] = [];
  let heard: () => void = () => undefined;
  const store = aStore(t, {
    clock,
    folder,
    syncFile: (_file, done) => {
      begun.push(done);
      heard();
    },
  });
  let told = 0;
  store.onAppended(() => {
    told += 1;
  });
  const call = (n: number) => {
    const id = callId(`call-${n}`);
    store.calls.open(aRequest(id, clock.wall()), aGrant(clock.wall()));
    return id;
  };
  return {
    ...{ clock, folder, store },
    record: (n: number) => store.calls.record(aRecord(call(n), clock.wall()), [event(n)]),
    /** What becomes of a commit of a call's deadline: undefined while it waits. */
    commit: (n: number) => {
      const became: { is?: 'durable' | Error } = {};
      const deadline = aDeadline(clock.wall().add({ minutes: 5 }));
      store.calls.commitDeadline(call(n), clock.wall(), deadline, [aDialog('trunk', `${n}`)], (fault) => {
        became.is = fault ?? 'durable';
      });
      return became;
    },
    waiting: () => store.outbox.pending(START, 100).map(({ sequence }) => sequence),
    told: () => told,
    /** Fsyncs under way. */
    syncs: () => begun.length,
    /** Settles once one is under way. */
    begins: async () => {
      if (begun.length > 0) return;
      await new Promise<void>((resolve) => {
        heard = resolve;
      });
    },
    done: (fault: Error | null = null) => begun.shift()?.(fault),
  };
}

t.test('records of one moment are told together, once one fsync has taken them all, which begins within 25 ms', (t) => {
  const s = open(t);
  for (let n = 1; n <= 20; n += 1) s.record(n);
  s.clock.go(24);
  t.equal(s.syncs(), 0);
  s.clock.go(1);
  t.equal(s.syncs(), 1);
  t.same([s.told(), s.waiting()], [0, []], 'a power cut could still undo them');
  s.done();
  t.equal(s.told(), 1, 'once for all');
  t.equal(s.waiting().length, 20);
  s.clock.go(60_000);
  t.same([s.told(), s.syncs()], [1, 0], 'and never again');
  t.end();
});

t.test(
  'a deadline is durable once an fsync that began after it is over, and those of one moment share it',
  async (t) => {
    const s = open(t);
    const [first, second] = [s.commit(1), s.commit(2)];
    t.equal(s.syncs(), 0, 'nobody waits for the disk');
    await s.begins();
    const late = s.commit(3);
    t.same([first.is, second.is, s.syncs()], [undefined, undefined, 1]);
    s.done();
    t.same([first.is, second.is], ['durable', 'durable']);
    t.equal(late.is, undefined, 'one that was written meanwhile is not believed to have been taken along');
    t.equal(s.syncs(), 1, 'it has the next, which begins at once');
    s.done();
    t.equal(late.is, 'durable');
    t.equal(s.syncs(), 0);
  },
);

t.test('an fsync for a deadline takes the records before it along, and none that came after it began', async (t) => {
  const s = open(t);
  s.record(1);
  s.commit(2);
  await s.begins();
  s.record(3);
  s.done();
  t.same(s.waiting(), [1]);
  s.clock.go(25);
  s.done();
  t.same(s.waiting(), [1, 2]);
});

const FAULT = 'balise.alarm.store.fault';

/** Somebody else who reads the store and keeps its log from being renewed; returns what ends it. */
function reader(t: Parameters<typeof aStore>[0], folder: string): () => void {
  const db = new Sqlite(join(folder, 'balise.sqlite'), { readonly: true });
  t.teardown(() => db.close());
  db.exec('BEGIN');
  db.prepare('SELECT count(*) FROM event').get();
  return () => db.exec('COMMIT');
}

t.test(
  'where the disk does not take it, the deadline is not durable and records are held back until it does',
  async (t) => {
    const s = open(t);
    s.store.calls.append([event(0)]);
    s.record(1);
    const call = s.commit(2);
    await s.begins();
    s.done(new Error('EIO'));
    t.match(call.is, { message: 'EIO' });
    t.same(s.waiting(), [1]);
    t.equal(s.store.calls.hasRoom(), false, 'and no call is taken meanwhile');
    s.clock.go(999);
    t.same([s.waiting(), s.store.calls.hasRoom()], [[1], false]);
    s.clock.go(1);
    t.same(s.waiting(), [3, 1, 2], 'a second later the log is renewed, and an alarm says what was');
    t.equal(s.store.calls.hasRoom(), true);
    t.equal(s.syncs(), 0, 'by another way than one more fsync of the same');
    t.match(s.store.history.events(undefined, 1)[0]?.body, new RegExp(`EIO.*${FAULT}`));
  },
);

t.test(
  'after an fsync that failed no later one is believed, of ours or of SQLite, before the log is renewed',
  async (t) => {
    const s = open(t);
    s.record(1);
    s.clock.go(25);
    const end = reader(t, s.folder);
    s.record(2);
    s.done(new Error('EIO'));
    s.clock.go(1_000);
    t.same([s.syncs(), s.waiting()], [0, []], 'no other is asked for');
    const alarm: EventDraft = { kind: 'alarm', type: 'balise.alarm.test', data: {} };
    t.throws(() => s.store.calls.append([alarm]), /another program is reading/, 'what must be on the disk is refused');
    t.throws(() => s.store.outbox.takeCommand('c-1', s.clock.wall()), /another program is reading/);
    const call = s.commit(3);
    await new Promise<void>((resolve) => setImmediate(resolve));
    t.match(call.is, { message: /another program is reading/ });
    t.same([s.store.calls.hasRoom(), s.store.roomLeft().hasRoom, s.waiting()], [false, false, []]);
    t.match(s.store.verifyChain(), { whole: true, to: 2 }, 'records of calls that are up are written all the same');
    end();
    s.store.calls.append([alarm]);
    t.same([s.store.calls.hasRoom(), s.waiting()], [true, [3, 4, 1, 2]], 'then all of it is there, and told');
  },
);

t.test('a process that is started after an fsync that failed believes the disk no more than the one before', (t) => {
  const s = open(t);
  s.record(1);
  s.clock.go(25);
  const end = reader(t, s.folder);
  s.done(new Error('EIO'));
  t.throws(() => s.store.close(), /another program is reading/);
  const next = aStore(t, { clock: s.clock, folder: s.folder });
  const waiting = () => next.outbox.pending(START, 10).map(({ sequence }) => sequence);
  t.same([next.calls.hasRoom(), waiting()], [false, []]);
  end();
  s.clock.go(1_000);
  t.same([next.calls.hasRoom(), waiting()], [true, [2, 1]]);
  next.close();
  t.equal(aStore(t, { clock: s.clock, folder: s.folder }).calls.hasRoom(), true, 'and then it is over');
  t.end();
});

t.test('a log that reads back as something else than was written is not believed', (t) => {
  const s = open(t);
  s.record(1);
  s.clock.go(25);
  const log = openSync(join(s.folder, 'balise.sqlite-wal'), 'r+');
  t.teardown(() => closeSync(log));
  const { size } = fstatSync(log);
  const last = Buffer.alloc(1);
  readSync(log, last, 0, 1, size - 1);
  const put = (byte: number): number => writeSync(log, Buffer.from([byte]), 0, 1, size - 1);
  put((last[0] ?? 0) ^ 1);
  s.done(new Error('EIO'));
  s.clock.go(1_000);
  t.same([s.store.calls.hasRoom(), s.waiting()], [false, []]);
  put(last[0] ?? 0);
  s.clock.go(1_000);
  t.same([s.store.calls.hasRoom(), s.waiting()], [true, [2, 1]]);
  t.end();
});

t.test('a disk that did not take a transaction of SQLite is believed no more than one that did not take ours', (t) => {
  const s = open(t);
  const fault = Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_FSYNC' });
  const failing = () =>
    s.store.inOneTransaction(() => {
      throw fault;
    });
  t.throws(failing, fault);
  t.equal(s.store.calls.hasRoom(), false);
  s.record(1);
  s.clock.go(1_000);
  t.same([s.store.calls.hasRoom(), s.waiting()], [true, [2, 1]]);
  t.match(s.store.history.events(undefined, 1)[0]?.body, new RegExp(FAULT));
  t.end();
});

t.test('whatever SQLite takes past fsync, an alarm, takes the records and deadlines before it along', (t) => {
  const s = open(t);
  s.record(1);
  const call = s.commit(2);
  s.store.calls.append([{ kind: 'alarm', type: 'balise.alarm.test', data: {} }]);
  t.equal(call.is, 'durable');
  t.same(s.waiting(), [2, 1], 'the alarm first');
  const before = s.told();
  s.clock.go(1_000);
  t.same([s.told(), s.syncs()], [before, 0]);
  t.end();
});

t.test('events of a transaction that was taken back leave no trace in what is past fsync', (t) => {
  const s = open(t);
  t.throws(() =>
    s.store.inOneTransaction(() => {
      s.store.calls.append([event(1), event(2)]);
      throw new Error('taken back');
    }),
  );
  s.record(1);
  t.same(s.waiting(), [], 'the first event that there is waits for its fsync');
  s.clock.go(25);
  s.done();
  t.same(s.waiting(), [1]);
  t.match(s.store.verifyChain(), { whole: true, to: 1 });
  t.end();
});

t.test('a store that is closed in order leaves nothing to a power cut, and its successor gives all', (t) => {
  const s = open(t);
  s.record(1);
  const call = s.commit(2);
  s.store.close();
  t.equal(call.is, 'durable');
  t.equal(s.told(), 1);
  const next = aStore(t, { clock: s.clock, folder: s.folder });
  t.same(
    next.outbox.pending(START, 10).map(({ sequence }) => sequence),
    [1],
  );
  t.end();
});

t.test('on a real disk a deadline becomes durable by itself', async (t) => {
  const store = aStore(t, { clock: new VirtualClock() });
  const [at, id] = [new VirtualClock().wall(), callId('call-1')];
  store.calls.open(aRequest(id, at), aGrant(at));
  await new Promise<void>((resolve, reject) => {
    const done = (fault?: Error): void => (fault === undefined ? resolve() : reject(fault));
    store.calls.commitDeadline(id, at, aDeadline(at), [aDialog('handset', 'x')], done);
  });
  t.ok(store.calls.openCalls()[0]?.deadline);
});
