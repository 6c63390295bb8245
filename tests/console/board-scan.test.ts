/** Looking for boards from the console of the whole program. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { PortView, ScanView } from '../../gateway/console/api/board-scan.js';
import type { AuditView, SiteView } from '../../gateway/console/api/site.js';
import { GatewayClient } from '../../scripts/cli/gateway-client.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { startBoard } from '../../scripts/simulators/board.js';
import { balise } from '../cli/terminal.js';
import { boardPeer } from '../peers/board-peer.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { handset, makeSite } from '../peers/site.js';

const tcp = (port: number, host = '127.0.0.1') => ({ kind: 'rtu-over-tcp', host, port });

t.test('boards are found on a port that nobody holds, live, and as balise board scan finds them', async (t) => {
  const [board, line] = await Promise.all([boardPeer(t), startBoard({ port: 0, units: [2, 4] })]);
  t.teardown(() => line.close());
  const site = makeSite(t, 9, { boards: board.boards, handsets: [handset('a-101', { line: board.line })] });
  const running = await GatewayProcess.start(t, site);
  const client = await GatewayClient.of(site);
  const scan = (place: object, units: object = {}) =>
    client.ask<ScanView>('POST', '/api/boards/scan', { place, ...units });
  const ended = async (): Promise<ScanView> => {
    const stop = new AbortController();
    for await (const { name, data } of client.events(stop.signal)) {
      const found = name === 'view' ? (data as SiteView).scan : name === 'scan' ? (data as ScanView) : undefined;
      if (found === undefined || found.state === 'running') continue;
      stop.abort();
      return found;
    }
    throw new Error('the gateway went away');
  };

  await t.test('the port of an agent is refused by whatever name, and its board stays held', async (t) => {
    const { port } = (board.boards[0] as { transport: { port: number } }).transport;
    for (const host of ['127.0.0.1', 'localhost']) {
      await t.rejects(scan(tcp(port, host)), { status: 409, code: 'scan.held', message: /the agent modbus-1/ }, host);
    }
    t.equal((await client.ask<SiteView>('GET', '/api/view')).scan, undefined, 'nothing was asked');
  });

  await t.test('every unit is asked, and what answers is named', async (t) => {
    const begun = await scan(tcp(line.port), { from: 1, to: 4 });
    t.match(begun, { state: 'running', from: 1, to: 4, boards: [] });
    await t.rejects(scan(tcp(line.port)), { status: 409, code: 'scan.busy' }, 'one scan at a time');
    const done = await ended();
    t.match(done, { state: 'done', unit: 4, place: tcp(line.port) });
    t.match(done.boards, [{ unit: 2, matches: [{ kind: 'generic-8r8i', isExact: true }] }, { unit: 4 }]);
    t.same([line.relay(0), line.watchdog()], [false, 0], 'and nothing was written');
    const args = ['board', 'scan', '--tcp', `127.0.0.1:${line.port}`, '--units', '1-4', '--json'];
    const told = JSON.parse((await balise(args)).stdout) as Pick<ScanView, 'boards'>;
    const kinds = ({ boards }: Pick<ScanView, 'boards'>) => boards.map(({ unit, matches }) => [unit, matches]);
    t.same(kinds(done), kinds(told), 'the same as on the command line');
  });

  await t.test('a port that fails says what it had to say', async () => {
    await scan(tcp(await freePort()));
    t.match(await ended(), { state: 'failed', boards: [], why: /ECONNREFUSED/ });
  });

  await t.test('only a serial device below /dev is opened', async (t) => {
    const file = join(site, 'no-port');
    writeFileSync(file, '');
    for (const path of ['/dev/balise-none', '/dev/shm', `/dev/shm/../..${file}`]) {
      await t.rejects(scan({ kind: 'serial', path }), { status: 409, code: 'scan.port' }, path);
    }
    await t.rejects(scan({ kind: 'serial', path: file }), { status: 400, message: /must match pattern/ });
    await t.rejects(scan({ kind: 'serial', path: '/dev/null', baud: 3 }), { status: 400, message: /body\/place/ });
    await t.rejects(scan(tcp(1), { from: 9, to: 2 }), { status: 400, message: /body\/to: expected 9 or more/ });
    const { ports } = await client.ask<{ ports: PortView[] }>('GET', '/api/ports');
    t.ok(ports.every(({ path }) => path.startsWith('/dev/')));
  });

  const { events } = await client.ask<AuditView>('GET', '/api/audit?limit=50');
  const subject = `127.0.0.1:${line.port}`;
  const noted = events.map(({ data }) => data).filter((data) => data.what === 'board-scan' && data.subject === subject);
  t.match(noted.at(-1), { role: 'local', after: { from: 1, to: 4 } }, 'who scanned what is in the chain');

  await t.test('a gateway that stops ends a scan that goes on', async () => {
    await scan(tcp(line.port), { from: 1, to: 247 });
    await running.end();
  });
});
