/** Digits that a handset sends by SIP INFO, on the whole program: what its profile allows reaches the far end, as events. */
import t from 'tap';
import { freePort } from '../../scripts/peers/free-port.js';
import { RtpParty } from '../media/rtp-party.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { RtpProbe } from '../peers/rtp-probe.js';
import { carrierPeer, handsetPeer } from '../peers/scenario.js';
import { makeSite, profile } from '../peers/site.js';

const EVENTS = 101;
const ALLOWED = '+442079460001';

t.test(
  'of three keys by INFO the two allowed ones arrive as events, once each, and the third is an alarm',
  needs('sip-tester'),
  async (t) => {
    const trunkPort = await freePort();
    const profiles = [profile({ digitsAllowed: '5#', digitAlarm: true })];
    const running = await GatewayProcess.start(t, makeSite(t, trunkPort, { profiles }));
    const cell = await RtpProbe.open(t);
    const trunk = await RtpParty.at('127.0.0.1', 2);
    t.teardown(() => trunk.close());
    const far = await carrierPeer(t, 'carrier-answers', trunkPort, trunk.port);
    const peer = { user: 'a101', dialled: ALLOWED, port: running.port('cell'), rtpPort: cell.port };
    const near = await handsetPeer(t, { scenario: 'handset-keys-by-info', ...peer, talkMs: 1_500 });
    cell.talkTo(await near.audioPort());
    const alarm = await running.logged(({ event, code }) => event === 'alarm' && code === 'media.digits');
    t.match(alarm.message, /in an INFO/);
    t.match(await near.exited, { code: 0 }, 'each INFO is answered 200');
    t.match(await far.exited, { code: 0 });
    t.notOk(
      far.messages.some(({ kind }) => kind === 'INFO'),
      'and none of them goes further',
    );
    const events = trunk.received.filter((packet) => ((packet[1] ?? 0) & 0x7f) === EVENTS);
    const keys = new Map(events.map((packet) => [packet.readUInt32BE(4), packet[12]]));
    t.same([...keys.values()], [5, 11], 'RFC 4733: 5 and #');
  },
);
