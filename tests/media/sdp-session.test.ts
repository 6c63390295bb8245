/** What a later offer may change, as a pure judgement. */
import fc from 'fast-check';
import t from 'tap';
import { SdpSession } from '../../gateway/media/sdp-session.js';
import { sdp } from '../signalling/message.js';

const THEIRS = sdp('10.0.0.1');
const OURS = sdp('10.0.0.254', 20_000, '0 101');

t.test('no offer is accepted that names another address, port or codec, in whatever place', (t) => {
  const address = fc.ipV4().filter((one) => one !== '10.0.0.1' && one !== '0.0.0.0');
  const offer = fc.oneof(
    address.map((other) => THEIRS.replace('c=IN IP4 10.0.0.1', `c=IN IP4 ${other}`)),
    address.map((other) => `${THEIRS}c=IN IP4 ${other}\r\n`),
    address.map((other) => `${THEIRS}a=rtcp:7001 IN IP4 ${other}\r\n`),
    fc
      .integer({ min: 0, max: 65_535 })
      .filter((port) => port !== 7_000)
      .map((port) => sdp('10.0.0.1', port)),
    fc.constantFrom(3, 4, 9, 18, 31, 96, 127).map((codec) => sdp('10.0.0.1', 7_000, `0 8 ${codec} 101`)),
    fc.constantFrom('audio', 'video', 'image', 'application').map((kind) => `${THEIRS}m=${kind} 9 RTP/AVP 0\r\n`),
    fc.string().filter((text) => text !== THEIRS),
  );
  fc.assert(fc.property(offer, (text) => new SdpSession(THEIRS, OURS, false).answer(text) === undefined));
  t.end();
});

t.test('an offer of no address is a hold of the old kind, and one of the first address its end', (t) => {
  const session = new SdpSession(THEIRS, OURS, false);
  const deaf = (more: readonly string[] = []) =>
    sdp('10.0.0.1', 7_000, '0 101', more).replace('c=IN IP4 10.0.0.1', 'c=IN IP4 0.0.0.0');
  for (const [more, asked, answer] of [
    [[], 'sendonly', 'recvonly'],
    [['a=sendonly'], 'sendonly', 'recvonly'],
    [['a=recvonly'], 'inactive', 'inactive'],
    [['a=inactive'], 'inactive', 'inactive'],
  ] as const) {
    t.match(session.answer(deaf(more)), new RegExp(`^a=${answer}\\r$`, 'm'), `no address, ${more}`);
    t.equal(session.asked, asked);
  }
  t.match(session.answer(THEIRS), /^a=sendrecv\r$/m);
  t.equal(session.asked, 'sendrecv');
  t.equal(session.answer(sdp('0.0.0.0', 7_002)), undefined, 'a port of its own it may not name');
  t.end();
});

t.test('an answer names our address and the codecs that are spoken, whatever order they are offered in', (t) => {
  const formats = fc
    .shuffledSubarray(['0', '8', '101'], { minLength: 2 })
    .filter((all) => all.includes('0') && all.includes('101'));
  fc.assert(
    fc.property(formats, fc.constantFrom('sendrecv', 'sendonly', 'recvonly', 'inactive'), (all, direction) => {
      const answer =
        new SdpSession(THEIRS, OURS, false).answer(sdp('10.0.0.1', 7_000, all.join(' '), [`a=${direction}`])) ?? '';
      return (
        /m=audio 20000 RTP\/AVP 0 101\r\n/.test(answer) &&
        /c=IN IP4 10\.0\.0\.254\r\n/.test(answer) &&
        !answer.includes('10.0.0.1\r')
      );
    }),
  );
  t.end();
});
