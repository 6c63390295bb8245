/** A technician's test call: the handset hears itself, for a while, and nobody else is there. */
import { pino } from 'pino';
import t from 'tap';
import { RelayPlane } from '../../gateway/media/relay-plane.js';
import { CALL, Ear, HANDSET, portIn, sdpOf } from './plane-ear.js';
import { ALAW, clock, linkTo, startRelay } from './relay-process.js';
import { RtpParty, rtpPacket } from './rtp-party.js';

t.test('a handset hears its own speech until the test is over, and a trunk never comes in', async (t) => {
  const { socket } = await startRelay(t);
  const ear = new Ear();
  const plane = new RelayPlane({ clock, log: pino({ level: 'silent' }), sink: ear });
  t.teardown(() => plane.detach());
  await plane.attach(socket);
  const [handset, stranger] = [await RtpParty.at('127.0.0.1', 1), await RtpParty.at('127.0.0.2', 2)];
  t.teardown(() => {
    handset.close();
    stranger.close();
  });
  const told = await plane.echo(CALL, HANDSET, sdpOf(handset), 800);
  if ('code' in told) throw new Error(told.why);
  t.match(told.answer, /^a=sendrecv/m);
  t.notMatch(told.answer, /telephone-event/, 'keys are not echoed');
  const side = { address: '127.0.0.1', port: portIn(told.answer) };
  const payload = Buffer.alloc(160, 0x2a);
  const word = await handset.send(side, { payload });
  t.ok((await handset.got((packet) => packet.equals(word))).length > 0, 'byte for byte');
  await stranger.sendRaw(side, rtpPacket({ ssrc: 9, sequence: 1, timestamp: 1 }));
  await handset.sendRaw(
    side,
    rtpPacket({ ssrc: 1, sequence: 900, timestamp: 1, payloadType: 101, payload: Buffer.alloc(4) }),
  );
  const last = await handset.send(side, { payload });
  await handset.got((packet) => packet.equals(last));
  t.equal(handset.received.length, 2, 'neither a stranger nor a key');
  plane.connect(CALL, sdpOf(stranger), true);
  t.match(await ear.heard('media-failed'), { code: 'media.bad-order' });
  t.same(await ear.heard('deadline-passed'), { type: 'deadline-passed', by: 'media' });
  await handset.send(side);
  plane.close(CALL);
  t.match(await ear.heard('released'), { stats: { handsetPackets: 2, trunkPackets: 0 } });
  t.equal(handset.received.length, 2);
});

t.test('an echo is no call that has a trunk, nor one that gets one, and begins once', async (t) => {
  const { socket } = await startRelay(t);
  const { link } = await linkTo(t, socket);
  const handset = await RtpParty.at('127.0.0.1', 1);
  t.teardown(() => handset.close());
  const open = { do: 'open', handset: handset.peer(), earlyMedia: false, digitsAllowed: '' } as const;
  for (const call of ['long', 'trunk']) await link.order({ ...open, call });
  await link.order({ do: 'connect', call: 'trunk', trunk: handset.peer(), toTrunk: ALAW, toHandset: ALAW });
  const formats = { voice: ALAW.voice, eventsPass: false } as const;
  const atNs = String(clock.monotonicNs() + 3_600_000_000_000n);
  t.match(await link.order({ do: 'echo', call: 'trunk', formats, atNs }), { code: 'media.bad-order' });
  t.match(await link.order({ do: 'echo', call: 'long', formats, atNs }), { event: 'echoing' });
  t.match(await link.order({ do: 'echo', call: 'long', formats, atNs }), { code: 'media.bad-order' }, 'once');
  t.match(await link.order({ do: 'arm', call: 'long', atNs, warningsS: [] }), { code: 'media.bad-order' });
});
