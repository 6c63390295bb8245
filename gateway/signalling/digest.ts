import { createHash, timingSafeEqual } from 'node:crypto';
import type { Nonces } from './nonces.js';

export type DigestAlgorithm = 'SHA-256' | 'MD5';
export type Ha1 = { readonly [A in DigestAlgorithm]?: string };

export type DigestVerdict =
  | { readonly is: 'good' }
  | { readonly is: 'absent' }
  | { readonly is: 'stale' }
  | { readonly is: 'bad'; readonly why: 'malformed' | 'realm' | 'user' | 'nonce' | 'replayed' | 'response' };

const HASHES: Readonly<Record<DigestAlgorithm, string>> = { 'SHA-256': 'sha256', MD5: 'md5' };
const hash = (algorithm: DigestAlgorithm, text: string): string =>
  createHash(HASHES[algorithm]).update(text).digest('hex');

/** The WWW-Authenticate values for a handset, strongest first (RFC 8760 §2.4). */
export function challenges(realm: string, ha1: Ha1, nonce: string, stale: boolean): string[] {
  return (['SHA-256', 'MD5'] as const)
    .filter((algorithm) => ha1[algorithm] !== undefined)
    .map(
      (algorithm) =>
        `Digest realm="${realm}", nonce="${nonce}", qop="auth", algorithm=${algorithm}${stale ? ', stale=true' : ''}`,
    );
}

/** Reads `name="value"` and `name=value` pairs of a Digest header; undefined when it is not one. */
export function readDigest(header: string): Map<string, string> | undefined {
  if (!/^digest\s/i.test(header) || header.length > 2_000) return undefined;
  const found = new Map<string, string>();
  for (const [, name = '', quoted, plain] of header
    .slice(7)
    .matchAll(/([a-z0-9-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi)) {
    found.set(name.toLowerCase(), quoted ?? plain ?? '');
  }
  return found;
}

/** Verifies an Authorization header (RFC 7616 §3.4) against stored HA1s; uses up its nonce count. */
export function verify(
  header: string | undefined,
  expected: {
    readonly method: string;
    readonly realm: string;
    readonly user: string;
    readonly ha1: Ha1;
    readonly nonces: Nonces;
  },
): DigestVerdict {
  if (header === undefined) return { is: 'absent' };
  const given = readDigest(header);
  const field = (name: string) => given?.get(name) ?? '';
  const algorithm = (field('algorithm') || 'MD5').toUpperCase() as DigestAlgorithm;
  const ha1 = expected.ha1[algorithm];
  if (given === undefined || field('qop') !== 'auth' || !/^[0-9a-f]{8}$/i.test(field('nc')) || ha1 === undefined) {
    return { is: 'bad', why: 'malformed' };
  }
  if (field('realm') !== expected.realm) return { is: 'bad', why: 'realm' };
  if (field('username') !== expected.user) return { is: 'bad', why: 'user' };
  const ha2 = hash(algorithm, `${expected.method}:${field('uri')}`);
  const wanted = hash(algorithm, `${ha1}:${field('nonce')}:${field('nc')}:${field('cnonce')}:auth:${ha2}`);
  if (!equal(wanted, field('response').toLowerCase())) return { is: 'bad', why: 'response' };
  // The count is used up only by who knows the secret: a guesser cannot spend another's nonce.
  switch (expected.nonces.take(field('nonce'), Number.parseInt(field('nc'), 16))) {
    case 'good':
      return { is: 'good' };
    case 'stale':
      return { is: 'stale' };
    case 'foreign':
      return { is: 'stale' };
    case 'replayed':
      return { is: 'bad', why: 'replayed' };
  }
}

function equal(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
