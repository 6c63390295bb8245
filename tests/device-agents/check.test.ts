import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { needs } from '../peers/needs.js';
import { AgentBench, until } from './harness.js';
import { SerialLine } from './serial-line.js';

const AGENT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'device-agents', 'modbus-line', 'main.js');
const opts = () => needs('socat', 'python3-pymodbus', 'python3-serial-asyncio');

async function check(config: unknown): Promise<{ readonly code: number | null; readonly out: string }> {
  const child = spawn(process.execPath, [AGENT, '--check'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.stdin.write(`${JSON.stringify(config)}\n`);
  const out = await text(child.stdout);
  return { code: await exited, out };
}

t.test('--check of an agent tells what is on its line, and changes nothing there', opts(), async (t) => {
  const line = new SerialLine();
  await line.start(t, [1, 2]);
  const bench = new AgentBench();
  await bench.start(t);
  const serial = { kind: 'serial', path: line.path, baud: 115_200 };
  line.hook(1, true);
  line.poke(8, 60, 2);
  const { code, out } = await check(bench.config(serial, { units: [1, 2], lines: 2 }));
  t.equal(code, 0, out);
  t.match(out, /^port .*agent \(115200 baud, parity none, 1 stop bit\): open$/m);
  t.match(out, /^board b1, unit 1, generic Eight relays, eight inputs: answers in \d+\.\d ms$/m);
  t.match(out, /hooks +off: h1-1$/m);
  t.match(out, /relays +8, all open/);
  t.match(out, /watchdog +register 8 holds 0; the agent will write 3 \(in s\)/);
  t.match(out, /watchdog +register 8 holds 60; the agent will write 3 \(in s\)/);
  t.same([line.seen, [...line.registers]], [[], []], 'nothing was written to either board');
});

t.test('--check says which board is not there, which is another, and exits 1', opts(), async (t) => {
  const line = new SerialLine();
  await line.start(t);
  const bench = new AgentBench();
  await bench.start(t);
  const config = bench.config({ kind: 'serial', path: line.path, baud: 115_200 }, { units: [1, 9], lines: 1 });
  const boards = config.boards.map((board) => ({
    ...board,
    device: { ...board.device, identity: { register: 20, expect: 7 } },
  }));
  const { code, out } = await check({ ...config, boards });
  t.equal(code, 1);
  t.match(out, /identity +FAULT: register 20 holds 0, expected 7/);
  t.match(out, /^board b9, unit 9, .*: FAULT: no answer \(timeout/m);
});

t.test('--check of a port that is not there says so and what to look at', async (t) => {
  const bench = new AgentBench();
  await bench.start(t);
  const { code, out } = await check(bench.config({ kind: 'serial', path: '/dev/serial/by-id/none', baud: 9_600 }));
  t.equal(code, 1);
  t.match(out, /cannot be opened: .*see the path and its rights/);
});

t.test('--check of a port that an agent has leaves that agent alone', opts(), async (t) => {
  const line = new SerialLine();
  await line.start(t);
  const bench = new AgentBench();
  await bench.start(t);
  const config = bench.config({ kind: 'serial', path: line.path, baud: 115_200 });
  await bench.agent(config);
  await until('the board is in use', () => bench.boardIs('ok'));
  bench.keepLeased('h0');
  await until('the pair is connected', () => line.relay(0));
  const { code, out } = await check(config);
  t.equal(code, 1);
  t.match(out, /cannot be opened: .*whether an agent or another program has it/);
  t.equal(line.relay(0), true);
});
