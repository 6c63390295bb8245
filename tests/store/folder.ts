import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { openStore } from '../../gateway/store/open.js';
import type { Store, StoreOptions } from '../../gateway/store/store.js';
import { StillClock, silent } from './samples.js';

/** A folder that goes with the test. */
export function aFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'balise-store-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A store that is closed with the test. */
export function aStore(t: Test, part: Partial<StoreOptions> = {}): Store {
  const store = openStore({
    folder: part.folder ?? aFolder(t),
    clock: new StillClock(),
    gatewayId: 'demo/gw-1',
    bootId: 'boot-1',
    log: silent,
    ...part,
  });
  t.teardown(() => store.close());
  return store;
}
