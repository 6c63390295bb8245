/** The relay under what networks do: two families of IP, shared ports, errors, bursts, loss, wraps, holds, and an end for all at once. */
import t from 'tap';
import { LATCH_MS } from '../../gateway/media/relay/source-latch.js';
import { callBetween, clock, linkTo, startRelay } from './relay-process.js';
import { RtpParty, stampedPayload, stampOf } from './rtp-party.js';

const FAR_MS = 60_000;

const senderReport = (ssrc: number): Buffer => {
  const report = Buffer.alloc(28);
  report[0] = 0x80;
  report[1] = 200;
  report.writeUInt16BE(6, 2);
  report.writeUInt32BE(ssrc, 4);
  return report;
};

for (const [cell, carrier] of [
  ['::1', '127.0.0.1'],
  ['127.0.0.1', '::1'],
  ['::1', '::1'],
] as const)
  t.test(`a cell side on ${cell} and a carrier side on ${carrier} are one call`, async (t) => {
    const { socket } = await startRelay(t, { cellAddress: cell, carrierAddress: carrier });
    const { link } = await linkTo(t, socket);
    const call = await callBetween(t, link, 'six', {}, [], { handset: cell, trunk: carrier });
    t.equal(call.handsetSide.address, cell);
    t.equal(call.trunkSide.address, carrier);
    await call.arm(FAR_MS);
    const there = await call.handset.send(call.handsetSide);
    await call.trunk.got((packet) => packet.equals(there));
    const back = await call.trunk.send(call.trunkSide);
    await call.handset.got((packet) => packet.equals(back));
    const other = await RtpParty.at(cell === '::1' ? '127.0.0.1' : '::1', 7);
    t.teardown(() => other.close());
    const wrong = {
      do: 'open',
      call: 'wrong',
      handset: other.peer(),
      earlyMedia: false,
      digitsAllowed: '',
    } as const;
    t.match(await link.order(wrong), { code: 'media.bad-address' }, 'and a handset on the other family is refused');
  });

t.test('a relay on IPv4', async (t) => {
  const { socket, child } = await startRelay(t);
  const { link, deadlineOf, lost } = await linkTo(t, socket);
  const lines: string[] = [];
  child.stdout?.on('data', (chunk: Buffer) => lines.push(String(chunk)));

  // A call with a side on each family of IP, which grows old while others are tested.
  const mixed = await startRelay(t, { cellAddress: '::1' });
  const mixedLines: string[] = [];
  mixed.child.stdout?.on('data', (chunk: Buffer) => mixedLines.push(String(chunk)));
  const { link: toMixed } = await linkTo(t, mixed.socket);
  const muxed = await RtpParty.at('::1', 0x4444);
  t.teardown(() => muxed.close());
  const shared = { handset: { ...muxed.peer(), rtcpPort: muxed.port } };
  const old = await callBetween(t, toMixed, 'old', shared, [], { handset: '::1', trunk: '127.0.0.1' });
  await old.arm(FAR_MS);
  const lockedNs = clock.monotonicNs() + BigInt(LATCH_MS + 50) * 1_000_000n;

  t.test('RTP and RTCP of a side that says so share one port, and the other side has its two', async (t) => {
    const handset = await RtpParty.at('127.0.0.1', 0x3333);
    t.teardown(() => handset.close());
    const call = await callBetween(t, link, 'mux', { handset: { ...handset.peer(), rtcpPort: handset.port } });
    await call.arm(FAR_MS);
    const there = await handset.send(call.handsetSide);
    await call.trunk.got((packet) => packet.equals(there));
    await handset.sendRaw(call.handsetSide, senderReport(handset.ssrc));
    const report = await call.trunk.got(() => true, call.trunk.reports);
    t.equal(report[1], 200);
    t.equal(call.trunk.received.length, 1, 'the report came to the RTCP port alone');
    await call.trunk.sendReport(call.trunkSide, senderReport(call.trunk.ssrc));
    await handset.got((packet) => packet[1] === 200);
    const before = (await call.close())?.dropped;
    t.equal(before, 0);
  });

  t.test('a peer that cannot be reached costs a count and one line in the log, and no call', async (t) => {
    const call = await callBetween(t, link, 'nowhere');
    // The kernel sends nothing to all the world for a socket that did not ask to (EACCES).
    const trunk = { ...call.trunk.peer(), address: '255.255.255.255' };
    const formats = { voice: [{ codec: 'pcma', payloadType: 8 }], eventsPass: true } as const;
    await link.order({ do: 'connect', call: 'nowhere', trunk, toTrunk: formats, toHandset: formats });
    await call.arm(FAR_MS);
    for (let i = 0; i < 101; i++) await call.handset.send(call.handsetSide);
    const other = await callBetween(t, link, 'beside');
    await other.arm(FAR_MS);
    const spoken = await other.handset.send(other.handsetSide);
    await other.trunk.got((packet) => packet.equals(spoken));
    const counters = await call.close();
    t.equal(counters?.socketErrors, 3, 'the first, the 51st and the 101st');
    t.equal(counters?.handsetPackets, 101);
    await other.close();
    t.same(lost, []);
    t.ok(lines.join('').split('socket-error').length <= 2, 'said once');
  });

  t.test(
    'numbers that wrap, packets that come in bursts, and one in five lost: what came is passed, what did not is counted',
    async (t) => {
      const call = await callBetween(t, link, 'rough');
      await call.arm(FAR_MS);
      const { handset, trunk } = call;
      handset.sequence = 65_400;
      handset.timestamp = 0xffff_fff0;
      let sent = 0;
      for (let i = 0; i < 400; i++) {
        // Never the first nor the last: what is missing there nobody can know.
        if (i % 5 === 2) {
          handset.sequence = (handset.sequence + 1) & 0xffff;
          handset.timestamp = (handset.timestamp + 160) >>> 0;
        } else {
          await handset.send(call.handsetSide);
          sent++;
          // Bursts of 25, each only when the last has arrived: the kernel's buffer is not what is tested.
          if (sent % 25 === 0) await trunk.got(() => trunk.received.length === sent);
        }
      }
      await trunk.got(() => trunk.received.length === sent);
      const counters = await call.close();
      t.match(counters, { handsetPackets: 320, lost: 80, dropped: 0 });
    },
  );

  t.test('a stream that is held is dropped, and resumes; a hold opens no gate before the answer', async (t) => {
    const call = await callBetween(t, link, 'hold');
    const { handset, trunk } = call;
    await link.order({ do: 'hold', call: 'hold', toTrunk: true, toHandset: true });
    await call.arm(FAR_MS);
    await link.order({ do: 'hold', call: 'hold', toTrunk: false, toHandset: true });
    const unheard = await handset.send(call.handsetSide);
    const back = await trunk.send(call.trunkSide);
    await handset.got((packet) => packet.equals(back));
    await link.order({ do: 'hold', call: 'hold', toTrunk: true, toHandset: true });
    const heard = await handset.send(call.handsetSide);
    await trunk.got((packet) => packet.equals(heard));
    t.notOk(trunk.has(unheard));
    t.equal(trunk.received.length, 1);
    await call.close();
  });

  t.test(
    'once a side is locked strangers are dropped and counted, and the call goes on, reports included',
    async (t) => {
      const leftMs = Number(lockedNs - clock.monotonicNs()) / 1e6;
      await new Promise((resolve) => clock.after(Math.max(0, leftMs), () => resolve(undefined)));
      const { trunk, handsetSide, trunkSide } = old;
      const bothWays = async (): Promise<void> => {
        const there = await muxed.send(handsetSide);
        await trunk.got((packet) => packet.equals(there));
        const back = await trunk.send(trunkSide);
        await muxed.got((packet) => packet.equals(back));
      };
      // The first packet after the two seconds locks its side.
      await bothWays();
      const strangers = [await RtpParty.at('127.0.0.1', trunk.ssrc), await RtpParty.at('127.0.0.9', trunk.ssrc)];
      t.teardown(() => {
        for (const stranger of strangers) stranger.close();
      });
      for (const stranger of strangers)
        for (let i = 1; i <= 10; i++) await stranger.send(trunkSide, { sequence: trunk.sequence + i });
      await bothWays();
      t.equal(muxed.received.length, 2, 'of the strangers nothing is heard');
      await muxed.sendRaw(handsetSide, senderReport(muxed.ssrc));
      await trunk.got((packet) => packet[1] === 200, trunk.reports);
      await trunk.sendReport(trunkSide, senderReport(trunk.ssrc));
      await muxed.got((packet) => packet[1] === 200);
      t.match(await toMixed.order({ do: 'measure', call: 'old' }), { counters: { dropped: 20 } }, 'each is counted');
      trunk.close();
      for (let i = 0; i < 60; i++) await muxed.send(handsetSide);
      const passed = async () => {
        const measured = await toMixed.order({ do: 'measure', call: 'old' });
        return measured.event === 'measured' ? measured.counters.handsetPackets : 62;
      };
      // The close may overtake a packet.
      while ((await passed()) < 62);
      const counters = await old.close();
      t.match(counters, { handsetPackets: 62, trunkPackets: 2, socketErrors: 0 }, 'a peer that has gone is no error');
      t.notMatch(mixedLines.join(''), /ECONNREFUSED/);
    },
  );

  t.test('200 calls that end at one instant: no packet sent after it arrives anywhere', async (t) => {
    const calls = [];
    for (let i = 0; i < 200; i++) calls.push(await callBetween(t, link, `many-${i}`));
    const at = clock.monotonicNs() + 1_500_000_000n;
    for (const [i] of calls.entries())
      await link.order({ do: 'arm', call: `many-${i}`, atNs: String(at), warningsS: [] });
    let going = true;
    let rounds = 0;
    const talk = (async () => {
      while (going) {
        // A pace that leaves the machine room for the relay.
        await new Promise((resolve) => clock.after(10, () => resolve(undefined)));
        for (const { handset, trunk, handsetSide, trunkSide } of calls) {
          await handset.send(handsetSide, { payload: stampedPayload() });
          await trunk.send(trunkSide, { payload: stampedPayload() });
        }
        rounds++;
      }
    })();
    await Promise.all(calls.map((_, i) => deadlineOf(`many-${i}`)));
    // Both ends of all of them go on for five packets more: whatever of it came through would be seen.
    const enough = rounds + 6;
    while (rounds < enough) await new Promise((resolve) => clock.after(10, () => resolve(undefined)));
    going = false;
    await talk;
    await link.order({ do: 'status' });
    const after = (party: RtpParty) => party.received.filter((packet) => stampOf(packet) >= at).length;
    t.equal(
      calls.reduce((sum, { handset, trunk }) => sum + after(handset) + after(trunk), 0),
      0,
    );
    t.ok(calls.every(({ handset, trunk }) => handset.received.length > 0 && trunk.received.length > 0));
    const counters = await Promise.all(calls.map(({ close }) => close()));
    t.ok(counters.every((it) => (it?.lastForwardedMsAfterDeadline ?? 0) < 0));
    t.ok(counters.every((it) => (it?.droppedAfterDeadline ?? 0) > 0));
  });
});
