import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { loadSite, type SiteFiles } from '../../gateway/config/site.js';
import { signBundle } from '../../gateway/policy-bundle/bundle.js';
import { newSigningKey, type SigningKey } from '../../scripts/headquarters/sign-command.js';
import { type Json, SiteFolder } from '../config/site-folder.js';

export interface SignedSite {
  readonly folder: SiteFolder;
  readonly keys: readonly SigningKey[];
  files(): Promise<SiteFiles>;
  /** The folder's own policy as a bundle of a version, changed by `change`, signed by the first `signers` keys. */
  bundle(version: number, signers: number, change?: (payload: Json) => void): Promise<string>;
}

/** A copy of the demo site that takes its policy from bundles, with two keys that may sign. */
export async function signedSite(t: Test): Promise<SignedSite> {
  const folder = await SiteFolder.make();
  t.teardown(() => folder.remove());
  const pairs = await Promise.all(['one', 'two'].map((kid) => newSigningKey(kid)));
  await folder.edit('site', (site) => {
    site.policy = { keys: pairs.map(({ publicJwk }) => publicJwk) };
  });
  const keys = pairs.map(({ privateJwk }) => privateJwk);
  const json = async (name: string): Promise<Json> =>
    JSON.parse(await readFile(join(folder.path, `${name}.json`), 'utf8'));
  return {
    folder,
    keys,
    files: () => loadSite(folder.path),
    bundle: async (version, signers, change = () => undefined) => {
      const content = { profiles: await json('profiles'), lists: await json('lists') };
      const payload = { site: 'demo', version, validFrom: '2026-01-01T00:00:00Z', validOfflineH: 72, content };
      change(payload);
      let text = '';
      for (const key of keys.slice(0, signers))
        text = await signBundle(Buffer.from(JSON.stringify(payload)), key, text);
      return text;
    },
  };
}
