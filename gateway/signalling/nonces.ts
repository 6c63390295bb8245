import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock/clock.js';

const LIFE_NS = 60_000_000_000n;
const MOST = 20_000;

export type NonceVerdict = 'good' | 'stale' | 'replayed' | 'foreign';

/**
 * Digest nonces that carry their own time and our signature, so that issuing one costs no memory (RFC 7616 §5.4); what is
 * remembered is the highest `nc` of each nonce that was used, for as long as it lives.
 */
export class Nonces {
  readonly #key = randomBytes(32);
  readonly #used = new Map<string, { nc: number; bornNs: bigint }>();

  constructor(private readonly clock: Clock) {}

  issue(): string {
    const body = Buffer.alloc(16);
    body.writeBigUInt64BE(this.clock.monotonicNs());
    randomBytes(8).copy(body, 8);
    return Buffer.concat([body, this.#sign(body)]).toString('base64url');
  }

  /** Judges a nonce and its count; a good one is used up for this `nc`. */
  take(nonce: string, nc: number): NonceVerdict {
    const bytes = Buffer.from(nonce, 'base64url');
    if (bytes.length !== 32 || !timingSafeEqual(bytes.subarray(16), this.#sign(bytes.subarray(0, 16))))
      return 'foreign';
    const bornNs = bytes.readBigUInt64BE();
    if (this.clock.monotonicNs() - bornNs > LIFE_NS) return 'stale';
    const before = this.#used.get(nonce);
    if (before !== undefined && nc <= before.nc) return 'replayed';
    if (before === undefined && this.#used.size >= MOST) this.#forgetOld();
    this.#used.set(nonce, { nc, bornNs });
    return 'good';
  }

  #sign(body: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(body).digest().subarray(0, 16);
  }

  #forgetOld(): void {
    const oldest = this.clock.monotonicNs() - LIFE_NS;
    for (const [nonce, { bornNs }] of this.#used) if (bornNs < oldest) this.#used.delete(nonce);
    // All of them young: a flood. The oldest half goes; its nonces are refused as replays would be, by age, soon after.
    for (const nonce of this.#used.keys()) {
      if (this.#used.size <= MOST / 2) break;
      this.#used.delete(nonce);
    }
  }
}
