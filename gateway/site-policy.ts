import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Temporal } from 'temporal-polyfill';
import type { Judge } from './calls/judge.js';
import { programData } from './config/paths.js';
import type { SiteFiles } from './config/site.js';
import type { CallingHours } from './policy/callee-hours.js';
import { decide, mayCallAtAll } from './policy/decide.js';
import type { Decision } from './policy/decision.js';
import type { HandsetId } from './policy/ids.js';
import { type CompiledPolicy, compilePolicy } from './policy/policy.js';
import type { DialRequest, Facts, UsageBook } from './policy/request.js';

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** The calling hours on file, those in the site's own folder in place of the program's. */
function callingHours(siteFolder: string): readonly CallingHours[] {
  const own = join(siteFolder, 'calling-hours');
  const folders = [programData('calling-hours'), ...(existsSync(own) ? [own] : [])];
  const byCountry = new Map<string, CallingHours>();
  for (const folder of folders) {
    for (const name of readdirSync(folder)) {
      if (!name.endsWith('.json')) continue;
      const hours = readJson(join(folder, name)) as CallingHours;
      byCountry.set(hours.country, hours);
    }
  }
  return [...byCountry.values()];
}

/** The policy in force at a site, as `calls` and the line plane ask it. */
export class SitePolicy implements Judge {
  readonly #compiled: CompiledPolicy;

  constructor(files: SiteFiles) {
    const zonesOf = readJson(programData('number-zones.json')) as { readonly countries: Record<string, string[]> };
    this.#compiled = compilePolicy({
      ...files,
      callingHours: callingHours(files.folder),
      zonesOf: zonesOf.countries,
    });
  }

  judge(request: DialRequest, facts: Facts, at: Temporal.Instant, usage: UsageBook): Decision {
    return decide(this.#compiled, usage, facts, request, at);
  }

  /** Whether a handset may call anybody at all now: what its line's standing lease rests on. */
  mayCall(handset: HandsetId, at: Temporal.Instant): boolean {
    return mayCallAtAll(this.#compiled, handset, at);
  }
}
