/** drachtio-srf reads a message alike with its own reader and with ours. */
import { createRequire } from 'node:module';
import fc from 'fast-check';
import t from 'tap';
import { readQuickly } from '../../gateway/signalling/sip-text.js';

interface Message {
  readonly headers: Record<string, string>;
  get(name: string): string | undefined;
  has(name: string): boolean;
}

const require = createRequire(import.meta.url);
const reader = require('drachtio-srf/lib/sip-parser/parser.js') as {
  parseSipMessage: (text: string, isLazy: boolean) => unknown;
  getHeaderName: (written: string) => string;
};
const SipMessage = require('drachtio-srf/lib/sip-parser/message.js') as { new (text: string): Message } & {
  prototype: Record<'get' | 'has' | 'getHeaderName', (this: Message, name: string) => unknown>;
};
const slow = { ...reader };
const { get, has, getHeaderName } = SipMessage.prototype;

readQuickly();
readQuickly();

/** What a reader makes of a text: a message, nothing, or a fault. */
const read = (parse: typeof reader.parseSipMessage, text: string): unknown => {
  try {
    return JSON.stringify(parse(text, true));
  } catch (fault) {
    return `fault: ${String(fault)}`;
  }
};

const start = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('INVITE sip:+4420@127.0.0.1:5060 SIP/2.0', 'SIP/2.0 200 OK', 'SIP/2.0 180 '),
  },
  fc.constantFrom(
    'BYE sip:a SIP/2.0',
    'SIP/2.0 486',
    'in%56ite sip:a SIP/2.0',
    '',
    'INVITE',
    'SIP/2.0 OK',
    'A  b SIP/2.0',
  ),
  fc.string({ maxLength: 30 }),
);
const NAMES = [
  'Via',
  'v',
  'From',
  'f',
  'TO',
  'Call-ID',
  'i',
  'CSeq',
  'l',
  'Content-Type',
  'c',
  'X-Balise',
  'x-balise',
  'P-Early',
];
const name = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(...NAMES, 'P-Asserted-Identity', 'Diversion', 'diversion', '%56ia', '__proto__'),
  },
  fc.string({ maxLength: 8 }),
);
const value = fc.oneof(
  fc.constantFrom(
    '<sip:a@b>;tag=1',
    '1 INVITE',
    '0',
    '5',
    '-1',
    'x',
    '',
    'application/sdp',
    'multipart/mixed;boundary=b',
    'a\r\n b',
  ),
  fc.string({ maxLength: 20 }),
  fc.string({ maxLength: 6, unit: 'binary' }),
);
const header = fc
  .tuple(name, fc.constantFrom(':', ': ', ' :  ', '\t: ', ' '), value, fc.constantFrom('', ' ', '\t'))
  .map((parts) => parts.join(''));
const body = fc.oneof(
  fc.constantFrom('', 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n', 'a\r\n\r\nb', '--b\r\nContent-Type: x\r\n\r\ny'),
  fc.string({ maxLength: 20, unit: 'grapheme' }),
);
const message = fc
  .tuple(
    start,
    fc.array(fc.oneof(header, fc.constantFrom('Content-Length: 5', 'Content-Length: 900'))),
    fc.constantFrom('\r\n\r\n', '\r\n', ''),
    body,
  )
  .map(([first, headers, gap, rest]) => [first, ...headers].join('\r\n') + gap + rest);

t.test('whatever comes is read alike, to the letter and in the same order', async () => {
  fc.assert(
    fc.property(message, (text) => read(reader.parseSipMessage, text) === read(slow.parseSipMessage, text)),
    { numRuns: 3_000 },
  );
});

t.test('a header is found by any spelling of its name, where the library finds it', async () => {
  const asked = fc.constantFrom(...NAMES, 'from', 'FROM', 'to', 'content-length', 'Reason', 'x-BALISE');
  fc.assert(
    fc.property(message, asked, (text, wanted) => {
      let one: Message;
      try {
        one = new SipMessage(text);
      } catch {
        return true;
      }
      // Of two that differ in their spelling alone the library takes whichever came first.
      const names = Object.keys(one.headers).map((known) => known.toLowerCase());
      if (new Set(names).size < names.length) return true;
      const slowly = { headers: one.headers, getHeaderName } as unknown as Message;
      return one.get(wanted) === get.call(slowly, wanted) && one.has(wanted) === has.call(slowly, wanted);
    }),
    { numRuns: 2_000 },
  );
});

t.test('a name of a header is kept as the library keeps it', async () => {
  fc.assert(fc.property(name, (written) => reader.getHeaderName(written) === slow.getHeaderName(written)));
});
