import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Who may connect, and for which handsets' lines. */
export type Identity = Rights & (WithSecret | WithHash);

interface WithSecret {
  /** At least 16 characters, of random origin. It is kept as a salted hash only. */
  readonly secret: string;
}

interface WithHash {
  /** What `hashedSecret` made of it: for an agent that somebody else starts, whose secret only its own configuration has. */
  readonly secretHash: string;
}

interface Rights {
  /** User name and MQTT client id at once: no identity can take another's place. */
  readonly name: string;
  readonly handsets: readonly string[];
  /** Its handsets have keys, a lamp and a display. */
  readonly hasKeypads?: boolean;
}

interface Known {
  readonly salt: Buffer;
  readonly hash: Buffer;
  readonly publish: ReadonlySet<string>;
  readonly subscribe: ReadonlySet<string>;
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

// The secrets are random and long, so one round is as good as many: there is nothing to guess from a dictionary.
function hashOf(salt: Buffer, secret: string | Buffer): Buffer {
  return createHmac('sha256', salt).update(secret).digest();
}

/** A fresh secret for an agent that the gateway starts. */
export function freshSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** A secret as it may be written into a site's files: `hmac-sha256$<salt>$<hash>`, both in base64url. */
export function hashedSecret(secret: string, salt = randomBytes(16)): string {
  return `hmac-sha256$${salt.toString('base64url')}$${hashOf(salt, secret).toString('base64url')}`;
}

/** Salt and hash of a hashed secret; undefined when it is none. */
function unpacked(text: string): { readonly salt: Buffer; readonly hash: Buffer } | undefined {
  const [, salt, hash] = /^hmac-sha256\$([A-Za-z0-9_-]{22})\$([A-Za-z0-9_-]{43})$/.exec(text) ?? [];
  if (salt === undefined || hash === undefined) return undefined;
  return { salt: Buffer.from(salt, 'base64url'), hash: Buffer.from(hash, 'base64url') };
}

/** The identities of the bus and their rights. An unknown name has none. */
export class Identities {
  readonly #known = new Map<string, Known>();
  /** Compared against for unknown names, so that the time taken does not tell which names exist. */
  readonly #nobody = { salt: randomBytes(16), hash: randomBytes(32) };

  get size(): number {
    return this.#known.size;
  }

  /** Adds an identity, or gives it a new secret and new rights. Throws on a name or secret that cannot be one. */
  add({ name, handsets, hasKeypads = false, ...proof }: Identity): void {
    if (!NAME.test(name)) throw new Error(`${JSON.stringify(name)} cannot be the name of an agent`);
    if ('secret' in proof && proof.secret.length < 16) {
      throw new Error(`the secret of ${name} is shorter than 16 characters`);
    }
    const known = unpacked('secret' in proof ? hashedSecret(proof.secret) : proof.secretHash);
    if (known === undefined) throw new Error(`the hash of ${name}'s secret is none: balise board agent makes one`);
    const wrong = handsets.find((handset) => !NAME.test(handset));
    if (wrong !== undefined) throw new Error(`${JSON.stringify(wrong)} cannot be the name of a handset`);
    const topics = (kinds: readonly string[]) =>
      handsets.flatMap((handset) => kinds.map((kind) => `bus/line/${handset}/${kind}`));
    this.#known.set(name, {
      ...known,
      publish: new Set([`bus/agent/${name}/health`, ...topics(hasKeypads ? ['state', 'key'] : ['state'])]),
      subscribe: new Set(topics(hasKeypads ? ['lease', 'show'] : ['lease'])),
    });
  }

  /** Whether this is the secret of this name; takes the same time whatever is wrong. */
  proves(name: string, secret: Buffer): boolean {
    const known = this.#known.get(name);
    const { salt, hash } = known ?? this.#nobody;
    return timingSafeEqual(hashOf(salt, secret), hash) && known !== undefined;
  }

  mayPublish(name: string, topic: string): boolean {
    return this.#known.get(name)?.publish.has(topic) === true;
  }

  /** Whole topics only: a filter with a wildcard is nobody's. */
  maySubscribe(name: string, filter: string): boolean {
    return this.#known.get(name)?.subscribe.has(filter) === true;
  }
}
