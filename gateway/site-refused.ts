/**
 * What was asked for where policy refused it, sealed: a later policy is tried on refusals too, and what was dialled then is needed
 * for it. It is read by nobody else: AES-256-GCM with a random nonce of 96 bits (NIST SP 800-38D) under a key made of the data
 * folder's for this purpose alone (HKDF, RFC 5869), bound to its call, and filled up so that its length says nothing of the number.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { ContactFacts, DialRequest } from './policy/request.js';

const NONCE = 12;
const TAG = 16;
/** Sealed texts are of whole blocks, bytes: numbers of any length take the same. */
const BLOCK = 128;

/** As much of a request as the ledger does not have. */
export interface RefusedRequest {
  /** The digits as they came, or a contact's number. */
  readonly dialled: string;
  readonly calleeZone?: string;
  readonly campaign?: string;
  readonly contact?: ContactFacts;
}

/** What of a request is kept of a refusal. */
export const keptOf = ({ dialled, calleeZone, campaign, contact }: DialRequest): RefusedRequest => ({
  dialled,
  ...(calleeZone !== undefined && { calleeZone }),
  ...(campaign !== undefined && { campaign: campaign.id }),
  ...(contact !== undefined && { contact }),
});

/** Seals and opens what was refused. */
export class RefusedSeal {
  readonly #key: Buffer;

  /** @param key 32 bytes, of the data folder. */
  constructor(key: Buffer) {
    this.#key = Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), 'balise refused request', 32));
  }

  seal(call: string, request: RefusedRequest): Buffer {
    const text = Buffer.from(JSON.stringify(request));
    // JSON may end in blanks.
    const filled = Buffer.alloc(Math.ceil(text.length / BLOCK) * BLOCK, ' ');
    text.copy(filled);
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    cipher.setAAD(Buffer.from(call));
    return Buffer.concat([nonce, cipher.update(filled), cipher.final(), cipher.getAuthTag()]);
  }

  /** Undefined for what was changed, is another call's, or was sealed under another key. */
  open(call: string, sealed: Uint8Array): RefusedRequest | undefined {
    if (sealed.length < NONCE + TAG) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', this.#key, sealed.subarray(0, NONCE));
    decipher.setAAD(Buffer.from(call));
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG));
    try {
      const body = decipher.update(sealed.subarray(NONCE, sealed.length - TAG));
      return JSON.parse(Buffer.concat([body, decipher.final()]).toString('utf8')) as RefusedRequest;
    } catch {
      return undefined;
    }
  }
}
