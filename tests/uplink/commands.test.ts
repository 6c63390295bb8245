import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Command, Ed25519PublicKey } from '../../config/schema/types.generated.js';
import type { UplinkOptions } from '../../gateway/uplink/uplink.js';
import { messageFault } from '../../scripts/headquarters/message-check.js';
import { sendCommand } from '../../scripts/headquarters/send-command.js';
import { newCommand, newSigningKey, signCommand } from '../../scripts/headquarters/sign-command.js';
import { aFolder } from '../store/folder.js';
import { aBroker, anUplink, BASE, clock, draft, Ear, GATEWAY, needsMosquitto } from './world.js';

const CUT = {
  type: 'cutoff',
  target: { kind: 'handset', handset: 'a-101' },
  hold: 10_000,
  reason: 'test',
  by: 'headquarters',
} as const;

async function world(t: Test, onCommand: UplinkOptions['onCommand'] = async () => ({ outcome: 'done' })) {
  const broker = await aBroker(t);
  const { privateJwk, publicJwk } = await newSigningKey('hq-1');
  const keys = [publicJwk as unknown as Ed25519PublicKey];
  const folder = aFolder(t);
  const { store, uplink } = anUplink(t, { url: broker.url, keys, onCommand, folder });
  const ear = await Ear.at(t, broker.url);
  uplink.start();
  await ear.hear('presence');
  const send = (text: string) => ear.client.publishAsync(`${BASE}/down/command`, text, { qos: 1 });
  const order = (part: object = CUT) => newCommand(clock, GATEWAY, part as typeof CUT);
  return { broker, folder, privateJwk, keys, store, uplink, ear, send, order };
}

t.test('a signed cutoff is accepted, done, and acknowledged with what was measured', needsMosquitto, async (t) => {
  const asked: Command[] = [];
  const measured = { id: 'x', calls: 1, silentMs: 3, byesSentMs: 4, relaysOpenMs: 40, complete: true };
  const { broker, privateJwk, order, ear } = await world(t, async (command) => {
    asked.push(command);
    return { outcome: 'done', result: measured };
  });
  const command = order();
  const states: string[] = [];
  const last = await sendCommand({
    url: broker.url,
    key: privateJwk,
    command,
    clock,
    onAck: ({ state }) => states.push(state),
  });
  t.same(states, ['accepted', 'done']);
  t.match(last, { id: command.id, gateway: GATEWAY, result: measured });
  t.ok((last.ms ?? -1) >= 0 && (last.ms ?? 0) < 5_000, `done ${last.ms} ms after its arrival`);
  t.same(asked, [command]);
  for (const ack of ear.all(`ack/${command.id}`)) t.equal(messageFault('command-ack', ack), undefined);
});

t.test('a handler that fails is acknowledged as failed', needsMosquitto, async (t) => {
  const { broker, privateJwk, order } = await world(t, async () => {
    throw new Error('no such handset');
  });
  const last = await sendCommand({ url: broker.url, key: privateJwk, command: order(), clock });
  t.match(last, { state: 'failed', why: 'fault', detail: 'no such handset' });
});

t.test(
  'what is not genuine is not done, is acknowledged as refused, and raises an alarm',
  needsMosquitto,
  async (t) => {
    let done = 0;
    const { privateJwk, order, ear, send } = await world(t, async () => {
      done += 1;
      return { outcome: 'done' };
    });
    const other = await newSigningKey('hq-1');
    const old = { ...order(), iat: 1_000, exp: 1_020 };
    const replayed = order();
    const cases: readonly [string, string, string][] = [
      ['unsigned', 'unsigned', JSON.stringify({ ...order(), id: 'unsigned' })],
      ['expired', old.id, await signCommand(privateJwk, old)],
      ['bad-signature', 'wrong-key', await signCommand(other.privateJwk, { ...order(), id: 'wrong-key' })],
      ['foreign', 'foreign', await signCommand(privateJwk, { ...order(), id: 'foreign', gateway: 'demo/gw-2' })],
      ['unsigned', 'unreadable', 'rubbish'],
    ];
    for (const [why, id, text] of cases) {
      await send(text);
      const ack = await ear.hear(`ack/${id}`);
      t.match(ack, { state: 'refused', why });
      t.equal(messageFault('command-ack', ack), undefined);
    }
    t.equal(done, 0);
    const jws = await signCommand(privateJwk, replayed);
    await send(jws);
    await ear.hear(`ack/${replayed.id}`, ({ state }) => state === 'done');
    await send(jws);
    t.match(await ear.hear(`ack/${replayed.id}`, ({ state }) => state === 'refused'), { why: 'replayed' });
    t.equal(done, 1);
    await ear.hear('alarm', ({ data }) => (data as { why: string }).why === 'replayed');
    const alarms = ear.all('alarm') as { type: string; data: { why: string } }[];
    t.same(
      alarms.map(({ data }) => data.why),
      [...cases.map(([why]) => why), 'replayed'],
    );
    t.ok(alarms.every(({ type }) => type === 'balise.command.refused'));
  },
);

t.test('a command that was done before a restart is not done again after it', needsMosquitto, async (t) => {
  const { broker, folder, keys, privateJwk, order, store, uplink, ear, send } = await world(t);
  const command = order();
  const jws = await signCommand(privateJwk, command);
  await send(jws);
  await ear.hear(`ack/${command.id}`, ({ state }) => state === 'done');
  await uplink.stop();
  store.close();
  await ear.hear('presence', ({ state }) => state === 'offline');
  const again = anUplink(t, { url: broker.url, keys, folder });
  again.uplink.start();
  await ear.hear('presence', ({ onlineSince }) => ear.all('presence')[0]?.onlineSince !== onlineSince);
  await send(jws);
  t.match(await ear.hear(`ack/${command.id}`, ({ state }) => state === 'refused'), { why: 'replayed' });
});

t.test('a flood of forged commands raises no more than ten alarms a minute', needsMosquitto, async (t) => {
  const { ear, send, store, privateJwk, order } = await world(t);
  for (let n = 0; n < 60; n += 1) await send(`forged ${n}`);
  const last = order({ type: 'ping', reason: 'test', by: 'test' });
  await send(await signCommand(privateJwk, last));
  await ear.hear(`ack/${last.id}`, ({ state }) => state === 'done');
  t.equal(store.chainEnd().sequence, 10);
});

t.test('headquarters can ask for a range again, and for all retained topics', needsMosquitto, async (t) => {
  const { store, ear, broker, privateJwk, order } = await world(t);
  store.calls.append([1, 2, 3, 4].map((n) => draft(n)));
  await ear.hear('event', ({ sequence }) => sequence === 4);
  const said = { reason: 'test', by: 'test' };
  const resend = order({ ...said, type: 'resend', from: 2, to: 5 });
  const last = await sendCommand({ url: broker.url, key: privateJwk, command: resend, clock });
  t.match(last, { state: 'done', result: { resent: 3, missing: 1 } });
  await ear.hear('event', () => ear.all('event').length === 7);
  t.same(
    ear.all('event').map(({ sequence }) => sequence),
    [1, 2, 3, 4, 2, 3, 4],
  );
  const before = ear.all('status').length;
  const snapshot = order({ ...said, type: 'snapshot' });
  t.match(await sendCommand({ url: broker.url, key: privateJwk, command: snapshot, clock }), { state: 'done' });
  await ear.hear('status', () => ear.all('status').length > before);
});

t.test('the program of headquarters orders a cut, and says how it ended', needsMosquitto, async (t) => {
  const asked: Command[] = [];
  const { broker, privateJwk } = await world(t, async (command) => {
    asked.push(command);
    return { outcome: 'done', result: { silentMs: 2 } };
  });
  const key = join(aFolder(t), 'hq.jwk');
  writeFileSync(key, JSON.stringify(privateJwk));
  const program = join(import.meta.dirname, '..', '..', 'scripts', 'headquarters', 'main.js');
  const run = async (...args: string[]) => {
    const child = spawn(process.execPath, [program, '--url', broker.url, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    let out = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (out += chunk));
    const [status] = await once(child, 'close');
    return { status: status as number, out };
  };
  const cut = await run(
    '--cut',
    'handset:a-101',
    '--gateway',
    GATEWAY,
    '--key',
    key,
    '--hold',
    '5',
    '--reason',
    'search',
  );
  t.equal(cut.status, 0, cut.out);
  t.match(cut.out, /"state":"accepted".*\n.*"state":"done".*"silentMs":2/);
  t.match(asked, [{ type: 'cutoff', hold: 5_000, reason: 'search', target: { kind: 'handset', handset: 'a-101' } }]);
  const wrong = await run('--cut', 'handset', '--gateway', GATEWAY, '--key', key);
  t.equal(wrong.status, 64);
  t.match(wrong.out, /is no target/);
});
