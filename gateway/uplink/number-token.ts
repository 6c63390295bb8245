import { createHmac, createSecretKey } from 'node:crypto';
import type { E164 } from '../policy/ids.js';

/** Turns called numbers into what stands for them in reports. */
export type NumberToken = (number: E164) => string;

/**
 * HMAC-SHA-256 of the E.164 form with the site's token key, base64url (43 characters). Headquarters has the same key and
 * can tell two calls to one number apart from calls to two; without the key, the few billion numbers there are cannot be tried.
 * @param tokenKey 32 bytes in base64, as in uplink.json. Throws when it is anything else.
 */
export function numberTokens(tokenKey: string): NumberToken {
  const key = Buffer.from(tokenKey, 'base64');
  if (key.length !== 32) throw new Error(`the token key has ${key.length} bytes, not 32`);
  const secret = createSecretKey(key);
  return (number) => createHmac('sha256', secret).update(number).digest('base64url');
}
