import fc from 'fast-check';
import t from 'tap';
import {
  type HandsetOffer,
  readOffer,
  readTrunkAnswer,
  type SdpFault,
  streamFormats,
  writeHandsetAnswer,
  writeTrunkOffer,
} from '../../gateway/media/sdp.js';

const OUR_TRUNK = { address: '192.0.2.10', port: 20_000, sessionId: 77 };
const OUR_HANDSET = { address: '192.0.2.20', port: 20_002, sessionId: 88 };

const HANDSET = `v=0\r
o=a101 2890844526 2890844527 IN IP4 10.1.0.5\r
s=Cell A 101\r
i=secret\r
u=http://phone.invalid/\r
e=a101@phone.invalid\r
c=IN IP4 10.1.0.5\r
b=AS:84\r
t=0 0\r
a=tool:phone 1.2\r
m=audio 4000 RTP/AVP 9 8 0 18 101 13\r
a=rtpmap:9 G722/8000\r
a=rtpmap:8 PCMA/8000\r
a=rtpmap:0 PCMU/8000\r
a=rtpmap:18 G729/8000\r
a=rtpmap:101 telephone-event/8000\r
a=fmtp:101 0-16\r
a=rtpmap:13 CN/8000\r
a=ptime:20\r
a=ice-ufrag:F7gI\r
a=candidate:1 1 UDP 2130706431 10.1.0.5 4000 typ host\r
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r
m=video 5000 RTP/AVP 31\r
m=image 6000 udptl t38\r
`;

const ANSWER = `v=0\r
o=carrier 1 1 IN IP4 198.51.100.9\r
s=+442079460000\r
c=IN IP4 198.51.100.9\r
t=0 0\r
m=audio 7000 RTP/AVP 8 97\r
a=rtpmap:8 PCMA/8000\r
a=rtpmap:97 telephone-event/8000\r
a=rtcp:7005\r
a=ptime:30\r
`;

function offerOf(sdp: string): HandsetOffer {
  const offer = readOffer(sdp);
  if ('fault' in offer) throw new Error(offer.why);
  return offer;
}

function answerOf(sdp: string, offer: HandsetOffer) {
  const answer = readTrunkAnswer(sdp, offer);
  if ('fault' in answer) throw new Error(answer.why);
  return answer;
}

const offerWith = (...media: string[]): string =>
  ['v=0', 'o=- 1 1 IN IP4 10.1.0.5', 's=-', 'c=IN IP4 10.1.0.5', 't=0 0', ...media, ''].join('\r\n');

const fault = (result: object): SdpFault['fault'] | undefined => (result as Partial<SdpFault>).fault;

t.test('the handset’s offer is read: address, RTCP port, codecs in their order, packet time', async (t) => {
  t.match(offerOf(HANDSET), {
    address: '10.1.0.5',
    port: 4_000,
    rtcpPort: 4_001,
    voice: [
      { codec: 'pcma', payloadType: 8 },
      { codec: 'pcmu', payloadType: 0 },
    ],
    events: 101,
    ptime: 20,
    direction: 'sendrecv',
    audioLine: 0,
  });
});

t.test('the offer to the trunk is our own, line by line', async (t) => {
  t.same(writeTrunkOffer(offerOf(HANDSET), OUR_TRUNK).trim().split('\r\n'), [
    'v=0',
    'o=balise 77 1 IN IP4 192.0.2.10',
    's=-',
    'c=IN IP4 192.0.2.10',
    't=0 0',
    'm=audio 20000 RTP/AVP 8 0 101',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-15',
    'a=ptime:20',
    'a=sendrecv',
    'a=rtcp-mux',
  ]);
});

t.test('the answer to the handset is our own, and refuses each line that is no audio in its place', async (t) => {
  const offer = offerOf(HANDSET);
  const answer = answerOf(ANSWER, offer);
  t.equal(answer.rtcpPort, 7_005);
  t.same(writeHandsetAnswer(offer, answer, OUR_HANDSET).trim().split('\r\n'), [
    'v=0',
    'o=balise 88 1 IN IP4 192.0.2.20',
    's=-',
    'c=IN IP4 192.0.2.20',
    't=0 0',
    'm=audio 20002 RTP/AVP 8 97',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:97 telephone-event/8000',
    'a=fmtp:97 0-15',
    'a=ptime:30',
    'a=sendrecv',
    'm=video 0 RTP/AVP 31',
    'm=image 0 udptl t38',
  ]);
});

t.test('audio is found wherever it is among the lines, and answered in its place', async (t) => {
  const offer = offerOf(offerWith('m=video 5000 RTP/AVP 31', 'm=audio 0 RTP/AVP 8', 'm=audio 4000 RTP/AVP 0'));
  t.equal(offer.audioLine, 2);
  const answer = answerOf(offerWith('m=audio 7000 RTP/AVP 0'), offer);
  const lines = writeHandsetAnswer(offer, answer, OUR_HANDSET).match(/m=.*/g);
  t.same(lines, ['m=video 0 RTP/AVP 31', 'm=audio 0 RTP/AVP 8', 'm=audio 20002 RTP/AVP 0']);
});

t.test('payload types pass each way as their receiver numbered them', async (t) => {
  const offer = offerOf(HANDSET);
  t.same(streamFormats(offer, answerOf(ANSWER, offer)), {
    toTrunk: { voice: [{ codec: 'pcma', payloadType: 8 }], events: 97, eventsPass: true },
    toHandset: { voice: [{ codec: 'pcma', payloadType: 8 }], events: 101, eventsPass: true },
  });
});

t.test('a handset keeps its events though the trunk wants none, so that keys never become tones', async (t) => {
  const offer = offerOf(HANDSET);
  const answer = answerOf(offerWith('m=audio 7000 RTP/AVP 0'), offer);
  t.match(writeHandsetAnswer(offer, answer, OUR_HANDSET), /m=audio 20002 RTP\/AVP 0 101\r\n/);
  t.match(streamFormats(offer, answer).toTrunk, { events: 101, eventsPass: false });
});

t.test('what cannot be used is refused with its code', async (t) => {
  const refused: readonly [SdpFault['fault'], string][] = [
    ['media.no-codec', offerWith('m=audio 4000 RTP/AVP 9 18')],
    ['media.no-codec', offerWith('m=audio 4000 RTP/SAVP 8')],
    ['media.no-codec', offerWith('m=audio 0 RTP/AVP 8')],
    ['media.no-codec', offerWith('m=video 4000 RTP/AVP 31')],
    ['media.no-codec', offerWith('m=audio 4000 RTP/AVP 8', 'a=rtpmap:8 PCMA/16000')],
    ['media.no-codec', offerWith('m=audio 4000 RTP/AVP 101', 'a=rtpmap:101 telephone-event/8000')],
    ['media.bad-address', offerWith('m=audio 4000 RTP/AVP 8').replaceAll('10.1.0.5', '0.0.0.0')],
    ['media.bad-address', offerWith('m=audio 4000 RTP/AVP 8').replaceAll('10.1.0.5', '239.1.1.1')],
    ['media.bad-address', offerWith('m=audio 4000 RTP/AVP 8').replaceAll('10.1.0.5', 'phone.invalid')],
    ['media.bad-address', offerWith('m=audio 4000 RTP/AVP 8').replace(/c=.*\r\n/, '')],
    ['media.bad-address', offerWith('m=audio 70000 RTP/AVP 8')],
    ['media.bad-sdp', ''],
    ['media.bad-sdp', 'v=1\r\n'],
    ['media.bad-sdp', 'v=0\r\no=- 1 1 IN IP4 10.1.0.5\r\n'],
    ['media.bad-sdp', offerWith(...Array.from({ length: 17 }, () => 'm=audio 4000 RTP/AVP 8'))],
    ['media.bad-sdp', offerWith(`a=${'x'.repeat(20_000)}`, 'm=audio 4000 RTP/AVP 8')],
  ];
  for (const [code, sdp] of refused) t.equal(fault(readOffer(sdp)), code, sdp.slice(0, 120));
  const offer = offerOf(offerWith('m=audio 4000 RTP/AVP 8'));
  t.equal(fault(readTrunkAnswer(offerWith('m=audio 7000 RTP/AVP 0'), offer)), 'media.no-codec');
  t.equal(fault(readTrunkAnswer(offerWith('m=video 7000 RTP/AVP 31'), offer)), 'media.bad-sdp');
});

const WIDE = offerWith(
  'm=audio 4000 RTP/AVP 111 9 8 101',
  'a=rtpmap:111 opus/48000/2',
  'a=fmtp:111 useinbandfec=1;minptime=10;sprop-maxcapturerate=16000;x-name=CELL',
  'a=rtpmap:101 telephone-event/8000',
);

t.test('G.722 and Opus pass when the site lists them and both ends share them, and else are not offered', async (t) => {
  t.notMatch(writeTrunkOffer(offerOf(WIDE), OUR_TRUNK), /opus|G722/);
  const offer = readOffer(WIDE, ['opus', 'g722', 'pcma', 'pcmu']);
  if ('fault' in offer) throw new Error(offer.why);
  const toTrunk = writeTrunkOffer(offer, OUR_TRUNK).split('\r\n');
  t.ok(toTrunk.includes('m=audio 20000 RTP/AVP 111 9 8 101'));
  t.ok(toTrunk.includes('a=rtpmap:111 opus/48000/2'));
  t.ok(toTrunk.includes('a=rtpmap:9 G722/8000'));
  t.ok(toTrunk.includes('a=fmtp:111 useinbandfec=1;minptime=10'), 'plain numbers of RFC 7587, and nothing else');
  const answer = answerOf(offerWith('m=audio 7000 RTP/AVP 9 8'), offer);
  t.same(answer.voice, [
    { codec: 'g722', payloadType: 9 },
    { codec: 'pcma', payloadType: 8 },
  ]);
  t.match(writeHandsetAnswer(offer, answer, OUR_HANDSET), /m=audio 20002 RTP\/AVP 9 8 101\r\n/);
  const mono = offerWith('m=audio 4000 RTP/AVP 96', 'a=rtpmap:96 opus/16000/1');
  t.equal(fault(readOffer(mono, ['opus'])), 'media.no-codec', 'Opus has one clock, 48 kHz');
});

t.test('an IPv6 address is read as sockets write it, and ours is said as one', async (t) => {
  const six = offerWith('m=audio 4000 RTP/AVP 8').replaceAll('IP4 10.1.0.5', 'IP6 2001:DB8:0:0::5');
  t.equal(offerOf(six).address, '2001:db8::5');
  const ours = writeTrunkOffer(offerOf(six), { ...OUR_TRUNK, address: '2001:db8::10' });
  t.match(ours, /o=balise 77 1 IN IP6 2001:db8::10\r\n/);
  t.match(ours, /c=IN IP6 2001:db8::10\r\n/);
  for (const bad of ['::', 'ff02::1', '::ffff:10.1.0.5', 'fe80::1%eth0'])
    t.equal(fault(readOffer(six.replaceAll('2001:DB8:0:0::5', bad))), 'media.bad-address', bad);
});

t.test('RTP and RTCP share a port only where the peer says so', async (t) => {
  const offer = offerOf(offerWith('m=audio 4000 RTP/AVP 8', 'a=rtcp-mux', 'a=rtcp:4009'));
  t.equal(offer.rtcpPort, 4_000);
  const plain = answerOf(offerWith('m=audio 7000 RTP/AVP 8'), offer);
  t.equal(plain.rtcpPort, 7_001);
  t.match(writeHandsetAnswer(offer, plain, OUR_HANDSET), /a=rtcp-mux\r\n/);
  t.notMatch(writeHandsetAnswer(offerOf(HANDSET), plain, OUR_HANDSET), /rtcp-mux/);
});

t.test('no input, however broken, is more than a fault', async () => {
  const mutated = fc
    .tuple(fc.constantFrom(HANDSET, ANSWER), fc.nat(1_200), fc.string({ maxLength: 20 }), fc.nat(30))
    .map(([sdp, at, text, gone]) => sdp.slice(0, at) + text + sdp.slice(at + gone));
  const offer = offerOf(HANDSET);
  fc.assert(
    fc.property(fc.oneof(fc.string(), mutated), (sdp) => {
      const read = readOffer(sdp);
      if (!('fault' in read)) writeTrunkOffer(read, OUR_TRUNK);
      const answer = readTrunkAnswer(sdp, offer);
      if (!('fault' in answer)) writeHandsetAnswer(offer, answer, OUR_HANDSET);
    }),
    { numRuns: 2_000 },
  );
});

/** Words that stand in no SDP of ours, so that finding one is finding a leak. */
const word = fc.stringMatching(/^[A-Z]{4}[0-9]{4}[A-Z]{4}$/).filter((it) => !/BALISE|PCM/.test(it));

t.test('no word of either side’s lines is found on the other side', async () => {
  const extras = (words: readonly string[]): string =>
    `i=${words[2]}\r\nu=http://${words[3]}/\r\ne=${words[4]}\r\np=${words[5]}\r\n`;
  const sdpOf = (words: readonly string[], address: string, port: number): string =>
    `v=0\r\no=${words[0]} 918273645 918273646 IN IP4 ${address}\r\ns=${words[1]}\r\n${extras(words)}c=IN IP4 ${address}\r\n` +
    `t=0 0\r\na=tool:${words[6]}\r\nm=audio ${port} RTP/AVP 8 101\r\ni=${words[7]}\r\na=rtpmap:8 PCMA/8000\r\n` +
    `a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15,${words[8]}\r\na=x-${words[9]}:${words[10]}\r\n` +
    `a=ssrc:1 cname:${words[11]}\r\na=sendrecv\r\nm=${words[12]} 9 RTP/AVP ${words[13]}\r\n`;
  fc.assert(
    fc.property(fc.array(word, { minLength: 14, maxLength: 14 }), (words) => {
      const offer = offerOf(sdpOf(words, '10.98.76.54', 41_414));
      const toTrunk = writeTrunkOffer(offer, OUR_TRUNK);
      const answer = answerOf(sdpOf(words, '172.31.76.54', 42_424), offer);
      const toHandset = writeHandsetAnswer(offerOf(HANDSET), answer, OUR_HANDSET);
      const secrets = [...words, '10.98.76.54', '172.31.76.54', '41414', '42424', '91827364'];
      return secrets.every((secret) => !toTrunk.includes(secret) && !toHandset.includes(secret));
    }),
  );
});
