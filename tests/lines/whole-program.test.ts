/** The line plane inside the whole program: a panic button, an agent that keeps dying, a controller lost in a call. */
import t from 'tap';
import { balise } from '../cli/terminal.js';
import { boardPeer } from '../peers/board-peer.js';
import { callUp } from '../peers/call-up.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { handset, makeSite } from '../peers/site.js';

/** The simulated board with a button between input 7 and ground, which reads 1 while it is pressed. */
const PANIC = { input: 7, normallyClosed: false };

t.test(
  'a panic button ends every call, and holds the wires open until a person releases them',
  needs('sip-tester'),
  async (t) => {
    const call = await callUp(t, {
      board: async (t) => {
        const peer = await boardPeer(t);
        return { ...peer, boards: peer.boards.map((board) => ({ ...board, panic: PANIC })) };
      },
    });
    const { running, line } = call;
    line.setHook(7, true);
    await line.relayIs(0, false);
    t.match(await running.logged(({ event }) => event === 'call.ended'), { cause: 'cutoff' });
    t.match(await running.logged(({ event }) => event === 'calls.cutoff'), {
      target: 'site',
      by: 'panic-input',
      calls: 1,
    });
    t.match(await running.logged(({ code }) => code === 'line.panic'), { board: 'b1' });
    line.setHook(7, false);
    const tested = await balise(['line', 'test', call.siteFolder, 'a-101']);
    t.match(tested.stdout, /stays open: policy lets nobody call/, 'letting go is no release');
    await balise(['release', 'site', '--site', call.siteFolder]);
    await line.relayIs(0, true);
  },
);

t.test('an agent that keeps dying is a crash loop: an alarm, a pause, and the relays stay open', async (t) => {
  const board = await boardPeer(t);
  const site = makeSite(t, 9, { boards: board.boards, handsets: [handset('a-101', { line: board.line })] });
  const running = await GatewayProcess.start(t, site);
  await board.relayIs(0, true);
  const isReady = ({ event, plane }: { event?: string; plane?: string }) =>
    event === 'plane.ready' && plane === 'modbus-1';
  for (let death = 1; death <= 5; death++) {
    const from = running.lines.length;
    process.kill(running.pidOf('modbus-1'), 'SIGKILL');
    if (death < 5) await running.logged(isReady, from);
  }
  t.match(await running.logged(({ code }) => code === 'plane.crash-loop'), {
    message: /modbus-1 died 5 times in a row/,
  });
  await board.relayIs(0, false);
  // And it is not given up: the next one leases again.
  await board.relayIs(0, true);
});

t.test('a controller lost in a call goes on under alarm where the profile says so', needs('sip-tester'), async (t) => {
  const call = await callUp(t, { profile: { controllerLost: 'alarm' } });
  const { running } = call;
  process.kill(running.pidOf('modbus-1'), 'SIGKILL');
  await running.logged(({ code }) => code === 'line.controller-lost');
  await running.logged(({ event, plane }) => event === 'plane.ready' && plane === 'modbus-1', running.lines.length - 1);
  await call.line.relayIs(0, true);
  t.equal(running.lines.filter(({ event }) => event === 'call.ended').length, 0, 'the call is up still');
});
