/**
 * A compiled do-not-call list on disk: one file, read once, whole. All numbers little-endian.
 *
 *     0   8 bytes   "BLSDNC01"
 *     8   u32       buckets
 *     12  u32       numbers
 *     16  f64       when the list was made, epoch milliseconds
 *     24  32 bytes  SHA-256 of all other bytes, in order
 *     56  8 bytes   zero
 *     64  f64 × buckets, u32 × (buckets + 1), u16 × numbers: keys, starts, lows of a NumberSet
 */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { NumberSet } from '../policy/number-set.js';

export const MAGIC = 'BLSDNC01';
export const HEAD_BYTES = 64;

export interface ListHead {
  readonly buckets: number;
  readonly numbers: number;
  readonly madeMs: number;
}

/** A list in memory. */
export interface LoadedList {
  readonly set: NumberSet;
  readonly madeMs: number;
  /** What it takes in memory, bytes. */
  readonly bytes: number;
}

/** A list file that is not to be used; the message says why. */
export class ListFault extends Error {
  override readonly name = 'ListFault';
}

/** The head with no checksum yet; that goes to byte 24. */
export function headOf({ buckets, numbers, madeMs }: ListHead): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.write(MAGIC, 'latin1');
  head.writeUInt32LE(buckets, 8);
  head.writeUInt32LE(numbers, 12);
  head.writeDoubleLE(madeMs, 16);
  return head;
}

export const bodyBytes = ({ buckets, numbers }: Pick<ListHead, 'buckets' | 'numbers'>): number =>
  buckets * 8 + (buckets + 1) * 4 + numbers * 2;

/** Reads a compiled list and checks it whole. Throws a `ListFault` for one that is damaged, cut short, or none. */
export function readList(file: string): LoadedList {
  const whole = readWhole(file);
  if (whole.length < HEAD_BYTES || whole.toString('latin1', 0, 8) !== MAGIC)
    throw new ListFault('it is no compiled list');
  const buckets = whole.readUInt32LE(8);
  const numbers = whole.readUInt32LE(12);
  const madeMs = whole.readDoubleLE(16);
  if (whole.length !== HEAD_BYTES + bodyBytes({ buckets, numbers }))
    throw new ListFault('it is cut short, or too long');
  const sum = createHash('sha256').update(whole.subarray(0, 24)).update(whole.subarray(56)).digest();
  if (!sum.equals(whole.subarray(24, 56))) throw new ListFault('its checksum does not fit: it is damaged');
  const { buffer, byteOffset } = whole;
  const keysAt = byteOffset + HEAD_BYTES;
  const startsAt = keysAt + buckets * 8;
  const set = new NumberSet({
    keys: new Float64Array(buffer, keysAt, buckets),
    starts: new Uint32Array(buffer, startsAt, buckets + 1),
    lows: new Uint16Array(buffer, startsAt + (buckets + 1) * 4, numbers),
  });
  return { set, madeMs, bytes: whole.length };
}

/** The file in a buffer of its own, so that its parts stand where typed arrays can have them. */
function readWhole(file: string): Buffer {
  const handle = openSync(file, 'r');
  try {
    const { size } = fstatSync(handle);
    const whole = Buffer.from(new ArrayBuffer(size));
    for (let at = 0; at < size; ) {
      const got = readSync(handle, whole, at, size - at, at);
      if (got === 0) throw new ListFault('it was cut short while it was read');
      at += got;
    }
    return whole;
  } finally {
    closeSync(handle);
  }
}
