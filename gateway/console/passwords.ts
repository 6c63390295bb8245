import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { ConsoleFault } from './fault.js';

/** OWASP's figure for scrypt (Password Storage Cheat Sheet): N = 2^17, r = 8, p = 1; 128 MiB and some 0.3 s a password. */
const COST = { N: 2 ** 17, r: 8, p: 1 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Log-ins that wait while one is worked out: a flood of them costs 128 MiB and one core, and no more. */
const MOST_WAITING = 8;

const SHORTEST = 12;
const LONGEST = 256;
const FEWEST_DIFFERENT = 5;

/** Why a password will not do, or undefined when it will (NIST SP 800-63B §5.1.1.2: length counts, composition rules do not). */
export function weakness(password: string, name: string): string | undefined {
  if ([...password].length < SHORTEST) return `a password has at least ${SHORTEST} characters`;
  if (password.length > LONGEST) return `a password has at most ${LONGEST} characters`;
  if (new Set(password).size < FEWEST_DIFFERENT)
    return `a password has at least ${FEWEST_DIFFERENT} different characters`;
  if (password.toLowerCase().includes(name.toLowerCase())) return 'a password does not hold its own person’s name';
  return undefined;
}

function derive(password: string, salt: Buffer, { N, r, p }: Required<Pick<ScryptOptions, 'N' | 'r' | 'p'>>) {
  // Typed on one keyboard composed and on another decomposed, it is the same password.
  const text = password.normalize('NFKC');
  return new Promise<Buffer>((resolve, reject) => {
    scrypt(text, salt, HASH_BYTES, { N, r, p, maxmem: 256 * N * r }, (fault, hash) =>
      fault === null ? resolve(hash) : reject(fault),
    );
  });
}

/**
 * Hashes and verifies passwords with scrypt (RFC 7914), one at a time and off the event loop.
 * What is stored is `scrypt$<N>$<r>$<p>$<salt>$<hash>`, base64url, so that a later cost leaves older ones readable.
 */
export class Passwords {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Rejects with a `ConsoleFault` 429 when too many wait already. */
  hash(password: string): Promise<string> {
    return this.#inTurn(async () => {
      const salt = randomBytes(SALT_BYTES);
      const hash = await derive(password, salt, COST);
      return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), hash.toString('base64url')].join('$');
    });
  }

  /** Compares in constant time. With nothing stored it takes as long and says no: who exists cannot be found out by the clock. */
  verify(password: string, stored: string | undefined): Promise<boolean> {
    return this.#inTurn(async () => {
      const [, N, r, p, salt, hash] = stored?.split('$') ?? [];
      if (salt === undefined || hash === undefined) {
        await derive(password, randomBytes(SALT_BYTES), COST);
        return false;
      }
      const found = await derive(password, Buffer.from(salt, 'base64url'), {
        N: Number(N),
        r: Number(r),
        p: Number(p),
      });
      const expected = Buffer.from(hash, 'base64url');
      return found.length === expected.length && timingSafeEqual(found, expected);
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= MOST_WAITING) {
      const why = 'too many people log in at this moment: try again in a few seconds';
      return Promise.reject(new ConsoleFault(429, 'too-many', why, { retryAfterS: 5 }));
    }
    this.#waiting += 1;
    const done = this.#last.then(work).finally(() => {
      this.#waiting -= 1;
    });
    this.#last = done.catch(() => undefined);
    return done;
  }
}
