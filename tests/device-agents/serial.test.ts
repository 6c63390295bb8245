import { existsSync } from 'node:fs';
import t, { type Test } from 'tap';
import { AgentBench, nowMs, until } from './harness.js';
import { SerialLine } from './serial-line.js';

const missing = [
  ['/usr/bin/socat', 'socat'],
  ['/usr/lib/python3/dist-packages/pymodbus', 'python3-pymodbus'],
  ['/usr/lib/python3/dist-packages/serial_asyncio', 'python3-serial-asyncio'],
].flatMap(([path = '', name = '']) => (existsSync(path) ? [] : [name]));
const opts = missing.length === 0 || process.env.CI ? {} : { skip: `missing: ${missing.join(', ')}` };

/** The agent over a pty, with pymodbus at the other end. */
async function bench(t: Test, more: Parameters<AgentBench['config']>[1] = {}) {
  const line = new SerialLine();
  await line.start(t, more.units);
  const bench = new AgentBench();
  await bench.start(t);
  const config = bench.config({ kind: 'serial', path: line.path, baud: 115_200, parity: 'none', stopBits: 1 }, more);
  await bench.agent(config);
  return { line, bench };
}

t.test(
  'over a real serial line: the watchdog is written, hooks are seen, relays follow their leases',
  opts,
  async (t) => {
    const { line, bench: b } = await bench(t);
    await until('the board is in use', () => b.boardIs('ok'));
    t.equal(line.registers.get('1/8'), 3, 'three seconds of watchdog');
    t.same(line.coils.get(1), [0, 0, 0, 0, 0, 0, 0, 0], 'every relay is opened before it is used');
    b.keepLeased('h1');
    await until('relay 1 is closed', () => line.relay(1));
    t.equal(line.relay(0), false);
    line.hook(0, true);
    await until('the hook is off', () => b.states.get('h0')?.hook === 'off');
    t.equal(b.states.get('h1')?.hook, 'on');
    line.hook(8, true);
    await until('the open case is told', () => b.states.get('h1')?.tamper === true);
    b.stopLeasing('h1');
    b.lease('h1', 0);
    await until('relay 1 is open', () => !line.relay(1), 1_000);
  },
);

t.test('a lease that runs out opens the relay of a real serial line', opts, async (t) => {
  const { line, bench: b } = await bench(t);
  await until('the board is in use', () => b.boardIs('ok'));
  const fromMs = nowMs();
  b.lease('h0', 600);
  await until('the relay is closed', () => line.relay(0));
  await until('the relay is open', () => !line.relay(0), 2_000);
  const tookMs = nowMs() - fromMs;
  t.ok(tookMs >= 590 && tookMs < 1_500, `${Math.round(tookMs)} ms`);
});

t.test('the adapter pulled is told at once, and put back is taken again with no restart', opts, async (t) => {
  const { line, bench: b } = await bench(t);
  await until('the board is in use', () => b.boardIs('ok'));
  b.keepLeased('h0');
  await until('the state says connected', () => b.states.get('h0')?.relay === 'connected');
  const fromMs = nowMs();
  await line.pull();
  await until('the line is unknown', () => b.states.get('h0')?.relay === 'unknown', 2_000);
  t.comment(`pulled to unknown: ${((b.states.get('h0')?.heardMs ?? 0) - fromMs).toFixed(1)} ms`);
  t.equal(b.states.get('h0')?.hook, 'unknown');
  await until('the port is lost', () => b.health !== 'gone' && b.health?.port === 'lost');
  t.ok(b.boardIs('lost'));
  await line.plug();
  await until('the line is back', () => b.states.get('h0')?.relay === 'connected', 8_000);
  t.ok(b.boardIs('ok'));
});

t.test('a board that is not there does not slow those that are', opts, async (t) => {
  const { line, bench: b } = await bench(t, { units: [1, 2], lines: 1 });
  await until('both are in use', () => b.boardIs('ok', 0) && b.boardIs('ok', 1));
  t.equal(line.registers.get('2/8'), 3);
  const config = b.config({ kind: 'serial', path: line.path, baud: 115_200 }, { units: [1, 9], lines: 1 });
  await b.kill('SIGTERM');
  b.said.length = 0;
  b.states.clear();
  b.health = undefined;
  await b.agent(config);
  await until('one is in use and one is lost', () => b.boardIs('ok', 0) && b.boardIs('lost', 1));
  for (let round = 0; round < 8; round++) {
    const off = round % 2 === 0;
    const fromMs = nowMs();
    line.hook(0, off);
    await until('the hook is seen', () => b.states.get('h1-0')?.hook === (off ? 'off' : 'on'), 2_000);
    t.ok(nowMs() - fromMs < 1_000);
  }
});
