/** What is measured of a call: by the E-model, by the reports, and by what came. */
import fc from 'fast-check';
import t from 'tap';
import { meanOpinion, opinionOf, statsOf } from '../../gateway/media/quality.js';
import { Jitter } from '../../gateway/media/relay/jitter.js';
import { RoundTrip } from '../../gateway/media/relay/round-trip.js';
import { callBetween, linkTo, startRelay } from './relay-process.js';

const senderReport = (ssrc: number, ntp: bigint): Buffer => {
  const report = Buffer.alloc(28);
  report.writeUInt32BE(0x80c80006, 0);
  report.writeUInt32BE(ssrc, 4);
  report.writeBigUInt64BE(ntp, 8);
  return report;
};

/** A receiver report that answers a sender report, kept for `keptMs`. */
const receiverReport = (ssrc: number, of: Buffer, keptMs: number): Buffer => {
  const report = Buffer.alloc(32);
  report.writeUInt32BE(0x81c90007, 0);
  report.writeUInt32BE(ssrc, 4);
  of.copy(report, 24, 10, 14);
  report.writeUInt32BE(Math.round(keptMs * 65.536), 28);
  return report;
};

t.test('the E-model gives the scores that are published for it', async (t) => {
  // G.109 table 1, G.107 annex B.
  for (const [rating, opinion] of [
    [93.2, 4.41],
    [90, 4.34],
    [80, 4.03],
    [70, 3.6],
    [60, 3.1],
    [50, 2.58],
    [-5, 1],
  ] as const)
    t.ok(Math.abs(opinionOf(rating) - opinion) < 0.01, `${opinion} for R = ${rating}`);
  // 20 ms of packet alone: Id = 0.48. At 5 % of loss Ie,eff = 95 · 5 / (5 + 25.1) = 15.8 (G.113 appendix I).
  const none = { delayMs: 0, jitterMs: 0, lossShare: 0 };
  t.equal(meanOpinion(none), opinionOf(93.2 - 0.48));
  t.ok(Math.abs(meanOpinion({ ...none, lossShare: 0.05 }) - opinionOf(93.2 - 0.48 - 15.78)) < 0.001);
});

t.test('more loss, delay or jitter never makes a call better, and every score is one', async () => {
  const ill = fc.record({
    delayMs: fc.double({ min: 0, max: 2_000, noNaN: true }),
    jitterMs: fc.double({ min: 0, max: 500, noNaN: true }),
    lossShare: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(ill, ill, (one, other) => {
      const worse = {
        delayMs: Math.max(one.delayMs, other.delayMs),
        jitterMs: Math.max(one.jitterMs, other.jitterMs),
        lossShare: Math.max(one.lossShare, other.lossShare),
      };
      const score = meanOpinion(worse);
      return score >= 1 && score <= 4.5 && score <= meanOpinion(one) + 1e-9;
    }),
  );
});

t.test('jitter is in milliseconds whatever the codec’s clock, and none for packets on time', async (t) => {
  for (const unitsPerMs of [8, 48]) {
    const even = new Jitter();
    const uneven = new Jitter();
    for (let i = 0; i < 400; i++) {
      const timestamp = (0xffff_0000 + i * 20 * unitsPerMs) >>> 0;
      even.packet(i * 20, timestamp, unitsPerMs);
      uneven.packet(i * 20 + (i % 2) * 4, timestamp, unitsPerMs);
    }
    t.ok(even.ms < 1e-6, 'across the wrap of the timestamp');
    t.ok(Math.abs(uneven.ms - 4) < 0.1);
  }
});

t.test('a round trip is the time until a report is answered, less the time for which it was kept', async (t) => {
  const trip = new RoundTrip();
  const report = senderReport(1, 0x1234_5678_9abc_def0n);
  trip.received(receiverReport(2, report, 0), 5);
  t.equal(trip.ms, undefined, 'nothing was sent yet');
  trip.sent(report, 1_000);
  trip.received(receiverReport(2, senderReport(1, 77n), 5), 1_050);
  t.equal(trip.ms, undefined, 'the answer to another report');
  trip.received(receiverReport(2, report, 500), 1_530);
  t.ok(Math.abs((trip.ms ?? 0) - 30) < 0.02);
  trip.received(receiverReport(2, report, 9_000), 1_600);
  t.ok((trip.ms ?? -1) >= 0, 'an answer that was kept longer than it took is believed by nobody');
});

t.test('a call is measured while it lasts, and in its record', async (t) => {
  const { socket } = await startRelay(t);
  const { link } = await linkTo(t, socket);
  const call = await callBetween(t, link, 'measured');
  await call.arm(60_000);
  const { handset, trunk, handsetSide, trunkSide } = call;
  for (let i = 0; i < 10; i++) {
    const sent = await handset.send(handsetSide);
    await trunk.got((packet) => packet.equals(sent));
  }
  const report = senderReport(handset.ssrc, 0x0102_0304_0506_0708n);
  await handset.sendReport(handsetSide, report);
  await trunk.got(() => true, trunk.reports);
  await trunk.sendReport(trunkSide, receiverReport(trunk.ssrc, report, 0));
  await handset.got(() => true, handset.reports);

  const live = await link.order({ do: 'measure', call: 'measured' });
  if (live.event === 'failed') throw new Error(live.why);
  t.match(live.counters, { handset: { packets: 10, lost: 0 }, trunk: { packets: 0 } });
  t.ok(live.counters.trunk.silentMs > 0, 'the trunk has not been heard since the answer');
  t.ok((live.counters.trunk.roundTripMs ?? -1) >= 0 && (live.counters.trunk.roundTripMs ?? 0) < 1_000);
  t.equal(live.counters.handset.roundTripMs, undefined, 'the handset answered no report');

  const counters = await call.close();
  if (counters === undefined) throw new Error('no counters');
  const stats = statsOf(counters);
  t.ok((stats.handset?.mos ?? 0) > 4);
  t.equal(stats.trunk?.mos, undefined, 'a silent stream has no score');
  t.match(stats, { handsetPackets: 10, dropped: 0, trunk: { packets: 0 } });
  t.match(await link.order({ do: 'measure', call: 'measured' }), { code: 'media.call-unknown' });
});

t.test('the silence of a hold is no silence', async (t) => {
  const { socket } = await startRelay(t);
  const { link } = await linkTo(t, socket);
  const call = await callBetween(t, link, 'held');
  await call.arm(60_000);
  await link.order({ do: 'hold', call: 'held', toTrunk: true, toHandset: false });
  const begun = performance.now();
  // Until enough time has gone by that it would show.
  while (performance.now() - begun < 60) await link.order({ do: 'status' });
  await link.order({ do: 'hold', call: 'held', toTrunk: true, toHandset: true });
  const counters = await call.close();
  if (counters === undefined) throw new Error('no counters');
  // Both were silent for as long, and of the trunk's silence at least 60 ms were the hold's.
  t.ok(counters.handset.longestSilenceMs - counters.trunk.longestSilenceMs >= 55);
});
