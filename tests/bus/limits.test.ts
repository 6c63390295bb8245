/** What the bus does about floods, eavesdroppers and restarts. */
import { execFileSync } from 'node:child_process';
import { type EventEmitter, once as onceOf } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import t, { type Test } from 'tap';
import { Bus, type BusOptions } from '../../gateway/bus/bus.js';
import { freshSecret, hashedSecret, Identities } from '../../gateway/bus/identities.js';
import { type BusRefusal, Refusals, TOGETHER_MS } from '../../gateway/bus/refusals.js';
import { systemClock } from '../../gateway/clock/system-clock.js';
import { until } from '../device-agents/harness.js';
import { VirtualClock } from '../lines/virtual-clock.js';

/** The next event of a client, whose own types hide that it is an emitter. */
const once = (one: MqttClient, event: string): Promise<unknown[]> => onceOf(one as unknown as EventEmitter, event);

const secret = freshSecret();
const clock = systemClock(() => ({ trusted: true }));

async function bus(t: Test, more: Partial<BusOptions> = {}) {
  const refusals: BusRefusal[] = [];
  const one = new Bus({
    address: '127.0.0.1',
    port: 0,
    clock,
    onRefused: (refusal) => refusals.push(refusal),
    ...more,
  });
  one.addIdentity({ name: 'agent-a', secret, handsets: ['h0'] });
  const { port } = await one.start();
  t.teardown(() => one.stop());
  return { bus: one, port, refusals };
}

function client(t: Test, port: number, more: IClientOptions = {}): MqttClient {
  const one = mqtt.connect({
    host: '127.0.0.1',
    port,
    clientId: 'agent-a',
    username: 'agent-a',
    password: secret,
    reconnectPeriod: 0,
    ...more,
  });
  // What is refused ends the connection; the tests look at that.
  one.on('error', () => undefined);
  t.teardown(() => one.end(true));
  return one;
}

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'balise-bus-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

t.test('an agent that floods the bus is cut off and told of, and its like comes in again', async (t) => {
  const { bus: b, port, refusals } = await bus(t);
  const a = client(t, port);
  await once(a, 'connect');
  const closed = new Promise<void>((resolve) => a.once('close', () => resolve()));
  for (let count = 0; count < 4_000; count++) a.publish('bus/line/h0/state', 'x', { qos: 0 });
  await closed;
  t.equal(b.refused.rate, 1);
  t.match(refusals, [{ kind: 'rate', name: 'agent-a', detail: /500 packets a second/ }]);
  const again = client(t, port);
  await once(again, 'connect');
  t.ok(again.connected);
});

t.test('an agent that says all that it has at its start is no flood', async (t) => {
  const { bus: b, port } = await bus(t);
  const a = client(t, port);
  await once(a, 'connect');
  await Promise.all(
    Array.from({ length: 500 }, () => a.publishAsync('bus/line/h0/state', 'x', { qos: 1, retain: true })),
  );
  t.equal(b.refused.rate, 0);
  t.ok(a.connected);
});

t.test(
  'of a flood of refusals the first is told at once, and the rest once in ten seconds with their number',
  async (t) => {
    const clock = new VirtualClock();
    const told: BusRefusal[] = [];
    const refusals = new Refusals(clock, (refusal) => told.push(refusal));
    for (let count = 0; count < 1_000; count++) refusals.add('credentials', 'nobody', 'x'.repeat(1_000));
    refusals.add('publish', 'agent-a', 'bus/line/h2/state');
    t.match(told, [
      { kind: 'credentials', name: 'nobody', count: 1 },
      { kind: 'publish', name: 'agent-a', count: 1 },
    ]);
    t.equal(told[0]?.detail.length, 128);
    clock.go(TOGETHER_MS);
    t.match(told.slice(2), [{ kind: 'credentials', name: 'nobody', count: 999 }]);
    clock.go(TOGETHER_MS * 2);
    t.equal(told.length, 3, 'silence is not told');
    refusals.add('credentials', 'nobody', 'again');
    t.match(told[3], { count: 1 }, 'and the next is a first one again');
    t.match(refusals.counts, { credentials: 1_001, publish: 1 });
  },
);

t.test('whoever claims a thousand names is told of as one', async (t) => {
  const told: BusRefusal[] = [];
  const refusals = new Refusals(new VirtualClock(), (refusal) => told.push(refusal));
  for (let count = 0; count < 1_000; count++) refusals.add('credentials', `name-${count}`, '');
  t.ok(told.length <= 65, `${told.length} told`);
  t.equal(told.at(-1)?.name, 'many');
  t.equal(refusals.counts.credentials, 1_000);
});

t.test('over TLS an agent that checks the certificate comes in, and what is in clear does not', async (t) => {
  const at = folder(t);
  const [key, cert] = [join(at, 'key.pem'), join(at, 'cert.pem')];
  const subject = ['-subj', '/CN=bus', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      ...subject,
      '-keyout',
      key,
      '-out',
      cert,
    ],
    { stdio: 'ignore' },
  );
  const { bus: b, port } = await bus(t, { tls: { cert, key } });
  const a = client(t, port, { protocol: 'mqtts', ca: readFileSync(cert) });
  await once(a, 'connect');
  const heard = once(a, 'message');
  await a.subscribeAsync('bus/line/h0/lease');
  b.publish('bus/line/h0/lease', 'a lease');
  t.equal(String((await heard)[1]), 'a lease');

  const stranger = client(t, port, { protocol: 'mqtts' });
  const [fault] = (await new Promise<unknown[]>((resolve) => stranger.once('error', (...args) => resolve(args)))) as [
    Error,
  ];
  t.match(fault.message, /self-signed/, 'an agent does not speak to a bus that it cannot check');

  const clear = dial(port, '127.0.0.1');
  clear.on('error', () => undefined);
  const closed = new Promise((resolve) => clear.once('close', resolve));
  clear.write(Buffer.from([0x10, 0x10, 0, 4, 77, 81, 84, 84, 4, 2, 0, 10, 0, 4, 97, 97, 97, 97]));
  await closed;
  await until('it is counted', () => b.refused.tls >= 1);
});

t.test('a bus whose certificate cannot be read does not start', async (t) => {
  const one = new Bus({
    address: '127.0.0.1',
    port: 0,
    clock,
    tls: { cert: '/nowhere/cert.pem', key: '/nowhere/key.pem' },
  });
  await t.rejects(one.start(), /\/nowhere\/cert\.pem/);
  await one.stop();
});

t.test('the lines’ last states outlive a restart of the gateway, and healths do not', async (t) => {
  const retained = { file: join(folder(t), 'bus-states.json'), bootId: 'a-boot' };
  const first = await bus(t, { retained });
  const a = client(t, first.port);
  await once(a, 'connect');
  await a.publishAsync('bus/line/h0/state', 'the first', { qos: 1, retain: true });
  await a.publishAsync('bus/line/h0/state', 'the last', { qos: 1, retain: true });
  await a.publishAsync('bus/agent/agent-a/health', 'well', { qos: 1, retain: true });
  await until(
    'it is kept',
    () => existsSync(retained.file) && readFileSync(retained.file, 'utf8').includes('the last'),
  );
  await first.bus.stop();

  const second = await bus(t, { retained });
  const heard: string[] = [];
  second.bus.subscribe('bus/line/+/state', (topic, payload) => heard.push(`${topic} ${payload}`));
  second.bus.subscribe('bus/agent/+/health', (topic, payload) => heard.push(`${topic} ${payload}`));
  t.same(heard, ['bus/line/h0/state the last']);

  const rebooted = await bus(t, { retained: { ...retained, bootId: 'another' } });
  rebooted.bus.subscribe('bus/line/+/state', () => t.fail('what was said in another boot is not said again'));
});

t.test('a file of states that is torn is told, thrown away, and starts nothing', async (t) => {
  const file = join(folder(t), 'bus-states.json');
  writeFileSync(file, '{"bootId":"a-boot","states":[["bus/line/h0/st');
  const faults: unknown[] = [];
  const { bus: b } = await bus(t, { retained: { file, bootId: 'a-boot' }, onFault: (fault) => faults.push(fault) });
  b.subscribe('bus/#', () => t.fail('nothing is known'));
  t.equal(faults.length, 1);
  t.equal(existsSync(file), false);
});

t.test('an identity may be known by the hash of its secret alone', async (t) => {
  const identities = new Identities();
  const own = freshSecret();
  identities.add({ name: 'elsewhere', secretHash: hashedSecret(own), handsets: ['h0'] });
  t.equal(identities.proves('elsewhere', Buffer.from(own)), true);
  t.equal(identities.proves('elsewhere', Buffer.from(hashedSecret(own))), false, 'the hash is no secret');
  t.throws(
    () => identities.add({ name: 'x', secretHash: 'plain text', handsets: [] }),
    /the hash of x's secret is none/,
  );
});
