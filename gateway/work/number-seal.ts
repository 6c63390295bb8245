/**
 * Numbers of contacts, sealed: AES-256-GCM with a random nonce of 96 bits (NIST SP 800-38D), under a key made of the data
 * folder's for this purpose alone (HKDF, RFC 5869). Sealed numbers are all of one length, and each is bound to its contact, so
 * that none can be put in another's place.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type { E164 } from '../policy/ids.js';

export const KEY_BYTES = 32;
const NONCE = 12;
const TAG = 16;
/** `+` and 15 digits. */
const LENGTH = 16;
/** Behind the number: whether the contact is one of those who try the work. Numbers that were sealed before it have none. */
const MARK = 1;
/** What a double holds exactly, and one bit less. */
const CALLEE_BITS = 52n;
const TOKEN_BYTES = 16;
/** Nonces drawn at once: the system's random source costs more by the call than by the byte. */
const NONCES = 512;

/** Thrown when a sealed number is not what was sealed, for this contact, with this key. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

const derived = (key: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `balise ${purpose}`, KEY_BYTES));

/** Seals and unseals numbers, and gives what stands for them. */
export class NumberSeal {
  readonly #sealing: Buffer;
  readonly #naming: Buffer;
  #nonces = Buffer.alloc(0);

  /** @param key 32 bytes. @param purpose keeps seals of one use from opening as another's. Throws when the key is no key. */
  constructor(key: Buffer, purpose: 'data folder' | 'batch' | 'headquarters' = 'data folder') {
    if (key.length !== KEY_BYTES) throw new Error(`the key has ${key.length} bytes, not ${KEY_BYTES}`);
    this.#sealing = derived(key, `${purpose} seal`);
    this.#naming = derived(key, `${purpose} names`);
  }

  /** @param isMystery the contact is one of those who try the work; nothing but what is sealed tells it from others. */
  seal(number: E164, contact: string, isMystery = false): Buffer {
    const nonce = this.#nonce();
    const cipher = createCipheriv('aes-256-gcm', this.#sealing, nonce);
    cipher.setAAD(Buffer.from(contact));
    const body = cipher.update(`${number.padEnd(LENGTH, '\0')}${isMystery ? '\u0001' : '\0'}`, 'latin1');
    return Buffer.concat([nonce, body, cipher.final(), cipher.getAuthTag()]);
  }

  #nonce(): Buffer {
    if (this.#nonces.length === 0) this.#nonces = randomBytes(NONCE * NONCES);
    const nonce = this.#nonces.subarray(0, NONCE);
    this.#nonces = this.#nonces.subarray(NONCE);
    return nonce;
  }

  /** Throws `SealBroken`; its message holds nothing of the number. */
  unseal(sealed: Buffer, contact: string): E164 {
    return this.open(sealed, contact).number;
  }

  /** The same with the mark. */
  open(sealed: Buffer, contact: string): { readonly number: E164; readonly isMystery: boolean } {
    try {
      const length = sealed.length - NONCE - TAG;
      if (length !== LENGTH && length !== LENGTH + MARK) throw new SealBroken('it has the wrong length');
      const decipher = createDecipheriv('aes-256-gcm', this.#sealing, sealed.subarray(0, NONCE));
      decipher.setAAD(Buffer.from(contact));
      decipher.setAuthTag(sealed.subarray(NONCE + length));
      const body = decipher.update(sealed.subarray(NONCE, NONCE + length));
      const text = Buffer.concat([body, decipher.final()]).toString('latin1');
      const number = text.slice(0, LENGTH).replace(/\0+$/, '') as E164;
      return { number, isMystery: text.slice(LENGTH) === '\u0001' };
    } catch (fault) {
      if (fault instanceof SealBroken) throw fault;
      throw new SealBroken(`the number of contact ${contact} does not open: it was changed, or the key is another`);
    }
  }

  /**
   * What stands for a number. `callee`: for whose it is, across campaigns: 52 bits of an HMAC, a whole number that a double
   * holds. `token`: for the contact, where people see it. The same number gives the same, and neither gives a number.
   */
  names(number: E164): { readonly callee: number; readonly token: string } {
    const hash = createHmac('sha256', this.#naming).update(number).digest();
    const callee = Number(hash.readBigUInt64BE(0) >> (64n - CALLEE_BITS));
    return { callee, token: hash.toString('base64url', 8, 8 + TOKEN_BYTES) };
  }

  /** A word that only this key gives: what is sealed under another key is found out before it is used. */
  fingerprint(): string {
    return createHmac('sha256', this.#naming).update('fingerprint').digest('base64url').slice(0, 22);
  }
}
