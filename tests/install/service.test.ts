/** What the gateway tells systemd of itself: systemd's own `systemd-notify` speaks, socat hears. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ServiceManager } from '../../device-agents/service-manager.js';
import { type GatewayHealth, isWell, statusOf } from '../../gateway/service.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { until } from '../device-agents/harness.js';
import { boardPeer } from '../peers/board-peer.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { serviceSocket } from '../peers/service-manager.js';
import { handset, makeSite } from '../peers/site.js';

const opts = needs('systemd', 'socat');

const WELL: GatewayHealth = {
  planes: [
    { name: 'relay', state: 'up' },
    { name: 'engine', state: 'up' },
    { name: 'modbus-1', state: 'up' },
  ],
  isBusUp: true,
  calls: 2,
};

/** Of a gateway that is well, with one process down. */
const without = (down: string): GatewayHealth => ({
  ...WELL,
  planes: WELL.planes.map(({ name, state }) => ({ name, state: name === down ? 'down' : state })),
});

function socketPath(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'balise-notify-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'socket');
}

t.test('a gateway is well while its engine, its relay and its bus are up, whatever its agents are', async (t) => {
  t.ok(isWell(WELL));
  t.notOk(isWell(without('engine')));
  t.notOk(isWell(without('relay')));
  t.notOk(isWell({ ...WELL, isBusUp: false }));
  t.ok(isWell(without('modbus-1')), 'a board that was pulled out restarts nothing');
  t.ok(isWell({ ...WELL, planes: [] }), 'planes that others run are not ours to watch');
  t.equal(statusOf(without('engine')), '2 calls; relay up, engine down, modbus-1 up, bus up');
});

t.test(
  'a watchdog is fed while the service is well, looked at more often when it is not, and fed again',
  opts,
  async (t) => {
    const socket = socketPath(t);
    const { heard, count } = await serviceSocket(t, socket);
    let health = WELL;
    const asked: { readonly ms: number; readonly run: () => void }[] = [];
    const turn = (): void => asked.shift()?.run();
    const service = new ServiceManager({
      clock: { after: (ms, run) => asked.push({ ms, run }) },
      isWell: () => isWell(health),
      status: () => statusOf(health),
      onFault: (fault) => t.fail(fault.message),
      env: { ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: '30000000' },
    });
    service.ready();
    await until('it is ready', () => count('READY=1') === 1 && count('STATUS=2 calls') === 1);
    t.equal(asked[0]?.ms, 15_000, 'half of the time that systemd waits');
    turn();
    await until('it beats', () => count('WATCHDOG=1') === 1);
    health = without('relay');
    turn();
    await until('it tells what is down', () => heard().includes('relay down'));
    t.equal(asked[0]?.ms, 1_875);
    turn();
    turn();
    health = WELL;
    turn();
    await until('it beats again', () => count('WATCHDOG=1') === 2 && count('STATUS=') === 3);
    t.equal(asked[0]?.ms, 15_000);
    service.stopping();
    await until('it stops', () => count('STOPPING=1') === 1);
    turn();
    t.equal(asked.length, 0, 'nothing is told after that');
    t.equal(count('WATCHDOG=1'), 2);
  },
);

t.test('a gateway tells that it is ready once all of it is, that it lives, and that it stops', opts, async (t) => {
  const socket = socketPath(t);
  const { heard, count } = await serviceSocket(t, socket);
  const board = await boardPeer(t);
  const handsets = [handset('a-101', { line: board.line })];
  const site = makeSite(t, await freePort(), { boards: board.boards, handsets });
  const running = await GatewayProcess.start(t, site, { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '400000' });
  await until('it beats', () => count('WATCHDOG=1') >= 2);
  t.match(heard(), /^READY=1\nSTATUS=0 calls; .*\n/);
  for (const plane of ['engine', 'relay', 'modbus-1', 'bus']) t.match(heard(), `${plane} up`);
  t.equal(count('READY=1'), 1, 'the agent that it started does not speak in its name');
  process.kill(running.pidOf('modbus-1'), 'SIGKILL');
  const from = running.lines.length;
  await running.logged(({ event, plane }) => event === 'plane.ready' && plane === 'modbus-1', from);
  await running.end();
  await until('it says that it stops', () => count('STOPPING=1') === 1);
  t.equal(count('READY=1'), 1);
});
