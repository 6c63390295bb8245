import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { SerialLine } from '../device-agents/serial-line.js';
import { boardPeer } from '../peers/board-peer.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { handset, makeSite } from '../peers/site.js';
import { balise } from './terminal.js';

const opts = () => needs('socat', 'python3-pymodbus', 'python3-serial-asyncio');

t.test(
  'balise board scan finds the boards on a port and names what they are, and writes nothing',
  opts(),
  async (t) => {
    const line = new SerialLine();
    await line.start(t, [2, 5]);
    const args = ['board', 'scan', '--port', line.path, '--baud', '115200', '--units', '1-6'];
    const { status, stdout, stderr } = await balise(args);
    t.equal(status, 0, stderr);
    const lines = stdout.trim().split('\n');
    t.equal(lines.length, 2, stdout);
    t.match(
      lines[0],
      /^unit 2: answers in \d+\.\d ms; fits exactly generic-8r8i \(8 relays, 9 inputs, watchdog register 8\); also /,
    );
    t.match(lines[1], /^unit 5: /);
    t.same([line.seen, [...line.registers]], [[], []]);
    const json = JSON.parse((await balise([...args, '--json'])).stdout) as { boards: { unit: number }[] };
    t.same(
      json.boards.map(({ unit }) => unit),
      [2, 5],
    );
  },
);

t.test('balise board scan of an empty line says so, with status 1', opts(), async (t) => {
  const line = new SerialLine();
  await line.start(t, [9]);
  const found = await balise(['board', 'scan', '--port', line.path, '--baud', '115200', '--units', '1-2']);
  t.match(found, { status: 1, stdout: '', stderr: /no board answers .*see the wiring, the speed and the parity/ });
});

t.test('balise board says what is wrong with what it was told', async (t) => {
  for (const [args, why] of [
    [[], /scan, add or agent/],
    [['find'], /there is no "board find"/],
    [['scan'], /either --port or --tcp/],
    [['scan', '--port', '/dev/x', '--tcp', 'a:1'], /either --port or --tcp/],
    [['scan', '--tcp', 'nowhere'], /expected host:port, found nowhere/],
    [['scan', '--port', '/dev/x', '--baud', 'fast'], /--baud: expected a whole number/],
    [['scan', '--port', '/dev/x', '--parity', 'mark'], /--parity: expected "none", "even" or "odd"/],
    [['scan', '--port', '/dev/x', '--units', '9-300'], /from 1 to 247, found 9-300/],
    [['agent', '--site', '/x', 'a', 'b'], /one agent at a time/],
    [['add', 'b2', '--tcp', 'a:1', '--site', '/x'], /--device is missing/],
    [['add', 'b2', '--device', 'x', '--site', '/x'], /either --port or --tcp/],
    [['add', 'b2', '--device', 'x', '--unit', 'two', '--site', '/x'], /--unit: expected/],
    [['add', 'b2', 'b3', '--device', 'x', '--site', '/x'], /one board at a time/],
  ] as [string[], RegExp][]) {
    t.match(await balise(['board', ...args]), { status: 64, stderr: why }, args.join(' '));
  }
  t.match(await balise(['board', 'scan', '--port', '/dev/none']), {
    status: 1,
    stderr: /cannot be opened.*see the path/,
  });
  t.match(await balise(['board', '--help']), { status: 0, stdout: /usage: balise board scan[\s\S]*\nexample\n/ });
});

t.test('balise board add writes a board into a site that has none, and another beside it on its port', async (t) => {
  const site = makeSite(t, 9);
  const place = ['--device', 'generic-8r8i', '--tcp', '10.0.0.7:4001', '--site', site];
  t.match(await balise(['board', 'add', 'b1', '--unit', '3', ...place]), {
    status: 0,
    stdout: /^b1: added, generic-8r8i, driven by the agent modbus-1\nno gateway runs: it counts from the next start/,
  });
  t.match(await balise(['board', 'add', 'b2', '--unit', '4', ...place]), { status: 0, stdout: /the agent modbus-1/ });
  t.match(await balise(['board', 'add', 'b3', '--unit', '4', ...place]), { status: 78, stderr: /boards\.json/ });
  t.match(await balise(['board', 'add', 'b2', '--unit', '5', ...place]), { status: 64, stderr: /board "b2" already/ });
  t.match(JSON.parse(readFileSync(join(site, 'boards.json'), 'utf8')), [
    { id: 'b1', unit: 3 },
    { id: 'b2', unit: 4, agent: 'modbus-1', transport: { host: '10.0.0.7', port: 4001 } },
  ]);
  t.match(await balise(['check', site]), { status: 0 });
});

t.test(
  'an agent that somebody else starts comes in by the hash of its secret, and the gateway starts none',
  async (t) => {
    const board = await boardPeer(t);
    const site = makeSite(t, 9, { boards: board.boards, handsets: [handset('a-101', { line: board.line })] });
    const file = join(site, 'site.json');
    const read = () => JSON.parse(readFileSync(file, 'utf8')) as { bus: { port: number; agents?: unknown } };
    const made = await balise(['board', 'agent', site, 'modbus-1']);
    t.equal(made.status, 0, made.stderr);
    const entry = JSON.parse(/"agents": (\[.*\])/.exec(made.stderr)?.[1] ?? '') as { secretHash: string }[];
    const config = JSON.parse(made.stdout) as { bus: { secret: string; port: number } };
    t.notMatch(made.stderr, config.bus.secret, 'the secret is in the agent’s file alone');
    const changed = read();
    writeFileSync(file, JSON.stringify({ ...changed, bus: { ...changed.bus, agents: entry } }));

    const running = await GatewayProcess.start(t, site);
    t.equal(running.lines.filter(({ event, plane }) => event === 'plane.ready' && plane === 'modbus-1').length, 0);
    const from = running.lines.length;
    const agentFile = join(site, 'modbus-1.agent');
    writeFileSync(agentFile, JSON.stringify({ ...config, bus: { ...config.bus, port: running.port('bus') } }), {
      mode: 0o600,
    });
    const program = join(
      dirname(fileURLToPath(import.meta.url)),
      '..',
      '..',
      'device-agents',
      'modbus-line',
      'main.js',
    );
    const agent = spawn(process.execPath, [program, '--config', agentFile], { stdio: 'ignore' });
    t.teardown(() => agent.kill('SIGKILL'));
    await board.relayIs(0, true);
    t.notMatch(
      running.lines.slice(from).map(({ code }) => code),
      ['bus.credentials'],
    );
    const exited = once(agent, 'exit');
    agent.kill('SIGTERM');
    await exited;
    await board.relayIs(0, false);
    t.match(await running.logged(({ code }) => code === 'line.controller-lost'), { board: 'b1' });
  },
);
