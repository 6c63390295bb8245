import t from 'tap';
import { LAWS } from '../../gateway/media/relay/g711.js';
import { WARNING, WARNING_HZ } from '../../gateway/media/relay/warning-tone.js';
import { ALAW, callBetween, linkTo, startRelay, stream } from './relay-process.js';
import { PACKET_SAMPLES } from './rtp-party.js';
import { decoded, loudness, shareAt } from './tone.js';

const ULAW = { voice: [{ codec: 'pcmu', payloadType: 0 }], eventsPass: true } as const;
const HEADER = 12;
const SIDE_BY_SIDE = { buffered: true } as const;
/** The warning lasts about half a second; the deadline stands half a second behind its beginning. */
const WARNING_S = 0.6;
const CALL_MS = 900;

t.test('both laws decode what they encode to the same level', async (t) => {
  for (const { decode, encode } of Object.values(LAWS))
    for (const level of decode) t.equal(decode[encode[level + 32_768] ?? 0], level);
  t.equal(LAWS.pcma.decode[0xd5], 8, 'A-law silence');
  t.equal(LAWS.pcmu.decode[0xff], 0, 'µ-law silence');
  t.equal(LAWS.pcmu.decode[0x80], 32_124, 'µ-law full scale');
  t.equal(LAWS.pcma.decode[0xaa], 32_256, 'A-law full scale');
});

t.test('the warning is two beeps of 1 kHz', async (t) => {
  const samples = Array.from(WARNING);
  t.ok(shareAt(samples.slice(0, 1_600), WARNING_HZ) > 0.95);
  t.equal(loudness(samples.slice(1_600, 2_560)), 0);
  t.ok(shareAt(samples.slice(2_560), WARNING_HZ) > 0.95);
});

/** Speaks 440 Hz, well below full scale: a payload at each call. */
function speaker(codec: 'pcma' | 'pcmu'): () => Buffer {
  let at = 0;
  const sample = (): number => {
    const level = Math.round(6_000 * Math.sin((2 * Math.PI * 440 * at++) / 8_000));
    return LAWS[codec].encode[level + 32_768] ?? 0;
  };
  return () => Buffer.from(Array.from({ length: PACKET_SAMPLES }, sample));
}

t.test('a relay of real sockets', { jobs: 4 }, async (t) => {
  const { socket } = await startRelay(t);
  const { link, deadlineOf } = await linkTo(t, socket);

  for (const [codec, formats, payloadType] of [
    ['pcma', ALAW, 8],
    ['pcmu', ULAW, 0],
  ] as const) {
    t.test(`the warning is heard over ${codec} speech, by the handset alone`, SIDE_BY_SIDE, async (t) => {
      const call = await callBetween(t, link, `over-${codec}`);
      await link.order({
        do: 'connect',
        call: `over-${codec}`,
        trunk: call.trunk.peer(),
        toTrunk: formats,
        toHandset: formats,
      });
      await call.arm(CALL_MS, [WARNING_S]);
      const speech = speaker(codec);
      const talk = stream(15, async () => {
        await call.trunk.send(call.trunkSide, { payloadType, payload: speech() });
        await call.handset.send(call.handsetSide, { payloadType, payload: speech() });
      });
      await deadlineOf(`over-${codec}`);
      talk.stop();
      const heard = call.handset.received.map((packet) => decoded(packet.subarray(HEADER), codec));
      const beeping = heard.filter((samples) => shareAt(samples, WARNING_HZ) > 0.5);
      t.ok(beeping.length >= 15, `${beeping.length} packets beep`);
      t.ok(
        beeping.every((samples) => shareAt(samples, 440) > 0.05),
        'the speech goes on beneath it',
      );
      t.ok(shareAt(heard[0] ?? [], WARNING_HZ) < 0.1, 'the call did not begin with it');
      t.same(new Set(call.handset.received.map((packet) => packet.readUInt32BE(8))), new Set([call.trunk.ssrc]));
      const there = call.trunk.received.map((packet) => decoded(packet.subarray(HEADER), codec));
      t.ok(
        there.every((samples) => shareAt(samples, WARNING_HZ) < 0.1),
        'the trunk hears none of it',
      );
      await call.close();
    });
  }

  t.test(
    'the warning is heard over the speech to the callee too, where the profile says so',
    SIDE_BY_SIDE,
    async (t) => {
      const call = await callBetween(t, link, 'callee');
      const words = { language: 'nl', calleeLanguage: 'fr', warnings: {}, closing: [], announcement: [] };
      await call.arm(CALL_MS, [WARNING_S], { ...words, warnTrunk: true });
      const speech = speaker('pcma');
      const talk = stream(15, async () => {
        await call.trunk.send(call.trunkSide, { payload: speech() });
        await call.handset.send(call.handsetSide, { payload: speech() });
      });
      await deadlineOf('callee');
      talk.stop();
      for (const [party, speaks] of [
        [call.handset, call.trunk],
        [call.trunk, call.handset],
      ] as const) {
        const heard = party.received.map((packet) => decoded(packet.subarray(HEADER), 'pcma'));
        const beeping = heard.filter((samples) => shareAt(samples, WARNING_HZ) > 0.5);
        t.ok(beeping.length >= 15, `${beeping.length} packets beep`);
        t.ok(beeping.every((samples) => shareAt(samples, 440) > 0.05));
        t.same(new Set(party.received.map((packet) => packet.readUInt32BE(8))), new Set([speaks.ssrc]));
      }
      await call.close();
    },
  );

  t.test('the warning is heard where the trunk is silent', SIDE_BY_SIDE, async (t) => {
    const call = await callBetween(t, link, 'silent');
    await call.arm(CALL_MS, [WARNING_S, 3_600]);
    await deadlineOf('silent');
    await link.order({ do: 'status' });
    const packets = call.handset.received;
    const samples = packets.flatMap((packet) => decoded(packet.subarray(HEADER), 'pcma'));
    t.ok(packets.length >= 20, `${packets.length} packets of our own`);
    t.ok(shareAt(samples.slice(0, 1_600), WARNING_HZ) > 0.9);
    const [first, second] = packets;
    t.equal((first?.[1] ?? 0) & 0x80, 0x80, 'a marker begins it');
    t.equal((second?.readUInt16BE(2) ?? 0) - (first?.readUInt16BE(2) ?? 0), 1);
    t.equal((second?.readUInt32BE(4) ?? 0) - (first?.readUInt32BE(4) ?? 0), PACKET_SAMPLES);
    t.equal(call.trunk.received.length, 0);
    await call.close();
  });
});
