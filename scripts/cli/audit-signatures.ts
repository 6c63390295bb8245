import { compactVerify, importJWK, type JWK } from 'jose';
import type { ChainEnd } from '../../gateway/store/chain.js';
import {
  CHECKPOINT,
  type CheckpointClaim,
  COUNTERSIGNED,
  type Trust,
  verifyClaim,
} from '../../gateway/uplink/checkpoint.js';

/** Hashes of this many events are remembered; a checkpoint is of the event just before it. */
const REMEMBERED = 10_000;

export interface SignatureFault {
  /** The event that holds the signature. */
  readonly sequence: number;
  readonly why: string;
}

/** Looks at the checkpoints of a chain as it is walked: who signed what, and whether that is what stands in the chain. */
export class SignatureCheck {
  checkpoints = 0;
  countersigned = 0;
  readonly faults: SignatureFault[] = [];
  readonly #hashes = new Map<number, string>();
  readonly #by = new Set<string>();

  constructor(private readonly trust: Trust & { readonly headquarters?: JWK }) {}

  /** The next event of the walk, and where the chain stands with it. */
  async take(body: string, end: ChainEnd): Promise<void> {
    this.#hashes.set(end.sequence, end.hash);
    this.#hashes.delete(end.sequence - REMEMBERED);
    // Most events are none; parsing each again would double the time.
    if (!body.includes('balise.audit.')) return;
    const event = JSON.parse(body) as { type: string; source: string; data: { jws?: unknown } };
    const gateway = event.source.replace(/^balise\//, '');
    const jws = String(event.data.jws);
    if (event.type === CHECKPOINT) {
      this.checkpoints += 1;
      const verdict = await verifyClaim(jws, gateway, this.trust);
      if (verdict.good) this.#by.add(verdict.by);
      this.#judge(end.sequence, verdict.good ? verdict.claim : verdict.why, gateway);
    } else if (event.type === COUNTERSIGNED) {
      this.countersigned += 1;
      if (this.trust.headquarters !== undefined) this.#judge(end.sequence, await this.#countersignature(jws), gateway);
    }
  }

  sentences(): string[] {
    const { checkpoints, countersigned, faults } = this;
    if (checkpoints + countersigned === 0) return [];
    const unchecked =
      this.trust.headquarters === undefined && countersigned > 0 ? ' (not checked: --headquarters-key)' : '';
    const by = this.#by.size === 0 ? '' : `, by ${[...this.#by].join(' and ')}`;
    return [
      `${checkpoints} checkpoints signed by the gateway${by}; ${countersigned} countersigned by headquarters${unchecked}`,
      ...faults.map(({ sequence, why }) => `the signature in event ${sequence} is not good: ${why}`),
    ];
  }

  async #countersignature(jws: string): Promise<CheckpointClaim | string> {
    try {
      const { payload } = await compactVerify(jws, await importJWK(this.trust.headquarters as JWK, 'EdDSA'));
      return JSON.parse(Buffer.from(payload).toString('utf8')) as CheckpointClaim;
    } catch (fault) {
      return `headquarters did not sign it (${fault instanceof Error ? fault.message : fault})`;
    }
  }

  #judge(sequence: number, claim: CheckpointClaim | string, gateway: string): void {
    const why = typeof claim === 'string' ? claim : this.#misfit(claim, gateway);
    if (why !== undefined) this.faults.push({ sequence, why });
  }

  #misfit(claim: CheckpointClaim, gateway: string): string | undefined {
    if (claim.gateway !== gateway) return `it is of the gateway ${claim.gateway}`;
    const held = this.#hashes.get(claim.sequence);
    // Before the export begins, or long before the signature: nothing here contradicts it.
    if (held === undefined || held === claim.hash) return undefined;
    return `it vouches for another event ${claim.sequence} than the one in this chain`;
  }
}
