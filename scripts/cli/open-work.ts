import { readFileSync } from 'node:fs';
import type { ErrorObject } from 'ajv/dist/2020.js';
import { readBootId, systemClock } from '../../gateway/clock/system-clock.js';
import { breaches } from '../../gateway/config/schema-faults.js';
import { validatorOf } from '../../gateway/config/schemas.js';
import type { SiteFiles } from '../../gateway/config/site.js';
import { contactKey } from '../../gateway/store/contact-key.js';
import { StoreFault } from '../../gateway/store/fault.js';
import { openStore } from '../../gateway/store/open.js';
import type { Store } from '../../gateway/store/store.js';
import { NumberSeal } from '../../gateway/work/number-seal.js';
import { UsageFault } from './command.js';

export const clock = systemClock(() => ({ trusted: true }));
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Runs something with a site's store open, beside a gateway that may be running. */
export async function withStore<T>({ site, dataFolder }: SiteFiles, run: (store: Store) => Promise<T> | T): Promise<T> {
  const gatewayId = `${site.site}/${site.gateway}`;
  const store = openStore({ folder: dataFolder, clock, gatewayId, bootId: readBootId(), log: silent });
  try {
    return await run(store);
  } finally {
    store.close();
  }
}

/** The seal of a site's contacts. Throws a `StoreFault` when the key is not the one that they are sealed under. */
export function sealOf({ dataFolder }: SiteFiles, store: Store): NumberSeal {
  const seal = new NumberSeal(contactKey(dataFolder));
  if (store.work.isKey(seal.fingerprint())) return seal;
  throw new StoreFault(
    'store.corrupt',
    dataFolder,
    'contacts.key is not the key under which the contacts here are sealed',
    'put the right key back, or restore key and database together',
  );
}

/** A value checked by one of the schemas, its defaults filled in. Throws a `UsageFault` that says all that is wrong. */
export function checked<T>(schema: string, value: unknown, from: string): T {
  const validate = validatorOf(schema);
  if (validate(value)) return value as T;
  const said = breaches((validate.errors ?? []) as ErrorObject[]).map(
    ({ pointer, found, expected, hint }) => `${pointer || '/'}: found ${found}, expected ${expected}; ${hint}`,
  );
  throw new UsageFault(`${from}:\n  ${said.join('\n  ')}`);
}

/** A JSON file's value. Throws a `UsageFault` when there is none. */
export function jsonFile(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (fault) {
    throw new UsageFault(`${file}: ${fault instanceof Error ? fault.message : String(fault)}`);
  }
}
