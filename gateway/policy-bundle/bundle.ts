/**
 * A signed bundle: one or more lines, each a compact JWS (RFC 7515) by EdDSA (RFC 8037) over the very same payload, so that
 * several people can sign one policy one after another.
 */
import { createHash } from 'node:crypto';
import type { JWK } from 'jose';
import type { Ed25519PublicKey, PolicyBundle } from '../../config/schema/types.generated.js';
import { breaches } from '../config/schema-faults.js';
import { validatorOf } from '../config/schemas.js';
import { deepFreeze } from '../config/sound.js';

const TYPE = 'balise-policy+jws';
const ALGORITHM = 'EdDSA';
/** A policy of ten thousand rules is well below it. */
const MOST_BYTES = 32 * 1024 * 1024;

/** Why a bundle is not taken. */
export type BundleRefusal =
  | 'malformed'
  | 'unsigned'
  | 'foreign'
  | 'replayed'
  | 'not-yet-valid'
  | 'expired'
  | 'needs-two-signatures'
  | 'invalid';

export interface VerifiedBundle {
  readonly bundle: PolicyBundle;
  /** The names of the keys that signed, each once; a key that goes by two names is one. */
  readonly signedBy: readonly string[];
  /** As it came. */
  readonly text: string;
}

/** A bundle that is not taken; the message says why, in plain words. */
export class BundleFault extends Error {
  override readonly name = 'BundleFault';

  /** @param fromMs `not-yet-valid`: when it may be offered again, epoch milliseconds. */
  constructor(
    readonly code: BundleRefusal,
    why: string,
    readonly fromMs?: number,
  ) {
    super(why);
  }
}

/** By which a bundle is told from every other: SHA-256 of its text, in hex. */
export const bundleDigest = (text: string): string => createHash('sha256').update(text.trim()).digest('hex');

/** The id under which a gateway acknowledges a bundle, on the topic `ack/<id>`. */
export const bundleAckId = (text: string): string => `policy-${bundleDigest(text).slice(0, 16)}`;

const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line.trim() !== '');

/**
 * Verifies every signature and the form of the payload. Throws a `BundleFault`: `malformed` for what is no bundle,
 * `unsigned` where a signature is bad or of no key of this site, `invalid` where the policy itself is at fault.
 */
export async function verifyBundle(text: string, keys: readonly Ed25519PublicKey[]): Promise<VerifiedBundle> {
  const lines = linesOf(text);
  if (lines.length === 0 || text.length > MOST_BYTES)
    throw new BundleFault('malformed', 'it is empty, or far too large');
  const signedBy = new Map<string, string>();
  let payload: Buffer | undefined;
  for (const line of lines) {
    const one = await verifyLine(line.trim(), keys);
    if (payload !== undefined && !payload.equals(one.payload)) {
      throw new BundleFault('malformed', 'its signatures are over different policies');
    }
    payload = one.payload;
    if (!signedBy.has(one.key)) signedBy.set(one.key, one.kid);
  }
  return { bundle: parsed(payload ?? Buffer.alloc(0)), signedBy: [...signedBy.values()], text };
}

interface VerifiedLine {
  readonly payload: Buffer;
  readonly kid: string;
  /** The key itself, by which it is told from others whatever it is called. */
  readonly key: string;
}

async function verifyLine(line: string, keys: readonly Ed25519PublicKey[]): Promise<VerifiedLine> {
  const kid = kidOf(line);
  const key = keys.find((one) => one.kid === kid);
  if (key === undefined) throw new BundleFault('unsigned', `it is signed by ${kid}, which is no key of this site`);
  const { compactVerify, errors, importJWK } = await import('jose');
  try {
    const verified = await compactVerify(line, await importJWK(key as JWK, ALGORITHM), { algorithms: [ALGORITHM] });
    const { typ, crit, b64 } = verified.protectedHeader;
    if (typ !== TYPE) throw new BundleFault('malformed', 'it is signed, and is no policy');
    // A payload that is not encoded (RFC 7797) would be shown to the next signer as another than is verified.
    if (crit !== undefined || b64 !== undefined)
      throw new BundleFault('malformed', 'its signature has extensions (crit, b64) that no policy needs');
    return { payload: Buffer.from(verified.payload), kid, key: Buffer.from(key.x, 'base64url').toString('hex') };
  } catch (fault) {
    if (fault instanceof errors.JOSEError) throw new BundleFault('unsigned', `the signature of ${kid} is not good`);
    throw fault;
  }
}

/** The key that a line says it is signed by; nothing is believed of it yet. */
function kidOf(line: string): string {
  try {
    const header = JSON.parse(Buffer.from(line.split('.')[0] ?? '', 'base64url').toString('utf8')) as { kid?: unknown };
    if (typeof header.kid === 'string' && line.split('.').length === 3) return header.kid;
  } catch (fault) {
    if (!(fault instanceof SyntaxError)) throw fault;
  }
  throw new BundleFault('malformed', 'a line of it is no compact JWS with a key name');
}

function parsed(payload: Buffer): PolicyBundle {
  let value: unknown;
  try {
    value = JSON.parse(payload.toString('utf8'));
  } catch (fault) {
    throw new BundleFault('malformed', `its payload is no JSON (${(fault as Error).message})`);
  }
  return checkBundle(value);
}

/** A bundle's payload, validated and with its defaults filled in. Throws a `BundleFault` with the first faults. */
export function checkBundle(value: unknown): PolicyBundle {
  const validate = validatorOf('policy-bundle');
  if (validate(value)) return checkInstants(deepFreeze(value as PolicyBundle));
  const found = breaches(validate.errors ?? []);
  const first = found
    .slice(0, 5)
    .map(({ pointer, found: what, expected }) => `${pointer}: ${what}, expected ${expected}`);
  throw new BundleFault('invalid', `${found.length} faults: ${first.join('; ')}`);
}

/** Digits in the right places are no instant yet: the thirteenth month never comes, and a date that never comes has no end. */
function checkInstants(bundle: PolicyBundle): PolicyBundle {
  for (const name of ['validFrom', 'validUntil'] as const) {
    const text = bundle[name];
    const ms = text === undefined ? 0 : Date.parse(text);
    if (text !== undefined && !(Number.isFinite(ms) && new Date(ms).toISOString().startsWith(text.slice(0, 16))))
      throw new BundleFault('invalid', `/${name}: ${text} is no date and time`);
  }
  return bundle;
}

/** Signs a payload, or adds a signature to a bundle by signing the same bytes. Returns the bundle's text. */
export async function signBundle(
  payload: Uint8Array,
  key: JWK & { readonly kid: string },
  before = '',
): Promise<string> {
  const { CompactSign, importJWK } = await import('jose');
  const line = await new CompactSign(payload)
    .setProtectedHeader({ alg: ALGORITHM, kid: key.kid, typ: TYPE })
    .sign(await importJWK(key, ALGORITHM));
  return `${[...linesOf(before), line].join('\n')}\n`;
}

/** The bytes that a bundle's first line signs, unverified: for adding a signature and for showing. */
export function payloadOf(text: string): Buffer {
  return Buffer.from(linesOf(text)[0]?.split('.')[1] ?? '', 'base64url');
}
