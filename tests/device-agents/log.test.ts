/** An agent's log: whoever reads it may stop, and no relay stays closed for that. */
import { once } from 'node:events';
import t from 'tap';
import { startBoard } from '../../scripts/simulators/board.js';
import { AgentBench, nowMs, until } from './harness.js';

/** Each is a line of the log of about 120 bytes; a pipe holds a few hundred kilobytes. */
const REFUSED = 12_000;

t.test('an agent whose log nobody reads any more obeys its leases, and ends with its relays open', async (t) => {
  const line = await startBoard({ port: 0 });
  t.teardown(() => line.close());
  const bench = new AgentBench();
  await bench.start(t);
  const child = await bench.agent(bench.config({ kind: 'rtu-over-tcp', host: '127.0.0.1', port: line.port }));
  await until('the board is in use', () => bench.boardIs('ok'));
  child.stdout?.pause();
  for (let sent = 0; sent < REFUSED; sent += 100) {
    for (let at = 0; at < 100; at++) bench.lease('h0', 5_000, { boot: 'another' });
    await new Promise((resolve) => setImmediate(resolve));
  }
  const refused = () => (bench.health === undefined || bench.health === 'gone' ? 0 : bench.health.leasesRefused);
  await until('every one was refused, and is on its way to the log', () => refused() >= REFUSED);
  bench.keepLeased('h0');
  await until('a true lease is obeyed', () => line.relay(0));
  const exited = once(child, 'exit');
  const fromMs = nowMs();
  child.kill('SIGTERM');
  t.strictSame(await exited, [0, null], 'a clean end');
  t.equal(line.relay(0), false);
  t.ok(nowMs() - fromMs < 3_000, 'before its supervisor insists');
});

t.test('a parent that closes the pipe of the log ends nothing but the log', async (t) => {
  const line = await startBoard({ port: 0 });
  t.teardown(() => line.close());
  const bench = new AgentBench();
  await bench.start(t);
  const child = await bench.agent(bench.config({ kind: 'rtu-over-tcp', host: '127.0.0.1', port: line.port }));
  child.stdout?.destroy();
  await until('the board is in use', () => bench.boardIs('ok'));
  bench.lease('h0', 5_000, { boot: 'another' });
  bench.keepLeased('h0');
  await until('a lease is obeyed', () => line.relay(0));
  t.equal(child.exitCode, null);
});
