import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock/clock.js';

const DAY_NS = 86_400_000_000_000n;

const hashed = (token: string): Buffer => createHash('sha256').update(token).digest();

/** The link by which the first person of a site comes in: 256 random bits, for one use, for a day, for this run of the gateway. */
export class OneTimeLink {
  #kept: { readonly hash: Buffer; readonly sinceNs: bigint } | undefined;

  constructor(private readonly clock: Clock) {}

  /** A new token, told once; the one before is worth nothing any more. */
  issue(): string {
    const token = randomBytes(32).toString('base64url');
    this.#kept = { hash: hashed(token), sinceNs: this.clock.monotonicNs() };
    return token;
  }

  /** Whether this is the token, and in time. It stays good until `use`. */
  isGood(token: string): boolean {
    const kept = this.#kept;
    if (kept === undefined || this.clock.monotonicNs() - kept.sinceNs >= DAY_NS) return false;
    return timingSafeEqual(kept.hash, hashed(token));
  }

  /** Takes the link out of the world: before the first person is written, so that two cannot use it at once. */
  use(): void {
    this.#kept = undefined;
  }
}
