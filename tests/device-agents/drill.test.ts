/**
 * The fault drill of the line plane, on a real pty with a board that is not ours. Each fault comes while a pair is connected;
 * the witness is the slave: within 5 s its coils are open, and none closes again before a fresh lease.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { freePort } from '../../scripts/peers/free-port.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { faketimeLibrary, needs } from '../peers/needs.js';
import { handset, makeSite } from '../peers/site.js';
import { GatewaySide } from './gateway-side.js';
import { AgentBench, nowMs, until } from './harness.js';
import { SerialLine } from './serial-line.js';

const peers = ['socat', 'python3-pymodbus', 'python3-serial-asyncio'] as const;
/** Options of a test's own each time: tap keeps what it knows of a test in them. */
const opts = () => needs(...peers);
const OPEN_WITHIN_MS = 5_000;
/** So many questions and answers pass before it is said that nothing closes. */
const QUIET_BYTES = 600;

// The drills wait for most of their time; side by side they take as long as the longest.
t.jobs = 6;

/** A gateway, an agent and a serial board, each a process of its own, with one pair connected. */
class Drill {
  readonly line = new SerialLine();
  readonly agent = new AgentBench();
  readonly gateway: GatewaySide;
  #config: unknown;

  constructor(
    private readonly t: Test,
    private readonly env: NodeJS.ProcessEnv = {},
  ) {
    this.gateway = new GatewaySide(['h0', 'h1'], env);
  }

  async start(): Promise<void> {
    await this.line.start(this.t);
    await this.gateway.start(this.t);
    await this.agent.start(this.t);
    const transport = { kind: 'serial', path: this.line.path, baud: 115_200, parity: 'none', stopBits: 1 };
    const config = this.agent.config(transport);
    this.#config = { ...config, bus: { ...config.bus, port: this.gateway.port, secret: this.gateway.secret } };
    await this.startAgent();
    await until('the pairs are connected', () => this.line.relay(0) && this.line.relay(1));
  }

  async startAgent(): Promise<void> {
    await this.agent.agent(this.#config, this.env);
  }

  /** Lets the fault happen, and sees the slave's coils open in time. */
  async opensAfter(fault: () => unknown): Promise<void> {
    const fromMs = nowMs();
    await fault();
    await until('the coils are open', () => this.line.isAllOpen(), OPEN_WITHIN_MS);
    const last = this.line.seen.at(-1);
    const tookMs = (last?.atMs ?? Number.POSITIVE_INFINITY) - fromMs;
    this.t.ok(tookMs <= OPEN_WITHIN_MS, `open ${Math.round(tookMs)} ms after the fault, by the ${last?.by}`);
  }

  /** Sees, over many questions to the board, that nothing closes; then leases afresh, and sees it close. */
  async closesOnlyWhenLeased(lease: () => unknown): Promise<void> {
    await until('the board is spoken to and usable', () => this.gateway.isUsable);
    const from = this.line.wire.bytes.out;
    await until('the board is polled', () => this.line.wire.bytes.out > from + QUIET_BYTES);
    this.t.ok(this.line.isAllOpen(), 'nothing closes by itself');
    await lease();
    await until('leased afresh, the pairs are connected again', () => this.line.relay(0) && this.line.relay(1));
  }
}

t.test('kill -9 of the agent: its successor closes nothing before a fresh lease', opts(), async (t) => {
  const drill = new Drill(t);
  await drill.start();
  await drill.opensAfter(() => drill.agent.kill('SIGKILL'));
  drill.gateway.order('may-not');
  await drill.startAgent();
  await drill.closesOnlyWhenLeased(() => drill.gateway.order('may'));
});

t.test('kill -9 of the gateway: its successor has to lease afresh', opts(), async (t) => {
  const drill = new Drill(t);
  await drill.start();
  await drill.opensAfter(() => drill.gateway.kill('SIGKILL'));
  await drill.gateway.start(t, 'may-not');
  await drill.closesOnlyWhenLeased(() => drill.gateway.order('may'));
});

t.test('kill -9 of gateway and agent at once leaves the board alone, and its watchdog opens it', opts(), async (t) => {
  const drill = new Drill(t);
  await drill.start();
  await drill.opensAfter(() => Promise.all([drill.agent.kill('SIGKILL'), drill.gateway.kill('SIGKILL')]));
  t.equal(drill.line.seen.at(-1)?.by, 'watchdog', 'nobody else was left');
  await drill.gateway.start(t, 'may-not');
  await drill.startAgent();
  await drill.closesOnlyWhenLeased(() => drill.gateway.order('may'));
});

t.test('a gateway that hangs, and comes to itself with old leases in its hands', opts(), async (t) => {
  const drill = new Drill(t);
  await drill.start();
  await drill.opensAfter(() => drill.gateway.kill('SIGSTOP'));
  const from = drill.line.wire.bytes.out;
  await until('the board is polled', () => drill.line.wire.bytes.out > from + QUIET_BYTES);
  t.ok(drill.line.isAllOpen());
  await drill.gateway.kill('SIGCONT');
  await until('leased afresh, the pairs are connected again', () => drill.line.relay(0) && drill.line.relay(1));
});

t.test('the bus stopped: back again, it has no lease of before', opts(), async (t) => {
  const drill = new Drill(t);
  await drill.start();
  await drill.opensAfter(() => drill.gateway.order('bus-stop'));
  drill.gateway.order('may-not');
  drill.gateway.statuses.length = 0;
  drill.gateway.order('bus-start');
  await drill.closesOnlyWhenLeased(() => drill.gateway.order('may'));
});

t.test('the port unplugged: put back, the pair waits for a lease', opts(), async (t) => {
  const drill = new Drill(t);
  await drill.start();
  await drill.opensAfter(() => drill.line.pull());
  t.equal(drill.line.seen.at(-1)?.by, 'watchdog', 'nobody else could reach it');
  drill.gateway.order('may-not');
  await drill.line.plug();
  await drill.closesOnlyWhenLeased(() => drill.gateway.order('may'));
});

/** The environment of a process whose wall clock is `step` off from now on by the file's word; its other clocks are true. */
function steppable(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'balise-clock-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'faketime');
  writeFileSync(file, '+0s');
  const env = {
    LD_PRELOAD: faketimeLibrary,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    TZ: 'UTC',
  };
  return { env, step: (by: string) => writeFileSync(file, by) };
}

for (const [way, by] of [
  ['forward', '+3600s'],
  ['back', '-3600s'],
] as const) {
  t.test(
    `the wall clock stepped ${way} by an hour: open until somebody vouches for it`,
    needs(...peers, 'faketime'),
    async (t) => {
      const { env, step } = steppable(t);
      const drill = new Drill(t, env);
      await drill.start();
      await drill.opensAfter(() => step(by));
      await drill.closesOnlyWhenLeased(() => drill.gateway.order('vouch'));
    },
  );
}

/** The gateway as a site runs it, with one pair on a serial board, connected. */
async function wholeProgram(t: Test, env: NodeJS.ProcessEnv = {}) {
  const line = new SerialLine();
  await line.start(t);
  const transport = { kind: 'serial', path: line.path, baud: 115_200, parity: 'none', stopBits: 1 };
  const site = makeSite(t, await freePort(), {
    boards: [{ id: 'b1', device: 'generic-8r8i', unit: 1, agent: 'modbus-1', transport }],
    handsets: [handset('a-101', { line: { board: 'b1', relay: 0, hook: 0 } })],
  });
  const running = await GatewayProcess.start(t, site, env);
  await until('the pair is connected', () => line.relay(0));
  return { line, running, site };
}

t.test('the whole program and its agent, both killed: the watchdog opens, a new gateway leases', opts(), async (t) => {
  const { line, running, site } = await wholeProgram(t);
  const fromMs = nowMs();
  process.kill(running.pidOf('modbus-1'), 'SIGKILL');
  running.kill('SIGKILL');
  await until('the coil is open', () => line.isAllOpen(), OPEN_WITHIN_MS);
  const last = line.seen.at(-1);
  t.equal(last?.by, 'watchdog');
  t.ok((last?.atMs ?? Number.POSITIVE_INFINITY) - fromMs <= OPEN_WITHIN_MS);
  await GatewayProcess.start(t, site);
  await until('the new gateway connects it again', () => line.relay(0));
});

t.test(
  'the whole program, its clock stepped back by an hour: every coil opens',
  needs(...peers, 'faketime'),
  async (t) => {
    const { env, step } = steppable(t);
    const { line, running } = await wholeProgram(t, env);
    const fromMs = nowMs();
    step('-3600s');
    await until('the coil is open', () => line.isAllOpen(), OPEN_WITHIN_MS);
    t.comment(`${Math.round((line.seen.at(-1)?.atMs ?? 0) - fromMs)} ms`);
    t.match(await running.logged((said) => said.event === 'alarm' && said.code === 'clock.untrusted'), {
      message: /stepped/,
    });
  },
);
