import { type EventEmitter, once as onceOf } from 'node:events';
import { connect as dial } from 'node:net';
import fc from 'fast-check';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import t, { type Test } from 'tap';
import { Bus, type BusOptions } from '../../gateway/bus/bus.js';
import { freshSecret, Identities } from '../../gateway/bus/identities.js';
import { PacketLengths } from '../../gateway/bus/packet-guard.js';
import type { BusRefusal } from '../../gateway/bus/refusals.js';
import { systemClock } from '../../gateway/clock/system-clock.js';

/** The next event; a client's own error is no reason to stop waiting for its close. */
function once(emitter: unknown, event: string): Promise<unknown[]> {
  if (event !== 'close') return onceOf(emitter as EventEmitter, event);
  return new Promise((resolve) => (emitter as EventEmitter).once(event, (...args) => resolve(args)));
}

const clock = systemClock(() => ({ trusted: true }));
const [secretA, secretB] = [freshSecret(), freshSecret()];

async function started(t: Test, more: Partial<BusOptions> = {}) {
  const refusals: BusRefusal[] = [];
  let wake: () => void = () => undefined;
  const bus = new Bus({
    address: '127.0.0.1',
    port: 0,
    clock,
    ...more,
    onRefused: (refusal) => {
      refusals.push(refusal);
      wake();
    },
  });
  bus.addIdentity({ name: 'agent-a', secret: secretA, handsets: ['h0', 'h1'] });
  bus.addIdentity({ name: 'agent-b', secret: secretB, handsets: ['h2'] });
  const { port } = await bus.start();
  t.teardown(() => bus.stop());
  const heard: string[] = [];
  bus.subscribe('bus/#', (topic, payload) => {
    heard.push(`${topic} ${payload}`);
    wake();
  });
  const until = async (reached: () => boolean) => {
    while (!reached()) await new Promise<void>((resolve) => (wake = resolve));
  };
  const client = (options: IClientOptions = {}) => {
    const one = mqtt.connect({
      host: '127.0.0.1',
      port,
      clientId: 'agent-a',
      username: 'agent-a',
      password: secretA,
      reconnectPeriod: 0,
      ...options,
    });
    // What is refused ends the connection; the tests look at that.
    one.on('error', () => undefined);
    t.teardown(() => one.end(true));
    return one;
  };
  return { bus, port, refusals, heard, until, client };
}

async function connected(client: MqttClient): Promise<MqttClient> {
  await once(client, 'connect');
  return client;
}

t.test('an agent publishes its own states and health, and hears its own leases', async (t) => {
  const { bus, heard, until, client } = await started(t);
  const a = await connected(client());
  const granted = await a.subscribeAsync(['bus/line/h0/lease', 'bus/line/h1/lease'], { qos: 0 });
  t.same(
    granted.map(({ qos }) => qos),
    [0, 0],
  );
  await a.publishAsync('bus/line/h0/state', 'a state', { qos: 1, retain: true });
  await a.publishAsync('bus/agent/agent-a/health', 'well', { qos: 1 });
  await until(() => heard.length === 2);
  t.same(heard, ['bus/line/h0/state a state', 'bus/agent/agent-a/health well']);
  const lease = once(a, 'message');
  bus.publish('bus/line/h1/lease', 'a lease');
  const [topic, payload] = (await lease) as [string, Buffer];
  t.same([topic, payload.toString()], ['bus/line/h1/lease', 'a lease']);
  t.same(bus.refused, { credentials: 0, publish: 0, subscribe: 0, size: 0, rate: 0, crowd: 0, tls: 0 });
});

t.test('a wrong secret, an unknown name, no name, and the name of another are refused', async (t) => {
  const { bus, refusals, client } = await started(t);
  for (const options of [
    { password: `${secretA}x` },
    { password: secretB },
    { username: 'nobody', clientId: 'nobody' },
    { username: undefined, password: undefined },
    // Its own credentials, and another's client id: that would end the other's connection.
    { clientId: 'agent-b' },
    { clientId: '' },
  ] as IClientOptions[]) {
    const one = client(options);
    await once(one, 'close');
    t.equal(one.connected, false);
  }
  t.equal(bus.refused.credentials, 6);
  t.ok(refusals.every(({ kind }) => kind === 'credentials'));
});

t.test('an identity cannot be taken away by somebody who only knows its name', async (t) => {
  const { client } = await started(t);
  const a = await connected(client());
  await once(client({ password: 'x'.repeat(40) }), 'close');
  t.equal(a.connected, true);
});

for (const topic of [
  'bus/line/h2/state',
  'bus/line/h0/lease',
  'bus/agent/agent-b/health',
  'bus/line/h0/state/more',
  'anything',
  '$SYS/x',
]) {
  t.test(`an agent that publishes to ${topic} is refused, told of, and disconnected`, async (t) => {
    const { bus, heard, refusals, client } = await started(t);
    const a = await connected(client());
    const closed = once(a, 'close');
    a.publish(topic, 'mischief', { qos: 1 });
    await closed;
    t.same(
      heard.filter((one) => one.includes('mischief')),
      [],
    );
    t.equal(bus.refused.publish, 1);
    t.match(refusals, [{ kind: 'publish', name: 'agent-a', detail: topic }]);
  });
}

t.test('a last will on the topic of another is never published', async (t) => {
  const { bus, heard, client, until } = await started(t);
  const a = await connected(
    client({ will: { topic: 'bus/agent/agent-b/health', payload: Buffer.from('gone'), qos: 1 } }),
  );
  a.stream.destroy();
  await until(() => bus.refused.publish === 1);
  t.same(heard, []);
});

t.test('the last will is published when the connection breaks', async (t) => {
  const { heard, client, until } = await started(t);
  const a = await connected(
    client({ will: { topic: 'bus/agent/agent-a/health', payload: Buffer.from('gone'), qos: 1 } }),
  );
  a.stream.destroy();
  await until(() => heard.length === 1);
  t.same(heard, ['bus/agent/agent-a/health gone']);
});

t.test('a subscription to anything but its own leases is refused and brings nothing', async (t) => {
  const { bus, client } = await started(t);
  const a = await connected(client());
  const filters = ['#', 'bus/#', 'bus/line/+/lease', 'bus/line/h2/lease', 'bus/line/h0/state', 'bus/line/h0/lease/#'];
  for (const filter of filters) {
    const granted = await a.subscribeAsync(filter).catch((error: Error) => error.message);
    t.match(typeof granted === 'string' ? granted : granted[0]?.qos, typeof granted === 'string' ? /.+/ : 128, filter);
  }
  t.equal(bus.refused.subscribe, filters.length);
  const heard: string[] = [];
  a.on('message', (topic) => heard.push(topic));
  await a.subscribeAsync('bus/line/h0/lease');
  bus.publish('bus/line/h2/lease', 'not for a');
  bus.publish('bus/line/h0/lease', 'for a');
  await once(a, 'message');
  t.same(heard, ['bus/line/h0/lease']);
});

t.test('a packet that says that it is huge ends its connection before it has come', async (t) => {
  const { bus, port, until } = await started(t);
  const socket = dial(port, '127.0.0.1');
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  // A CONNECT of 256 MB (3.1.1 §2.2.3): the broker would collect it.
  socket.write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]));
  await once(socket, 'close');
  await until(() => bus.refused.size === 1);
});

t.test('a state longer than any is refused, told of, and kept nowhere: not as a last will either', async (t) => {
  const { bus, refusals, heard, client, until } = await started(t);
  const long = 'x'.repeat(1_025);
  const one = client();
  await once(one as unknown as EventEmitter, 'connect');
  one.publish('bus/line/h0/state', long, { qos: 1, retain: true });
  await until(() => bus.refused.size === 1);
  const other = client({ will: { topic: 'bus/line/h0/state', payload: Buffer.from(long), qos: 1, retain: true } });
  await once(other as unknown as EventEmitter, 'connect');
  other.stream.destroy();
  await until(() => bus.refused.size === 2);
  t.match(refusals[0], { kind: 'size', name: 'agent-a', detail: 'bus/line/h0/state' });
  t.same(heard, []);
});

t.test('a connection that never says who it is is ended', async (t) => {
  const { port } = await started(t);
  const socket = dial(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  await once(socket, 'close');
});

t.test('a crowd of connections is turned away at the door, and those inside stay', async (t) => {
  const { bus, port, client, until } = await started(t);
  const a = await connected(client());
  const crowd = Array.from({ length: 60 }, () => dial(port, '127.0.0.1'));
  for (const one of crowd) one.on('error', () => undefined);
  t.teardown(() => {
    for (const one of crowd) one.destroy();
  });
  await until(() => bus.refused.crowd > 0);
  t.equal(a.connected, true);
});

t.test('names and secrets that cannot be are a fault of whoever adds them', async (t) => {
  const identities = new Identities();
  t.throws(() => identities.add({ name: 'a/b', secret: secretA, handsets: [] }), /cannot be the name of an agent/);
  t.throws(() => identities.add({ name: 'a', secret: 'short', handsets: [] }), /shorter than 16/);
  t.throws(() => identities.add({ name: 'a', secret: secretA, handsets: ['+'] }), /name of a handset/);
  identities.add({ name: 'a', secret: secretA, handsets: [] });
  t.equal(identities.proves('a', Buffer.from(secretA)), true);
  identities.add({ name: 'a', secret: secretB, handsets: [] });
  t.equal(identities.proves('a', Buffer.from(secretA)), false, 'a new secret replaces the old one');
});

t.test('the length of each packet is followed however the bytes are cut', async () => {
  const packet = (length: number) => {
    const head = [0x30];
    let left = length;
    do {
      head.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
      left >>>= 7;
    } while (left > 0);
    return Buffer.concat([Buffer.from(head), Buffer.alloc(length, 0xff)]);
  };
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 700 }), { maxLength: 12 }), fc.array(fc.nat({ max: 90 })), (lengths, cuts) => {
      const bytes = Buffer.concat(lengths.map(packet));
      const watch = new PacketLengths(500);
      let within = true;
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        within &&= watch.areWithin(bytes.subarray(at, at + cut));
        at += cut;
      }
      return within === lengths.every((length) => length <= 500);
    }),
  );
});
