import { readFileSync } from 'node:fs';
import type { CallingHours } from '../../config/schema/types.generated.js';
import { readCallingHours } from '../../gateway/config/calling-hours.js';
import { programData } from '../../gateway/config/paths.js';
import type { ZoneTables } from '../../gateway/policy/number-zones.js';
import { type CompiledPolicy, compilePolicy } from '../../gateway/policy/policy.js';
import { inputOf, type PolicyParts } from './sample-policy.js';

const read = (name: string): unknown => JSON.parse(readFileSync(programData(name), 'utf8'));

export const COUNTRIES = (read('number-zones.json') as Pick<ZoneTables, 'countries'>).countries;
export const PREFIXES = read('number-prefixes.json') as Required<Omit<ZoneTables, 'countries'>> & {
  readonly source: string;
};
export const ON_FILE: readonly CallingHours[] = readCallingHours('/nowhere').hours;

/** A site that may call anybody, under the hours and the zones that the program comes with. */
export function realPolicy(parts?: PolicyParts): CompiledPolicy {
  if (parts !== undefined) return compiled(parts);
  // Its tables and holidays take longer to read than most tests.
  plain ??= compiled({});
  return plain;
}

let plain: CompiledPolicy | undefined;

function compiled(parts: PolicyParts): CompiledPolicy {
  const profile = {
    allow: ['1', '2', '3', '4', '5', '6', '7', '8', '9'].map((digit) => `+${digit}*`),
    ...parts.profile,
  };
  const input = inputOf({ callingHours: ON_FILE, zonesOf: COUNTRIES, ...parts, profile });
  return compilePolicy({ ...input, prefixZones: PREFIXES });
}
