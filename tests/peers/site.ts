import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type SiteParts, writeSite } from '../../scripts/peers/site.js';

export * from '../../scripts/peers/site.js';

/** A site of `writeSite` in a temporary folder of the test's own. */
export function makeSite(t: Test, trunkPort: number, parts: SiteParts = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'balise-system-'));
  writeSite(folder, trunkPort, parts);
  t.teardown(() => {
    // A failed test keeps its site, with the gateway's log in it, to be looked at.
    if (t.passing()) rmSync(folder, { recursive: true, force: true });
    else t.comment(`the site and its log are kept in ${folder}`);
  });
  return folder;
}
