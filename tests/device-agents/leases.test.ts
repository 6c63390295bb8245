import { once } from 'node:events';
import t, { type Test } from 'tap';
import { startBoard } from '../../scripts/simulators/board.js';
import { AgentBench, nowMs, until } from './harness.js';

/** An agent over a simulated board behind a device server, with the first handset connected. */
async function connected(t: Test, board: Parameters<typeof startBoard>[0] = { port: 0 }, leaseMs = 5_000) {
  const line = await startBoard(board);
  t.teardown(() => line.close());
  const bench = new AgentBench();
  await bench.start(t);
  const child = await bench.agent(bench.config({ kind: 'rtu-over-tcp', host: '127.0.0.1', port: line.port }));
  await until('the board is in use', () => bench.boardIs('ok'));
  const openings: { readonly index: number; readonly atMs: number; readonly byWatchdog: boolean }[] = [];
  line.onRelay((index, closed, byWatchdog) => {
    if (!closed) openings.push({ index, atMs: nowMs(), byWatchdog });
  });
  bench.keepLeased('h0', leaseMs, leaseMs / 3);
  await until('the relay is closed', () => line.relay(0));
  const opened = (ms = 10_000) => until('the relay is open', () => !line.relay(0), ms);
  return { line, bench, child, openings, opened };
}

t.test('a relay is closed while its lease is refreshed, and its state is what the board reads back', async (t) => {
  const { line, bench } = await connected(t, { port: 0 }, 900);
  await until('the state says connected', () => bench.states.get('h0')?.relay === 'connected');
  t.equal(bench.states.get('h1')?.relay, 'open');
  const atMs = nowMs();
  await until('three leases have passed', () => nowMs() - atMs > 2_000);
  t.equal(line.relay(0), true);
  t.equal(line.watchdog(), 3_000);
});

t.test('silence opens the relay at the end of the last lease', async (t) => {
  const { bench, openings, opened } = await connected(t);
  bench.stopLeasing('h0');
  bench.lease('h0', 700);
  const fromMs = nowMs();
  await opened(3_000);
  const tookMs = (openings[0]?.atMs ?? 0) - fromMs;
  t.ok(tookMs >= 600 && tookMs < 1_500, `${Math.round(tookMs)} ms`);
  t.equal(openings[0]?.byWatchdog, false);
  await until('the state says open', () => bench.states.get('h0')?.relay === 'open');
});

t.test('an order to open is obeyed at once and confirmed by a state that names it', async (t) => {
  const { bench, opened } = await connected(t);
  bench.stopLeasing('h0');
  const sent = JSON.parse(bench.lease('h0', 0, { confirm: true })) as { sentNs: string };
  const fromMs = nowMs();
  await opened(1_000);
  await until('it is confirmed', () => bench.states.get('h0')?.leaseNs === sent.sentNs, 1_000);
  t.equal(bench.states.get('h0')?.relay, 'open');
  t.comment(`order to confirmation: ${(nowMs() - fromMs).toFixed(1)} ms`);
  const again = JSON.parse(bench.lease('h0', 0, { confirm: true })) as { sentNs: string };
  await until('it is confirmed though nothing changed', () => bench.states.get('h0')?.leaseNs === again.sentNs, 1_000);
});

t.test('a late, doubled, foreign or malformed lease gives nothing and is counted', async (t) => {
  const { line, bench, opened } = await connected(t);
  bench.stopLeasing('h0');
  const old = bench.lease('h0', 5_000);
  bench.lease('h0', 0);
  await opened(1_000);
  const topic = 'bus/line/h0/lease';
  bench.bus.publish(topic, old);
  bench.bus.publish(topic, old);
  const future = `${process.hrtime.bigint() + 60_000_000_000n}`;
  bench.lease('h0', 5_000, { boot: 'another' });
  bench.lease('h0', 5_000, { sentNs: future, untilNs: future });
  bench.lease('h0', 5_000, { untilNs: `${process.hrtime.bigint() - 1n}` });
  for (const text of ['', '{}', 'null', '[1]', '{"connected":true}', 'x'.repeat(2_000)]) bench.bus.publish(topic, text);
  await until('all are counted', () => bench.health !== 'gone' && (bench.health?.leasesRefused ?? 0) >= 10, 5_000);
  t.equal(line.relay(0), false);
  t.equal(bench.states.get('h0')?.relay, 'open');
});

t.test('the bus stopped opens every relay at once', async (t) => {
  const { bench, opened, openings } = await connected(t);
  const fromMs = nowMs();
  await bench.bus.stop();
  await opened(1_000);
  t.equal(openings[0]?.byWatchdog, false);
  t.comment(`bus closed to relay open: ${((openings[0]?.atMs ?? 0) - fromMs).toFixed(1)} ms`);
});

t.test('SIGTERM opens every relay, says gone, and exits 0 within 2 s', async (t) => {
  const { line, bench, child, openings } = await connected(t);
  const fromMs = nowMs();
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const [code] = await exited;
  t.equal(code, 0);
  t.ok(nowMs() - fromMs < 2_000);
  t.equal(line.relay(0), false);
  t.equal(openings[0]?.byWatchdog, false);
  t.equal(bench.health, 'gone');
});

t.test('the life line cut opens every relay and ends the agent', async (t) => {
  const { line, bench, child, openings } = await connected(t);
  const exited = once(child, 'exit');
  child.stdin?.end();
  const [code] = await exited;
  t.equal(code, 0);
  t.equal(line.relay(0), false);
  t.equal(openings[0]?.byWatchdog, false);
  await until('the bus knows', () => bench.health === 'gone');
});

t.test(
  'kill -9 of the agent leaves the board’s watchdog, which opens the relay within 5 s; the last will is told',
  async (t) => {
    const { bench, openings, opened } = await connected(t);
    const fromMs = nowMs();
    await bench.kill('SIGKILL');
    await until('the last will is told', () => bench.health === 'gone', 1_000);
    await opened(5_000);
    const tookMs = (openings[0]?.atMs ?? 0) - fromMs;
    t.ok(tookMs <= 5_000, `${Math.round(tookMs)} ms`);
    t.equal(openings[0]?.byWatchdog, true);
  },
);

t.test('a configuration that is none ends the agent with 78 and says what is wrong', async (t) => {
  const bench = new AgentBench();
  await bench.start(t);
  const config = bench.config({ kind: 'rtu-over-tcp', host: '127.0.0.1', port: 1 });
  const twice = {
    ...config,
    boards: config.boards.map((b) => ({ ...b, lines: [b.lines[0], { ...b.lines[1], relay: 0 }] })),
  };
  const child = await bench.agent(twice);
  if (child.exitCode === null) await once(child, 'exit');
  t.equal(child.exitCode, 78);
  t.match(bench.said.join('\n'), /\/boards\/0\/lines\/1\/relay: relay 0 has a handset already/);
});

t.test(
  'an agent that the bus refuses keeps asking, and comes back by itself after the bus was restarted',
  async (t) => {
    const line = await startBoard({ port: 0 });
    t.teardown(() => line.close());
    const bench = new AgentBench();
    await bench.start(t);
    const config = bench.config({ kind: 'rtu-over-tcp', host: '127.0.0.1', port: line.port });
    bench.bus.addIdentity({ name: 'modbus-1', secret: 'not the secret of the agent', handsets: ['h0', 'h1'] });
    const starting = bench.agent(config);
    await until('it is refused', () => bench.bus.refused.credentials >= 2);
    t.equal(
      bench.said.filter((text) => text.includes('"event":"ready"')).length,
      0,
      'it does not say that it is ready',
    );
    bench.bus.addIdentity({ name: 'modbus-1', secret: config.bus.secret, handsets: ['h0', 'h1'] });
    await starting;
    await until('the board is in use', () => bench.boardIs('ok'));
    await bench.restartBus();
    await until('it has come back', () => bench.boardIs('ok') && bench.states.get('h0')?.relay === 'open');
    bench.lease('h0', 5_000);
    await until('it obeys again', () => line.relay(0));
  },
);
