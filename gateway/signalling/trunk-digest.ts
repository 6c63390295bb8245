import { createHash, randomBytes } from 'node:crypto';
import type { TrunkCredentials } from './account.js';

/** What a carrier may hash by, strongest first: a weaker challenge beside a stronger one is not answered (RFC 8760 §2.4). */
const HASHES = [
  ['SHA-512-256', 'sha512-256'],
  ['SHA-256', 'sha256'],
  ['MD5', 'md5'],
] as const;

const LONGEST = 4_000;
/** A parameter with its value, or the name of a scheme, which has a space and a parameter behind it (RFC 7235 §2.1). */
const PIECES = /([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|\s+(?=[\w-]+\s*=))/g;

type Challenge = ReadonlyMap<string, string>;

/** A response that may be a challenge, whoever has received it. */
export interface Challenging {
  readonly status: number;
  has(header: string): boolean;
  get(header: string): string;
}

/** A header that proves who we are. */
export interface Credentials {
  readonly header: 'Authorization' | 'Proxy-Authorization';
  readonly value: string;
}

/** The Digest challenges of a WWW-Authenticate or Proxy-Authenticate value; several may stand in one, with commas between. */
export function readChallenges(text: string): readonly Challenge[] {
  const found: { scheme: string; fields: Map<string, string> }[] = [];
  for (const [, name = '', quoted, plain] of text.slice(0, LONGEST).matchAll(PIECES)) {
    if (quoted === undefined && plain === undefined) found.push({ scheme: name.toLowerCase(), fields: new Map() });
    else found.at(-1)?.fields.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '');
  }
  return found.filter(({ scheme }) => scheme === 'digest').map(({ fields }) => fields);
}

/**
 * Answers a 401 or 407 to a request of ours (RFC 7616 §3.4, RFC 8760), by SHA-512-256, SHA-256 or MD5; undefined when it is
 * no challenge, or one of another realm than the account's, or was made by what we do not know. Whoever else asks would only
 * collect what can be guessed from. A second challenge is answered only where it says that the nonce was stale.
 */
export function credentialsFor(
  response: Challenging,
  request: { readonly method: string; readonly uri: string },
  account: TrunkCredentials | undefined,
  isFirst: boolean,
): Credentials | undefined {
  const isProxy = response.status === 407;
  const name = isProxy ? 'proxy-authenticate' : 'www-authenticate';
  if (account === undefined || (response.status !== 401 && !isProxy) || !response.has(name)) return undefined;
  const ours = readChallenges(response.get(name)).filter(
    (challenge) =>
      challenge.has('nonce') &&
      (account.realm === undefined || challenge.get('realm') === account.realm) &&
      (isFirst || challenge.get('stale')?.toLowerCase() === 'true'),
  );
  for (const [algorithm, hash] of HASHES) {
    const challenge = ours.find((one) => (one.get('algorithm') ?? 'MD5').toUpperCase() === algorithm && hasOurQop(one));
    if (challenge === undefined) continue;
    const value = answerTo(challenge, { algorithm, hash }, request, account);
    return { header: isProxy ? 'Proxy-Authorization' : 'Authorization', value };
  }
  return undefined;
}

const qopsOf = (challenge: Challenge): readonly string[] | undefined => challenge.get('qop')?.split(/\s*,\s*/);

/** We protect by `auth`, or as RFC 2069 did where the carrier names no quality at all. */
const hasOurQop = (challenge: Challenge): boolean => qopsOf(challenge)?.includes('auth') !== false;

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

function answerTo(
  challenge: Challenge,
  { algorithm, hash }: { readonly algorithm: string; readonly hash: string },
  { method, uri }: { readonly method: string; readonly uri: string },
  { username, password }: TrunkCredentials,
): string {
  const hashed = (...parts: string[]): string => createHash(hash).update(parts.join(':')).digest('hex');
  const [realm = '', nonce = '', opaque] = ['realm', 'nonce', 'opaque'].map((name) => challenge.get(name));
  const ha1 = hashed(username, realm, password);
  const ha2 = hashed(method, uri);
  const cnonce = randomBytes(12).toString('hex');
  const nc = '00000001';
  const hasQop = challenge.has('qop');
  const response = hasQop ? hashed(ha1, nonce, nc, cnonce, 'auth', ha2) : hashed(ha1, nonce, ha2);
  return [
    `Digest username=${quoted(username)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(uri)}`,
    `response="${response}"`,
    `algorithm=${algorithm}`,
    ...(hasQop ? [`cnonce="${cnonce}"`, 'qop=auth', `nc=${nc}`] : []),
    ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
  ].join(', ');
}
