import { once } from 'node:events';
import t, { type Test } from 'tap';
import { type BoardOptions, type RunningBoards, startBoard } from '../../scripts/simulators/board.js';
import { GatewaySide } from './gateway-side.js';
import { AgentBench, nowMs, until } from './harness.js';

async function board(t: Test, options: Partial<BoardOptions> = {}): Promise<RunningBoards> {
  const line = await startBoard({ port: 0, ...options });
  t.teardown(() => line.close());
  return line;
}

async function bench(t: Test, line: RunningBoards, more: Parameters<AgentBench['config']>[1] = {}) {
  const bench = new AgentBench();
  await bench.start(t);
  await bench.agent(bench.config({ kind: 'rtu-over-tcp', host: '127.0.0.1', port: line.port }, more));
  return bench;
}

const boardHealth = (b: AgentBench) => (b.health === 'gone' ? undefined : b.health?.boards[0]);

t.test(
  'a board that reads back another watchdog is refused, and its relays stay open whatever is leased',
  async (t) => {
    const line = await board(t, { stubbornWatchdog: 60 });
    const b = await bench(t, line);
    await until('the board is refused', () => b.boardIs('refused'));
    t.equal(boardHealth(b)?.watchdog, 'mismatch');
    t.match(boardHealth(b)?.why, /watchdog register 8 reads back 60 and not 3/);
    b.keepLeased('h0', 5_000, 300);
    const asked = line.answered();
    await until('it has been tried again', () => line.answered() > asked);
    t.equal(line.relay(0), false);
    t.equal(b.states.get('h0')?.relay, 'unknown');
  },
);

t.test('a board without a watchdog is refused, unless the site has accepted it', async (t) => {
  const line = await board(t, { watchdogRegister: null });
  const b = await bench(t, line, { device: 'generic-8r8i-bare' });
  await until('the board is refused', () => b.boardIs('refused'));
  t.equal(boardHealth(b)?.watchdog, 'absent');
  await b.kill('SIGTERM');
  const accepted = await bench(t, line, { device: 'generic-8r8i-bare', allowNoWatchdog: true });
  await until('the board is in use', () => accepted.boardIs('ok'));
  t.equal(boardHealth(accepted)?.watchdog, 'absent', 'and it is told');
  accepted.keepLeased('h0');
  await until('the relay is closed', () => line.relay(0));
});

t.test('a board whose watchdog counts only after a reset is not used before it was reset', async (t) => {
  const line = await board(t, { relays: 8, inputs: 17, watchdogRegister: null });
  const b = new AgentBench();
  await b.start(t);
  const config = b.config({ kind: 'rtu-over-tcp', host: '127.0.0.1', port: line.port }, { device: 'westermo-115s-11' });
  // The simulated board has few registers.
  const boards = config.boards.map((one) => ({
    ...one,
    device: { ...one.device, watchdog: { register: 20, unit: '32ms', value: 94, takesEffect: 'after-reset' } },
  }));
  await b.agent({ ...config, boards });
  await until('the board is refused', () => b.boardIs('refused'));
  t.equal(boardHealth(b)?.watchdog, 'after-reset');
  t.match(boardHealth(b)?.why, /reset it/);
});

t.test('a board that was reset is opened, armed again, and only then connected again', async (t) => {
  const line = await board(t);
  const b = await bench(t, line);
  await until('the board is in use', () => b.boardIs('ok'));
  b.keepLeased('h0');
  await until('the state says connected', () => b.states.get('h0')?.relay === 'connected');
  const seen: string[] = [];
  b.onState.push((handset, state) => void (handset === 'h0' && seen.push(state.relay)));
  line.reset();
  t.equal(line.watchdog(), 0);
  await until('the relay is closed again', () => line.relay(0));
  t.equal(line.watchdog(), 3_000);
  await until('the state says connected again', () => seen.at(-1) === 'connected');
  t.equal(seen[0], 'unknown', 'what happened in between is not hidden');
});

t.test('a watchdog that loses its time with no relay closed is noticed and armed again', async (t) => {
  const line = await board(t);
  const b = await bench(t, line);
  await until('the board is in use', () => b.boardIs('ok'));
  line.poke(8, 0);
  await until('it is armed again', () => line.watchdog() === 3_000, 5_000);
});

t.test('wrong check sums are tried again within the lease, and counted', async (t) => {
  const line = await board(t);
  const b = await bench(t, line);
  await until('the board is in use', () => b.boardIs('ok'));
  b.keepLeased('h0');
  await until('the relay is closed', () => line.relay(0));
  const opened: number[] = [];
  line.onRelay((index, closed) => void (closed || opened.push(index)));
  line.corrupt(3);
  await until('they are counted', () => (boardHealth(b)?.errors.crc ?? 0) >= 3);
  line.corrupt(2);
  b.lease('h0', 0);
  b.stopLeasing('h0');
  await until('the relay opens all the same', () => !line.relay(0), 1_000);
  t.same(opened, [0]);
  t.ok(b.boardIs('ok'));
});

t.test('a board that falls silent is lost within two seconds, and is taken again when it speaks', async (t) => {
  const line = await board(t);
  const b = await bench(t, line);
  await until('the board is in use', () => b.boardIs('ok'));
  b.keepLeased('h0');
  await until('the state says connected', () => b.states.get('h0')?.relay === 'connected');
  const fromMs = nowMs();
  line.mute(true);
  await until('the line is unknown', () => b.states.get('h0')?.relay === 'unknown', 5_000);
  t.comment(`silent to unknown: ${Math.round(nowMs() - fromMs)} ms`);
  await until('and why is told', () => boardHealth(b)?.why?.startsWith('timeout') === true);
  line.mute(false);
  await until('the line is back', () => b.states.get('h0')?.relay === 'connected', 5_000);
});

t.test('a device server that is rebooted is connected to again', async (t) => {
  const line = await board(t);
  const b = await bench(t, line);
  await until('the board is in use', () => b.boardIs('ok'));
  b.keepLeased('h0');
  await until('the state says connected', () => b.states.get('h0')?.relay === 'connected');
  line.drop();
  await until('the line is unknown', () => b.states.get('h0')?.relay === 'unknown', 1_000);
  await until('the line is back', () => b.states.get('h0')?.relay === 'connected', 5_000);
});

t.test('a relay that somebody else closes is opened again', async (t) => {
  const line = await board(t);
  const b = await bench(t, line);
  await until('the board is in use', () => b.boardIs('ok'));
  const other = await import('node:net').then(({ connect }) => connect(line.port, '127.0.0.1'));
  t.teardown(() => other.destroy());
  await once(other, 'connect');
  // Function 15, unit 1: relay 5 of 8 closed.
  other.write(Buffer.from('010f000000080120ff4d', 'hex'));
  await until('it is closed', () => line.relay(5), 2_000);
  await until('it is open', () => !line.relay(5), 3_000);
});

/** The gateway's side as a process of its own, with the agent's relay closed by it. */
async function leasedByProcess(t: Test) {
  const line = await board(t);
  const gateway = new GatewaySide(['h0', 'h1']);
  await gateway.start(t);
  const b = new AgentBench();
  await b.start(t);
  const config = b.config({ kind: 'rtu-over-tcp', host: '127.0.0.1', port: line.port });
  await b.agent({ ...config, bus: { ...config.bus, port: gateway.port, secret: gateway.secret } });
  await until('the relay is closed', () => line.relay(0));
  let openedMs = 0;
  let byWatchdog = false;
  line.onRelay((_index, closed, watchdog) => {
    if (closed) return;
    openedMs = nowMs();
    byWatchdog = watchdog;
  });
  return { line, gateway, opened: () => ({ openedMs, byWatchdog }) };
}

t.test('kill -9 of the gateway opens the relay within a second', async (t) => {
  const { line, gateway, opened } = await leasedByProcess(t);
  const fromMs = nowMs();
  await gateway.kill('SIGKILL');
  await until('the relay is open', () => !line.relay(0), 5_000);
  const tookMs = opened().openedMs - fromMs;
  t.ok(tookMs < 1_000, `${tookMs.toFixed(1)} ms`);
  t.equal(opened().byWatchdog, false);
});

t.test('a gateway that hangs is given up, and the relay opens within 5 s', async (t) => {
  const { line, gateway, opened } = await leasedByProcess(t);
  const fromMs = nowMs();
  await gateway.kill('SIGSTOP');
  await until('the relay is open', () => !line.relay(0), 7_000);
  const tookMs = opened().openedMs - fromMs;
  t.ok(tookMs < 5_000, `${Math.round(tookMs)} ms`);
  t.equal(opened().byWatchdog, false);
  await gateway.kill('SIGCONT');
  await until('leased anew, it is closed again', () => line.relay(0), 5_000);
});
