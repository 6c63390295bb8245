import t, { type Test } from 'tap';
import { LAWS } from '../../gateway/media/relay/g711.js';
import { WARNING, WARNING_HZ } from '../../gateway/media/relay/warning-tone.js';
import { ALAW, callBetween, clock, linkTo, startRelay, stream } from './relay-process.js';
import { PACKET_SAMPLES, type RtpParty } from './rtp-party.js';
import { decoded, loudness, shareAt } from './tone.js';

const ULAW = { voice: [{ codec: 'pcmu', payloadType: 0 }], eventsPass: true } as const;
const HEADER = 12;
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

type Call = Awaited<ReturnType<typeof callBetween>>;

/** Both sides speak until then; tells how long at most neither did, milliseconds: what held this process up. */
async function talkUntil(
  call: Call,
  end: Promise<unknown>,
  speech: () => Buffer,
  payloadType: number,
): Promise<number> {
  let longestMs = 0;
  let last = clock.monotonicNs();
  const talk = stream(15, async () => {
    await call.trunk.send(call.trunkSide, { payloadType, payload: speech() });
    await call.handset.send(call.handsetSide, { payloadType, payload: speech() });
    longestMs = Math.max(longestMs, Number(clock.monotonicNs() - last) / 1e6);
    last = clock.monotonicNs();
  });
  await end;
  talk.stop();
  return longestMs;
}

/** The warning is in the packets of whoever speaks, with the speech beneath it; in packets of the relay's own only where the speech stood still. */
function heardOver(t: Test, listener: RtpParty, speaks: RtpParty, codec: 'pcma' | 'pcmu', longestGapMs: number): void {
  const isSpeech = (packet: Buffer): boolean => packet.readUInt32BE(8) === speaks.ssrc;
  const samplesOf = (packet: Buffer): number[] => decoded(packet.subarray(HEADER), codec);
  const beeping = listener.received.filter((packet) => shareAt(samplesOf(packet), WARNING_HZ) > 0.5);
  t.ok(beeping.length >= 15, `${beeping.length} packets beep`);
  const over = beeping.filter(isSpeech);
  t.ok(over.length >= 5, `${over.length} of them of the speech`);
  t.ok(
    over.every((packet) => shareAt(samplesOf(packet), 440) > 0.05),
    'which goes on beneath it',
  );
  const first = listener.received.find(isSpeech);
  t.ok(shareAt(first === undefined ? [] : samplesOf(first), WARNING_HZ) < 0.1, 'the call did not begin with it');
  t.ok(listener.received.every(isSpeech) || longestGapMs > 40, `no packet of our own (${longestGapMs.toFixed(0)} ms)`);
}

t.test('a relay of real sockets', async (t) => {
  const { socket } = await startRelay(t);
  const { link, deadlineOf } = await linkTo(t, socket);

  for (const [codec, formats, payloadType] of [
    ['pcma', ALAW, 8],
    ['pcmu', ULAW, 0],
  ] as const) {
    t.test(`the warning is heard over ${codec} speech, by the handset alone`, async (t) => {
      const call = await callBetween(t, link, `over-${codec}`);
      await link.order({
        do: 'connect',
        call: `over-${codec}`,
        trunk: call.trunk.peer(),
        toTrunk: formats,
        toHandset: formats,
      });
      await call.arm(CALL_MS, [WARNING_S]);
      const longestGapMs = await talkUntil(call, deadlineOf(`over-${codec}`), speaker(codec), payloadType);
      heardOver(t, call.handset, call.trunk, codec, longestGapMs);
      const there = call.trunk.received.map((packet) => decoded(packet.subarray(HEADER), codec));
      t.ok(
        there.every((samples) => shareAt(samples, WARNING_HZ) < 0.1),
        'the trunk hears none of it',
      );
      await call.close();
    });
  }

  t.test('the warning is heard over the speech to the callee too, where the profile says so', async (t) => {
    const call = await callBetween(t, link, 'callee');
    const words = { language: 'nl', calleeLanguage: 'fr', warnings: {}, closing: [], announcement: [] };
    await call.arm(CALL_MS, [WARNING_S], { ...words, warnTrunk: true });
    const longestGapMs = await talkUntil(call, deadlineOf('callee'), speaker('pcma'), 8);
    heardOver(t, call.handset, call.trunk, 'pcma', longestGapMs);
    heardOver(t, call.trunk, call.handset, 'pcma', longestGapMs);
    await call.close();
  });

  t.test('the warning is heard where the trunk is silent', async (t) => {
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
