/**
 * Checkpoints of the audit chain. Once a day the gateway signs the chain's end with its own key, and headquarters, which holds the
 * same chain, countersigns it: from then on neither can rewrite what was before without the other.
 */
import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';

/** What both sign. */
export interface CheckpointClaim {
  /** `<site>/<gateway>`. */
  readonly gateway: string;
  readonly sequence: number;
  /** The hash of the event with that sequence, and by its links of every event before it. */
  readonly hash: string;
  /** ISO 8601. */
  readonly at: string;
}

export const CHECKPOINT = 'balise.audit.checkpoint';
export const COUNTERSIGNED = 'balise.audit.countersigned';

/** The claim as a compact JWS by the gateway's key; its certificate, where it has one, goes along (RFC 7515 §4.1.6). */
export async function signClaim(claim: CheckpointClaim, key: KeyObject, certificate?: string): Promise<string> {
  const { CompactSign } = await import('jose');
  const x5c = certificate === undefined ? {} : { x5c: [new X509Certificate(certificate).raw.toString('base64')] };
  return new CompactSign(Buffer.from(JSON.stringify(claim)))
    .setProtectedHeader({ alg: algorithmOf(key), ...x5c })
    .sign(key);
}

export type ClaimVerdict =
  | { readonly good: true; readonly claim: CheckpointClaim; readonly by: string }
  | { readonly good: false; readonly why: string };

export interface Trust {
  /** The signer's public key or certificate, PEM. Without, the certificate that the signature brings is used. */
  readonly key?: string;
  /** The authority that must have issued that certificate, PEM. */
  readonly authority?: string;
}

/**
 * Whether a gateway's signature is good, and by whom. A certificate that comes along must be of this gateway; whether it was issued
 * by the right authority is checked when one is given. Never rejects.
 */
export async function verifyClaim(jws: string, gateway: string, trust: Trust = {}): Promise<ClaimVerdict> {
  const { compactVerify, decodeProtectedHeader } = await import('jose');
  try {
    const { x5c } = decodeProtectedHeader(jws);
    let key: KeyObject;
    let by: string;
    if (trust.key !== undefined) {
      key = createPublicKey(trust.key);
      by = 'the key given';
    } else {
      const [leaf] = x5c ?? [];
      if (leaf === undefined) return { good: false, why: 'it brings no certificate, and no key was given' };
      const certificate = new X509Certificate(Buffer.from(leaf, 'base64'));
      const name = commonNameOf(certificate);
      if (name !== gateway) return { good: false, why: `its certificate is of ${name ?? 'nobody'}` };
      if (trust.authority !== undefined && !certificate.verify(new X509Certificate(trust.authority).publicKey)) {
        return { good: false, why: 'its certificate was issued by another authority' };
      }
      key = certificate.publicKey;
      by = trust.authority === undefined ? 'a certificate that no authority was asked about' : 'its certificate';
    }
    const { payload } = await compactVerify(jws, key);
    const claim = JSON.parse(Buffer.from(payload).toString('utf8')) as CheckpointClaim;
    if (claim.gateway !== gateway) return { good: false, why: `it is of the gateway ${claim.gateway}` };
    return { good: true, claim, by };
  } catch (fault) {
    return { good: false, why: fault instanceof Error ? fault.message : String(fault) };
  }
}

/** The subject's common name (RFC 5280 §4.1.2.6). */
export function commonNameOf(certificate: X509Certificate): string | undefined {
  return /^CN=(.+)$/m.exec(certificate.subject)?.[1];
}

/** The JWS algorithm of a private key (RFC 7518 §3.1, RFC 8037 §3.1). Throws for a kind that gateways do not use. */
function algorithmOf(key: KeyObject): string {
  switch (key.asymmetricKeyType) {
    case 'ec':
      return 'ES256';
    case 'ed25519':
      return 'EdDSA';
    case 'rsa':
      return 'PS256';
    default:
      throw new Error(`a key of the kind ${key.asymmetricKeyType ?? key.type} cannot sign checkpoints`);
  }
}
