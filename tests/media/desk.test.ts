/** A handset at the desk: it is spoken to, its keys are heard one by one, and nothing of it goes anywhere. */
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { RelayPlane } from '../../gateway/media/relay-plane.js';
import { CALL, deadlineIn, Ear, HANDSET, portIn, sdpOf } from './plane-ear.js';
import { clock, linkTo, startRelay } from './relay-process.js';
import { RtpParty } from './rtp-party.js';

const ORDER = { handset: HANDSET, desk: true, keys: true, earlyMedia: false, digitsAllowed: '' } as const;

async function atDesk(t: Test) {
  const { socket } = await startRelay(t);
  const ear = new Ear();
  const keys: string[] = [];
  const alarms: string[] = [];
  const plane = new RelayPlane({
    ...{ clock, log: pino({ level: 'silent' }), sink: ear },
    onKey: (_call, key) => keys.push(key),
    onAlarm: (code) => alarms.push(code),
  });
  t.teardown(() => plane.detach());
  await plane.attach(socket);
  const handset = await RtpParty.at('127.0.0.1', 1);
  t.teardown(() => handset.close());
  plane.open(CALL, { ...ORDER, handsetOffer: sdpOf(handset) });
  t.match(await ear.heard('media-opened'), { trunkOffer: '' }, 'no trunk is offered anything');
  plane.connect(CALL, '', true);
  const { handsetAnswer } = await ear.heard('media-connected');
  t.match(handsetAnswer, /^a=rtpmap:101 telephone-event/m, 'its keys come as events');
  return { ear, keys, alarms, plane, handset, side: { address: '127.0.0.1', port: portIn(handsetAnswer) } };
}

/** One key of RFC 4733: three packets of one event. */
async function press(handset: RtpParty, side: { address: string; port: number }, event: number): Promise<void> {
  handset.timestamp += 1_600;
  const { timestamp } = handset;
  for (const duration of [160, 320, 480]) {
    const payload = Buffer.from([event, duration === 480 ? 0x8a : 0x0a, 0, 0]);
    payload.writeUInt16BE(duration, 2);
    await handset.send(side, { payloadType: 101, timestamp, payload });
  }
}

t.test('what is said is heard until a key, each key is told once, and nothing sounds after the deadline', async (t) => {
  const { ear, keys, alarms, plane, handset, side } = await atDesk(t);
  plane.arm(CALL, deadlineIn(1_500), []);
  await ear.heard('armed');
  plane.say(CALL, { language: 'nl', pieces: ['work.menu'] });
  await handset.got((packet) => packet.length === 172);
  for (const event of [3, 10, 11, 3]) await press(handset, side, event);
  plane.hush(CALL);
  await handset.send(side);
  plane.say(CALL, { language: 'nl', pieces: [] }, true);
  await ear.heard('deadline-passed');
  const heard = handset.received.length;
  plane.say(CALL, { language: 'nl', pieces: ['work.menu'] });
  plane.close(CALL);
  const { stats } = (await ear.heard('released')) as { stats?: { trunkPackets: number; handsetPackets: number } };
  t.match(stats, { trunkPackets: 0, handsetPackets: 0, dropped: 0 }, 'what it sent was for us, and for nobody else');
  t.strictSame(keys, ['3', '*', '#', '3']);
  t.strictSame(alarms, [], 'keys at the desk are no fault');
  t.equal(handset.received.length, heard);
});

t.test('a handset that was in another call of its own is heard again, though its SSRC is new', async (t) => {
  const { ear, keys, plane, handset, side } = await atDesk(t);
  plane.arm(CALL, deadlineIn(60_000), []);
  await ear.heard('armed');
  await press(handset, side, 1);
  plane.backAtDesk(CALL);
  await plane.measure(CALL);
  handset.ssrc = 77;
  await press(handset, side, 2);
  while (keys.length < 2) await plane.measure(CALL);
  t.strictSame(keys, ['1', '2']);
});

t.test('a call to the desk gets no trunk, and nobody is spoken to who is not at the desk', async (t) => {
  const { socket } = await startRelay(t);
  const { link } = await linkTo(t, socket);
  const handset = await RtpParty.at('127.0.0.1', 1);
  t.teardown(() => handset.close());
  const voice = [{ codec: 'pcma', payloadType: 8 }] as const;
  const formats = { voice, events: 101, eventsPass: false };
  const open = { do: 'open', handset: handset.peer(), earlyMedia: false, digitsAllowed: '' } as const;
  for (const call of ['desk', 'trunk']) await link.order({ ...open, call });
  const trunk = { do: 'connect', trunk: handset.peer(), toTrunk: formats, toHandset: formats } as const;
  const said = { do: 'say', language: 'nl', pieces: ['work.menu'], ring: false } as const;
  t.match(await link.order({ ...trunk, call: 'trunk' }), { event: 'connected' });
  t.match(await link.order({ do: 'attend', call: 'trunk', formats }), { code: 'media.bad-order' });
  t.match(await link.order({ ...said, call: 'trunk' }), { code: 'media.bad-order' });
  t.match(await link.order({ do: 'attend', call: 'desk', formats }), { event: 'attending' });
  t.match(await link.order({ ...said, call: 'desk' }), { code: 'media.bad-order' }, 'not before it is armed');
  t.match(await link.order({ ...trunk, call: 'desk' }), { code: 'media.bad-order' });
  const atNs = String(clock.monotonicNs() + 60_000_000_000n);
  t.match(await link.order({ do: 'arm', call: 'desk', atNs, warningsS: [] }), { event: 'armed' });
  t.match(await link.order({ ...said, call: 'desk' }), { event: 'saying' });
  t.match(await link.order({ ...said, pieces: ['no.such'], call: 'desk' }), { code: 'media.no-prompt' });
});
