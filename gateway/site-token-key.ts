import { hkdfSync, randomBytes } from 'node:crypto';
import type { SiteFiles } from './config/site.js';
import { contactKey } from './store/contact-key.js';

/** Whether people sign on to work at this site. */
export const worksAt = ({ profiles }: SiteFiles): boolean =>
  profiles.some(({ signOnCode }) => signOnCode !== undefined);

/**
 * The key of the tokens that stand for numbers, base64: headquarters', or where there is none and contacts are called, one that is
 * the same at every start, so that what a callee asked for and what was used is known again. Else whatever comes.
 */
export function tokenKeyOf(files: SiteFiles): string {
  if (files.uplink !== undefined) return files.uplink.tokenKey;
  if (!worksAt(files)) return randomBytes(32).toString('base64');
  const key = hkdfSync('sha256', contactKey(files.dataFolder), Buffer.alloc(0), 'balise number tokens', 32);
  return Buffer.from(key).toString('base64');
}
