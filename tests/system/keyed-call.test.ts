/**
 * The whole program with a line card on a pty and a handset beside it: what is keyed on the card becomes a call in the
 * handset, with sound both ways, and ends on all three planes.
 */
import t, { type Test } from 'tap';
import { freePort } from '../../scripts/peers/free-port.js';
import { SimulatedLineCard } from '../../scripts/simulators/line-card.js';
import { SerialWire } from '../../scripts/simulators/serial-wire.js';
import { until } from '../device-agents/harness.js';
import type { BoardPeer } from '../peers/board-peer.js';
import { endsWithin, endTimes } from '../peers/call-end.js';
import type { CallUp } from '../peers/call-up.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { RtpProbe } from '../peers/rtp-probe.js';
import { rtpengineMedia } from '../peers/rtpengine-site.js';
import { calledHandset, carrierPeer } from '../peers/scenario.js';
import { handset, makeSite, profile } from '../peers/site.js';

const LINE = 7;
const opts = needs('sip-tester', 'socat');

/** A handset on line 7 of a card, registered, off the hook, and with a call that was keyed on it. */
async function keyedCall(
  t: Test,
  more: Record<string, unknown> = {},
  site: Record<string, unknown> = {},
): Promise<CallUp & { card: SimulatedLineCard }> {
  const card = new SimulatedLineCard();
  const wire = new SerialWire();
  await wire.start(card.stream);
  t.teardown(() => {
    card.close();
    return wire.close();
  });
  const transport = { kind: 'serial', path: wire.path, baud: 115_200 };
  const line = { board: 'c1', relay: LINE, hook: LINE };
  const boards = [{ id: 'c1', device: 'line-card-32', agent: 'card-1', transport }];
  const trunkPort = await freePort();
  const siteFolder = makeSite(t, trunkPort, {
    site,
    profiles: [profile({ hookRequired: true, ...more })],
    boards,
    handsets: [handset('a-101', { line })],
  });
  const running = await GatewayProcess.start(t, siteFolder);
  const [cellProbe, trunkProbe] = await Promise.all([RtpProbe.open(t), RtpProbe.open(t)]);
  // It rings for long enough that even a machine that is late hears of it.
  const far = await carrierPeer(t, 'carrier-answers', trunkPort, trunkProbe.port, 1, 500, 1_500);
  const near = await calledHandset(t, { user: 'a101', port: running.port('cell'), rtpPort: cellProbe.port });
  await until('the pair is connected and its lamp green', () => card.relay(LINE) && card.lines[LINE]?.lamp === 'GREEN');
  card.hook(LINE, true);
  for (const key of '00442079460001#') card.key(LINE, key);
  const offered = (how: string) =>
    near.saw(({ direction, kind, text }) => direction === 'received' && kind === 'INVITE' && text.includes(`a=${how}`));
  await offered('sendonly');
  await cellProbe.heard(5);
  t.ok(cellProbe.loudest > 20, 'while the far end rings, the handset hears our ring-back');
  await offered('sendrecv');
  const [cellPort, relayPort] = await Promise.all([near.audioPort(), far.audioPort()]);
  cellProbe.talkTo(cellPort);
  trunkProbe.talkTo(relayPort);
  await Promise.all([cellProbe.heard(5), trunkProbe.heard(5)]);
  const relayIs = async (relay: number, connected: boolean) => {
    await until(`relay ${relay}`, () => card.relay(relay) === connected);
    return process.hrtime.bigint();
  };
  const peer: BoardPeer = { boards, line, setHook: (input, off) => card.hook(input, off), relayIs };
  // What ends a call is measured on relay 0 of a board: here it is the card's line.
  const board: BoardPeer = { ...peer, relayIs: (_relay, connected) => relayIs(LINE, connected) };
  return { running, siteFolder, near, far, cellProbe, trunkProbe, line: board, card };
}

t.test('a keyed call that policy grants is a call like any other, and ends at its deadline', opts, async (t) => {
  const call = await keyedCall(t, { maxTalkS: 3, warningsS: [] });
  const invites = call.near.messages.filter(({ kind, direction }) => kind === 'INVITE' && direction === 'received');
  t.equal(call.card.lines[LINE]?.text, '', 'the display says no number any more');
  for (const { text } of invites) t.notMatch(text, '2079460001', 'the handset never sees the number');
  const answered = await call.far.saw(({ direction, kind }) => direction === 'received' && kind === 'ACK');
  const answeredNs = process.hrtime.bigint() - BigInt(Math.round((Date.now() - answered.atMs) * 1e6));
  const times = await endTimes(call, answeredNs + 3_000_000_000n);
  t.ok(Math.abs(times.trunkSilentMs) < 250, `the far end hears nothing after the deadline (${times.trunkSilentMs} ms)`);
  t.ok(times.relayOpenMs < 1_000, `the pair is open (${times.relayOpenMs} ms)`);
  t.notOk(times.isHeardAfter);
  t.match(await call.running.logged((line) => line.event === 'call.ended'), { handset: 'a-101', cause: 'deadline' });
  t.equal((await call.near.exited).code, 0, 'the handset was called and told in the proper order');
});

t.test(
  'on rtpengine too a keyed call rings back to its handset, is a call like any other, and ends at its deadline',
  needs('sip-tester', 'socat', 'rtpengine-daemon'),
  async (t) => {
    const { media } = await rtpengineMedia(t);
    const call = await keyedCall(t, { maxTalkS: 1, warningsS: [], digitsInSpeech: 'pass' }, { media });
    t.match(await call.running.logged((line) => line.event === 'call.ended'), { handset: 'a-101', cause: 'deadline' });
    t.equal((await call.near.exited).code, 0);
    t.equal((await call.far.exited).code, 0);
  },
);

t.test('kill -9 of the gateway in a keyed call silences it, tells both legs and opens the pair', opts, async (t) => {
  const call = await keyedCall(t);
  const sinceNs = process.hrtime.bigint();
  call.running.kill('SIGKILL');
  const times = await endTimes(call, sinceNs);
  endsWithin(t, times, { silentMs: 1_000, toldMs: 1_500, openMs: 5_500 });
});
