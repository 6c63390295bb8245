/** The receiving side against a real mosquitto and a real PostgreSQL. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connectAsync } from 'mqtt';
import t, { type Test } from 'tap';
import type { Ed25519PublicKey } from '../../config/schema/types.generated.js';
import { startDemoBroker } from '../../scripts/headquarters/demo-broker.js';
import { newSigningKey } from '../../scripts/headquarters/sign-command.js';
import { needs } from '../peers/needs.js';
import { Postgres } from '../peers/postgres.js';
import { aBroker, anUplink, draft, GATEWAY } from '../uplink/world.js';
import { aClient, aDatabase, anIngester, HandStream, held, until, upTo } from './world.js';

const FIXTURE = join(import.meta.dirname, 'fixtures', 'ingester.js');

/** One ingester as a process; `stored` counts what it says it has stored. */
class Child {
  stored = 0;
  ready = '';
  private waiting: (() => void)[] = [];
  private readonly child;

  constructor(t: Test, args: readonly string[]) {
    this.child = spawn(process.execPath, [FIXTURE, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      const [word, value = ''] = line.split(' ');
      if (word === 'ready') this.ready = value;
      else this.stored += Number(value);
      for (const wake of this.waiting.splice(0)) wake();
    });
    t.teardown(() => this.kill());
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((settle) => this.waiting.push(settle));
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}

t.test(
  'two ingesters share the load, one is killed: nothing is lost and nothing is there twice',
  needs('mosquitto', 'postgresql'),
  async (t) => {
    const broker = await aBroker(t);
    const server = await Postgres.start(t);
    const db = await aDatabase(t, server.url);
    const { privateJwk, publicJwk } = await newSigningKey('hq-1');
    const { store, uplink } = anUplink(t, { url: broker.url, keys: [publicJwk as unknown as Ed25519PublicKey] });
    const args = [JSON.stringify(privateJwk)];
    const one = new Child(t, [broker.url, server.url, 'hq-one', ...args]);
    const two = new Child(t, [broker.url, server.url, 'hq-two', ...args]);
    await Promise.all([one.until(() => one.ready !== ''), two.until(() => two.ready !== '')]);
    t.equal(one.ready, 'shared', 'mosquitto divides the stream');
    uplink.start();
    let written = 0;
    const write = (count: number) => {
      store.calls.append(Array.from({ length: count }, (_, n) => draft(n, n % 10 === 7 ? 'alarm' : 'event')));
      written += count;
    };
    write(300);
    await Promise.all([one.until(() => one.stored > 40), two.until(() => two.stored > 40)]);
    t.pass(`both take part: ${one.stored} and ${two.stored}`);
    write(300);
    await one.kill();
    write(300);
    await until(async () => (await held(db, GATEWAY)).length === written);
    t.same(await held(db, GATEWAY), upTo(written), 'each number once');
    const whole = async () => (await db.all<{ contiguous: number }>('SELECT contiguous FROM gateway'))[0]?.contiguous;
    await until(async () => (await whole()) === written);
    t.same(
      await db.all("SELECT type FROM alarm WHERE type LIKE 'balise.headquarters.%'"),
      [],
      'the chain is linked throughout',
    );
  },
);

t.test(
  'what is no message of that gateway is refused and alarmed, and the stream goes on',
  needs('mosquitto'),
  async (t) => {
    const broker = await aBroker(t);
    const db = await aDatabase(t);
    const refused: string[] = [];
    await anIngester(t, { url: broker.url, db, onRefused: (_, why) => refused.push(why) });
    const client = await aClient(t, broker.url);
    const stream = new HandStream('a/gw-1');
    const first = stream.next();
    const second = stream.next();
    const topic = 'balise/v1/a/gw-1/event';
    const send = (body: string, to = topic) => client.publishAsync(to, body, { qos: 1 });
    await send('}{');
    await send(JSON.stringify({ ...(JSON.parse(first.body) as object), data: { changed: true } }));
    await send(first.body, 'balise/v1/b/gw-9/event');
    await send(first.body, 'balise/v1/a/gw-1/alarm');
    await send(JSON.stringify({ ...(JSON.parse(first.body) as object), sequence: 'one' }));
    await send(first.body);
    await send(second.body);
    await until(async () => (await held(db, 'a/gw-1')).length === 2);
    t.equal(refused.length, 5);
    t.match(refused, [/not JSON/, /hash/, /source/, /on the topic/, /sequence/]);
    t.ok((await db.all("SELECT id FROM alarm WHERE type = 'balise.headquarters.message-refused'")).length >= 2);
    t.same(await held(db, 'b/gw-9'), []);
  },
);

t.test('a database that is away for a while costs nothing', needs('mosquitto', 'postgresql'), async (t) => {
  const broker = await aBroker(t);
  const server = await Postgres.start(t);
  const db = await aDatabase(t, server.url);
  let failing = true;
  let failures = 0;
  // The engine is real; what fails is its transaction, as it does when the server restarts.
  const flaky: typeof db = {
    engine: db.engine,
    all: (...args) => db.all(...args),
    run: (...args) => db.run(...args),
    insert: (...args) => db.insert(...args),
    close: () => db.close(),
    transact: (work) => {
      if (!failing) return db.transact(work);
      failures += 1;
      return Promise.reject(new Error('the server closed the connection'));
    },
  };
  await anIngester(t, { url: broker.url, db: flaky });
  const client = await aClient(t, broker.url);
  const stream = new HandStream('a/gw-1');
  for (let n = 0; n < 50; n += 1) {
    const { topic, body } = stream.next();
    await client.publishAsync(topic, body, { qos: 1 });
  }
  await until(() => failures > 1);
  failing = false;
  await until(async () => (await held(db, 'a/gw-1')).length === 50);
  t.same(await held(db, 'a/gw-1'), upTo(50));
});

t.test('a broker without shared subscriptions and MQTT 5 is read all the same', async (t) => {
  const broker = await startDemoBroker();
  t.teardown(() => broker.close());
  const db = await aDatabase(t);
  const ingester = await anIngester(t, { url: broker.url, db, group: 'headquarters' });
  t.equal(ingester.isShared, false);
  const { store, uplink } = anUplink(t, { url: broker.url });
  uplink.start();
  store.calls.append([draft(1), draft(2, 'alarm')]);
  await until(async () => (await held(db, GATEWAY)).length === 2);
  const states = () => db.all<{ topic: string }>('SELECT topic FROM state ORDER BY topic');
  await until(async () => (await states()).length === 2);
  t.same(await states(), [{ topic: 'presence' }, { topic: 'status' }]);
});

/** An ingester on the demo's broker, and a way to publish as a gateway. */
async function aDesk(t: Test, parts: Partial<Parameters<typeof anIngester>[1]> = {}) {
  const broker = await startDemoBroker();
  t.teardown(() => broker.close());
  const db = parts.db ?? (await aDatabase(t));
  const ingester = await anIngester(t, { url: broker.url, ...parts, db });
  const client = await connectAsync(broker.url, { protocolVersion: 4, reconnectPeriod: 0 });
  t.teardown(() => client.endAsync(true));
  const say = (topic: string, message: object) =>
    client.publishAsync(`balise/v1/${topic}`, JSON.stringify(message), { qos: 1 });
  return { db, ingester, client, say };
}

const aStatus = (at: string, more: object = {}) => ({
  ...{ at, version: '9.9.9', bootid: 'b', clock: { trusted: true }, outbox: { depth: 0, last: 0 }, tzdata: '2025b' },
  ...{ disk: { usedBytes: 0, limitBytes: 1, freeBytes: 1, hasRoom: true }, ...more },
});

t.test('an answer counts for the gateway whose topic it comes on, and for no other', async (t) => {
  const { privateJwk } = await newSigningKey('hq-1');
  const refused: string[] = [];
  const { db, ingester, client, say } = await aDesk(t, {
    key: privateJwk,
    onRefused: (gateway) => refused.push(gateway),
  });
  await client.subscribeAsync('balise/v1/a/gw-1/down/command', { qos: 1 });
  const sent = new Promise<void>((settle) => client.once('message', () => settle()));
  const ordered = ingester.order('a/gw-1', { type: 'ping', reason: 'test', by: 'duty' });
  await sent;
  const [{ id } = { id: '' }] = await db.all<{ id: string }>('SELECT id FROM ordered');
  const done = { id, state: 'done', at: new Date().toISOString() };
  await say(`b/gw-9/ack/${id}`, { ...done, gateway: 'a/gw-1', detail: 'forged' });
  await say(`b/gw-9/ack/${id}`, { ...done, gateway: 'b/gw-9', detail: 'forged' });
  await say(`a/gw-1/ack/${id}`, { ...done, gateway: 'a/gw-1', detail: 'its own' });
  t.match(await ordered, { detail: 'its own' });
  t.same(refused, ['b/gw-9']);
  await until(async () => (await db.all("SELECT id FROM ordered WHERE state = 'done'")).length === 1);
  t.match(await db.all('SELECT ack FROM ordered'), [{ ack: /its own/ }]);
});

t.test('a clock that was years ahead does not keep what is said after it was put right from being shown', async (t) => {
  const { db, say } = await aDesk(t);
  const shown = async () =>
    (await db.all<{ body: string }>("SELECT body FROM state WHERE topic = 'status'"))[0]?.body ?? '';
  await say('a/gw-1/status', aStatus('2044-01-01T00:00:00Z'));
  await until(async () => (await shown()).includes('2044'));
  await say('a/gw-1/status', aStatus(new Date().toISOString(), { tzdata: 'right' }));
  await until(async () => (await shown()).includes('right'));
  await say('a/gw-1/status', aStatus('2020-01-01T00:00:00Z', { tzdata: 'behind' }));
  await until(async () => (await shown()).includes('behind'));
});

t.test('what a newer gateway says more is let be, and what it says otherwise is kept unread', async (t) => {
  const { db, say } = await aDesk(t);
  const stream = new HandStream('a/gw-1');
  await say('a/gw-1/status', aStatus(new Date().toISOString(), { mood: 'good' }));
  const { body } = stream.next({ type: 'balise.call.ended', data: { call: 'c-1', wonder: 1 } });
  await say('a/gw-1/event', JSON.parse(body) as object);
  await until(async () => (await held(db, 'a/gw-1')).length === 1);
  await until(async () => (await db.all("SELECT body FROM state WHERE topic = 'status'")).length === 1);
  t.match(await db.all('SELECT type FROM alarm'), [{ type: 'balise.headquarters.event-not-understood' }]);
});

t.test('while the database is away the latest state of each topic waits, and no more', async (t) => {
  const db = await aDatabase(t);
  let isAway = true;
  const sizes: number[] = [];
  const away: typeof db = {
    engine: db.engine,
    all: (...args) => db.all(...args),
    run: (...args) => db.run(...args),
    insert: (...args) => db.insert(...args),
    close: () => db.close(),
    transact: (work) =>
      isAway
        ? Promise.reject(new Error('away'))
        : db.transact((sql) =>
            work({
              all: sql.all,
              run: sql.run,
              insert: (table, rows, how) => {
                if (table.name === 'state') sizes.push(rows.length);
                return sql.insert(table, rows, how);
              },
            }),
          ),
  };
  const { say } = await aDesk(t, { db: away });
  for (let n = 0; n < 200; n += 1) await say('a/gw-1/status', aStatus(new Date().toISOString(), { tzdata: `${n}` }));
  isAway = false;
  await until(async () =>
    (await db.all<{ body: string }>('SELECT body FROM state')).some(({ body }) => body.includes('"199"')),
  );
  t.ok(Math.max(...sizes) === 1);
});
