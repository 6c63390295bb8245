import t, { type Test } from 'tap';
import type { EventEnvelope } from '../../config/schema/types.generated.js';
import type { CheckedEvent } from '../../scripts/headquarters/records/checked-event.js';
import type { Database } from '../../scripts/headquarters/records/database.js';
import { storeBatch } from '../../scripts/headquarters/records/ingest.js';
import { openDatabase } from '../../scripts/headquarters/records/schema.js';
import { advance, dropOld, giveUpBelow, heard, watchSilence } from '../../scripts/headquarters/records/streams.js';
import { needs } from '../peers/needs.js';
import { Postgres } from '../peers/postgres.js';
import { aDatabase, HandStream, held, upTo } from './world.js';

const NOW = 1_772_445_600_000;

/** One server for the whole file; each test has tables of its own kind only in SQLite, so the gateways' names differ. */
const engines: Record<string, (t: Test) => Promise<Database>> = {
  SQLite: (t) => aDatabase(t),
  PostgreSQL: async (t) => aDatabase(t, (await Postgres.start(t)).url),
};

function checked(stream: HandStream, count: number, kind: 'event' | 'alarm' = 'event'): CheckedEvent[] {
  return Array.from({ length: count }, () => {
    const { body } = stream.next({ kind, data: { message: 'what is wrong' } });
    return { gateway: stream.gatewayId, body, event: JSON.parse(body) as EventEnvelope };
  });
}

for (const [engine, open] of Object.entries(engines)) {
  const opts = engine === 'PostgreSQL' ? needs('postgresql') : {};
  t.test(`in ${engine}`, opts, async (t) => {
    const db = await open(t);
    let number = 0;
    const aStream = () => {
      number += 1;
      return new HandStream(`site-${number}/gw-1`);
    };
    const streamRow = async (gateway: string) =>
      (
        await db.all<{ contiguous: number; highest: number }>(
          'SELECT contiguous, highest FROM gateway WHERE gateway = $1',
          [gateway],
        )
      )[0];
    const alarms = async (gateway: string) =>
      await db.all<{ type: string; cleared_ms: number | null }>(
        'SELECT type, cleared_ms FROM alarm WHERE gateway = $1 ORDER BY id',
        [gateway],
      );

    t.test('an event that comes twice, in one batch or in two, is there once, and so is its alarm', async (t) => {
      const stream = aStream();
      const events = [...checked(stream, 3), ...checked(stream, 2, 'alarm')];
      const first = await storeBatch(db, [...events, ...events.slice(0, 2)], [], NOW);
      t.match(first, { duplicates: 2, forks: [] });
      t.equal(first.fresh.length, 5);
      const again = await storeBatch(db, events, [], NOW);
      t.match(again, { fresh: [], duplicates: 5, forks: [] });
      t.same(await held(db, stream.gatewayId), upTo(5));
      t.equal((await alarms(stream.gatewayId)).length, 2);
    });

    t.test('another event under a known number is a fork, and is not stored', async (t) => {
      const stream = aStream();
      await storeBatch(db, checked(stream, 2), [], NOW);
      const twin = new HandStream(stream.gatewayId);
      twin.next();
      const { forks, fresh } = await storeBatch(db, checked(twin, 1), [], NOW);
      t.equal(forks.length, 1);
      t.same(fresh, []);
    });

    t.test('a gap is asked for after a while, by one process alone, and closed when it has come', async (t) => {
      const stream = aStream();
      const [one, two, three, four] = checked(stream, 4) as [CheckedEvent, CheckedEvent, CheckedEvent, CheckedEvent];
      await storeBatch(db, [one, four], [], NOW);
      t.same(await advance(db, NOW), [], 'it may just be on its way');
      const due = [{ gateway: stream.gatewayId, from: 2, to: 3 }];
      const both = await Promise.all([advance(db, NOW + 2_500), advance(db, NOW + 2_500)]);
      t.same(both.flat(), due, 'of two that look at once, one asks');
      t.same(await advance(db, NOW + 4_000), [], 'not again at once');
      t.same(await advance(db, NOW + 13_000), due, 'and again after a time');
      await storeBatch(db, [three, two], [], NOW);
      t.same(await advance(db, NOW + 30_000), []);
      t.match(await streamRow(stream.gatewayId), { contiguous: 4, highest: 4 });
    });

    t.test(
      'an end of the stream that the broker forgot shows when the gateway says what its last event is',
      async (t) => {
        const stream = aStream();
        await storeBatch(db, checked(stream, 2), [], NOW);
        await heard(db, new Map([[stream.gatewayId, { last: 5 }]]), NOW);
        await advance(db, NOW);
        t.same(await advance(db, NOW + 3_000), [{ gateway: stream.gatewayId, from: 3, to: 5 }]);
      },
    );

    t.test('what the gateway itself no longer has is written down as lost, and alarmed', async (t) => {
      const stream = aStream();
      const events = checked(stream, 6);
      await storeBatch(db, events.slice(3), [], NOW);
      await giveUpBelow(db, stream.gatewayId, 4, NOW);
      await advance(db, NOW);
      t.match(await streamRow(stream.gatewayId), { contiguous: 6 });
      t.same(
        (await alarms(stream.gatewayId)).map(({ type }) => type),
        ['balise.headquarters.events-lost'],
      );
    });

    t.test('a link that does not hold is alarmed', async (t) => {
      const stream = aStream();
      const twin = new HandStream(stream.gatewayId);
      const [first] = checked(stream, 1);
      twin.next();
      const [second] = checked(twin, 1);
      await storeBatch(db, [first, second] as CheckedEvent[], [], NOW);
      await advance(db, NOW);
      t.same(
        (await alarms(stream.gatewayId)).map(({ type }) => type),
        ['balise.headquarters.chain-broken'],
      );
    });

    t.test('a gateway silent for 90 s is alarmed once, and the alarm is cleared when it is back', async (t) => {
      const stream = aStream();
      const silence = async () => (await alarms(stream.gatewayId)).map(({ cleared_ms }) => cleared_ms);
      await heard(db, new Map([[stream.gatewayId, { last: 0 }]]), NOW);
      await watchSilence(db, NOW + 90_000, 90_000);
      t.same(await silence(), []);
      await watchSilence(db, NOW + 90_001, 90_000);
      await watchSilence(db, NOW + 95_000, 90_000);
      t.same(await silence(), [null]);
      await heard(db, new Map([[stream.gatewayId, { last: 0 }]]), NOW + 100_000);
      await watchSilence(db, NOW + 100_000, 90_000);
      t.same(await silence(), [NOW + 100_000]);
    });

    t.test('what is old goes, but for the last of each stream and whatever stands behind a gap', async (t) => {
      const stream = aStream();
      const events = checked(stream, 5);
      await storeBatch(db, [...events.slice(0, 3), ...events.slice(4)], [], NOW);
      await advance(db, NOW);
      await dropOld(db, Date.now() + 10_000, 5_000);
      t.same(await held(db, stream.gatewayId), [3, 5]);
    });

    t.test('a state is the latest by its own time, whatever the order in which it came', async (t) => {
      const stream = aStream();
      const state = (atMs: number) => ({ gateway: stream.gatewayId, topic: 'status', atMs, body: String(atMs) });
      await storeBatch(db, [], [state(1), state(3)], NOW);
      await storeBatch(db, [], [state(2)], NOW);
      t.same(await db.all('SELECT body FROM state WHERE gateway = $1', [stream.gatewayId]), [{ body: '3' }]);
    });
  });
}

t.test('a database of a newer program is refused, and so is none at all', async (t) => {
  await t.rejects(
    openDatabase('mysql://x', () => undefined),
    /neither postgres:\/\/ nor sqlite:/,
  );
  await t.rejects(
    openDatabase('sqlite:/nowhere/at/all.sqlite', () => undefined),
    { name: 'DatabaseFault' },
  );
  const fault: unknown = await openDatabase('postgres://balise:hunter@127.0.0.1:1/x', () => undefined).catch(
    (why) => why,
  );
  t.match(String(fault), /balise:…@127\.0\.0\.1/);
  t.notMatch(String(fault), /hunter/, 'the password is not told');
});
