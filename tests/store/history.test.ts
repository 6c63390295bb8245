import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import t from 'tap';
import { handsetId } from '../../gateway/policy/ids.js';
import { DATABASE_FILE } from '../../gateway/store/open.js';
import { aFolder, aStore } from './folder.js';
import { aRecord, callNumber, ended, instant } from './samples.js';

/** The tables and indexes of a store of version 2. */
const VERSION_2 = [
  ...['meta', 'journal', 'dialog', 'ledger', 'lockdown', 'event', 'command', 'event_pending'],
  ...['journal_handset', 'journal_number', 'ledger_call', 'ledger_handset', 'ledger_number', 'ledger_person'],
  ...['ledger_handset_end', 'ledger_number_end', 'ledger_person_end'],
];
const AT = instant('2026-03-02T10:00:00Z');

t.test('ended calls are read newest first, by handset, outcome and time, page by page', async (t) => {
  const store = aStore(t);
  for (let index = 0; index < 10; index += 1) {
    const at = AT.add({ minutes: index });
    const handset = handsetId(index % 2 === 0 ? 'a-101' : 'a-102');
    const refusal = index === 3 ? { cause: 'refused' as const, rule: 'number.class' as const } : {};
    const unanswered = index >= 8 ? { cause: 'no-answer' as const } : {};
    const { answeredAt, ...record } = aRecord(callNumber(index), at, { handset, ...refusal, ...unanswered });
    const isAnswered = index !== 3 && index < 8;
    const alarm = { kind: 'alarm' as const, type: 'balise.alarm.x', data: {} };
    store.calls.record({ ...record, ...(isAnswered && answeredAt && { answeredAt }) }, [
      alarm,
      ended(callNumber(index)),
    ]);
  }
  const callsOf = (query: object) =>
    store.history.calls({ limit: 100, ...query }).map(({ call }) => Number(call.slice(-2)));
  t.same(callsOf({}), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  t.same(callsOf({ handset: 'a-101' }), [8, 6, 4, 2, 0]);
  t.same(callsOf({ outcome: 'answered' }), [7, 6, 5, 4, 2, 1, 0]);
  t.same(callsOf({ outcome: 'unanswered' }), [9, 8]);
  t.same(callsOf({ outcome: 'refused' }), [3]);
  t.same(callsOf({ outcome: 'no-answer', handset: 'a-102' }), [9]);
  t.same(callsOf({ outcome: "x' OR 1=1 --" }), []);
  const fromMs = AT.add({ minutes: 4 }).epochMilliseconds;
  t.same(callsOf({ fromMs, toMs: fromMs + 180_000 }), [5, 4, 3], 'by when they ended, the end not included');
  const [, , third] = store.history.calls({ limit: 3 });
  t.same(callsOf({ before: third?.id, limit: 2 }), [6, 5]);
  const row = store.history.call(callNumber(3));
  t.match(JSON.parse(row?.body ?? ''), { type: 'balise.call.ended', sequence: 8, data: { call: callNumber(3) } });
  t.equal(store.history.call('none'), undefined);
  t.same(
    store.history.events(undefined, 2).map(({ sequence }) => sequence),
    [20, 19],
  );
  t.same(
    store.history.events(5, 2).map(({ sequence }) => sequence),
    [4, 3],
  );
});

t.test('a store of the version before is taken over, and its calls are told without their report', async (t) => {
  const folder = aFolder(t);
  const before = aStore(t, { folder });
  before.calls.record(aRecord(callNumber(1), AT), [ended(callNumber(1))]);
  before.close();
  const db = new Sqlite(join(folder, DATABASE_FILE));
  // All that later versions have added goes.
  const added = db
    .prepare(
      'SELECT type, name FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT IN (SELECT value FROM json_each(?))',
    )
    .all(JSON.stringify(VERSION_2)) as { type: string; name: string }[];
  const order = ['trigger', 'index', 'table'];
  for (const { type, name } of added.sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type))) {
    db.exec(`DROP ${type} IF EXISTS ${name}`);
  }
  for (const column of ['event', 'campaign']) db.exec(`ALTER TABLE ledger DROP COLUMN ${column}`);
  db.pragma('user_version = 2');
  db.close();
  const store = aStore(t, { folder });
  t.match(store.history.calls({ limit: 1 }), [
    { call: callNumber(1), cause: 'handset-hung-up', event: null, body: null },
  ]);
  store.calls.record(aRecord(callNumber(2), AT), [ended(callNumber(2))]);
  t.match(store.history.calls({ limit: 1 }), [{ call: callNumber(2), event: 2 }]);
});
