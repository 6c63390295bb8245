/** Brokers that ask for an account, and brokers that speak no MQTT 5: nothing is lost by either. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import t, { type Test } from 'tap';
import type { Ed25519PublicKey } from '../../config/schema/types.generated.js';
import { startDemoBroker } from '../../scripts/headquarters/demo-broker.js';
import { sendCommand } from '../../scripts/headquarters/send-command.js';
import { newCommand, newSigningKey } from '../../scripts/headquarters/sign-command.js';
import { aDatabase, anIngester, held, until, upTo } from '../headquarters/world.js';
import { aFolder } from '../store/folder.js';
import { silent } from '../store/samples.js';
import { aBroker, anUplink, BASE, clock, draft, Ear, GATEWAY, needsMosquitto } from './world.js';

const ACCOUNT = { username: 'alpha', password: 'correct horse battery' };

/** A mosquitto that lets in one account and nobody else. */
async function guarded(t: Test) {
  const file = join(aFolder(t), 'passwords');
  const { status, stderr } = spawnSync('mosquitto_passwd', ['-b', '-c', file, ACCOUNT.username, ACCOUNT.password]);
  t.equal(status, 0, String(stderr));
  return aBroker(t, ['allow_anonymous false', `password_file ${file}`]);
}

/** A log that keeps the connections made and missed. */
function noted() {
  const connected: number[] = [];
  const missed: string[] = [];
  const log = {
    ...silent,
    info: (said: { event?: string; protocol?: number }) => {
      if (said.event === 'uplink.connected') connected.push(said.protocol ?? 0);
    },
    warn: (said: { event?: string; why?: string }) => {
      if (said.event === 'uplink.not-connected') missed.push(String(said.why));
    },
  };
  return { connected, missed, log: log as typeof silent };
}

t.test(
  'with its username and password a gateway is let in, and everything goes as without',
  needsMosquitto,
  async (t) => {
    const broker = await guarded(t);
    const { privateJwk, publicJwk } = await newSigningKey('hq-1');
    const { store, uplink } = anUplink(t, {
      url: broker.url,
      account: ACCOUNT,
      keys: [publicJwk as unknown as Ed25519PublicKey],
    });
    const db = await aDatabase(t);
    await anIngester(t, { url: broker.url, db, connection: ACCOUNT });
    uplink.start();
    store.calls.append(Array.from({ length: 150 }, (_, n) => draft(n)));
    await until(async () => (await held(db, GATEWAY)).length === 150);
    t.same(await held(db, GATEWAY), upTo(150));
    const command = newCommand(clock, GATEWAY, { type: 'ping', reason: 'test', by: 'test' });
    const ack = await sendCommand({ url: broker.url, connection: ACCOUNT, key: privateJwk, command, clock });
    t.match(ack, { state: 'done' });
  },
);

t.test(
  'without an account, or with a wrong password, it is refused, says so, and keeps what it has to say',
  needsMosquitto,
  async (t) => {
    const broker = await guarded(t);
    for (const account of [undefined, { ...ACCOUNT, password: 'wrong' }]) {
      const { connected, missed, log } = noted();
      const { store, uplink } = anUplink(t, { url: broker.url, log, ...(account !== undefined && { account }) });
      store.calls.append([draft(1)]);
      uplink.start();
      await until(() => missed.length > 0);
      t.match(missed[0], /not authori[sz]ed/i);
      t.same(connected, []);
      t.equal(store.outbox.depth(), 1);
    }
    const key = (await newSigningKey('hq-1')).privateJwk;
    const command = newCommand(clock, GATEWAY, { type: 'ping', reason: 'test', by: 'test' });
    await t.rejects(sendCommand({ url: broker.url, key, command, clock }), /not authori[sz]ed/i);
  },
);

t.test('a broker that speaks 3.1.1 alone is spoken to in 3.1.1: events, orders and the last will', async (t) => {
  const broker = await startDemoBroker();
  t.teardown(() => broker.close());
  await t.rejects(connectAsync(broker.url, { protocolVersion: 5, reconnectPeriod: 0 }), 'it refuses MQTT 5');
  const { connected, missed, log } = noted();
  const { privateJwk, publicJwk } = await newSigningKey('hq-1');
  const keys = [publicJwk as unknown as Ed25519PublicKey];
  const { store, uplink } = anUplink(t, { url: broker.url, keys, log });
  const ear = await Ear.at(t, broker.url);
  const db = await aDatabase(t);
  await anIngester(t, { url: broker.url, db });
  uplink.start();
  await ear.hear('presence', ({ state }) => state === 'online');
  t.same([connected, missed.length], [[4], 1], 'once in 5, then in 3.1.1');
  store.calls.append(Array.from({ length: 150 }, (_, n) => draft(n)));
  await until(async () => (await held(db, GATEWAY)).length === 150);
  t.same(await held(db, GATEWAY), upTo(150));
  const command = newCommand(clock, GATEWAY, { type: 'ping', reason: 'test', by: 'test' });
  t.match(await sendCommand({ url: broker.url, key: privateJwk, command, clock }), { state: 'done' });
  await uplink.stop();
  await ear.hear('presence', ({ state }) => state === 'offline');
  t.ok(ear.all(`ack/${command.id}`).length >= 2, `answered at ${BASE}`);
});
