/**
 * Measures the line plane: how fast boards are polled against what the wire allows, how soon a lifted handset is known, what
 * leases cost on the bus and an agent on the CPU. The agent speaks over a pty whose other end is as slow as its baud rate.
 * Runs by itself: `node dist/scripts/bench/line.js [--json]`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { AgentHealthMessage, Board, Handset } from '../../config/schema/types.generated.js';
import { Bus } from '../../gateway/bus/bus.js';
import { freshSecret } from '../../gateway/bus/identities.js';
import { readBootId, systemClock } from '../../gateway/clock/system-clock.js';
import { fittingsOf, planAgents } from '../../gateway/lines/agent-plan.js';
import { Lines } from '../../gateway/lines/lines.js';
import { SMALL_HEAP } from '../../gateway/supervisor/node-flags.js';
import { type RunningBoards, startBoard } from '../simulators/board.js';
import { SerialWire } from '../simulators/serial-wire.js';
import { joinRuns, type Reading, table } from './figure.js';
import { cpuSeconds } from './processes.js';
import { quantile } from './quantile.js';

const programs = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const clock = systemClock(() => ({ trusted: true }));
const LINES = 8;
const MEASURE_MS = 4_000;
const START_MS = 60_000;
const HOOK_CHANGES = 120;

/** A question for eight hooks and a case, and its answer, bytes (Modbus V1.1b3 §6.2). */
const POLL_BYTES = 8 + 7;

/** What one poll takes by the wire alone, milliseconds: its bytes, and the silence between frames (serial line V1.02, §2.5.1.1). */
function pollMs(baud: number): number {
  return (POLL_BYTES * 11_000) / baud + Math.max(1.75, 38_500 / baud);
}

const wait = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
const nowMs = () => Number(clock.monotonicNs()) / 1e6;

async function until(what: string, reached: () => boolean, ms = START_MS): Promise<void> {
  const endMs = nowMs() + ms;
  while (!reached()) {
    if (nowMs() > endMs) throw new Error(`${what}: not within ${ms / 1_000} s`);
    await wait(2);
  }
}

/** A line plane, an agent, and boards at the far end of a pty of some speed. */
class Rig {
  readonly wire: SerialWire;
  readonly leases = { messages: 0, bytes: 0 };
  health: AgentHealthMessage | undefined;
  onHook: (handset: string, hook: string) => void = () => undefined;
  #boards: RunningBoards | undefined;
  #bus: Bus | undefined;
  #lines: Lines | undefined;
  #agent: ChildProcess | undefined;

  constructor(
    private readonly count: number,
    private readonly baud: number,
  ) {
    this.wire = new SerialWire({ baud });
  }

  get pid(): number {
    return this.#agent?.pid ?? 0;
  }

  get boards(): readonly RunningBoards['boards'][number][] {
    return this.#boards?.boards ?? [];
  }

  /** Polls of all boards so far. */
  get polls(): number {
    return this.health?.boards.reduce((sum, { polls }) => sum + polls, 0) ?? 0;
  }

  /** Settles when every board is in use and every pair connected. `everyMs`: how often each board is polled, 0 for as often as can be. */
  async start(everyMs: number): Promise<void> {
    const units = Array.from({ length: this.count }, (_, index) => index + 1);
    const simulated = await startBoard({ port: 0, units });
    this.#boards = simulated;
    const far = connect(simulated.port, '127.0.0.1');
    far.setNoDelay(true);
    await once(far, 'connect');
    await this.wire.start(far);
    const transport = { kind: 'serial', path: this.wire.path, baud: 115_200, parity: 'none', stopBits: 1 } as const;
    const board = { device: 'generic-8r8i', agent: 'bench', transport, allowNoWatchdog: false };
    const boards: Board[] = units.map((unit) => ({ ...board, id: `b${unit}`, unit }));
    const handsets = units.flatMap((unit) =>
      Array.from(
        { length: LINES },
        (_, at) => ({ id: `h${unit}-${at}`, wing: 'a', line: { board: `b${unit}`, relay: at, hook: at } }) as Handset,
      ),
    );
    const bus = new Bus({ address: '127.0.0.1', port: 0, clock });
    this.#bus = bus;
    const { port } = await bus.start();
    const lines = new Lines({
      clock,
      bootId: readBootId(),
      bus: {
        publish: (topic, payload) => {
          this.leases.messages += 1;
          this.leases.bytes += topic.length + payload.length;
          bus.publish(topic, payload);
        },
        subscribe: (filter, receive) => bus.subscribe(filter, receive),
      },
      sink: { request: () => undefined, event: () => undefined, planeLost: () => undefined },
      ...fittingsOf(boards, handsets),
      mayCall: () => true,
      onHook: (handset, hook) => this.onHook(handset, hook),
    });
    this.#lines = lines;
    bus.subscribe('bus/agent/+/health', (_topic, payload) => {
      const text = payload.toString();
      if (text !== 'gone') this.health = JSON.parse(text) as AgentHealthMessage;
    });
    lines.start();
    const [plan] = planAgents(boards, handsets);
    if (plan === undefined) throw new Error('boards make an agent');
    const secret = freshSecret();
    bus.addIdentity({ name: 'bench', secret, handsets: plan.handsets });
    const flags = [...SMALL_HEAP, join(programs, plan.program)];
    this.#agent = spawn(process.execPath, flags, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#agent.stdout as NodeJS.ReadableStream }).resume();
    const config = plan.config({ address: '127.0.0.1', port, secret }) as Record<string, unknown>;
    // The port is a pty and takes any speed; the agent must know that of the line for its time-outs.
    const told = { ...config, transport: { ...transport, baud: this.baud }, pollMs: everyMs };
    this.#agent.stdin?.write(`${JSON.stringify(told)}\n`);
    await until('every board is in use', () => this.health?.boards.every(({ state }) => state === 'ok') === true);
    await until('every pair is connected', () => this.boards.every((one) => one.relay(LINES - 1)));
  }

  async stop(): Promise<void> {
    this.#lines?.stop();
    const agent = this.#agent;
    if (agent !== undefined && agent.exitCode === null) {
      const exited = once(agent, 'exit');
      agent.kill('SIGKILL');
      await exited;
    }
    await this.#bus?.stop();
    await this.wire.close();
    await this.#boards?.close();
  }
}

async function withRig<T>(count: number, baud: number, everyMs: number, run: (rig: Rig) => Promise<T>): Promise<T> {
  const rig = new Rig(count, baud);
  try {
    await rig.start(everyMs);
    return await run(rig);
  } finally {
    await rig.stop();
  }
}

/** One whole poll of every board, against what the wire itself takes for it. */
async function pollCycle(count: number, baud: number): Promise<Reading[]> {
  return withRig(count, baud, 0, async (rig) => {
    // Counted from one word of the agent's to another: polls are told with the health.
    const first = rig.health;
    await until('the next health', () => rig.health !== first);
    const [polls, fromMs] = [rig.polls, nowMs()];
    await wait(MEASURE_MS);
    const last = rig.health;
    await until('the next health', () => rig.health !== last);
    const cycleMs = ((nowMs() - fromMs) * count) / (rig.polls - polls);
    const share = (100 * pollMs(baud) * count) / cycleMs;
    const title = `poll of ${count} board${count === 1 ? '' : 's'} of 8 lines, ${baud.toLocaleString('en')} baud`;
    const detail = { cycleMs, wireMs: pollMs(baud) * count };
    const isBudget = count === 16 && baud === 115_200;
    return [
      { id: `poll.${count}.${baud}.ms`, title, unit: 'ms', value: cycleMs, better: 'less', detail },
      {
        id: `poll.${count}.${baud}.share`,
        title: `${title}: share of what the wire allows`,
        unit: '%',
        value: share,
        better: 'more',
        detail,
        ...(isBudget ? { budget: { is: 'at least', value: 80 } as const } : {}),
      },
    ];
  });
}

/** From a lifted handset to the line plane's word of it, on a bus of 16 boards. */
async function hookChange(): Promise<Reading[]> {
  return withRig(16, 115_200, 0, async (rig) => {
    const took: number[] = [];
    for (let change = 0; change < HOOK_CHANGES; change++) {
      const board = change % 16;
      const off = Math.floor(change / 16) % 2 === 0;
      const handset = `h${board + 1}-0`;
      const fromMs = nowMs();
      await new Promise<void>((resolve, reject) => {
        const late = clock.after(5_000, () => reject(new Error('a hook change was not told within 5 s')));
        rig.onHook = (whose, hook) => {
          if (whose !== handset || hook !== (off ? 'off' : 'on')) return;
          late.cancel();
          took.push(nowMs() - fromMs);
          resolve();
        };
        rig.boards[board]?.setHook(0, off);
      });
      // Not in step with the polls.
      await wait((change * 13) % 40);
    }
    const title = 'hook change to calls, 16 boards at 115,200 baud';
    return [
      { id: 'hook.p50', title: `${title}, p50`, unit: 'ms', value: quantile(took, 0.5), better: 'less' },
      {
        id: 'hook.p99',
        title: `${title}, p99`,
        unit: 'ms',
        value: quantile(took, 0.99),
        better: 'less',
        budget: { is: 'at most', value: 150 },
        detail: { changes: took.length, worst: Math.max(...took) },
      },
    ];
  });
}

/** What 128 lines cost when nothing happens on them: leases on the bus, and the agent's CPU at the site's usual poll. */
async function standing(): Promise<Reading[]> {
  return withRig(16, 115_200, 50, async (rig) => {
    const [before, cpu, fromMs] = [{ ...rig.leases }, cpuSeconds(rig.pid), nowMs()];
    await wait(MEASURE_MS);
    const seconds = (nowMs() - fromMs) / 1_000;
    const messages = (rig.leases.messages - before.messages) / seconds;
    const bytes = (rig.leases.bytes - before.bytes) / seconds;
    const percent = (100 * (cpuSeconds(rig.pid) - cpu)) / seconds;
    return [
      {
        id: 'lease.messages',
        title: 'leases of 128 lines, messages a second',
        unit: '',
        value: messages,
        better: 'less',
      },
      { id: 'lease.bytes', title: 'leases of 128 lines on the bus', unit: 'bytes/s', value: bytes, better: 'less' },
      {
        id: 'agent.cpu',
        title: 'CPU of the agent of 128 lines, of one core',
        unit: '%',
        value: percent,
        better: 'less',
      },
    ];
  });
}

/** Every figure of the line plane. Takes about a minute; needs socat. */
export async function measureLines(): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const baud of [9_600, 115_200]) {
    for (const count of [1, 4, 16]) readings.push(...(await pollCycle(count, baud)));
  }
  return [...readings, ...(await hookChange()), ...(await standing())];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const figures = joinRuns(await measureLines());
  process.stdout.write(
    process.argv.includes('--json') ? `${JSON.stringify(figures, null, 2)}\n` : `${table(figures)}\n`,
  );
}
