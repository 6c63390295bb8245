import t, { type Test } from 'tap';
import type { EventEnvelope } from '../../config/schema/types.generated.js';
import { fleet } from '../../scripts/headquarters/board.js';
import { watchBroker } from '../../scripts/headquarters/records/broker-alarm.js';
import type { CheckedEvent } from '../../scripts/headquarters/records/checked-event.js';
import type { Database } from '../../scripts/headquarters/records/database.js';
import { storeBatch } from '../../scripts/headquarters/records/ingest.js';
import { dropOld } from '../../scripts/headquarters/records/retention.js';
import { openDatabase } from '../../scripts/headquarters/records/schema.js';
import { storeAround } from '../../scripts/headquarters/records/store-around.js';
import { advance, giveUpBelow, heard, watchSilence } from '../../scripts/headquarters/records/streams.js';
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

    t.test('another event under a known number is a fork: it is kept apart, and alarmed once an hour', async (t) => {
      const stream = aStream();
      const { gatewayId } = stream;
      await storeBatch(db, checked(stream, 3), [], NOW);
      const twin = new HandStream(gatewayId);
      twin.next();
      const others = checked(twin, 2);
      const { forks, fresh } = await storeBatch(db, others, [], NOW);
      t.equal(forks.length, 2);
      t.same(fresh, []);
      await storeBatch(db, others, [], NOW + 60_000);
      const kept = await db.all('SELECT sequence, body FROM conflict WHERE gateway = $1 ORDER BY sequence', [
        gatewayId,
      ]);
      t.same(
        kept,
        others.map(({ event, body }) => ({ sequence: event.sequence, body })),
      );
      t.same(
        (await alarms(gatewayId)).map(({ type }) => type),
        ['balise.headquarters.fork'],
      );
    });

    t.test('what the database cannot take for what is in it keeps nothing else from being stored', async (t) => {
      const [stream, hostile] = [aStream(), aStream()];
      const events = checked(stream, 40);
      const [first, second] = checked(hostile, 2) as [CheckedEvent, CheckedEvent];
      const poison = { ...first, event: { ...first.event, time: '2026-13-45T99:99:99Z' } };
      const badState = { gateway: hostile.gatewayId, topic: 'status', atMs: Number.NaN, body: '{}' };
      const goodState = { gateway: stream.gatewayId, topic: 'status', atMs: 1, body: '{}' };
      const told: string[] = [];
      const batch = [...events.slice(0, 17), poison, ...events.slice(17), second];
      const stored = await storeAround(db, batch, [badState, goodState], NOW, ({ gateway, what }) =>
        told.push(`${gateway} ${what}`),
      );
      t.equal(stored.fresh.length, 41);
      t.same(told.sort(), [`${hostile.gatewayId} event 1`, `${hostile.gatewayId} status`]);
      t.same(await held(db, stream.gatewayId), upTo(40));
      t.same(await held(db, hostile.gatewayId), [2]);
      t.equal((await db.all('SELECT body FROM state WHERE gateway = $1', [stream.gatewayId])).length, 1);
      await db.run('DELETE FROM gateway WHERE gateway = $1', [hostile.gatewayId]);
    });

    t.test(
      'an event that is not understood is kept as the link that it is, alarmed, and read no further',
      async (t) => {
        const stream = aStream();
        const { body } = stream.next({ type: 'balise.call.ended', data: { call: 'c-1', handset: 'a-101' } });
        const one = {
          gateway: stream.gatewayId,
          body,
          event: JSON.parse(body) as EventEnvelope,
          dataFault: 'no cause',
        };
        await storeBatch(db, [one], [], NOW);
        await storeBatch(db, [one], [], NOW);
        t.same(await held(db, stream.gatewayId), [1]);
        t.same(await db.all('SELECT call FROM call WHERE gateway = $1', [stream.gatewayId]), []);
        t.same(
          (await alarms(stream.gatewayId)).map(({ type }) => type),
          ['balise.headquarters.event-not-understood'],
        );
      },
    );

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

    t.test('however many streams wait for what is missing, those after them are walked', async (t) => {
      const rows = Array.from({ length: 1_001 }, (_, n) => `('aaa/gw-${n}', ${NOW}, 0, 5, 0, '', 0)`);
      await db.run(
        `INSERT INTO gateway (gateway, seen_ms, silent, highest, contiguous, contiguous_hash, asked_ms) VALUES ${rows.join(', ')}`,
      );
      const stream = aStream();
      await storeBatch(db, checked(stream, 3), [], NOW);
      await advance(db, NOW);
      t.match(await streamRow(stream.gatewayId), { contiguous: 3 });
      await db.run("DELETE FROM gateway WHERE gateway LIKE 'aaa/%'");
    });

    t.test(
      'a gateway that ends before what is here, long after, was given an older store: it is alarmed',
      async (t) => {
        const stream = aStream();
        const { gatewayId } = stream;
        const events = checked(stream, 5);
        const wroteMs = Date.parse(events[3]?.event.time ?? '');
        await storeBatch(db, events, [], NOW);
        const says = (end: number, endMs: number) => heard(db, new Map([[gatewayId, { last: 0, end, endMs }]]), NOW);
        await says(5, wroteMs + 120_000);
        await says(3, wroteMs + 30_000);
        t.same(await alarms(gatewayId), [], 'an event may overtake the status that was said before it');
        await says(3, wroteMs + 61_000);
        await says(4, wroteMs + 91_000);
        t.same(
          (await alarms(gatewayId)).map(({ type }) => type),
          ['balise.headquarters.store-older'],
          'once',
        );
      },
    );

    t.test('no more is given up for lost than is known to exist, whatever the gateway says', async (t) => {
      const stream = aStream();
      const events = checked(stream, 6);
      await storeBatch(db, events.slice(2, 4), [], NOW);
      await giveUpBelow(db, stream.gatewayId, 9_000_000_000, NOW);
      t.match(await streamRow(stream.gatewayId), { contiguous: 4, highest: 4 });
      await storeBatch(db, events.slice(4), [], NOW);
      await advance(db, NOW);
      t.match(await streamRow(stream.gatewayId), { contiguous: 6 });
    });

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

    t.test(
      'whoever has not listened for long calls nobody silent, and clears the alarm of one that is back',
      async (t) => {
        const stream = aStream();
        await heard(db, new Map([[stream.gatewayId, { last: 0 }]]), NOW);
        await watchSilence(db, NOW + 200_000, 90_000, false);
        t.same(await alarms(stream.gatewayId), []);
        await watchSilence(db, NOW + 200_000, 90_000, true);
        await heard(db, new Map([[stream.gatewayId, { last: 0 }]]), NOW + 201_000);
        await watchSilence(db, NOW + 201_000, 90_000, false);
        t.match(await alarms(stream.gatewayId), [{ cleared_ms: NOW + 201_000 }]);
      },
    );

    t.test('headquarters without a broker says so of itself, once, and that it is over', async (t) => {
      for (const nowMs of [NOW + 90_000, NOW + 91_000]) await watchBroker(db, 'hq-1', NOW, nowMs);
      await watchBroker(db, 'hq-2', NOW + 1, NOW + 91_001);
      await watchBroker(db, 'hq-1', undefined, NOW + 95_000);
      t.same(await alarms('headquarters'), [
        { type: 'balise.headquarters.broker-lost', cleared_ms: NOW + 95_000 },
        { type: 'balise.headquarters.broker-lost', cleared_ms: null },
      ]);
    });

    t.test('of a gateway whose checkpoints are countersigned nothing goes after the last of them', async (t) => {
      const stream = aStream();
      await storeBatch(db, checked(stream, 6), [], NOW);
      await advance(db, NOW);
      const put =
        'INSERT INTO checkpoint (gateway, sequence, hash, at_ms, verdict, countersigned) VALUES ($1, $2, $3, $4, $5, $6)';
      await db.run(put, [stream.gatewayId, 3, 'x', NOW, 'good', 'jws']);
      await db.run(put, [stream.gatewayId, 5, 'x', NOW, 'it is of another', null]);
      await dropOld(db, Date.now() + 10_000, 5_000);
      t.same(await held(db, stream.gatewayId), [4, 5, 6]);
    });

    t.test('a site is found by its whole name, an underscore in it too', async (t) => {
      for (const site of ['under_score', 'underxscore']) await heard(db, new Map([[`${site}/gw-1`, { last: 0 }]]), NOW);
      t.match(await fleet(db, 'under_score'), [{ site: 'under_score' }]);
      t.equal((await fleet(db, 'under_score')).length, 1);
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
