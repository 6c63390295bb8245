/** Digits that a handset sends by SIP INFO, on the whole program: what its profile allows reaches the far end, as events. */
import t, { type Test } from 'tap';
import { freePort } from '../../scripts/peers/free-port.js';
import { RtpParty } from '../media/rtp-party.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { RtpProbe } from '../peers/rtp-probe.js';
import { rtpengineMedia } from '../peers/rtpengine-site.js';
import { carrierPeer, handsetPeer } from '../peers/scenario.js';
import { makeSite, profile } from '../peers/site.js';

const EVENTS = 101;
const ALLOWED = '+442079460001';

/** A call whose handset keys 5, 6 and # by INFO, as far as its speech. */
async function keyedBy(t: Test, rules: Record<string, unknown>, site: Record<string, unknown> = {}) {
  const trunkPort = await freePort();
  const running = await GatewayProcess.start(t, makeSite(t, trunkPort, { profiles: [profile(rules)], site }));
  const cell = await RtpProbe.open(t);
  const trunk = await RtpParty.at('127.0.0.1', 2);
  t.teardown(() => trunk.close());
  const far = await carrierPeer(t, 'carrier-answers', trunkPort, trunk.port);
  const peer = { user: 'a101', dialled: ALLOWED, port: running.port('cell'), rtpPort: cell.port };
  const near = await handsetPeer(t, { scenario: 'handset-keys-by-info', ...peer, talkMs: 1_500 });
  cell.talkTo(await near.audioPort());
  return { running, near, far, trunk };
}

/** The event codes that came, one of each key. */
function keysOf({ received }: RtpParty): (number | undefined)[] {
  const events = received.filter((packet) => ((packet[1] ?? 0) & 0x7f) === EVENTS);
  return [...new Map(events.map((packet) => [packet.readUInt32BE(4), packet[12]])).values()];
}

t.test(
  'of three keys by INFO the two allowed ones arrive as events, once each, and the third is an alarm',
  needs('sip-tester'),
  async (t) => {
    const { running, near, far, trunk } = await keyedBy(t, { digitsAllowed: '5#', digitAlarm: true });
    const alarm = await running.logged(({ event, code }) => event === 'alarm' && code === 'media.digits');
    t.match(alarm.message, /in an INFO/);
    t.match(await near.exited, { code: 0 }, 'each INFO is answered 200');
    t.match(await far.exited, { code: 0 });
    t.notOk(
      far.messages.some(({ kind }) => kind === 'INFO'),
      'and none of them goes further',
    );
    t.same(keysOf(trunk), [5, 11], 'RFC 4733: 5 and #');
  },
);

t.test(
  'on rtpengine the keys of a profile that lets all of them pass arrive as events too',
  needs('sip-tester', 'rtpengine-daemon'),
  async (t) => {
    const { media } = await rtpengineMedia(t);
    const rules = { digitsAllowed: '0123456789*#', digitsInSpeech: 'pass' };
    const { near, far, trunk } = await keyedBy(t, rules, { media });
    t.match(await near.exited, { code: 0 });
    t.match(await far.exited, { code: 0 });
    t.same(keysOf(trunk), [5, 6, 11], 'RFC 4733: 5, 6 and #');
  },
);
