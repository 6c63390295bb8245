import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { Board, Handset } from '../../config/schema/types.generated.js';
import { Bus } from '../../gateway/bus/bus.js';
import { freshSecret } from '../../gateway/bus/identities.js';
import type { CallEvent } from '../../gateway/calls/ports.js';
import { deadlineAt } from '../../gateway/clock/deadline.js';
import { readBootId, systemClock } from '../../gateway/clock/system-clock.js';
import { fittingsOf, MODBUS_LINE, planAgents } from '../../gateway/lines/agent-plan.js';
import type { LineAlarm } from '../../gateway/lines/board-status.js';
import { Lines } from '../../gateway/lines/lines.js';
import { callId, handsetId } from '../../gateway/policy/ids.js';
import { startBoard } from '../../scripts/simulators/board.js';
import { nowMs, until } from '../device-agents/harness.js';

const program = join(dirname(fileURLToPath(import.meta.url)), '..', '..', MODBUS_LINE);
const [h0, call] = [handsetId('h0'), callId('call-1')];

/** The gateway's line plane as main.ts builds it: bus, lines, an agent process, and a board behind a device server. */
async function site(t: Test) {
  const line = await startBoard({ port: 0 });
  t.teardown(() => line.close());
  const transport = { kind: 'rtu-over-tcp', host: '127.0.0.1', port: line.port } as const;
  const boards: Board[] = [
    { id: 'b1', device: 'generic-8r8i', unit: 1, agent: 'modbus-1', transport, allowNoWatchdog: false },
  ];
  const handsets = ['h0', 'h1'].map(
    (id, index) => ({ id, wing: 'a', line: { board: 'b1', relay: index, hook: index } }) as Handset,
  );
  const clock = systemClock(() => ({ trusted: true }));
  const bus = new Bus({ address: '127.0.0.1', port: 0, clock });
  const { port } = await bus.start();
  t.teardown(() => bus.stop());
  const bootId = readBootId();
  const events: { readonly event: CallEvent; readonly atMs: number }[] = [];
  const alarms: LineAlarm[] = [];
  const hooks: { readonly hook: string; readonly atMs: number }[] = [];
  const statuses: string[] = [];
  const lines = new Lines({
    clock,
    bootId,
    bus,
    sink: {
      request: () => undefined,
      event: (_call, event) => events.push({ event, atMs: nowMs() }),
      planeLost: () => undefined,
    },
    ...fittingsOf(boards, handsets),
    mayCall: () => true,
    onAlarm: (alarm) => alarms.push(alarm),
    onStatus: (_board, status) => statuses.push(status),
    onHook: (handset, hook) => {
      if (handset === h0) hooks.push({ hook, atMs: nowMs() });
    },
  });
  lines.start();
  t.teardown(() => lines.stop());
  let agent: ChildProcess | undefined;
  const startAgent = () => {
    for (const plan of planAgents(boards, handsets)) {
      const secret = freshSecret();
      bus.addIdentity({ name: plan.agent, secret, handsets: plan.handsets });
      agent = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
      agent.stdin?.write(`${JSON.stringify(plan.config({ address: '127.0.0.1', port, secret }))}\n`);
      createInterface({ input: agent.stdout as NodeJS.ReadableStream }).resume();
    }
  };
  const kill = async (signal: NodeJS.Signals) => {
    if (agent === undefined || agent.exitCode !== null || agent.signalCode !== null) return;
    const exited = once(agent, 'exit');
    agent.kill(signal);
    await exited;
  };
  t.teardown(() => kill('SIGKILL'));
  startAgent();
  await until('the line is leased', () => line.relay(0) && line.relay(1) && lines.facts(h0).supervised);
  const deadline = (ms: number) => deadlineAt(clock, clock.wall().add({ milliseconds: ms }), bootId);
  const has = (type: CallEvent['type']) => events.some(({ event }) => event.type === type);
  return { line, lines, bus, events, alarms, hooks, statuses, startAgent, kill, deadline, has };
}

t.test('a cut opens the relay and is confirmed by the board within a second; the hold keeps it open', async (t) => {
  const s = await site(t);
  s.lines.arm(call, h0, s.deadline(60_000));
  const fromMs = nowMs();
  s.lines.cut(call, h0, 2_500);
  await until('it is confirmed', () => s.has('released'), 3_000);
  const { event, atMs } = s.events.at(-1) ?? {};
  t.match(event, { type: 'released', plane: 'line', relayOpen: true });
  t.equal(s.line.relay(0), false);
  t.equal(s.line.relay(1), true, 'and no other');
  t.ok((atMs ?? Number.POSITIVE_INFINITY) - fromMs < 1_000);
  t.comment(`cut to confirmation by the board: ${((atMs ?? 0) - fromMs).toFixed(1)} ms`);
  await until('the standing lease comes back after the hold', () => s.line.relay(0), 6_000);
  t.ok(nowMs() - fromMs >= 2_500);
});

t.test('the relay opens at the deadline by the agent’s own hand, and not before', async (t) => {
  const s = await site(t);
  let openedMs = 0;
  s.line.onRelay((index, closed) => {
    if (index === 0 && !closed) openedMs = nowMs();
  });
  const fromMs = nowMs();
  s.lines.arm(call, h0, s.deadline(1_200));
  await until('the relay is open', () => openedMs > 0, 5_000);
  const errorMs = openedMs - fromMs - 1_200;
  t.ok(errorMs > -10 && errorMs < 500, `${errorMs.toFixed(1)} ms from the deadline`);
  await until('it is told', () => s.has('deadline-passed'));
});

t.test('an agent that is killed is lost at once, and its successor is leased again', async (t) => {
  const s = await site(t);
  s.lines.arm(call, h0, s.deadline(60_000));
  const fromMs = nowMs();
  await s.kill('SIGKILL');
  await until('the call hears of it', () => s.has('controller-lost'), 2_000);
  t.comment(`kill -9 of the agent to controller-lost: ${((s.events.at(-1)?.atMs ?? 0) - fromMs).toFixed(1)} ms`);
  t.equal(s.lines.facts(h0).supervised, false);
  t.match(s.alarms, [{ code: 'line.controller-lost', board: 'b1' }]);
  s.startAgent();
  await until('it is supervised again', () => s.lines.facts(h0).supervised && s.lines.facts(h0).relay === 'connected');
  t.same(s.statuses, ['ok', 'lost', 'ok']);
});

t.test('a hook that goes back on is told to the call, within the bounds of the bus', async (t) => {
  const s = await site(t);
  const took: number[] = [];
  for (let round = 0; round < 40; round++) {
    const off = round % 2 === 0;
    const seen = s.hooks.length;
    const fromMs = nowMs();
    s.line.setHook(0, off);
    await until('the hook is seen', () => s.hooks.length > seen, 2_000);
    t.equal(s.hooks.at(-1)?.hook, off ? 'off' : 'on');
    took.push((s.hooks.at(-1)?.atMs ?? 0) - fromMs);
    // Not in step with the polls.
    await new Promise((resolve) => setTimeout(resolve, (round * 13) % 50));
  }
  took.sort((a, b) => a - b);
  t.comment(`hook to gateway: p50 ${took[20]?.toFixed(1)} ms, worst ${took.at(-1)?.toFixed(1)} ms`);
  s.line.setHook(0, true);
  await until('it is off', () => s.lines.facts(h0).hook === 'off');
  s.lines.arm(call, h0, s.deadline(60_000));
  s.line.setHook(0, false);
  await until('the call hears it', () => s.has('hook-on'), 2_000);
});
