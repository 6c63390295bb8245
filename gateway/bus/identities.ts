import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Who may connect, and for which handsets' lines. */
export interface Identity {
  /** User name and MQTT client id at once: no identity can take another's place. */
  readonly name: string;
  /** At least 16 characters, of random origin. It is kept as a salted hash only. */
  readonly secret: string;
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

/** The identities of the bus and their rights. An unknown name has none. */
export class Identities {
  readonly #known = new Map<string, Known>();
  /** Compared against for unknown names, so that the time taken does not tell which names exist. */
  readonly #nobody = { salt: randomBytes(16), hash: randomBytes(32) };

  get size(): number {
    return this.#known.size;
  }

  /** Adds an identity, or gives it a new secret and new rights. Throws on a name or secret that cannot be one. */
  add({ name, secret, handsets, hasKeypads = false }: Identity): void {
    if (!NAME.test(name)) throw new Error(`${JSON.stringify(name)} cannot be the name of an agent`);
    if (secret.length < 16) throw new Error(`the secret of ${name} is shorter than 16 characters`);
    const wrong = handsets.find((handset) => !NAME.test(handset));
    if (wrong !== undefined) throw new Error(`${JSON.stringify(wrong)} cannot be the name of a handset`);
    const salt = randomBytes(16);
    const topics = (kinds: readonly string[]) =>
      handsets.flatMap((handset) => kinds.map((kind) => `bus/line/${handset}/${kind}`));
    this.#known.set(name, {
      salt,
      hash: hashOf(salt, secret),
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
