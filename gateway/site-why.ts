import { Temporal } from 'temporal-polyfill';
import type { Judge } from './calls/judge.js';
import type { CallRecord } from './calls/record.js';
import type { FactWords } from './console/api/calls.js';
import type { Decision } from './policy/decision.js';
import type { Explanation } from './policy/explain.js';
import type { DialRequest, Facts, UsageBook } from './policy/request.js';
import { inWords } from './policy/words/words.js';
import { keptOf, type RefusedSeal } from './site-refused.js';

/** What judges, and says how every rule stood. */
export interface Explainer extends Judge {
  explain(request: DialRequest, facts: Facts, at: Temporal.Instant, usage: UsageBook): Explanation;
}

interface Refused {
  readonly at: Temporal.Instant;
  readonly said: Explanation;
  readonly request: DialRequest;
}

/** Where judgements outlive this process: the store. */
export interface KeptWhys {
  keep(call: string, why: { readonly judged: Explanation['judged']; readonly asked?: Uint8Array }): void;
  of(call: string): Explanation['judged'] | undefined;
}

/** In memory, beside the disk: a disk that is short of room takes none. */
const MOST_KEPT = 500;
/** Refusals of one handset that wait for their record: it is told why before it is recorded. */
const MOST_WAITING = 4;

/**
 * Keeps how every rule stood at each refusal, as the usage and the clock were at that instant: worked out a minute later it would
 * be another answer. No number is in it; what was asked for goes to the disk sealed, so that another policy can be tried on it.
 */
export class WhyBook implements Judge {
  readonly #waiting = new Map<string, readonly Refused[]>();
  readonly #kept = new Map<string, Explanation['judged']>();
  #unexplained = 0;
  #seal: RefusedSeal | undefined;

  constructor(
    private readonly policy: Explainer,
    private readonly disk: KeptWhys,
    /** Made at the first refusal, because it makes its key where there is none. */
    private readonly makeSeal: () => RefusedSeal,
  ) {}

  judge(request: DialRequest, facts: Facts, at: Temporal.Instant, usage: UsageBook): Decision {
    const decision = this.policy.judge(request, facts, at, usage);
    if (decision.outcome === 'refusal') this.#note(request, facts, at, usage);
    return decision;
  }

  /** Refusals whose reasons could not be worked out, or not be kept; the refusals stand. */
  get unexplained(): number {
    return this.#unexplained;
  }

  /** To be told of each record: a refusal's reasons go by its call's id from then on. */
  ended({ call, handset, cause, rule, requestedAt, endedAt }: CallRecord): void {
    const waiting = this.#waiting.get(handset);
    if (waiting === undefined || cause !== 'refused') return;
    const isBetween = ({ at }: Refused): boolean =>
      Temporal.Instant.compare(at, requestedAt) >= 0 && Temporal.Instant.compare(at, endedAt) <= 0;
    const found = waiting.find((one) => isBetween(one) && ruleOf(one.said) === rule);
    if (found === undefined) return;
    const left = waiting.filter((one) => one !== found);
    if (left.length === 0) this.#waiting.delete(handset);
    else this.#waiting.set(handset, left);
    const { judged } = found.said;
    this.#kept.set(call, judged);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    const asked = this.#sealed(call, found.request);
    try {
      this.disk.keep(call, { judged, ...(asked !== undefined && { asked }) });
    } catch {
      // The call is on record; why it was refused in full is then known until the next restart.
      this.#unexplained += 1;
    }
  }

  #sealed(call: string, request: DialRequest): Uint8Array | undefined {
    try {
      this.#seal ??= this.makeSeal();
      return this.#seal.seal(call, keptOf(request));
    } catch {
      // A key file that is no key is an alarm of the work's; that refusal is judged by no other policy.
      return undefined;
    }
  }

  /** How every rule stood; undefined for what was no refusal, and for what is forgotten. */
  of(call: string): Explanation['judged'] | undefined {
    return this.#kept.get(call) ?? this.disk.of(call);
  }

  #note(request: DialRequest, facts: Facts, at: Temporal.Instant, usage: UsageBook): void {
    try {
      const said = this.policy.explain(request, facts, at, usage);
      // Handsets that are no site's could be any number of names.
      if (!this.#waiting.has(request.handset) && this.#waiting.size >= MOST_KEPT) this.#waiting.clear();
      this.#waiting.set(
        request.handset,
        [...(this.#waiting.get(request.handset) ?? []), { at, said, request }].slice(-MOST_WAITING),
      );
    } catch {
      // The refusal stands whatever becomes of its explanation, which is for people alone.
      this.#unexplained += 1;
    }
  }
}

/** The fact of the first rule that refused, in the console's languages beside English; nothing where that is not known. */
export function factWordsOf(judged: Explanation['judged'] | undefined): { readonly facts?: FactWords } {
  const fact = judged?.find(({ verdict }) => verdict === 'refuses')?.facts[0];
  return fact === undefined ? {} : { facts: { fr: inWords(fact, 'fr'), nl: inWords(fact, 'nl') } };
}

function ruleOf({ decision }: Explanation): string | undefined {
  return decision.outcome === 'refusal' ? decision.rule : undefined;
}
