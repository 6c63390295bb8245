import { generateKeyPairSync } from 'node:crypto';
import type { JWK } from 'jose';
import type { Ed25519PublicKey } from '../../config/schema/types.generated.js';
import {
  type BundleRefusal,
  checkBundle,
  payloadOf,
  signBundle,
  type VerifiedBundle,
  verifyBundle,
} from '../../gateway/policy-bundle/bundle.js';

/** What is sent that must not be taken, and the reasons with which each may be refused. */
export const FORGED_BUNDLES = {
  unsigned: ['malformed'],
  'other-key': ['unsigned'],
  altered: ['unsigned'],
  truncated: ['malformed', 'unsigned'],
  'one-signature': ['needs-two-signatures'],
  'one-key-twice': ['needs-two-signatures'],
  replayed: ['replayed'],
  foreign: ['foreign'],
  expired: ['expired'],
} as const satisfies Readonly<Record<string, readonly BundleRefusal[]>>;
export type ForgedBundle = keyof typeof FORGED_BUNDLES;
export const FORGERIES_OF_BUNDLES = Object.keys(FORGED_BUNDLES) as readonly ForgedBundle[];

/** Planted faults: a judge that is blind to one kind, one that takes every bundle for an older one, one that loses its reasons. */
export type BundleFaults = 'all-old' | 'reasonless' | { readonly blindTo: ForgedBundle };

type Signer = JWK & { readonly kid: string };

function newSigner(kid: string): Signer {
  return { ...(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as JWK), kid };
}

// What is signed differs from run to run; nothing that happens does.
export const SIGNERS = [newSigner('policy-1'), newSigner('policy-2')] as const;
const [FIRST, SECOND] = SIGNERS;
const STRANGER = newSigner('policy-1');
const KEYS = SIGNERS.map(({ kty, crv, x, kid }) => ({ kty, crv, x, kid }) as Ed25519PublicKey);
const BOTH = SIGNERS.map(({ kid }) => kid);
/** 64 bytes in base64url (RFC 8032 §5.1.6). */
const SIGNATURE_LENGTH = 86;

/** A bundle's text, signed by one after the other. */
export async function signedText(payload: object, by: readonly Signer[] = SIGNERS): Promise<string> {
  const bytes = Buffer.from(JSON.stringify(payload));
  let text = '';
  for (const key of by) text = await signBundle(bytes, key, text);
  return text;
}

export interface ForgeryTools {
  /** A whole payload of a fresh version, with some of it replaced. */
  readonly payload: (more?: object) => object;
  /** A date in the past, as bundles have it. */
  readonly yesterday: string;
  /** A whole number from `least` to `most`. */
  readonly int: (least: number, most: number) => number;
}

/** The text of a forgery; of all but a replayed one, which is what it was. */
export async function forgedText(
  forgery: Exclude<ForgedBundle, 'replayed'>,
  { payload, yesterday, int }: ForgeryTools,
): Promise<string> {
  switch (forgery) {
    case 'unsigned':
      return JSON.stringify(payload());
    case 'other-key':
      return signedText(payload(), [STRANGER, SECOND]);
    case 'one-signature':
      return signedText(payload(), [FIRST]);
    case 'one-key-twice':
      return signedText(payload({ validOfflineH: 8_784 }), [FIRST, FIRST]);
    case 'foreign':
      return signedText(payload({ site: 'elsewhere' }));
    case 'expired':
      return signedText(payload({ validUntil: yesterday }));
    case 'truncated': {
      // Cut within a line: at its end one signature is left, which is a forgery of its own.
      const [first = '', second = ''] = (await signedText(payload())).split('\n');
      const cut = (line: string): string => line.slice(0, int(1, line.length - 1));
      return int(0, 1) === 0 ? cut(first) : `${first}\n${cut(second)}`;
    }
    case 'altered': {
      const text = await signedText(payload());
      const body = Buffer.from(JSON.stringify(payload())).toString('base64url');
      return text.replace(/^([^.]*)\.[^.]*\./gm, `$1.${body}.`);
    }
  }
}

/** By the keys of the site; by a judge who is blind to one kind of forgery, where that is planted. */
export async function verified(
  text: string,
  fault: BundleFaults | undefined,
): Promise<Pick<VerifiedBundle, 'bundle' | 'signedBy'>> {
  const blindTo = typeof fault === 'object' ? fault.blindTo : undefined;
  const believed = (json: string) => ({ bundle: checkBundle(JSON.parse(json)), signedBy: BOTH });
  switch (blindTo) {
    case 'unsigned':
      return text.startsWith('{') ? believed(text) : verifyBundle(text, KEYS);
    case 'other-key':
    case 'altered':
      return believed(payloadOf(text).toString());
    case 'truncated': {
      const whole = text.split('\n').filter((line) => line.split('.')[2]?.length === SIGNATURE_LENGTH);
      return { ...(await verifyBundle(whole.join('\n'), KEYS)), signedBy: BOTH };
    }
    case 'one-signature':
      return { ...(await verifyBundle(text, KEYS)), signedBy: BOTH };
    case 'one-key-twice':
      return { ...(await verifyBundle(text, KEYS)), signedBy: text.trim().split('\n') };
    case 'foreign': {
      const { bundle, signedBy } = await verifyBundle(text, KEYS);
      return { bundle: { ...bundle, site: 'simulated' }, signedBy };
    }
    case 'expired': {
      const { bundle, signedBy } = await verifyBundle(text, KEYS);
      const { validUntil: _, ...endless } = bundle;
      return { bundle: endless, signedBy };
    }
    default:
      return verifyBundle(text, KEYS);
  }
}
