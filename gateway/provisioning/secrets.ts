import { createHash, randomInt } from 'node:crypto';

/** Letters and digits that nobody takes for one another, and that every maker's page and file takes as they are. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const SMALL = 'abcdefghjkmnpqrstuvwxyz23456789';

function drawn(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}

/** A fresh secret of 24 characters (139 bits), with small letters, capitals and digits in it: some makers insist on all three. */
export function newSecret(): string {
  for (;;) {
    const secret = drawn(LETTERS, 24);
    if (/[a-z]/.test(secret) && /[A-Z]/.test(secret) && /[0-9]/.test(secret)) return secret;
  }
}

/** A fresh enrolment token of 20 characters (99 bits) that can be keyed in: small letters and digits. */
export function newToken(): string {
  return drawn(SMALL, 20);
}

/** Eight fresh digits, for menus that take nothing else. */
export function newDigits(): string {
  return drawn('0123456789', 8);
}

/** HA1 = H(user:realm:password) by both algorithms (RFC 7616 §3.4.2, RFC 8760). */
export function ha1Of(user: string, realm: string, password: string): { MD5: string; 'SHA-256': string } {
  const by = (algorithm: string) => createHash(algorithm).update(`${user}:${realm}:${password}`).digest('hex');
  return { MD5: by('md5'), 'SHA-256': by('sha256') };
}
