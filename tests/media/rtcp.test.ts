import fc from 'fast-check';
import t from 'tap';
import { cleanReport, REPORT_ROOM } from '../../gateway/media/relay/rtcp.js';

const out = Buffer.alloc(REPORT_ROOM);

function report(type: 200 | 201, blocks: number, extra = 0): Buffer {
  const length = 8 + (type === 200 ? 20 : 0) + blocks * 24 + extra * 4;
  const packet = Buffer.alloc(length, 7);
  packet[0] = 0x80 | blocks;
  packet[1] = type;
  packet.writeUInt16BE(length / 4 - 1, 2);
  return packet;
}

t.test('a report keeps its numbers and loses its extension', async (t) => {
  for (const type of [200, 201] as const)
    for (const blocks of [0, 1, 31]) {
      const plain = report(type, blocks);
      const length = cleanReport(report(type, blocks, 5), out);
      t.ok(out.subarray(0, plain.length).equals(plain), `${type} with ${blocks} blocks`);
      t.equal(length % 4, 0);
      t.equal(out[plain.length + 1], 202, 'our own description follows');
    }
});

t.test('what is no report is nothing', async (t) => {
  for (const type of [192, 202, 203, 204, 205, 206, 207]) {
    const packet = report(200, 0);
    packet[1] = type;
    t.equal(cleanReport(packet, out), 0, String(type));
  }
  const cut = report(200, 3);
  t.equal(cleanReport(cut.subarray(0, 40), out), 0, 'cut short');
});

t.test('any bytes are either nothing or a compound whose lengths add up', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 900 }), fc.boolean(), (bytes, likely) => {
      const packet = Buffer.from(bytes);
      if (likely && packet.length >= 4) {
        packet[0] = 0x80 | ((packet[0] ?? 0) & 0x1f);
        packet[1] = 200 + ((packet[1] ?? 0) & 1);
        packet.writeUInt16BE(Math.max(0, Math.floor(packet.length / 4) - 1), 2);
      }
      const length = cleanReport(packet, out);
      let at = 0;
      while (at < length) at += (out.readUInt16BE(at + 2) + 1) * 4;
      return at === length && length <= out.length;
    }),
  );
});
