import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { siteFolderOf } from './gateway-client.js';

/** How every command says which site it is about, for its help. */
export const SITE_HELP = "the site's folder; default $BALISE_SITE, or /etc/balise/site";

/**
 * The site's folder and the words that are about it. The folder is that of --site; without the option it may be the first
 * word, as it always could: it is, where there is a word more than the command wants, and where it looks like one.
 * Throws a `UsageFault` when no site is named and there is none in its usual place.
 * @param wanted How many words the command wants beside the folder, at the most.
 */
export function siteAnd(
  named: string | undefined,
  words: readonly string[],
  wanted: number,
): { readonly folder: string; readonly rest: readonly string[] } {
  const [first, ...others] = words;
  if (named !== undefined || first === undefined) return { folder: siteFolderOf(named), rest: words };
  const isFolder = words.length > wanted || existsSync(join(first, 'site.json'));
  return isFolder ? { folder: first, rest: others } : { folder: siteFolderOf(undefined), rest: words };
}
