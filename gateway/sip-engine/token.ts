import { randomFillSync } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-.';
const pool = Buffer.alloc(8192);
let used = pool.length;

/** Fourteen random characters (84 bits) for a tag or a branch (RFC 3261 §19.3 asks for 32 bits at least). */
export function randomToken(): string {
  if (used + 14 > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  let text = '';
  for (let i = 0; i < 14; i++) text += ALPHABET[(pool[used + i] ?? 0) & 63];
  used += 14;
  return text;
}

/** A first CSeq number: below 2^31 with room to count (RFC 3261 §8.1.1.5). */
export function firstCSeq(): number {
  if (used + 14 > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const value = pool.readUInt32LE(used) & 0x0fffffff;
  used += 4;
  return value + 1;
}
