/** What a handset hears while the far end rings, on the whole program with real RTP: its own ring-back, or the carrier's sound. */
import t from 'tap';
import { freePort } from '../../scripts/peers/free-port.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { RtpProbe } from '../peers/rtp-probe.js';
import { carrierPeer, handsetPeer } from '../peers/scenario.js';
import { handset, makeSite, profile } from '../peers/site.js';

const PLAIN = '+442079460001';
const EARLY = '+442079460002';
const CODED = '+442079460003';
/** How long the carrier speaks before it is busy: time for its sound to come through, were there a way for it. */
const SPEAKS_MS = 1_500;

t.test(
  'the carrier’s sound before the answer reaches the handset whose profile says so, and never one that keyed a code',
  needs('sip-tester'),
  async (t) => {
    const trunkPort = await freePort();
    const parts = {
      profiles: [
        profile(),
        profile({ id: 'early', earlyMedia: true }),
        profile({ id: 'coded', earlyMedia: true, tokenOnly: true, tokens: { '01': CODED } }),
      ],
      handsets: [handset('a-101'), handset('a-102', { profile: 'early' }), handset('a-103', { profile: 'coded' })],
    };
    const running = await GatewayProcess.start(t, makeSite(t, trunkPort, parts));
    const farEnd = await RtpProbe.open(t);
    const far = await carrierPeer(t, 'carrier-speaks-early', trunkPort, farEnd.port, 3, SPEAKS_MS);
    const dial = async (user: string, dialled: string, number = dialled) => {
      const [ear, mouth] = [await RtpProbe.open(t), await RtpProbe.open(t)];
      const peer = { user, dialled, port: running.port('cell'), rtpPort: ear.port, status: 486 };
      const near = await handsetPeer(t, { scenario: 'handset-refused', ...peer });
      const invite = await far.saw(({ kind, text }) => kind === 'INVITE' && text.includes(number));
      mouth.talkTo(Number(/^m=audio (\d+)/m.exec(invite.text)?.[1]));
      return { ear, near };
    };
    const plain = await dial('a101', PLAIN);
    const early = await dial('a102', EARLY);
    const coded = await dial('a103', '01', CODED);
    await early.ear.heard(5);
    for (const { near } of [plain, early, coded]) t.match(await near.exited, { code: 0 });
    t.equal(plain.ear.heardNs.length, 0, 'a profile that says nothing lets nothing through');
    t.equal(coded.ear.heardNs.length, 0, 'a carrier may speak the number, which who keyed a code is not to know');
    t.equal(farEnd.heardNs.length, 0, 'and nobody is heard before the answer');
    const kinds = (messages: typeof plain.near.messages) => messages.map(({ kind }) => kind);
    for (const { near } of [plain, coded]) {
      t.ok(kinds(near.messages).includes('180'), 'it is told to ring back by itself');
      t.notOk(kinds(near.messages).includes('183'));
    }
    const said = early.near.messages.find(({ kind }) => kind === '183');
    t.match(said?.text, /^o=balise [\s\S]*^m=audio \d+ RTP\/AVP 0 101/m, 'the description is ours');
  },
);
