/**
 * Modbus RTU frames, as values: what is asked, what it looks like on the wire, and what an answer must look like
 * (Modbus application protocol V1.1b3, §6; Modbus over serial line V1.02, §2.5.1). No I/O.
 */
import { crc16 } from '../crc16.js';

/** The tables of bits, by the function that reads them. */
export const READ_BITS = { coil: 1, discrete: 2 } as const;
const READ_REGISTERS = 3;
const WRITE_REGISTER = 6;
const WRITE_COILS = 15;
const EXCEPTION = 0x80;

/** A question to one board, and how its answer is told from others. */
export interface Question {
  readonly unit: number;
  readonly fc: number;
  readonly bytes: Buffer;
  /** Length of the answer, check sum included; an exception has 5 bytes. */
  readonly answerLength: number;
}

export type Fault = 'crc' | 'timeout' | 'exception' | 'answer' | 'port';
export type Answer =
  | { readonly ok: true; readonly data: Buffer }
  | { readonly ok: false; readonly fault: Fault; readonly detail: string };

function question(unit: number, fc: number, body: readonly number[], answerLength: number): Question {
  const bytes = Buffer.alloc(body.length + 4);
  bytes[0] = unit;
  bytes[1] = fc;
  bytes.set(body, 2);
  bytes.writeUInt16LE(crc16(bytes, bytes.length - 2), bytes.length - 2);
  return { unit, fc, bytes, answerLength };
}

const word = (value: number) => [(value >>> 8) & 0xff, value & 0xff];

/** Reads `count` bits of a table. */
export function readBits(unit: number, table: keyof typeof READ_BITS, base: number, count: number): Question {
  return question(unit, READ_BITS[table], [...word(base), ...word(count)], 5 + Math.ceil(count / 8));
}

/** Reads one holding register. */
export function readRegister(unit: number, register: number): Question {
  return question(unit, READ_REGISTERS, [...word(register), ...word(1)], 7);
}

/** Writes one holding register. */
export function writeRegister(unit: number, register: number, value: number): Question {
  return question(unit, WRITE_REGISTER, [...word(register), ...word(value)], 8);
}

/** Writes all coils from `base` on. */
export function writeCoils(unit: number, base: number, values: readonly boolean[]): Question {
  const packed = new Array<number>(Math.ceil(values.length / 8)).fill(0);
  for (const [index, value] of values.entries()) {
    if (value) packed[index >>> 3] = (packed[index >>> 3] ?? 0) | (1 << (index & 7));
  }
  return question(unit, WRITE_COILS, [...word(base), ...word(values.length), packed.length, ...packed], 8);
}

/**
 * The answer to `asked` in the bytes that came so far, or undefined while more must come.
 * An answer of another board or function is `answer`: it belongs to an earlier question, and is never taken for this one's.
 */
export function readAnswer(asked: Question, bytes: Buffer): Answer | undefined {
  if (bytes.length < 2) return undefined;
  const isException = bytes[1] === (asked.fc | EXCEPTION);
  if (bytes[0] !== asked.unit || (!isException && bytes[1] !== asked.fc)) {
    return { ok: false, fault: 'answer', detail: `unit ${bytes[0]}, function ${bytes[1]}` };
  }
  const length = isException ? 5 : asked.answerLength;
  if (bytes.length < length) return undefined;
  if (bytes.readUInt16LE(length - 2) !== crc16(bytes, length - 2)) {
    return { ok: false, fault: 'crc', detail: `${bytes.length} bytes` };
  }
  if (bytes.length > length) return { ok: false, fault: 'answer', detail: `${bytes.length - length} bytes too many` };
  if (isException) return { ok: false, fault: 'exception', detail: `exception ${bytes[2]} to function ${asked.fc}` };
  if (asked.fc <= READ_REGISTERS) {
    if (bytes[2] !== length - 5) return { ok: false, fault: 'answer', detail: `${bytes[2]} bytes of data` };
    return { ok: true, data: bytes.subarray(3, length - 2) };
  }
  // A write is answered by its own head: address, and value or count.
  if (!bytes.subarray(2, 6).equals(asked.bytes.subarray(2, 6))) {
    return { ok: false, fault: 'answer', detail: 'the answer to another write' };
  }
  return { ok: true, data: bytes.subarray(2, 6) };
}

/** Bit `index` of an answer's data. */
export function bitAt(data: Buffer, index: number): boolean {
  return (((data[index >>> 3] ?? 0) >>> (index & 7)) & 1) === 1;
}
