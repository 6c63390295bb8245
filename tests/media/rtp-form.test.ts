/** What is RTP at all: RFC 3550 §5.1 and §5.3.1, in every form that a stranger might send. */
import fc from 'fast-check';
import t from 'tap';
import { MAX_PACKET, payloadEnd, payloadStart, RTP_HEADER } from '../../gateway/media/relay/rtp.js';

interface Form {
  readonly sources: number;
  /** Words of a header extension. */
  readonly extension?: number | undefined;
  readonly payload: number;
  /** With the octet that counts it. */
  readonly padding?: number | undefined;
}

function packetOf({ sources, extension, payload, padding = 0 }: Form): Buffer {
  const head = RTP_HEADER + sources * 4;
  const packet = Buffer.alloc(head + (extension === undefined ? 0 : 4 + extension * 4) + payload + padding);
  packet[0] = 0x80 | sources | (extension === undefined ? 0 : 0x10) | (padding === 0 ? 0 : 0x20);
  if (extension !== undefined) packet.writeUInt16BE(extension, head + 2);
  if (padding > 0) packet[packet.length - 1] = padding;
  return packet;
}

const form = fc.record({
  sources: fc.integer({ min: 0, max: 15 }),
  extension: fc.option(fc.integer({ min: 0, max: 8 }), { nil: undefined }),
  payload: fc.integer({ min: 0, max: 1_100 }),
  padding: fc.option(fc.integer({ min: 1, max: 255 }), { nil: undefined }),
});

t.test(
  'the payload lies behind sources and extension and before the padding, and one without a payload is none',
  async () => {
    fc.assert(
      fc.property(form, (it) => {
        const packet = packetOf(it);
        const start = payloadStart(packet);
        const behind = RTP_HEADER + it.sources * 4 + (it.extension === undefined ? 0 : 4 + it.extension * 4);
        const carried = it.payload + (it.padding ?? 0);
        if (carried < 1 || carried > 960 || packet.length > MAX_PACKET) return start === -1;
        return start === behind && payloadEnd(packet, start) === (it.payload === 0 ? -1 : behind + it.payload);
      }),
      { examples: [[{ sources: 0, extension: undefined, payload: 0, padding: 160 }]] },
    );
  },
);

t.test('whatever comes, no byte outside the packet is taken for payload', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: RTP_HEADER, maxLength: 300 }), (bytes) => {
      const packet = Buffer.from(bytes);
      const start = payloadStart(packet);
      if (start === -1) return true;
      const end = payloadEnd(packet, start);
      return packet[0] !== undefined && packet[0] >> 6 === 2 && (end === -1 || (end > start && end <= packet.length));
    }),
    { numRuns: 500 },
  );
});

t.test('other versions, a jumbo, and a header that promises more than there is are none', (t) => {
  for (const first of [0x00, 0x40, 0xc0]) {
    const packet = packetOf({ sources: 0, payload: 160 });
    packet[0] = first;
    t.equal(payloadStart(packet), -1, `version ${first >> 6}`);
  }
  t.equal(payloadStart(Buffer.concat([packetOf({ sources: 0, payload: 160 }), Buffer.alloc(60_000)])), -1);
  t.equal(payloadStart(packetOf({ sources: 15, payload: 160 }).subarray(0, 40)), -1, 'sources');
  t.equal(payloadStart(packetOf({ sources: 0, extension: 8, payload: 160 }).subarray(0, 14)), -1, 'half an extension');
  const long = packetOf({ sources: 0, extension: 1, payload: 160 });
  long.writeUInt16BE(0xffff, RTP_HEADER + 2);
  t.equal(payloadStart(long), -1, 'a long extension');
  t.end();
});
