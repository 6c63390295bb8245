import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock/clock.js';

const LIFE_NS = 60_000_000_000n;
const MOST = 20_000;
const BODY = 16;
const SIGNATURE = 16;

/** `foreign`: none of this process's; `elsewhere`: given to another address. */
export type NonceVerdict = 'good' | 'stale' | 'replayed' | 'foreign' | 'elsewhere';

/**
 * Digest nonces that carry their own time, the address that they were given to and our signature, so that issuing one costs
 * no memory (RFC 7616 §5.4); what is remembered is the highest `nc` of each nonce that was used, for as long as it lives.
 */
export class Nonces {
  readonly #key = randomBytes(32);
  readonly #used = new Map<string, { nc: number; bornNs: bigint }>();
  /** Nonces no younger than this are not believed: what was used of them has been forgotten. */
  #forgottenNs = -1n;

  constructor(
    private readonly clock: Clock,
    private readonly most = MOST,
  ) {}

  /** A nonce for whoever speaks from this address, good for a minute. */
  issue(address: string): string {
    const body = Buffer.alloc(BODY);
    body.writeBigUInt64BE(this.clock.monotonicNs());
    randomBytes(4).copy(body, 8);
    placeOf(address).copy(body, 12);
    return Buffer.concat([body, this.#sign(body)]).toString('base64url');
  }

  /** Judges a nonce and its count; a good one is used up for this `nc`. */
  take(nonce: string, nc: number, address: string): NonceVerdict {
    const bytes = Buffer.from(nonce, 'base64url');
    const body = bytes.subarray(0, BODY);
    if (bytes.length !== BODY + SIGNATURE || bytes.toString('base64url') !== nonce) return 'foreign';
    if (!timingSafeEqual(bytes.subarray(BODY), this.#sign(body))) return 'foreign';
    if (!body.subarray(12).equals(placeOf(address))) return 'elsewhere';
    const bornNs = body.readBigUInt64BE();
    if (this.clock.monotonicNs() - bornNs > LIFE_NS || bornNs <= this.#forgottenNs) return 'stale';
    const before = this.#used.get(nonce);
    if (before !== undefined && nc <= before.nc) return 'replayed';
    if (before === undefined && this.#used.size >= this.most) this.#forgetOld();
    this.#used.set(nonce, { nc, bornNs });
    return 'good';
  }

  #sign(body: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(body).digest().subarray(0, SIGNATURE);
  }

  #forgetOld(): void {
    const oldest = this.clock.monotonicNs() - LIFE_NS;
    for (const [nonce, { bornNs }] of this.#used) if (bornNs < oldest) this.#used.delete(nonce);
    // All of them young: a flood, by somebody who knows a secret. Half of them go, and no nonce of their age is believed.
    for (const [nonce, { bornNs }] of this.#used) {
      if (this.#used.size <= this.most / 2) break;
      this.#used.delete(nonce);
      if (bornNs > this.#forgottenNs) this.#forgottenNs = bornNs;
    }
  }
}

/** Four bytes that stand for an address. */
function placeOf(address: string): Buffer {
  return createHash('sha256').update(address).digest().subarray(0, 4);
}
