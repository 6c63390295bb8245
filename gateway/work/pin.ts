import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** Cost of scrypt (RFC 7914): 16 MiB and some 50 ms a try, off the main thread. The lock-out is the stronger brake. */
const COST = { N: 2 ** 14, r: 8, p: 1, maxmem: 64 * 1024 * 1024 } as const;
const SALT = 16;
const BYTES = 32;

export const PIN_FORM = /^[0-9]{4,8}$/;
/** PINs that are tried first. */
const WEAK = /^(?:(\d)\1*|0?123456789?|1234|12345|1234567|12345678|4321|54321|654321|87654321)$/;

/** Why a PIN will not do; undefined: it will. */
export function pinFault(pin: string, code: string): string | undefined {
  if (!PIN_FORM.test(pin)) return 'a PIN has 4 to 8 digits';
  if (pin === code) return 'the PIN is the code';
  return WEAK.test(pin) ? 'it is among the first that anybody would try' : undefined;
}

/** The hash of a PIN: `scrypt$<N>$<salt>$<hash>`, base64. */
export async function hashPin(pin: string): Promise<string> {
  const salt = randomBytes(SALT);
  return `scrypt$${COST.N}$${salt.toString('base64')}$${(await derive(pin, salt)).toString('base64')}`;
}

/** Whether a PIN is the one that was hashed. */
export type PinCheck = (pin: string, hash: string | undefined) => Promise<boolean>;

/** Whether a PIN is the one that was hashed. Takes as long without a hash as with one, so that time tells no code from another. */
export async function isPin(pin: string, hash: string | undefined): Promise<boolean> {
  const [, , salt, expected] = (hash ?? '').split('$');
  const known = Buffer.from(expected ?? '', 'base64');
  const derived = await derive(pin, salt === undefined ? randomBytes(SALT) : Buffer.from(salt, 'base64'));
  return known.length === BYTES && timingSafeEqual(known, derived);
}

function derive(pin: string, salt: Buffer): Promise<Buffer> {
  return new Promise((settle, reject) => {
    scrypt(pin, salt, BYTES, COST, (fault, key) => (fault === null ? settle(key) : reject(fault)));
  });
}
