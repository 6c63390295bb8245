import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CallingHours } from '../../config/schema/types.generated.js';
import { type Fault, quoted } from './fault.js';
import { placeOf, walkJson } from './json-text.js';
import { programData } from './paths.js';
import { breaches } from './schema-faults.js';
import { validatorOf } from './schemas.js';
import { deepFreeze } from './sound.js';

/**
 * The calling hours on file, by country: the program's, and those in the site's own folder in their place.
 * Every fault of every file is told.
 */
export function readCallingHours(siteFolder: string): {
  readonly hours: readonly CallingHours[];
  readonly faults: readonly Fault[];
} {
  const own = join(siteFolder, 'calling-hours');
  const byCountry = new Map<string, CallingHours>();
  const faults: Fault[] = [];
  for (const folder of [programData('calling-hours'), ...(existsSync(own) ? [own] : [])]) {
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.json'))) {
      const read = readFileOf(folder, name);
      if ('faults' in read) faults.push(...read.faults);
      else byCountry.set(read.country, read);
    }
  }
  return { hours: [...byCountry.values()], faults };
}

function readFileOf(folder: string, name: string): CallingHours | { readonly faults: readonly Fault[] } {
  const file = join('calling-hours', name);
  const text = readFileSync(join(folder, name), 'utf8');
  const { mistake } = walkJson(text);
  if (mistake !== undefined) {
    const { offset, found, expected } = mistake;
    return { faults: [{ file, pointer: '', found, expected, hint: 'mend it here', ...placeOf(text, offset) }] };
  }
  const value: unknown = JSON.parse(text);
  const validate = validatorOf('calling-hours');
  if (!validate(value)) return { faults: breaches(validate.errors ?? []).map((breach) => ({ file, ...breach })) };
  const hours = deepFreeze(value as CallingHours);
  if (name === `${hours.country}.json`) return hours;
  const expected = `the country that the file is named for, ${name.slice(0, -'.json'.length)}`;
  const hint = 'rename the file, or correct the country';
  return { faults: [{ file, pointer: '/country', found: quoted(hours.country, 'country'), expected, hint }] };
}
