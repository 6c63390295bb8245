import t from 'tap';
import { callBetween, linkTo, startRelay, stream } from './relay-process.js';
import { RtpParty, rtpPacket, stampedPayload, stampOf } from './rtp-party.js';

const FAR_MS = 60_000;
const keyPress = (digit: number): Buffer => Buffer.from([digit, 0x0a, 0x00, 0xa0]);

t.test('a relay of real sockets', async (t) => {
  const { socket } = await startRelay(t);
  const { link, notices, deadlineOf } = await linkTo(t, socket);

  /** Whatever was sent before this has been judged: the relay takes all that is there in one turn, orders and packets. */
  const seen = () => link.order({ do: 'status' });

  t.test('RTP is on even ports', async (t) => {
    const call = await callBetween(t, link, 'even');
    t.equal(call.handsetSide.port % 2, 0);
    t.equal(call.trunkSide.port % 2, 0);
    await call.close();
  });

  t.test('nothing passes from the handset to the trunk before the call is armed', async (t) => {
    const call = await callBetween(t, link, 'gate');
    const early = await call.handset.send(call.handsetSide);
    await seen();
    await call.arm(FAR_MS);
    const spoken = await call.handset.send(call.handsetSide);
    await call.trunk.got((packet) => packet.equals(spoken));
    t.notOk(call.trunk.has(early));
    const counters = await call.close();
    t.match(counters, { handsetPackets: 1, dropped: 1, lost: 0 });
  });

  t.test('early media reaches the handset only where the order allows it', async (t) => {
    for (const earlyMedia of [true, false]) {
      const call = await callBetween(t, link, `early-${earlyMedia}`, { earlyMedia });
      const ringing = await call.trunk.send(call.trunkSide);
      await seen();
      await call.arm(FAR_MS);
      const spoken = await call.trunk.send(call.trunkSide);
      await call.handset.got((packet) => packet.equals(spoken));
      t.equal(call.handset.has(ringing), earlyMedia);
      await call.close();
    }
  });

  t.test('a packet arrives byte for byte, from the port that the SDP named', async (t) => {
    const call = await callBetween(t, link, 'whole');
    await call.arm(FAR_MS);
    const there = await call.handset.send(call.handsetSide);
    await call.trunk.got((packet) => packet.equals(there));
    t.equal(call.trunk.sources[0]?.port, call.trunkSide.port);
    const back = await call.trunk.send(call.trunkSide);
    await call.handset.got((packet) => packet.equals(back));
    t.equal(call.handset.sources[0]?.port, call.handsetSide.port);
    t.match(await call.close(), { handsetPackets: 1, trunkPackets: 1, dropped: 0 });
  });

  t.test('packets of another SSRC, another port and another address are injection: dropped and counted', async (t) => {
    const call = await callBetween(t, link, 'inject');
    await call.arm(FAR_MS);
    const first = await call.trunk.send(call.trunkSide);
    await call.handset.got((packet) => packet.equals(first));
    const stranger = await RtpParty.at('127.0.0.1', 0x2222);
    const foreigner = await RtpParty.at('127.0.0.9', 0x2222);
    t.teardown(() => {
      stranger.close();
      foreigner.close();
    });
    await stranger.send(call.trunkSide, { sequence: 101 });
    await foreigner.send(call.trunkSide, { sequence: 101 });
    const own = await call.trunk.send(call.trunkSide);
    await call.handset.got((packet) => packet.equals(own));
    t.equal(call.handset.received.length, 2);
    t.match(await call.close(), { trunkPackets: 2, dropped: 2 });
  });

  t.test(
    'the first packet after the answer may come from another address of the allowed network, and is answered there',
    async (t) => {
      const call = await callBetween(t, link, 'relatch', {}, ['127.0.0.0/24']);
      const behindNat = await RtpParty.at('127.0.0.2', 0x1111);
      const outside = await RtpParty.at('127.0.1.2', 0x1111);
      t.teardown(() => {
        behindNat.close();
        outside.close();
      });
      await call.arm(FAR_MS);
      await outside.send(call.handsetSide, { sequence: 1 });
      const heard = await behindNat.send(call.handsetSide);
      await call.trunk.got((packet) => packet.equals(heard));
      t.equal(call.trunk.received.length, 1, 'the packet from outside the network moved nothing');
      const back = await call.trunk.send(call.trunkSide);
      await behindNat.got((packet) => packet.equals(back));
      await call.close();
    },
  );

  t.test('what is no RTP of a negotiated payload type is dropped', async (t) => {
    const call = await callBetween(t, link, 'form');
    await call.arm(FAR_MS);
    const good = { ssrc: 0x1111, sequence: 50, timestamp: 1 };
    const wrongVersion = rtpPacket(good);
    wrongVersion[0] = 0x40;
    const paddedAway = rtpPacket({ ...good, payload: Buffer.alloc(160, 255) });
    paddedAway[0] = 0xa0;
    const bad = [
      Buffer.alloc(0),
      Buffer.from('hello'),
      wrongVersion,
      paddedAway,
      rtpPacket({ ...good, payload: Buffer.alloc(0) }),
      rtpPacket({ ...good, payload: Buffer.alloc(1_400) }),
      rtpPacket({ ...good, payloadType: 34 }),
      rtpPacket({ ...good, payloadType: 0 }),
    ];
    for (const packet of bad) await call.handset.sendRaw(call.handsetSide, packet);
    const spoken = await call.handset.send(call.handsetSide);
    await call.trunk.got((packet) => packet.equals(spoken));
    t.equal(call.trunk.received.length, 1);
    t.match(await call.close(), { dropped: bad.length });
  });

  t.test('keyed digits stay in the cell, but for those that the profile lists', async (t) => {
    const call = await callBetween(t, link, 'digits', { digitsAllowed: '1#' });
    await call.arm(FAR_MS);
    const press = async (digit: number, timestamp: number): Promise<void> => {
      for (let i = 0; i < 3; i++)
        await call.handset.send(call.handsetSide, { payloadType: 101, timestamp, payload: keyPress(digit) });
    };
    await press(9, 8_000);
    await press(1, 16_000);
    await press(11, 24_000);
    await press(0, 32_000);
    const spoken = await call.handset.send(call.handsetSide);
    await call.trunk.got((packet) => packet.equals(spoken));
    const keyed = call.trunk.received.filter((packet) => (packet[1] ?? 0) === 101).map((packet) => packet[12]);
    t.same(keyed, [1, 1, 1, 11, 11, 11]);
    t.match(await call.close(), { digitsDropped: 2, dropped: 6 });
  });

  t.test('RTCP passes without the name of its sender', async (t) => {
    const call = await callBetween(t, link, 'rtcp');
    await call.arm(FAR_MS);
    const report = Buffer.alloc(28);
    report.set([0x80, 200, 0, 6]);
    report.writeUInt32BE(0x2222, 4);
    const name = 'agent@203.0.113.7';
    const description = Buffer.alloc(4 + 28);
    description.set([0x81, 202, 0, 7]);
    description.writeUInt32BE(0x2222, 4);
    description.set([1, name.length], 8);
    description.write(name, 10);
    await call.trunk.sendReport(call.trunkSide, Buffer.concat([report, description]));
    const got = await call.handset.got((packet) => packet[1] === 200, call.handset.reports);
    t.ok(got.subarray(0, 28).equals(report));
    t.notMatch(got.toString('latin1'), /agent|203/);
    t.equal(got.length % 4, 0);
    t.equal(got.readUInt32BE(32), 0x2222, 'the description is of the same SSRC');
    await call.close();
  });

  t.test('no packet that was sent after the deadline reaches the far end, and the deadline is told once', async (t) => {
    const call = await callBetween(t, link, 'deadline');
    const at = await call.arm(500);
    const sendAll = stream(2, async () => {
      await call.handset.send(call.handsetSide, { payload: stampedPayload() });
      await call.trunk.send(call.trunkSide, { payload: stampedPayload() });
    });
    const notice = await deadlineOf('deadline');
    for (let i = 0; i < 50; i++) {
      await call.handset.send(call.handsetSide, { payload: stampedPayload() });
      await call.trunk.send(call.trunkSide, { payload: stampedPayload() });
    }
    sendAll.stop();
    await seen();
    const counters = await call.close();
    for (const party of [call.handset, call.trunk]) {
      const stamps = party.received.map(stampOf);
      t.ok(stamps.length > 20, `${stamps.length} packets came before it`);
      const lastMs = Number((stamps.at(-1) ?? 0n) - at) / 1e6;
      t.ok(lastMs <= 5, `the last packet was sent ${lastMs} ms after the deadline`);
      t.ok(lastMs > -200, 'the call was not cut early');
    }
    t.ok((counters?.droppedAfterDeadline ?? 0) >= 90, `${counters?.droppedAfterDeadline} came after it`);
    t.ok((counters?.lastForwardedMsAfterDeadline ?? 1) < 0, 'by its own clock none was forwarded after it');
    t.equal(notices.filter(({ call }) => call === 'deadline').length, 1);
    t.ok(notice.lateMs >= 0 && notice.lateMs < 500, `noticed ${notice.lateMs} ms late`);
  });

  t.test('a second arming brings the deadline closer and never further', async (t) => {
    const call = await callBetween(t, link, 'rearm');
    await call.arm(300);
    await call.arm(FAR_MS);
    const talk = stream(5, () => call.handset.send(call.handsetSide, { payload: stampedPayload() }));
    const at = await call.arm(150);
    await deadlineOf('rearm');
    talk.stop();
    for (let i = 0; i < 10; i++) await call.handset.send(call.handsetSide, { payload: stampedPayload() });
    await seen();
    const counters = await call.close();
    t.ok((counters?.droppedAfterDeadline ?? 0) >= 10, 'silent from the nearest of the three');
    const last = call.trunk.received.map(stampOf).at(-1) ?? 0n;
    t.ok(last <= at + 5_000_000n);
  });

  t.test('orders for calls that are not there, or not ready, fail with a code', async (t) => {
    t.match(await link.order({ do: 'arm', call: 'nobody', atNs: '1', warningsS: [] }), { code: 'media.call-unknown' });
    t.strictSame(Object.keys(await link.order({ do: 'close', call: 'nobody' })).sort(), ['call', 'event', 'id']);
    const handset = await RtpParty.at('127.0.0.1', 1);
    t.teardown(() => handset.close());
    const order = { do: 'open', call: 'twice', handset: handset.peer(), earlyMedia: false, digitsAllowed: '' } as const;
    t.match(await link.order(order), { event: 'opened' });
    t.match(await link.order(order), { code: 'media.call-exists' });
    t.match(await link.order({ do: 'arm', call: 'twice', atNs: '1', warningsS: [] }), { code: 'media.bad-order' });
    t.match(await link.order({ ...order, call: 'x', handset: { ...handset.peer(), address: 'example.org' } }), {
      code: 'media.bad-order',
      why: '/handset/address is not what it should be',
    });
    t.match(await link.order({ ...order, call: 'y', handset: handset.peer(['10.0.0.0/99']) }), {
      code: 'media.bad-order',
    });
    t.match(await link.order({ do: 'status' }), { calls: ['twice'] });
    await link.order({ do: 'close', call: 'twice' });
  });
});
