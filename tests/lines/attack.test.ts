/**
 * Attacks on the device bus, with the whole line plane behind it: an agent that speaks for another's line, a stranger, too
 * much at once, leases from elsewhere and of before. Refused, counted, told, and without effect on wire or facts.
 */
import { type EventEmitter, once as onceOf } from 'node:events';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import t, { type Test } from 'tap';
import { Bus } from '../../gateway/bus/bus.js';
import { freshSecret } from '../../gateway/bus/identities.js';
import type { BusRefusal } from '../../gateway/bus/refusals.js';
import { readBootId, systemClock } from '../../gateway/clock/system-clock.js';
import { Lines } from '../../gateway/lines/lines.js';
import { boardId, handsetId, wingId } from '../../gateway/policy/ids.js';
import { startBoard } from '../../scripts/simulators/board.js';
import { AgentBench, until } from '../device-agents/harness.js';

t.jobs = 3;
const clock = systemClock(() => ({ trusted: true }));
const h0 = handsetId('h0');
const board = boardId('b1');
const otherSecret = freshSecret();
const once = (one: MqttClient, event: string): Promise<unknown[]> => onceOf(one as unknown as EventEmitter, event);

/** A bus, its line plane, an honest agent with a board, and the credentials of a second agent, for whoever attacks. */
async function besieged(t: Test) {
  const relay = await startBoard({ port: 0 });
  t.teardown(() => relay.close());
  const secret = freshSecret();
  const refusals: BusRefusal[] = [];
  const bus = new Bus({ address: '127.0.0.1', port: 0, clock, onRefused: (refusal) => refusals.push(refusal) });
  bus.addIdentity({ name: 'modbus-1', secret, handsets: ['h0', 'h1'] });
  bus.addIdentity({ name: 'modbus-2', secret: otherSecret, handsets: ['h9'] });
  const { port } = await bus.start();
  t.teardown(() => bus.stop());
  const may = { is: true };
  const lines = new Lines({
    clock,
    bootId: readBootId(),
    bus,
    sink: { request: () => undefined, event: () => undefined, planeLost: () => undefined },
    boards: [{ board, agent: 'modbus-1', allowNoWatchdog: false }],
    lines: [{ handset: h0, wing: wingId('a'), board }],
    mayCall: () => may.is,
  });
  lines.start();
  t.teardown(() => lines.stop());
  const leases: string[] = [];
  bus.subscribe('bus/line/h0/lease', (_topic, payload) => leases.push(payload.toString()));
  const agent = new AgentBench();
  await agent.start(t);
  const config = agent.config({ kind: 'rtu-over-tcp', host: '127.0.0.1', port: relay.port });
  await agent.agent({ ...config, bus: { ...config.bus, port, secret } });
  await until('the honest agent is believed', () => lines.facts(h0).relay === 'connected', 30_000);
  const attacker = async (options: IClientOptions = {}) => {
    const one = mqtt.connect({
      host: '127.0.0.1',
      port,
      clientId: 'modbus-2',
      username: 'modbus-2',
      password: otherSecret,
      reconnectPeriod: 0,
      ...options,
    });
    one.on('error', () => undefined);
    t.teardown(() => one.end(true));
    return one;
  };
  const closed = (one: MqttClient) => new Promise<void>((resolve) => one.once('close', () => resolve()));
  return { bus, lines, relay, may, leases, refusals, attacker, closed, port };
}

const lie = JSON.stringify({
  hook: 'off',
  relay: 'open',
  tamper: false,
  at: '2026-01-01T00:00:00Z',
  // From the far future, so that nothing honest would ever be newer.
  atNs: '99999999999999999999',
  leaseNs: '99999999999999999999',
});

t.test('a retained state for another’s line is refused: the truth of the wire stands', async (t) => {
  const s = await besieged(t);
  const one = await s.attacker();
  await once(one, 'connect');
  const gone = s.closed(one);
  one.publish('bus/line/h0/state', lie, { qos: 1, retain: true });
  await gone;
  t.equal(s.bus.refused.publish, 1);
  t.match(s.refusals, [{ kind: 'publish', name: 'modbus-2', detail: 'bus/line/h0/state' }]);
  t.same(s.lines.facts(h0), { fitted: true, hook: 'on', supervised: true, relay: 'connected' });
  s.relay.setHook(0, true);
  await until('the honest agent is heard as before', () => s.lines.facts(h0).hook === 'off');
  t.equal(s.relay.relay(0), true);
});

t.test('a last will in another’s name, and a health in another’s name, are refused', async (t) => {
  const s = await besieged(t);
  const will = { topic: 'bus/agent/modbus-1/health', payload: Buffer.from('gone'), qos: 1 as const, retain: true };
  const one = await s.attacker({ will });
  await once(one, 'connect');
  one.stream.destroy();
  await until('it is refused', () => s.bus.refused.publish === 1);
  const two = await s.attacker();
  await once(two, 'connect');
  const gone = s.closed(two);
  two.publish('bus/agent/modbus-1/health', 'gone', { qos: 1, retain: true });
  await gone;
  t.equal(s.bus.refused.publish, 2);
  t.equal(s.lines.facts(h0).supervised, true);
});

t.test('a stranger with no secret comes nowhere, and takes nobody’s place', async (t) => {
  const s = await besieged(t);
  for (const options of [
    { username: undefined, password: undefined, clientId: 'modbus-1' },
    { username: 'modbus-1', password: 'a guess of sixteen', clientId: 'modbus-1' },
    { clientId: 'modbus-1' },
  ] as IClientOptions[]) {
    await s.closed(await s.attacker(options));
  }
  t.equal(s.bus.refused.credentials, 3);
  t.equal(s.lines.facts(h0).supervised, true, 'the honest agent is connected still');
  t.equal(s.relay.relay(0), true);
});

t.test('a payload that is too large ends its connection, and nothing of it is kept', async (t) => {
  const s = await besieged(t);
  const one = await s.attacker();
  await once(one, 'connect');
  const gone = s.closed(one);
  one.publish('bus/line/h9/state', Buffer.alloc(200_000, 'x'), { qos: 1, retain: true });
  await gone;
  t.equal(s.bus.refused.size, 1);
  const two = await s.attacker();
  await once(two, 'connect');
  const goneToo = s.closed(two);
  two.publish('bus/line/h9/state', Buffer.alloc(50_000, 'x'), { qos: 1, retain: true });
  await goneToo;
  t.equal(s.bus.refused.size, 2, 'a state is far shorter than a packet may be');
  const malformed = s.lines.malformed;
  const three = await s.attacker();
  await once(three, 'connect');
  await three.publishAsync('bus/line/h9/state', Buffer.alloc(1_000, 'x'), { qos: 1, retain: true });
  t.equal(s.lines.malformed, malformed + 1, 'what the bus still takes is none to the lines, and counted');
});

t.test('a lease of before, heard by whoever and said again, closes nothing', async (t) => {
  const s = await besieged(t);
  const replayed = s.leases.findLast((text) => text.includes('"connected":true')) ?? '';
  s.may.is = false;
  s.lines.review();
  await until('the relay is open', () => !s.relay.relay(0));
  // An agent cannot even say it.
  const one = await s.attacker();
  await once(one, 'connect');
  const gone = s.closed(one);
  one.publish('bus/line/h0/lease', replayed, { qos: 1, retain: true });
  await gone;
  t.equal(s.bus.refused.publish, 1);
  // And were it to come over the bus all the same, the agent knows it for what it is.
  const asked = s.relay.answered();
  s.bus.publish('bus/line/h0/lease', replayed);
  await until('the board was polled since', () => s.relay.answered() > asked + 20);
  t.equal(s.relay.relay(0), false);
});
