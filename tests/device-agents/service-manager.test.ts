/** What an agent tells the service manager that started it: systemd's own `systemd-notify` speaks, socat hears. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startBoard } from '../../scripts/simulators/board.js';
import { needs } from '../peers/needs.js';
import { serviceSocket } from '../peers/service-manager.js';
import { AgentBench, until } from './harness.js';

const opts = needs('systemd', 'socat');

/** An agent over a simulated board, in this environment. */
async function agent(t: Test, env: NodeJS.ProcessEnv) {
  const line = await startBoard({ port: 0 });
  t.teardown(() => line.close());
  const bench = new AgentBench();
  await bench.start(t);
  const child = await bench.agent(bench.config({ kind: 'rtu-over-tcp', host: '127.0.0.1', port: line.port }), env);
  return { bench, child };
}

for (const kind of ['a path', 'an abstract name'] as const) {
  t.test(`an agent tells a socket at ${kind} that it is ready, that it lives, and that it stops`, opts, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'balise-notify-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const socket = kind === 'a path' ? join(folder, 'socket') : `@${folder}`;
    const { count } = await serviceSocket(t, socket);
    const { child } = await agent(t, { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '400000' });
    await until('it is ready and beats', () => count('READY=1') === 1 && count('WATCHDOG=1') >= 3);
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
    await until('it says that it stops', () => count('STOPPING=1') === 1);
  });
}

t.test(
  'a watchdog that is for another process is not fed, and one that cannot be told is a line of the log',
  opts,
  async (t) => {
    const { bench } = await agent(t, { NOTIFY_SOCKET: '/nowhere/socket', WATCHDOG_USEC: '20000', WATCHDOG_PID: '1' });
    const faults = () => bench.said.filter((line) => line.includes('service-manager.not-told'));
    await until('it says so', () => faults().length > 0);
    await until('it goes on', () => bench.boardIs('ok'));
    t.equal(faults().length, 1);
  },
);
