import fc from 'fast-check';
import t from 'tap';
import { MAX_DROPOUT, MAX_MISORDER, SequenceWindow } from '../../gateway/media/relay/sequence-window.js';
import { LATCH_MS, networkList, SourceLatch } from '../../gateway/media/relay/source-latch.js';

t.test('sequence numbers', async (t) => {
  t.test('a stream in order passes whole and loses nothing, across the wrap too', async () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 65_535 }), fc.integer({ min: 1, max: 70_000 }), (first, count) => {
        const window = new SequenceWindow();
        for (let i = 0; i < count; i++) if (!window.accept((first + i) & 0xffff)) return false;
        return window.lost === 0;
      }),
      { numRuns: 20 },
    );
  });

  t.test('packets left out are counted as lost, whatever the order of the others', async () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 65_535 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 90 }), { maxLength: 60 }),
        (first, leftOut) => {
          const window = new SequenceWindow();
          const gone = new Set(leftOut);
          const kept = Array.from({ length: 92 }, (_, i) => i).filter((i) => !gone.has(i));
          // Neighbours change places, all but the first and the last.
          for (let i = 1; i + 2 < kept.length; i += 2) [kept[i], kept[i + 1]] = [kept[i + 1] ?? 0, kept[i] ?? 0];
          return kept.every((i) => window.accept((first + i) & 0xffff)) && window.lost === gone.size;
        },
      ),
    );
  });

  t.test('one number outside the window is refused, and changes nothing for the stream', async () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 65_535 }),
        fc.integer({ min: MAX_DROPOUT + 1, max: 65_535 - MAX_MISORDER }),
        (first, jump) => {
          const window = new SequenceWindow();
          window.accept(first);
          const stray = window.accept((first + jump) & 0xffff);
          return !stray && window.accept((first + 1) & 0xffff) && window.lost === 0;
        },
      ),
    );
  });

  t.test('two in order outside the window are a sender that started anew', async (t) => {
    const window = new SequenceWindow();
    t.ok(window.accept(10));
    t.notOk(window.accept(30_000));
    t.ok(window.accept(30_001));
    t.ok(window.accept(30_002));
    t.notOk(window.accept(11), 'and the old numbers are outside now');
  });
});

interface Packet {
  readonly afterMs: number;
  readonly address: string;
  readonly port: number;
  readonly ssrc: number;
}

const SDP = { address: '10.1.0.5', port: 4_000 };
const INSIDE = ['10.1.0.5', '10.1.0.6', '10.1.0.7'];
const OUTSIDE = ['192.0.2.7', '10.2.0.1'];
const packets: fc.Arbitrary<Packet[]> = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 900 }),
    address: fc.constantFrom(...INSIDE, ...OUTSIDE),
    port: fc.constantFrom(4_000, 4_002),
    ssrc: fc.constantFrom(1, 2),
  }),
  { maxLength: 40 },
);

/** Runs packets through a latch that is answered before packet `answerAt`; tells those that were taken, and when. */
function taken(sent: readonly Packet[], answerAt: number) {
  const latch = new SourceLatch(SDP, networkList(['10.1.0.0/24']));
  const passed: (Packet & { readonly at: number; readonly answered: boolean })[] = [];
  let nowMs = 0;
  let answeredMs = Number.POSITIVE_INFINITY;
  for (const [index, packet] of sent.entries()) {
    nowMs += packet.afterMs;
    if (index === answerAt) {
      latch.answered(nowMs);
      answeredMs = nowMs;
    }
    if (!latch.allows(packet.address, packet.port, packet.ssrc, nowMs)) continue;
    latch.take(packet.address, packet.port, packet.ssrc);
    passed.push({ ...packet, at: nowMs - answeredMs, answered: index >= answerAt });
  }
  return { latch, passed };
}

const calls = fc.tuple(packets, fc.nat(40));

t.test('the source of a stream', async (t) => {
  t.test('nothing from outside the network is ever taken', async () => {
    fc.assert(
      fc.property(calls, ([sent, answerAt]) => {
        const { passed, latch } = taken(sent, answerAt);
        return passed.every(({ address }) => INSIDE.includes(address)) && INSIDE.includes(latch.address);
      }),
    );
  });

  t.test('before the answer only the address of the SDP counts', async () => {
    fc.assert(
      fc.property(calls, ([sent, answerAt]) =>
        taken(sent, answerAt).passed.every(({ address, answered }) => answered || address === SDP.address),
      ),
    );
  });

  t.test('2 s after the answer there is one address, one port and one SSRC, for good', async () => {
    fc.assert(
      fc.property(calls, ([sent, answerAt]) => {
        const late = taken(sent, answerAt).passed.filter(({ at }) => at >= LATCH_MS);
        return new Set(late.map(({ address, port, ssrc }) => `${address}:${port} ${ssrc}`)).size <= 1;
      }),
    );
  });

  t.test('a stream latches at most twice, and the second time to what the SDP said', async () => {
    fc.assert(
      fc.property(calls, ([sent, answerAt]) => {
        const { passed } = taken(sent, answerAt);
        const after = passed.filter(({ answered }) => answered).map(({ address, port }) => `${address}:${port}`);
        const changes = after.filter((source, index) => index > 0 && source !== after[index - 1]);
        return changes.length <= 1 && changes.every((source) => source === `${SDP.address}:${SDP.port}`);
      }),
    );
  });

  t.test('a side that was silent for the first 2 s is held to its SDP', async (t) => {
    const latch = new SourceLatch(SDP, networkList(['10.1.0.0/24']));
    latch.answered(0);
    t.notOk(latch.allows('10.1.0.6', 4_000, 1, LATCH_MS));
    t.notOk(latch.allows(SDP.address, 4_002, 1, LATCH_MS));
    t.ok(latch.allows(SDP.address, SDP.port, 1, LATCH_MS));
  });

  t.test('a second answer opens no second window', async (t) => {
    const latch = new SourceLatch(SDP, networkList(['10.1.0.0/24']));
    latch.answered(0);
    latch.answered(10_000);
    t.notOk(latch.allows('10.1.0.6', 4_000, 1, 10_001));
  });

  t.test('what is no network is refused', async (t) => {
    for (const network of ['10.0.0.0', '10.0.0.0/33', 'cells', '::/129', '10.0.0.0/-1'])
      t.throws(() => networkList([network]), TypeError, network);
  });
});
