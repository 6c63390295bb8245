/**
 * What seals the numbers of contacts on their way from headquarters to one gateway. Headquarters agrees on a key with the
 * gateway's own, which it has announced (X25519, RFC 7748), by a key pair that it makes for one sending; from what they share, and from the
 * token key of the site, comes the key of the batch (HKDF, RFC 5869). So whoever has the token key, as each gateway of the site
 * and all who read tokens at headquarters have, opens nothing without the gateway's data folder; and a folder alone opens nothing.
 */
import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { KEY_BYTES, NumberSeal, SealBroken } from './number-seal.js';

/** An X25519 private key as PKCS #8 has it, up to its 32 bytes (RFC 8410 §7). */
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** How a batch was sealed: to which key of the gateway, by which of headquarters; each 32 bytes, base64url. */
export interface BatchSealing {
  readonly to: string;
  readonly by: string;
}

const rawOf = (key: KeyObject): string => String(key.export({ format: 'jwk' }).x);
const publicOf = (x: string): KeyObject => createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' });

/** Made of the token key alone, for a gateway that has announced no key: any gateway of the site could open it. */
export function batchSeal(tokenKey: string, gatewayId: string): NumberSeal {
  return sealOf(Buffer.from(tokenKey, 'base64'), Buffer.alloc(0), `balise batch ${gatewayId}`);
}

function sealOf(secret: Buffer, salt: Buffer, label: string): NumberSeal {
  return new NumberSeal(Buffer.from(hkdfSync('sha256', secret, salt, label, KEY_BYTES)), 'batch');
}

function agreed(tokenKey: string, gatewayId: string, mine: KeyObject, other: KeyObject, sealing: BatchSealing) {
  const shared = diffieHellman({ privateKey: mine, publicKey: other });
  const label = `balise batch ${gatewayId} to ${sealing.to} by ${sealing.by}`;
  return sealOf(shared, Buffer.from(tokenKey, 'base64'), label);
}

/** The seal of one sending to a gateway's key, and what the gateway must know to open it. Throws when it is no key. */
export function sealTo(
  tokenKey: string,
  gatewayId: string,
  to: string,
): { readonly seal: NumberSeal; readonly sealing: BatchSealing } {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  const sealing = { to, by: rawOf(publicKey) };
  return { seal: agreed(tokenKey, gatewayId, privateKey, publicOf(to), sealing), sealing };
}

/** A gateway's own key for batches, made of its data folder's, so that there is no other file to lose. */
export class BatchKey {
  readonly #own: KeyObject;
  /** What headquarters seals to: 32 bytes, base64url. */
  readonly announced: string;

  /**
   * @param tokenKey 32 bytes in base64, as in uplink.json. @param gatewayId `<site>/<gateway>`.
   * @param folderKey 32 bytes, of the data folder.
   */
  constructor(
    private readonly tokenKey: string,
    private readonly gatewayId: string,
    folderKey: Buffer,
  ) {
    const raw = Buffer.from(hkdfSync('sha256', folderKey, Buffer.alloc(0), 'balise batch key', KEY_BYTES));
    this.#own = createPrivateKey({ key: Buffer.concat([PKCS8, raw]), format: 'der', type: 'pkcs8' });
    this.announced = rawOf(createPublicKey(this.#own));
  }

  /** What opens a batch; `sealing` absent: headquarters knew no key of this gateway. Throws `SealBroken`. */
  sealOf(sealing: BatchSealing | undefined): NumberSeal {
    if (sealing === undefined) return batchSeal(this.tokenKey, this.gatewayId);
    try {
      return agreed(this.tokenKey, this.gatewayId, this.#own, publicOf(sealing.by), sealing);
    } catch (fault) {
      throw new SealBroken(`headquarters’ key of this batch is none: ${(fault as Error).message}`);
    }
  }
}
