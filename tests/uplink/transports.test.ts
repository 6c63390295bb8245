/** How the uplink reaches a broker: TLS with client certificates, WebSocket, the broker's limits, a rotated certificate. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { handsetId } from '../../gateway/policy/ids.js';
import { newSigningKey } from '../../scripts/headquarters/sign-command.js';
import { enrolled } from '../headquarters/enrolled.js';
import { aClient, aDatabase, anIngester, held, until, upTo } from '../headquarters/world.js';
import { silent } from '../store/samples.js';
import { aBroker, anUplink, draft, Ear, GATEWAY, needsMosquitto } from './world.js';

/** What stands before a broker where only HTTPS gets out: a WebSocket server that passes the stream on. */
async function webSocketBefore(t: Test, brokerPort: number): Promise<string> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    handleProtocols: (offered) => (offered.has('mqtt') ? 'mqtt' : false),
  });
  await once(server, 'listening');
  server.on('connection', (socket) => {
    const near = createWebSocketStream(socket);
    const far = connect(brokerPort, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
    near.pipe(far).pipe(near);
  });
  t.teardown(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const bound = server.address();
  return `ws://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}/mqtt`;
}

t.test(
  'over TLS a client certificate of the right authority is let in, and none or a foreign one is not',
  needsMosquitto,
  async (t) => {
    const site = await enrolled(t);
    const stranger = await enrolled(t);
    const broker = await aBroker(t, site.mosquitto);
    const url = broker.url.replace('mqtt:', 'mqtts:');
    const whys: string[] = [];
    const log = { ...silent, warn: (said: object) => void whys.push(JSON.stringify(said)) };
    const without = anUplink(t, { url, files: { ...stranger.files, ca: site.files.ca }, log });
    without.uplink.start();
    const { store, uplink } = anUplink(t, { url, files: site.files });
    uplink.start();
    const [ca, pair] = [readFileSync(site.files.ca), readFileSync(site.files.cert)];
    const db = await aDatabase(t);
    await anIngester(t, { url, db, connection: { ca, cert: pair, key: pair } });
    store.calls.append([draft(1), draft(2)]);
    await until(async () => (await held(db, GATEWAY)).length === 2);
    await until(() => whys.length > 0);
    t.equal(without.uplink.connected, false);
    t.match(whys[0], /not-connected/);
  },
);

t.test('a certificate that is renewed is taken up while events flow, and none is lost', needsMosquitto, async (t) => {
  const site = await enrolled(t);
  const broker = await aBroker(t, site.mosquitto);
  const url = broker.url.replace('mqtt:', 'mqtts:');
  let connections = 0;
  const log = {
    ...silent,
    info: (said: { event?: string }) => {
      if (said.event === 'uplink.connected') connections += 1;
    },
  };
  const { store, uplink } = anUplink(t, { url, files: site.files, log: log as typeof silent });
  uplink.start();
  const [ca, pair] = [readFileSync(site.files.ca), readFileSync(site.files.cert)];
  const db = await aDatabase(t);
  await anIngester(t, { url, db, connection: { ca, cert: pair, key: pair } });
  await until(() => connections === 1);
  store.calls.append([draft(1)]);
  uplink.lookAtCertificate();
  t.equal(uplink.connected, true, 'nothing was replaced');
  t.equal((await site.renew()).status, 0);
  store.calls.append([draft(2)]);
  uplink.lookAtCertificate();
  await until(() => connections === 2);
  store.calls.append([draft(3)]);
  await until(async () => (await held(db, GATEWAY)).length === 3);
  t.same(await held(db, GATEWAY), upTo(3));
});

t.test('over WebSocket everything goes as over TCP', needsMosquitto, async (t) => {
  const broker = await aBroker(t);
  const url = await webSocketBefore(t, broker.port);
  const { store, uplink } = anUplink(t, { url });
  uplink.start();
  const db = await aDatabase(t);
  await anIngester(t, { url, db });
  store.calls.append(Array.from({ length: 250 }, (_, n) => draft(n)));
  await until(async () => (await held(db, GATEWAY)).length === 250);
  t.same(await held(db, GATEWAY), upTo(250));
});

t.test('a packet larger than the broker takes stays in the outbox, and the others go on', needsMosquitto, async (t) => {
  const broker = await aBroker(t, ['max_packet_size 4000']);
  const said: string[] = [];
  const log = { ...silent, error: (what: object) => void said.push(JSON.stringify(what)) };
  const { store, uplink } = anUplink(t, { url: broker.url, log });
  const ear = await Ear.at(t, broker.url);
  const large = { ...draft(2), data: { text: 'x'.repeat(5_000) } };
  store.calls.append([draft(1), large, draft(3)]);
  uplink.start();
  await ear.hear('event', ({ sequence }) => sequence === 3);
  t.same(
    ear.all('event').map(({ sequence }) => sequence),
    [1, 3],
  );
  t.match(await ear.hear('alarm'), { sequence: 4, data: { why: 'uplink.too-large', sequence: 2 } });
  await until(() => store.outbox.depth() === 1);
  t.match(said, [/uplink.too-large.*"sequence":2/]);
  t.equal(uplink.connected, true, 'the broker has not hung up');
});

t.test('no more is in flight than the broker takes', needsMosquitto, async (t) => {
  const broker = await aBroker(t, ['max_inflight_messages 12']);
  const { store, uplink } = anUplink(t, { url: broker.url });
  const db = await aDatabase(t);
  await anIngester(t, { url: broker.url, db });
  uplink.start();
  store.calls.append(Array.from({ length: 300 }, (_, n) => draft(n)));
  // MQTT 5 §4.9: a broker hangs up on a client that sends more than its Receive Maximum.
  await until(async () => (await held(db, GATEWAY)).length === 300);
  t.same(await held(db, GATEWAY), upTo(300));
});

t.test(
  'a broker that takes one packet at a time never hangs up, with states, answers and events to say',
  needsMosquitto,
  async (t) => {
    const broker = await aBroker(t, ['max_inflight_messages 1']);
    const lost: string[] = [];
    const log = { ...silent, warn: (what: object) => void lost.push(JSON.stringify(what)) };
    const handsets = Array.from({ length: 12 }, (_, n) => ({ id: handsetId(`a-${n}`), wing: 'a' }));
    const { store, uplink } = anUplink(t, { url: broker.url, log, handsets });
    const db = await aDatabase(t);
    await anIngester(t, { url: broker.url, db });
    store.calls.append(Array.from({ length: 40 }, (_, n) => draft(n)));
    uplink.start();
    await until(async () => (await held(db, GATEWAY)).length === 40);
    await until(async () => (await db.all("SELECT topic FROM state WHERE topic LIKE 'handset/%'")).length === 12);
    t.same(lost, []);
  },
);

t.test('an order that could not be delivered in its life is dropped by the broker', needsMosquitto, async (t) => {
  const broker = await aBroker(t);
  const client = await aClient(t, broker.url);
  let expiry: number | undefined;
  client.on('message', (_topic, _payload, packet) => {
    expiry = packet.properties?.messageExpiryInterval;
  });
  await client.subscribeAsync(`balise/v1/${GATEWAY}/down/command`, { qos: 1 });
  const db = await aDatabase(t);

  const { privateJwk } = await newSigningKey('hq-1');
  const ingester = await anIngester(t, { url: broker.url, db, key: privateJwk });
  ingester.order(GATEWAY, { type: 'ping', reason: 'test', by: 'test' }).catch(() => undefined);
  await until(() => expiry !== undefined);
  t.ok(expiry !== undefined && expiry > 0 && expiry <= 30, `${expiry} s`);
});
