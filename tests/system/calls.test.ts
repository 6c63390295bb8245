/** The whole program with SIPp as handset and carrier. What is asserted is what the peers saw. */
import t, { type Test } from 'tap';
import { freePort } from '../../scripts/peers/free-port.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { RtpProbe } from '../peers/rtp-probe.js';
import { carrierPeer, handsetPeer } from '../peers/scenario.js';
import { handset, makeSite, profile, type SiteParts } from '../peers/site.js';

const opts = needs('sip-tester');
const ALLOWED = '+442079460001';
/** Open at every hour, so that a test does not depend on when it runs: the site's own calling hours for the country. */
async function gateway(t: Test, parts: SiteParts = {}) {
  const trunkPort = await freePort();
  const running = await GatewayProcess.start(t, makeSite(t, trunkPort, parts));
  const [cellProbe, trunkProbe] = await Promise.all([RtpProbe.open(t), RtpProbe.open(t)]);
  const call = (scenario: string, more: { dialled?: string; status?: number; user?: string } = {}) =>
    handsetPeer(t, {
      scenario,
      user: more.user ?? 'a101',
      dialled: more.dialled ?? ALLOWED,
      port: running.port('cell'),
      rtpPort: cellProbe.port,
      ...(more.status !== undefined && { status: more.status }),
    });
  const carrier = (scenario: string) => carrierPeer(t, scenario, trunkPort, trunkProbe.port);
  return { running, cellProbe, trunkProbe, trunkPort, call, carrier };
}

const ended = (running: GatewayProcess, from = 0) => running.logged((line) => line.event === 'call.ended', from);

t.test(
  'a sanctioned call is answered, carries speech both ways, and ends when the handset hangs up',
  opts,
  async (t) => {
    const { running, cellProbe, trunkProbe, call, carrier } = await gateway(t);
    const far = await carrier('carrier-answers');
    const near = await call('handset-hangs-up');
    const [cellPort, trunkPort] = await Promise.all([near.audioPort(), far.audioPort()]);
    cellProbe.talkTo(cellPort);
    trunkProbe.talkTo(trunkPort);
    await Promise.all([cellProbe.heard(5), trunkProbe.heard(5)]);
    t.match(await near.exited, { code: 0 });
    t.match(await far.exited, { code: 0 });
    t.match(await ended(running), { cause: 'handset-hung-up' });
  },
);

t.test('a call that the far end hangs up ends on the handset too', opts, async (t) => {
  const { running, call, carrier } = await gateway(t);
  const far = await carrier('carrier-hangs-up');
  const near = await call('handset-waits');
  t.match(await near.exited, { code: 0 });
  t.match(await far.exited, { code: 0 });
  t.match(await ended(running), { cause: 'trunk-hung-up' });
});

t.test('a handset that cancels before the answer leaves nothing ringing at the far end', opts, async (t) => {
  const { running, call, carrier } = await gateway(t);
  const far = await carrier('carrier-rings');
  const near = await call('handset-cancels');
  t.match(await near.exited, { code: 0 });
  t.match(await far.exited, { code: 0 });
  t.match(await ended(running), { cause: 'handset-cancelled' });
});

t.test('a busy callee is told to the handset as busy', opts, async (t) => {
  const { running, call, carrier } = await gateway(t);
  const far = await carrier('carrier-busy');
  const near = await call('handset-refused', { status: 486 });
  t.match(await near.exited, { code: 0 });
  t.match(await far.exited, { code: 0 });
  t.match(await ended(running), { cause: 'busy' });
});

t.test('a callee who does not answer within the ring time is cancelled', opts, async (t) => {
  const { running, call, carrier } = await gateway(t, { profiles: [profile({ ringS: 5 })] });
  const far = await carrier('carrier-rings');
  const near = await call('handset-refused', { status: 480 });
  t.match(await near.exited, { code: 0 });
  t.match(await far.exited, { code: 0 });
  t.match(await ended(running), { cause: 'no-answer' });
});

t.test('a transfer out of a call is declined and alarmed, and the call goes on', opts, async (t) => {
  const { running, call, carrier } = await gateway(t);
  const far = await carrier('carrier-answers');
  const near = await call('handset-refers');
  t.match(await near.exited, { code: 0 });
  t.match(await far.exited, { code: 0 });
  t.ok(await running.logged((line) => line.event === 'alarm' && line.code === 'sip.refer'));
});

t.test('nothing that names the called party reaches a handset that dials codes', opts, async (t) => {
  const number = '+442079460077';
  const codes = profile({ id: 'codes', tokens: { '01': number }, tokenOnly: true });
  const { call, carrier } = await gateway(t, { profiles: [codes], handsets: [handset('a-101', { profile: 'codes' })] });
  const far = await carrier('carrier-answers');
  const near = await call('handset-hangs-up', { dialled: '01' });
  t.match(await near.exited, { code: 0 });
  await far.exited;
  t.ok(
    far.messages.some(({ text }) => text.includes(number)),
    'the carrier was asked for the number',
  );
  for (const { text } of near.messages) t.notMatch(text, number.slice(4));
});
