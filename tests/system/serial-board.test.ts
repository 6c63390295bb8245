/**
 * The whole program with a relay board that is not ours: Debian's pymodbus at the far end of a serial line on ptys. What is
 * asserted of the relay is what the slave was written.
 */
import t from 'tap';
import { freePort } from '../../scripts/peers/free-port.js';
import { serialBoardPeer } from '../peers/board-peer.js';
import { endTimes } from '../peers/call-end.js';
import { ALLOWED, callUp } from '../peers/call-up.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { handsetPeer } from '../peers/scenario.js';
import { handset, makeSite, profile } from '../peers/site.js';

const opts = needs('sip-tester', 'socat', 'python3-pymodbus', 'python3-serial-asyncio');

t.test('a call over a serial board ends at its deadline, and the slave’s coil is open', opts, async (t) => {
  const call = await callUp(t, { board: serialBoardPeer, profile: { maxTalkS: 3, warningsS: [] } });
  const answered = await call.far.saw(({ direction, kind }) => direction === 'received' && kind === 'ACK');
  const answeredNs = process.hrtime.bigint() - BigInt(Math.round((Date.now() - answered.atMs) * 1e6));
  const times = await endTimes(call, answeredNs + 3_000_000_000n);
  t.ok(Math.abs(times.trunkSilentMs) < 250, `the far end hears nothing after the deadline (${times.trunkSilentMs} ms)`);
  t.ok(times.relayOpenMs < 1_000, `the coil is open (${times.relayOpenMs} ms)`);
  t.equal(times.heardAfter, 0);
  t.match(await call.running.logged((line) => line.event === 'call.ended'), { cause: 'deadline' });
});

t.test('the handset put down at the wire ends the call on both legs, whatever SIP says', opts, async (t) => {
  const call = await callUp(t, { board: serialBoardPeer });
  call.line.setHook(0, false);
  const bye = ({ direction, kind }: { direction: string; kind: string }) => direction === 'received' && kind === 'BYE';
  await Promise.all([call.near.saw(bye), call.far.saw(bye)]);
  t.match(await call.running.logged((line) => line.event === 'call.ended'), { cause: 'hook.on' });
});

for (const [what, kill] of [
  ['the gateway', (running: GatewayProcess) => running.kill('SIGKILL')],
  ['the agent', (running: GatewayProcess) => process.kill(running.pidOf('modbus-1'), 'SIGKILL')],
] as const) {
  t.test(`kill -9 of ${what} in a call opens the slave’s coil and ends the call`, opts, async (t) => {
    const call = await callUp(t, { board: serialBoardPeer });
    const sinceNs = process.hrtime.bigint();
    kill(call.running);
    const times = await endTimes(call, sinceNs);
    t.ok(times.trunkSilentMs < 1_000, `silent after ${times.trunkSilentMs} ms`);
    t.ok(times.handsetToldMs < 1_500, `handset told after ${times.handsetToldMs} ms`);
    t.ok(times.relayOpenMs < 5_500, `coil open after ${times.relayOpenMs} ms`);
    t.equal(times.heardAfter, 0);
  });
}

t.test('a handset whose wire says on-hook is refused', opts, async (t) => {
  const line = await serialBoardPeer(t);
  const parts = {
    profiles: [profile({ hookRequired: true })],
    boards: line.boards,
    handsets: [handset('a-101', { line: line.line })],
  };
  const running = await GatewayProcess.start(t, makeSite(t, await freePort(), parts));
  await line.relayIs(0, true);
  const peer = { user: 'a101', dialled: ALLOWED, port: running.port('cell'), rtpPort: 9 };
  const near = await handsetPeer(t, { ...peer, scenario: 'handset-refused', status: 403 });
  t.equal((await near.exited).code, 0);
  const rule = 'line.not-off-hook';
  t.match(await running.logged((logged) => logged.event === 'call.ended'), { cause: 'refused', rule });
});
