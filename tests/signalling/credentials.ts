import { createHash } from 'node:crypto';
import { headerOf } from '../sip-engine/udp-peer.js';

export type Algorithm = 'MD5' | 'SHA-256';

/** One challenge as the handset reads it. */
export interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: string;
  readonly qop: string;
  readonly stale: boolean;
  /** The header's value as it came. */
  readonly text: string;
}

/** The challenges of a 401, in their order. */
export function challengesOf(response: string): Challenge[] {
  return [...response.matchAll(/\r\nWWW-Authenticate: (Digest [^\r\n]*)/gi)].map(([, text = '']) => {
    const value = (name: string) => new RegExp(`${name}="?([^",]*)"?`, 'i').exec(text)?.[1] ?? '';
    const stale = /stale=true/i.test(text);
    return {
      realm: value('realm'),
      nonce: value('nonce'),
      algorithm: value('algorithm'),
      qop: value('qop'),
      stale,
      text,
    };
  });
}

export interface Answer {
  readonly user: string;
  readonly password: string;
  readonly method: string;
  readonly uri: string;
  readonly nc?: number;
  readonly cnonce?: string;
  /** What is claimed, where that differs from what the response was made with. */
  readonly claim?: Readonly<Record<string, string>>;
}

const hash = (algorithm: string, text: string): string =>
  createHash(algorithm === 'SHA-256' ? 'sha256' : 'md5')
    .update(text)
    .digest('hex');

/** HA1 of RFC 7616 §3.4.2. */
export const ha1Of = (algorithm: Algorithm, user: string, realm: string, password: string): string =>
  hash(algorithm, `${user}:${realm}:${password}`);

/** An Authorization header, made as RFC 7616 §3.4.1 says and independently of the code under test. */
export function authorization(challenge: Challenge, answer: Answer): string {
  const { algorithm, realm, nonce } = challenge;
  const { user, password, method, uri, cnonce = '0a4f113b' } = answer;
  const nc = (answer.nc ?? 1).toString(16).padStart(8, '0');
  const qop = answer.claim?.qop ?? 'auth';
  const ha1 = hash(algorithm, `${user}:${realm}:${password}`);
  const ha2 = hash(algorithm, `${method}:${uri}`);
  const response = hash(algorithm, `${ha1}:${nonce}:${nc}:${cnonce}:${qop}:${ha2}`);
  const said: Record<string, string> = { username: user, realm, nonce, uri, response, cnonce, ...answer.claim };
  const quoted = ['username', 'realm', 'nonce', 'uri', 'response', 'cnonce'].map((name) => `${name}="${said[name]}"`);
  return `Authorization: Digest ${[...quoted, `algorithm=${said.algorithm ?? algorithm}`, `qop=${qop}`, `nc=${nc}`].join(', ')}`;
}

/** Our account at the tests' carrier, and what that carrier asks with. */
export const TRUNK_ACCOUNT = { username: 'gateway', password: 'trunk-secret' };
export const trunkChallenge = (algorithm: string, more = ''): string =>
  `Digest realm="carrier", nonce="n0nce", algorithm=${algorithm}, qop="auth"${more}`;
export const MD5_CHALLENGE = trunkChallenge('MD5');

const NODE_HASHES: Readonly<Record<string, string>> = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' };

/** Whether a request of ours answers that challenge, made as RFC 7616 says and independently of the code under test. */
export function isAuthorised(request: string, header: string, algorithm = 'MD5', nonce = 'n0nce'): boolean {
  const value = headerOf(request, header);
  const field = (name: string) => new RegExp(`(?:^Digest |, )${name}="?([^",]*)"?`).exec(value)?.[1] ?? '';
  const hashed = (text: string) =>
    createHash(NODE_HASHES[algorithm] ?? '')
      .update(text)
      .digest('hex');
  const [method = '', uri = ''] = request.split(' ');
  if (field('uri') !== uri || field('algorithm') !== algorithm || field('nonce') !== nonce) return false;
  const ha1 = hashed(`${TRUNK_ACCOUNT.username}:carrier:${TRUNK_ACCOUNT.password}`);
  const ha2 = hashed(`${method}:${uri}`);
  const wanted = hashed(`${ha1}:${nonce}:${field('nc')}:${field('cnonce')}:auth:${ha2}`);
  return field('response') === wanted && field('username') === TRUNK_ACCOUNT.username;
}
