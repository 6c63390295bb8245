import { readFileSync } from 'node:fs';
import type { Temporal } from 'temporal-polyfill';
import type { Judge } from './calls/judge.js';
import { programData } from './config/paths.js';
import type { SiteFiles } from './config/site.js';
import { ListShelf, listFolder } from './do-not-call/shelf.js';
import { decide, mayCallAtAll } from './policy/decide.js';
import type { Decision } from './policy/decision.js';
import { type Explanation, explain } from './policy/explain.js';
import type { HandsetId } from './policy/ids.js';
import type { ZoneTables } from './policy/number-zones.js';
import { type CompiledPolicy, compilePolicy } from './policy/policy.js';
import type { DialRequest, Facts, UsageBook } from './policy/request.js';

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** The policy in force at a site, as `calls` and the line plane ask it. */
export class SitePolicy implements Judge {
  readonly #compiled: CompiledPolicy;
  readonly #lists: ListShelf;

  /** @param onFault something that policy rests on cannot be used. */
  constructor(files: SiteFiles, onFault: (code: string, why: string) => void = () => undefined) {
    this.#lists = new ListShelf(listFolder(files.dataFolder), (list, why) =>
      onFault('dnc.unusable', `do-not-call list ${list}: ${why}`),
    );
    const { countries } = readJson(programData('number-zones.json')) as Pick<ZoneTables, 'countries'>;
    const prefixZones = readJson(programData('number-prefixes.json')) as Omit<ZoneTables, 'countries'>;
    this.#compiled = compilePolicy({
      ...files,
      zonesOf: countries,
      prefixZones,
    });
  }

  judge(request: DialRequest, facts: Facts, at: Temporal.Instant, usage: UsageBook): Decision {
    return decide(this.#compiled, usage, this.#with(facts), request, at);
  }

  /** Takes what is replaced on disk while calls run; `onChanged` then has the live ones judged again. */
  watch(onChanged: () => void): void {
    this.#lists.watch(onChanged);
  }

  close(): void {
    this.#lists.close();
  }

  #with(facts: Facts): Facts {
    return { ...facts, doNotCall: this.#lists };
  }

  /** The same request judged by every rule, with what each says. */
  explain(request: DialRequest, facts: Facts, at: Temporal.Instant, usage: UsageBook): Explanation {
    return explain(this.#compiled, usage, this.#with(facts), request, at);
  }

  /** Whether a handset may call anybody at all now: what its line's standing lease rests on. */
  mayCall(handset: HandsetId, at: Temporal.Instant): boolean {
    return mayCallAtAll(this.#compiled, handset, at);
  }
}
