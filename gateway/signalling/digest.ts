import { createHash, timingSafeEqual } from 'node:crypto';
import type { Nonces } from './nonces.js';

export type DigestAlgorithm = 'SHA-256' | 'MD5';
export type Ha1 = { readonly [A in DigestAlgorithm]?: string };

export type DigestVerdict =
  | { readonly is: 'good' }
  | { readonly is: 'absent' }
  /** True but for its nonce, which is too old or of an earlier process. */
  | { readonly is: 'stale' }
  | {
      readonly is: 'bad';
      readonly why: 'malformed' | 'realm' | 'user' | 'response' | 'uri' | 'replayed' | 'elsewhere';
    };

export interface Expected {
  readonly method: string;
  /** The Request-URI as it came. */
  readonly uri: string;
  readonly realm: string;
  readonly user: string;
  readonly ha1: Ha1;
  readonly nonces: Nonces;
  /** The source address of the request. */
  readonly address: string;
}

const HASHES: Readonly<Record<DigestAlgorithm, string>> = { 'SHA-256': 'sha256', MD5: 'md5' };
const hash = (algorithm: DigestAlgorithm, text: string): string =>
  createHash(HASHES[algorithm]).update(text).digest('hex');
const bad = (why: Extract<DigestVerdict, { is: 'bad' }>['why']): DigestVerdict => ({ is: 'bad', why });

/** The WWW-Authenticate values for a handset, strongest first (RFC 8760 §2.4). */
export function challenges(realm: string, ha1: Ha1, nonce: string, stale: boolean): string[] {
  return (['SHA-256', 'MD5'] as const)
    .filter((algorithm) => ha1[algorithm] !== undefined)
    .map(
      (algorithm) =>
        `Digest realm="${realm}", nonce="${nonce}", qop="auth", algorithm=${algorithm}${stale ? ', stale=true' : ''}`,
    );
}

/**
 * Reads `name="value"` and `name=value` pairs of a Digest header; undefined when it is not one, or says a thing twice: what
 * two readers could read in two ways is read in none.
 */
export function readDigest(header: string): Map<string, string> | undefined {
  if (!/^digest\s/i.test(header) || header.length > 2_000) return undefined;
  const found = new Map<string, string>();
  for (const [, name = '', quoted, plain] of header
    .slice(7)
    .matchAll(/([a-z0-9-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi)) {
    const key = name.toLowerCase();
    if (found.has(key)) return undefined;
    found.set(key, quoted ?? plain ?? '');
  }
  return found;
}

/** A quoted string, or a name with a space and no equals sign behind it: there credentials begin (RFC 9110 §11.4). */
const SCHEMES = /"(?:[^"\\]|\\.)*"|(?:^|,)\s*([a-z0-9-]+)[ \t]+(?=[^\s=,])/gi;
/** Longer ones are not searched. */
const LONGEST = 4_000;

/**
 * The credentials that are to be judged, of a header in which a phone may answer several realms at once (RFC 3261 §22.3):
 * those for other realms are none of ours, unless there are no others.
 */
function oursOf(header: string, realm: string): string {
  if (header.length > LONGEST) return header;
  const begins = [...header.matchAll(SCHEMES)].flatMap(({ 1: scheme, index }) => (scheme === undefined ? [] : [index]));
  if (begins.length < 2) return header;
  const all = begins.map((begin, at) => header.slice(begin, begins[at + 1]).replace(/^[\s,]+/, ''));
  const isForeign = (one: string): boolean => (readDigest(one)?.get('realm') ?? realm) !== realm;
  const ours = all.filter((one) => !isForeign(one));
  return ours.length === 0 ? (all[0] ?? header) : ours.join(', ');
}

/** Verifies an Authorization header (RFC 7616 §3.4) against stored HA1s; uses up its nonce count. */
export function verify(header: string | undefined, expected: Expected): DigestVerdict {
  if (header === undefined) return { is: 'absent' };
  const given = readDigest(oursOf(header, expected.realm));
  const field = (name: string) => given?.get(name) ?? '';
  const algorithm = (field('algorithm') || 'MD5').toUpperCase() as DigestAlgorithm;
  const ha1 = expected.ha1[algorithm];
  if (given === undefined || field('qop') !== 'auth' || !/^[0-9a-f]{8}$/i.test(field('nc')) || ha1 === undefined)
    return bad('malformed');
  if (field('realm') !== expected.realm) return bad('realm');
  if (field('username') !== expected.user) return bad('user');
  const ha2 = hash(algorithm, `${expected.method}:${field('uri')}`);
  const wanted = hash(algorithm, `${ha1}:${field('nonce')}:${field('nc')}:${field('cnonce')}:auth:${ha2}`);
  if (!equal(wanted, field('response').toLowerCase())) return bad('response');
  // Whoever takes a credential on its way must not be able to spend it on another number (RFC 7616 §3.4.6).
  if (canonicalUri(field('uri')) !== canonicalUri(expected.uri)) return bad('uri');
  // The count is used up only by who knows the secret: a guesser cannot spend another's nonce.
  const taken = expected.nonces.take(field('nonce'), Number.parseInt(field('nc'), 16), expected.address);
  switch (taken) {
    case 'good':
    case 'stale':
      return { is: taken };
    case 'foreign':
      return { is: 'stale' };
    case 'replayed':
    case 'elsewhere':
      return bad(taken);
  }
}

/** Scheme and host are the same in any case of letters, the rest is not (RFC 3261 §19.1.4). */
function canonicalUri(uri: string): string {
  const [, scheme, user = '', host, rest] = /^([a-z]+:)([^@]*@)?([^;?]*)(.*)$/is.exec(uri) ?? [];
  return scheme === undefined ? uri : `${scheme.toLowerCase()}${user}${host?.toLowerCase()}${rest}`;
}

function equal(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
