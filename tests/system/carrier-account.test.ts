/** What a carrier that knows us by digest sees at the end: of a call that a crash left to it, and of the gateway itself. */
import t, { type Test } from 'tap';
import { freePort } from '../../scripts/peers/free-port.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { RtpProbe } from '../peers/rtp-probe.js';
import { carrierPeer, handsetPeer } from '../peers/scenario.js';
import { makeSite, REALM } from '../peers/site.js';

const opts = needs('sip-tester');
const ALLOWED = '+442079460001';

/** A site whose trunk knows us by name and password, and by a port that is the same after a restart. */
async function site(t: Test, more: Record<string, unknown> = {}) {
  const trunkPort = await freePort();
  const trunk = {
    id: 'carrier',
    host: '127.0.0.1',
    port: trunkPort,
    transport: 'udp',
    register: false,
    username: 'gateway',
    password: 'trunk-secret',
    callerIdentity: '+442079460900',
    networks: ['127.0.0.0/8'],
    optionsS: 0,
    ...more,
  };
  const [cell, carrier] = [0, await freePort()].map((port) => ({ address: '127.0.0.1', port }));
  const sip = { realm: REALM, engine: 'embedded', cell, carrier };
  return { trunkPort, folder: makeSite(t, trunkPort, { site: { sip }, trunks: [trunk] }) };
}

t.test(
  'a leg that a killed gateway left up is ended by the next one, with credentials where the carrier asks',
  opts,
  async (t) => {
    const { trunkPort, folder } = await site(t);
    const running = await GatewayProcess.start(t, folder);
    const [cellProbe, trunkProbe] = [await RtpProbe.open(t), await RtpProbe.open(t)];
    const far = await carrierPeer(t, 'carrier-doubts-bye', trunkPort, trunkProbe.port);
    const peer = { user: 'a101', dialled: ALLOWED, port: running.port('cell'), rtpPort: cellProbe.port };
    const near = await handsetPeer(t, { scenario: 'handset-waits', ...peer });
    await near.saw(({ direction, kind }) => direction === 'sent' && kind === 'ACK');
    await running.logged(({ event, state }) => event === 'call.state' && state === 'talking');
    running.kill('SIGKILL');
    t.match(await near.exited, { code: 0 }, 'the handset is told at once');
    await running.exited;
    const again = await GatewayProcess.start(t, folder);
    t.match(await again.logged(({ event }) => event === 'calls.recovered'), { calls: 1 });
    t.match(await far.exited, { code: 0 });
    t.match(
      far.messages.findLast(({ direction }) => direction === 'sent')?.text,
      /^SIP\/2\.0 200/,
      'SIPp has checked the proof',
    );
    t.notOk(again.lines.some((line) => line.code === 'trunk.bye-refused'));
  },
);

t.test('SIGTERM: the carrier that has registered us is told to forget us, with digest', opts, async (t) => {
  const { trunkPort, folder } = await site(t, { register: true });
  const registrar = await carrierPeer(t, 'carrier-registers', trunkPort, 9);
  const running = await GatewayProcess.start(t, folder);
  await registrar.saw(({ direction, kind }) => direction === 'sent' && kind === '200');
  running.kill('SIGTERM');
  t.equal(await running.exited, 0);
  t.match(await registrar.exited, { code: 0 });
  const kinds = registrar.messages.map(({ kind }) => kind);
  t.same(kinds.slice(-4), ['REGISTER', '401', 'REGISTER', '200']);
});

t.test('SIGTERM: a carrier that answers nothing holds the stop up for 2 s, and not for its 32', opts, async (t) => {
  const { trunkPort, folder } = await site(t, { register: true });
  const registrar = await carrierPeer(t, 'carrier-falls-silent', trunkPort, 9);
  const running = await GatewayProcess.start(t, folder);
  await registrar.saw(({ direction, kind }) => direction === 'sent' && kind === '200');
  running.kill('SIGTERM');
  await registrar.saw(({ kind, text }) => kind === 'REGISTER' && /\nExpires: 0/.test(text));
  const sinceMs = performance.now();
  t.equal(await running.exited, 0);
  t.ok(performance.now() - sinceMs < 15_000, 'long before timer F');
});
