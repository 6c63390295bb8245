/** Digits in SIP INFO: judged like any other, and carried to the trunk as RFC 4733 events. */
import fc from 'fast-check';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { PLAIN_RULES } from '../../gateway/media/media-rules.js';
import type { RelayClock } from '../../gateway/media/relay/clock.js';
import { KeySender } from '../../gateway/media/relay/key-sender.js';
import { RelayPlane } from '../../gateway/media/relay-plane.js';
import { CALL, connected, deadlineIn, Ear, orderOf, sdpOf } from './plane-ear.js';
import { clock, startRelay, stream } from './relay-process.js';
import { RtpParty, rtpPacket } from './rtp-party.js';

const HEADER = 12;
const EVENTS = 101;

const typeOf = (packet: Buffer): number => (packet[1] ?? 0) & 0x7f;
const isEvent = (packet: Buffer): boolean => typeOf(packet) === EVENTS;
const isEnd = (packet: Buffer): boolean => isEvent(packet) && ((packet[HEADER + 1] ?? 0) & 0x80) !== 0;
const sequenceOf = (packet: Buffer): number => packet.readUInt16BE(2);
const timestampOf = (packet: Buffer): number => packet.readUInt32BE(4);
const ssrcOf = (packet: Buffer): number => packet.readUInt32BE(8);
const codeOf = (packet: Buffer): number => packet[HEADER] ?? -1;
const lengthOf = (packet: Buffer): number => packet.readUInt16BE(HEADER + 2);

/** A call between two parties on the real relay, whose profile lets 5 and # pass, three of them. */
async function call(t: Test, offer = sdpOf) {
  const { socket } = await startRelay(t);
  const ear = new Ear();
  const alarms: string[] = [];
  const rulesOf = () => ({ ...PLAIN_RULES, digitsMost: 3, digitAlarm: true });
  const onAlarm = (code: string): void => void alarms.push(code);
  const plane = new RelayPlane({ clock, log: pino({ level: 'silent' }), sink: ear, rulesOf, onAlarm });
  t.teardown(() => plane.detach());
  await plane.attach(socket);
  const [handset, trunk] = [await RtpParty.at('127.0.0.1', 0x1111), await RtpParty.at('127.0.0.1', 0x2222)];
  t.teardown(() => {
    handset.close();
    trunk.close();
  });
  plane.open(CALL, { ...orderOf(handset), handsetOffer: offer(handset), digitsAllowed: '5#' });
  const ends = await connected(plane, ear, trunk);
  return { plane, ear, alarms, handset, trunk, ...ends };
}

t.test('an allowed key goes out in place of speech, as a telephone would send it, and no other key does', async (t) => {
  const { plane, ear, alarms, handset, trunk, handsetSide } = await call(t);
  plane.keyed(CALL, '5');
  t.match(await plane.measure(CALL), { digitsDropped: 1 }, 'before the answer there is no way for it');
  plane.arm(CALL, deadlineIn(60_000), []);
  await ear.heard('armed');
  const talk = stream(20, () => handset.send(handsetSide));
  t.teardown(() => talk.stop());
  await trunk.got(() => trunk.received.length > 2);
  for (const key of ['6', '#', '5', '']) plane.keyed(CALL, key);
  const ofCode = (code: number) => trunk.received.filter((packet) => isEvent(packet) && codeOf(packet) === code);
  await trunk.got(() => ofCode(5).filter(isEnd).length === 3);
  const after = trunk.received.length;
  await trunk.got(() => trunk.received.length > after + 2);
  talk.stop();
  for (const code of [11, 5]) {
    const packets = ofCode(code);
    t.equal(new Set(packets.map(timestampOf)).size, 1, 'one key is one event, of one timestamp (RFC 4733 §2.5.1.2)');
    t.equal((packets[0]?.[1] ?? 0) >> 7, 1, 'its first packet is marked');
    const lengths = packets.map(lengthOf);
    t.same(
      lengths,
      [...lengths].sort((a, b) => a - b),
    );
    t.ok((lengths.at(-1) ?? 0) >= 8 * 40, 'long enough for any receiver (Q.24)');
    t.equal(packets.filter(isEnd).length, 3, 'its end is said three times (§2.5.1.4)');
  }
  t.ok(
    trunk.received.every((packet) => ssrcOf(packet) === handset.ssrc),
    'it is part of the stream',
  );
  const numbers = trunk.received.map(sequenceOf);
  t.same(
    numbers,
    numbers.map((_, i) => (numbers[0] ?? 0) + i),
    'in which no number is missing and none is there twice',
  );
  const between = trunk.received.slice(
    trunk.received.findLastIndex((packet) => isEvent(packet) && codeOf(packet) === 11) + 1,
    trunk.received.findIndex((packet) => isEvent(packet) && codeOf(packet) === 5),
  );
  t.ok(between.length >= 2, 'and between two keys there is speech');
  t.equal(ofCode(6).length, 0);
  t.match(await plane.measure(CALL), { digitsPassed: 2, digitsDropped: 3 });
  t.same(new Set(alarms), new Set(['media.digits']));
  plane.keyed(CALL, '5');
  plane.keyed(CALL, '5');
  t.match(
    await plane.measure(CALL),
    { digitsPassed: 3, digitsDropped: 4 },
    'and no more of them than the profile says',
  );
});

t.test('where the handset is silent, or names no events, the key goes out all the same', async (t) => {
  const withoutEvents = (party: RtpParty): string =>
    sdpOf(party)
      .replace(' 101', '')
      .replace(/a=rtpmap:101.*\r\n/, '');
  const { plane, ear, trunk, trunkOffer, handsetAnswer } = await call(t, withoutEvents);
  t.match(trunkOffer, /a=rtpmap:101 telephone-event\/8000/, 'the trunk is offered what the handset does not speak');
  t.notMatch(handsetAnswer, /telephone-event/);
  plane.arm(CALL, deadlineIn(60_000), []);
  await ear.heard('armed');
  plane.keyed(CALL, '#');
  await trunk.got(() => trunk.received.filter(isEnd).length === 3);
  t.ok(trunk.received.every((packet) => isEvent(packet) && codeOf(packet) === 11));
  t.equal(new Set(trunk.received.map(timestampOf)).size, 1);
  plane.hold(CALL, 'trunk', 'sendonly');
  plane.keyed(CALL, '5');
  t.match(
    await plane.measure(CALL),
    { digitsPassed: 1, digitsDropped: 1 },
    'to a trunk that listens to nobody it does not',
  );
});

t.test('a trunk that takes no events gets no key', async (t) => {
  const { plane, ear, trunk } = await call(t);
  plane.connect(
    CALL,
    sdpOf(trunk)
      .replace(' 101', '')
      .replace(/a=rtpmap:101.*\r\n/, ''),
    true,
  );
  plane.arm(CALL, deadlineIn(60_000), []);
  await ear.heard('armed');
  plane.keyed(CALL, '5');
  t.match(await plane.measure(CALL), { digitsPassed: 0, digitsDropped: 1 });
});

t.test(
  'whatever is pressed and however packets come, each number goes out once, each key once, in order, and apart',
  async () => {
    const idle: RelayClock = { now: () => 0, fromNs: () => 0, after: () => ({ cancel: () => undefined }) };
    const deeds = fc.array(
      fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom(80, 160, 240, 320) },
        { weight: 1, arbitrary: fc.constantFrom(...'0123456789*#ABCD') },
      ),
      { maxLength: 400 },
    );
    fc.assert(
      fc.property(deeds, fc.integer({ min: 0, max: 0xffffffff }), (script, firstTimestamp) => {
        const keys = new KeySender(idle, { payloadType: EVENTS, isOpen: () => true, send: () => true });
        const pressed: string[] = [];
        const out: Buffer[] = [];
        let [sequence, timestamp] = [0xfff0, firstTimestamp];
        const packet = (samples: number): void => {
          sequence = (sequence + 1) & 0xffff;
          timestamp = (timestamp + samples) >>> 0;
          const came = rtpPacket({ ssrc: 7, sequence, timestamp, payload: Buffer.alloc(samples) });
          const goes = keys.isOn ? keys.inPlaceOf(came) : came;
          if (goes.readUInt16BE(2) !== sequence || ssrcOf(goes) !== 7)
            throw new Error('the stream has lost its numbers');
          out.push(Buffer.from(goes));
        };
        for (const deed of script) {
          if (typeof deed === 'number') packet(deed);
          else if (keys.hasRoom) {
            pressed.push(deed);
            keys.press(deed);
          }
        }
        while (keys.isOn) packet(160);
        const events = out.map((sent) => (isEvent(sent) ? timestampOf(sent) : -1));
        const starts = [...new Set(events.filter((at) => at >= 0))];
        const heard = starts.map((at) => '0123456789*#ABCD'[codeOf(out[events.indexOf(at)] as Buffer)]);
        if (heard.join('') !== pressed.join('')) throw new Error(`${pressed.join('')} was heard as ${heard.join('')}`);
        for (const [i, at] of starts.entries()) {
          if (out.filter((sent) => isEnd(sent) && timestampOf(sent) === at).length !== 3)
            throw new Error('an end is missing');
          const next = starts[i + 1];
          if (next !== undefined && events.indexOf(next) - events.lastIndexOf(at) < 3)
            throw new Error('two keys are one');
        }
      }),
    );
  },
);
