import fc from 'fast-check';
import t from 'tap';
import { type Bencoded, bdecode, bencode } from '../../gateway/media/rtpengine/bencode.js';

t.test('bencoding: what is written is read again, and nothing else is', async (t) => {
  const { value } = fc.letrec<{ value: Bencoded }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.integer(),
      fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) }),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.string({ unit: 'grapheme-ascii', maxLength: 8 }), tie('value'), {
        maxKeys: 4,
        noNullPrototype: true,
      }),
    ),
  }));
  fc.assert(
    fc.property(value, (said) => {
      t.same(bdecode(bencode(said)), said);
    }),
    { numRuns: 200 },
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        bdecode(text);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
      }
    }),
  );
});
