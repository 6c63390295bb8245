import fc from 'fast-check';
import t from 'tap';
import { LAWS } from '../../gateway/media/relay/g711.js';

for (const [law, { decode, encode, silence }] of Object.entries(LAWS)) {
  t.test(
    `a sample becomes the byte of ${law} that sounds nearest to it, and of two that are as near the higher`,
    async (t) => {
      const off = (byte: number, level: number): number => Math.abs((decode[byte] ?? Number.NaN) - level);
      const nearest = (level: number): number =>
        [...decode.keys()].reduce((best, byte) => {
          const better = off(byte, level) - off(best, level);
          return better < 0 || (better === 0 && (decode[byte] ?? 0) > (decode[best] ?? 0)) ? byte : best;
        });
      fc.assert(
        fc.property(fc.integer({ min: -32_768, max: 32_767 }), (level) => {
          const byte = encode[level + 32_768] ?? Number.NaN;
          return decode[byte] === decode[nearest(level)];
        }),
        { numRuns: 500 },
      );
      t.equal(Math.abs(decode[silence] ?? Number.NaN), Math.min(...decode.map(Math.abs)), 'and no sound the quietest');
    },
  );
}
