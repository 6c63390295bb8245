/** Wires that change while the whole program runs: the real agent, over RTU to a board that is simulated. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { freePort } from '../../scripts/peers/free-port.js';
import { boardPeer } from '../peers/board-peer.js';
import { callUp } from '../peers/call-up.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { handset, makeSite, profile } from '../peers/site.js';

const line = (relay: number) => ({ board: 'b1', relay, hook: relay });

/** Writes other handsets into the site, has the running gateway look, and settles when it has answered. */
async function rewire(running: GatewayProcess, site: string, handsets: readonly object[]): Promise<void> {
  const from = running.lines.length;
  writeFileSync(join(site, 'handsets.json'), JSON.stringify(handsets));
  running.kill('SIGHUP');
  await running.logged(({ event }) => event === 'site.reloaded', from);
}

/** Settles when the agent is there again after it was told other wires; whether it is another process than before. */
async function isAnew(running: GatewayProcess): Promise<boolean> {
  const taken = await running.logged(({ event }) => event === 'wires.taken');
  const isReady = ({ event, plane }: { event?: string; plane?: string }) =>
    event === 'plane.ready' && plane === 'modbus-1';
  const before = running.lines.find(isReady);
  const after = await running.logged(isReady, running.lines.indexOf(taken));
  return before !== undefined && before.planePid !== after.planePid;
}

t.test(
  'a wire is moved, another comes and one goes, and the boards follow with no restart of the gateway',
  async (t) => {
    const board = await boardPeer(t);
    const site = makeSite(t, await freePort(), {
      profiles: [profile({ hookRequired: true })],
      boards: board.boards,
      handsets: [handset('a-101', { line: line(0) }), handset('a-102', { line: line(1) })],
    });
    const running = await GatewayProcess.start(t, site);
    await Promise.all([board.relayIs(0, true), board.relayIs(1, true)]);
    await rewire(running, site, [handset('a-101', { line: line(5) }), handset('a-103', { line: line(2) })]);
    await Promise.all([
      board.relayIs(5, true),
      board.relayIs(2, true),
      board.relayIs(0, false),
      board.relayIs(1, false),
    ]);
    t.match(await running.logged(({ event }) => event === 'wires.taken'), {
      wires: { 'a-101': line(5), 'a-103': line(2) },
    });
    t.ok(await isAnew(running), 'the agent started anew');
    t.notOk(
      running.lines.some(({ event, code }) => event === 'alarm' && String(code).startsWith('bus.')),
      'and has the rights to its new topics',
    );
  },
);

t.test('a call on another line of the board is not cut: the change waits for it', needs('sip-tester'), async (t) => {
  const call = await callUp(t, {
    parts: {
      handsets: [
        handset('a-101', { line: line(0) }),
        handset('a-102', { line: line(1) }),
        handset('a-104', { line: line(4) }),
      ],
    },
  });
  const { running, line: board, siteFolder } = call;
  await Promise.all([board.relayIs(1, true), board.relayIs(4, true)]);
  const agent = running.pidOf('modbus-1');
  await rewire(running, siteFolder, [
    handset('a-101', { line: line(0) }),
    handset('a-102', { line: line(3) }),
    handset('a-105', { line: line(5) }),
  ]);
  await Promise.all([board.relayIs(1, false), board.relayIs(4, false)]);
  t.pass('the wire that moves and the wire that goes are open at once');
  await Promise.all([call.cellProbe.heard(60), call.trunkProbe.heard(60)]);
  t.equal(running.pidOf('modbus-1'), agent, 'while somebody talks, the agent stays');
  t.notOk(running.lines.some(({ event }) => event === 'call.ended' || event === 'wires.taken'));
  board.setHook(0, false);
  t.match(await running.logged(({ event }) => event === 'call.ended'), { cause: 'hook.on' });
  await Promise.all([board.relayIs(3, true), board.relayIs(5, true)]);
  t.ok(await isAnew(running), 'the agent started anew');
});
