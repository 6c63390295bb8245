/** Looking for boards from the console of the whole program. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { BoardsAdded } from '../../gateway/console/api/board-edits.js';
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

async function startBoardOf(t: Test) {
  const line = await startBoard({ port: 0 });
  t.teardown(() => line.close());
  return line;
}

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

  await t.test('what was found is added to boards.json, all of it or none, and its agent starts at once', async (t) => {
    const file = () => JSON.parse(readFileSync(join(site, 'boards.json'), 'utf8')) as Record<string, unknown>[];
    const found = { device: 'generic-8r8i', transport: tcp(line.port) };
    const add = (...boards: object[]) => client.ask<BoardsAdded>('POST', '/api/boards', { boards });
    await t.rejects(add({ ...found, id: 'b2', unit: 2 }, { ...found, id: 'b4', unit: 2 }), {
      status: 422,
      code: 'site.faults',
    });
    await t.rejects(add({ ...found, id: 'b2', device: 'no-such-kind' }), { status: 422, code: 'site.faults' });
    await t.rejects(add({ ...found, id: 'b1', unit: 2 }), { status: 409, code: 'board.taken' });
    t.same(file(), board.boards, 'nothing was written');

    const from = running.lines.length;
    t.same(await add({ ...found, id: 'b2', unit: 2 }), {
      boards: [{ board: 'b2', agent: 'modbus-2', isRunning: true }],
      remarks: [],
    });
    await running.logged(({ event, plane }) => event === 'plane.ready' && plane === 'modbus-2', from);
    await t.rejects(scan(tcp(line.port)), { code: 'scan.held' }, 'its agent has the port from now on');
    const late = await add({ ...found, id: 'b4', unit: 4 });
    t.match(late, {
      boards: [{ board: 'b4', agent: 'modbus-2', isRunning: false }],
      remarks: [/boards\.json: b4 takes a restart of the gateway/],
    });
    t.match(file(), [{ id: 'b1' }, { id: 'b2', unit: 2, agent: 'modbus-2' }, { id: 'b4', unit: 4, agent: 'modbus-2' }]);
    t.equal(readdirSync(join(site, 'data', 'history')).filter((name) => name.startsWith('boards.')).length, 2);
    const { events } = await client.ask<AuditView>('GET', '/api/audit?limit=50');
    t.match(
      events.filter(({ type }) => type === 'balise.board.changed').map(({ data }) => data),
      [
        { board: 'b4', what: 'added', after: { unit: 4 } },
        { board: 'b2', what: 'added', by: /^console:unix:/, after: { device: 'generic-8r8i', agent: 'modbus-2' } },
      ],
    );
    const { boards } = await client.ask<{ boards: { board: string; state: string }[] }>('GET', '/api/boards');
    t.same(
      boards.map((one) => one.board),
      ['b1', 'b2'],
    );
  });

  await t.test('a gateway that stops ends a scan that goes on', async (t) => {
    await scan(tcp((await startBoardOf(t)).port), { from: 1, to: 247 });
    await running.end();
  });
});
