import fc from 'fast-check';
import t from 'tap';
import { crc16 } from '../../device-agents/crc16.js';
import {
  bitAt,
  type Question,
  readAnswer,
  readBits,
  readRegister,
  writeCoils,
  writeRegister,
} from '../../device-agents/modbus-line/frame.js';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

function sealed(text: string): Buffer {
  const body = hex(text);
  const crc = crc16(body);
  return Buffer.concat([body, Buffer.from([crc & 0xff, crc >> 8])]);
}

t.test('questions are those of the standard’s own examples', async (t) => {
  // Modbus application protocol V1.1b3: §6.1, §6.2, §6.6 and §6.11, with unit 17 in front.
  t.same(readBits(17, 'coil', 0x13, 0x13).bytes.subarray(0, 6), hex('11 01 0013 0013'));
  t.same(readBits(17, 'discrete', 0xc4, 0x16).bytes.subarray(0, 6), hex('11 02 00c4 0016'));
  t.same(writeRegister(17, 1, 3).bytes.subarray(0, 6), hex('11 06 0001 0003'));
  const ten = [...'1011001110'].map((bit) => bit === '1');
  t.same(writeCoils(17, 0x13, ten).bytes.subarray(0, 9), hex('11 0f 0013 000a 02 cd 01'));
  t.equal(crc16(hex('0103 0000 000a')), 0xcdc5, 'a check sum known from elsewhere');
});

t.test('an answer is taken when it is whole, and bit by bit means what it says', async (t) => {
  const asked = readBits(17, 'coil', 0x13, 0x13);
  const whole = sealed('11 01 03 cd6b05');
  for (let length = 0; length < whole.length; length++) {
    t.equal(readAnswer(asked, whole.subarray(0, length)), undefined, `${length} bytes`);
  }
  const answer = readAnswer(asked, whole);
  if (answer?.ok !== true) throw new Error('no answer');
  t.same(
    Array.from({ length: 8 }, (_, index) => Number(bitAt(answer.data, index))).reverse(),
    [1, 1, 0, 0, 1, 1, 0, 1],
  );
});

t.test('what is not the answer to this question is a fault and never an answer', async (t) => {
  const asked = readRegister(1, 8);
  t.match(readAnswer(asked, sealed('02 03 02 0003')), { ok: false, fault: 'answer' }, 'another unit');
  t.match(readAnswer(asked, sealed('01 01 01 00')), { ok: false, fault: 'answer' }, 'another function');
  t.match(readAnswer(asked, sealed('01 83 02')), { ok: false, fault: 'exception', detail: /exception 2/ });
  t.match(readAnswer(asked, Buffer.concat([sealed('01 03 02 0003'), hex('00')])), { ok: false, fault: 'answer' });
  t.match(readAnswer(asked, hex('01 03 02 0003 0000')), { ok: false, fault: 'crc' });
  const write = writeRegister(1, 8, 3);
  t.match(readAnswer(write, sealed('01 06 0008 0004')), { ok: false, fault: 'answer' }, 'another value');
  t.match(readAnswer(write, sealed('01 06 0008 0003')), { ok: true });
});

t.test('one flipped bit anywhere in an answer is always found', async () => {
  const asked: Question = readBits(1, 'discrete', 0, 9);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 2, maxLength: 2 }), fc.nat({ max: 7 * 8 - 1 }), (data, flip) => {
      const frame = sealed(`01 02 02 ${Buffer.from(data).toString('hex')}`);
      frame[flip >> 3] = (frame[flip >> 3] ?? 0) ^ (1 << (flip & 7));
      return readAnswer(asked, frame)?.ok !== true;
    }),
  );
});

t.test('noise is never an answer that changes a relay: it is incomplete, or a fault', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), (noise) => {
      return readAnswer(writeCoils(7, 0, [true]), Buffer.from(noise))?.ok !== true;
    }),
  );
});
