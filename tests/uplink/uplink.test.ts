import t from 'tap';
import { boardId, wingId } from '../../gateway/policy/ids.js';
import { startDemoBroker } from '../../scripts/headquarters/demo-broker.js';
import { messageFault } from '../../scripts/headquarters/message-check.js';
import { A101, aRecord, callNumber, instant } from '../store/samples.js';
import { aBroker, anUplink, draft, Ear, needsMosquitto } from './world.js';

t.test(
  'presence is online while connected, and offline with its instant after a clean stop',
  needsMosquitto,
  async (t) => {
    const broker = await aBroker(t);
    const { uplink } = anUplink(t, { url: broker.url });
    const ear = await Ear.at(t, broker.url);
    uplink.start();
    const online = await ear.hear('presence');
    t.match(online, { state: 'online', version: '0.1.0', bootid: 'boot-1' });
    await uplink.stop();
    const offline = await ear.hear('presence', ({ state }) => state === 'offline');
    t.ok(offline.offlineSince);
    for (const message of [online, offline]) t.equal(messageFault('presence', message), undefined);
  },
);

t.test(
  'status, handsets and lines are retained, as their schemas say, and only their latest state',
  needsMosquitto,
  async (t) => {
    const broker = await aBroker(t);
    const { uplink } = anUplink(t, { url: broker.url });
    const at = instant('2026-03-02T10:00:00Z');
    const call = callNumber(1);
    uplink.observer.handset(A101, 'calling', { call });
    uplink.start();
    const ear = await Ear.at(t, broker.url);
    await ear.hear('handset/a-101', ({ state }) => state === 'calling');
    uplink.observer.handset(A101, 'talking', { call, until: at });
    uplink.line(boardId('b1'), 'ok');
    uplink.line(boardId('b1'), 'lost', 'no answer for 5 s');
    await ear.hear('handset/a-101', ({ state }) => state === 'talking');
    await ear.hear('line/b1', ({ state }) => state === 'lost');
    const late = await Ear.at(t, broker.url);
    const talking = await late.hear('handset/a-101');
    t.match(talking, { state: 'talking', until: '2026-03-02T10:00:00Z', call });
    t.equal(messageFault('handset', talking), undefined);
    t.equal(messageFault('line', await late.hear('line/b1')), undefined);
    const status = await late.hear('status');
    t.equal(messageFault('status', status), undefined);
    t.match(status, { clock: { trusted: true }, outbox: { depth: 0 }, tzdata: process.versions.tz });
  },
);

t.test(
  'a handset shows how its call ended until the hook is down or another call begins',
  needsMosquitto,
  async (t) => {
    const broker = await aBroker(t);
    const { uplink } = anUplink(t, { url: broker.url });
    const ear = await Ear.at(t, broker.url);
    uplink.start();
    const at = instant('2026-03-02T10:00:00Z');
    const seen = (state: string) => ear.hear('handset/a-101', (message) => message.state === state);
    uplink.hook(A101, 'off');
    await seen('off-hook');
    uplink.observer.handset(A101, 'ended', { call: callNumber(1) });
    uplink.observer.ended(aRecord(callNumber(1), at, { cause: 'refused', rule: 'window.callee', wing: wingId('a') }));
    t.match(await seen('refused'), { rule: 'window.callee' });
    uplink.observer.handset(A101, 'talking', { call: callNumber(2), until: at });
    await seen('talking');
    uplink.observer.ended(aRecord(callNumber(2), at, { cause: 'cutoff' }));
    uplink.observer.handset(A101, 'ended', { call: callNumber(2) });
    t.match(await seen('cut'), { cause: 'cutoff' });
    uplink.hook(A101, 'on');
    await seen('on-hook');
  },
);

t.test(
  'what came together while there was no broker is drained when there is one, alarms first',
  needsMosquitto,
  async (t) => {
    const broker = await aBroker(t);
    const ear = await Ear.at(t, broker.url, 'patient');
    await broker.stop('SIGTERM');
    const { store, uplink } = anUplink(t, { url: broker.url });
    uplink.start();
    for (let n = 0; n < 1_000; n += 50) store.calls.append(Array.from({ length: 50 }, (_, i) => draft(n + i)));
    store.calls.append([draft(1_000, 'alarm')]);
    t.equal(store.outbox.depth(), 1_001);
    await broker.restart();
    await ear.hear('presence', ({ state }) => state === 'online');
    await ear.hear('event', ({ sequence }) => sequence === 1_000);
    const order = sequences(ear);
    t.equal(order[0], 1_001, 'the alarm came first');
    t.same(order.slice(1), upTo(1_000), 'the events came in order');
  },
);

t.test('a broker that speaks MQTT 3.1.1 alone is spoken to in 3.1.1', async (t) => {
  const broker = await startDemoBroker();
  t.teardown(() => broker.close());
  const { store, uplink } = anUplink(t, { url: broker.url });
  const ear = await Ear.at(t, broker.url);
  store.calls.append([draft(1), draft(2)]);
  uplink.start();
  await ear.hear('presence', ({ state }) => state === 'online');
  await ear.hear('event', ({ sequence }) => sequence === 2);
  t.same(sequences(ear), [1, 2]);
});

function sequences(ear: Ear): unknown[] {
  return ear.heard.filter(({ topic }) => /(event|alarm)$/.test(topic)).map(({ message }) => message.sequence);
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);
