import fc from 'fast-check';
import t from 'tap';
import {
  displayable,
  LineCutter,
  orderLine,
  readWord,
  sealed,
  unsealed,
} from '../../device-agents/line-card/message.js';

const lineOf = (body: string) => sealed(body).toString('latin1').trimEnd();

t.test('orders look as README.md says', async (t) => {
  t.match(orderLine({ verb: 'LEASE', line: 7, forMs: 5_000 }, 42).toString(), /^>LEASE 07 5000 #42\*[0-9A-F]{4}\r\n$/);
  t.match(orderLine({ verb: 'OPEN', line: 'ALL' }, 1).toString(), /^>OPEN ALL #01\*/);
  t.match(orderLine({ verb: 'TEXT', line: 0, text: 'a "b" * c' }, 9).toString(), /^>TEXT 00 "a 'b' ' c" #09\*/);
  t.equal(lineOf('123456789').split('*')[1], '4B37', 'the check value of CRC-16/MODBUS');
});

t.test('what a card says is read as what it is', async (t) => {
  for (const [body, word] of [
    ['<BEAT', { verb: 'BEAT' }],
    ['<ACK #07', { verb: 'ACK', seq: 7 }],
    ['<NAK #07 no such line', { verb: 'NAK', seq: 7, why: 'no such line' }],
    ['<ID LC32 32 5000 #00', { verb: 'ID', seq: 0, model: 'LC32', lines: 32, longestMs: 5_000 }],
    ['<HOOK 07 OFF #11', { verb: 'HOOK', seq: 11, line: 7, off: true }],
    ['<RELAY 31 OPEN #12', { verb: 'RELAY', seq: 12, line: 31, closed: false }],
    ['<TAMPER 07 #13', { verb: 'TAMPER', seq: 13, line: 7, open: true }],
    ['<KEY 07 # #14', { verb: 'KEY', seq: 14, line: 7, key: '#' }],
    ['<KEY 07 * #15', { verb: 'KEY', seq: 15, line: 7, key: '*' }],
  ] as const) {
    t.same(readWord(lineOf(body)), { is: 'word', word }, body);
  }
  for (const body of ['<HOOK 32 OFF #11', '<HOOK 07 UP #11', '<KEY 07 A #11', '<DANCE #11', '<ID LC32 many 5000 #11']) {
    t.match(readWord(lineOf(body)), { is: 'unknown', seq: 11 }, body);
  }
});

t.test('one changed character anywhere in a line makes it noise', async () => {
  const line = lineOf('<HOOK 07 OFF #11');
  fc.assert(
    fc.property(fc.nat({ max: line.length - 1 }), fc.integer({ min: 0x20, max: 0x7e }), (at, code) => {
      const changed = line.slice(0, at) + String.fromCharCode(code) + line.slice(at + 1);
      return changed === line || readWord(changed).is === 'noise';
    }),
  );
});

t.test('noise of any kind is never a word', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => readWord(text).is === 'noise'));
});

t.test('lines come out whole however the bytes are cut', async () => {
  const bodies = fc.array(fc.stringMatching(/^<[A-Z0-9 #]{1,60}$/), { maxLength: 10 });
  fc.assert(
    fc.property(bodies, fc.array(fc.integer({ min: 1, max: 40 })), (all, cuts) => {
      const bytes = Buffer.concat(all.map(sealed));
      const cutter = new LineCutter();
      const lines: string[] = [];
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        lines.push(...cutter.take(bytes.subarray(at, at + cut)));
        at += cut;
      }
      return JSON.stringify(lines.map(unsealed)) === JSON.stringify(all);
    }),
  );
});

t.test('a display shows what it can, and nothing that would end a line', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (text) =>
      /^[ !#-)+-~]{0,40}$/.test(displayable(text)),
    ),
  );
});
