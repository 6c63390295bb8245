import { hkdfSync } from 'node:crypto';
import { KEY_BYTES, NumberSeal } from './number-seal.js';

/**
 * What seals the numbers of contacts on their way to one gateway: made of the token key that its site shares with headquarters
 * (HKDF, RFC 5869), for that gateway alone, so that no other gateway's key opens them.
 * @param tokenKey 32 bytes in base64, as in uplink.json. @param gatewayId `<site>/<gateway>`.
 */
export function batchSeal(tokenKey: string, gatewayId: string): NumberSeal {
  const key = Buffer.from(tokenKey, 'base64');
  return new NumberSeal(
    Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `balise batch ${gatewayId}`, KEY_BYTES)),
    'batch',
  );
}
