import { Temporal } from 'temporal-polyfill';
import { type Case, caseOf } from './case.js';
import type { Decision, Refusal, RuleId } from './decision.js';
import type { Objection } from './facts.js';
import { grantOf } from './grant.js';
import { RULE_GROUPS, type RuleGroup } from './judgement.js';
import { firstPass } from './openings.js';
import type { CompiledPolicy } from './policy.js';
import type { DialRequest, Facts, UsageBook } from './request.js';
import { inWords } from './words/words.js';

/** Judges a request: pure, the first refusal wins, else a grant until the end of the narrowest window. */
export function decide(
  policy: CompiledPolicy,
  usage: UsageBook,
  facts: Facts,
  request: DialRequest,
  at: Temporal.Instant,
): Decision {
  return decideCase(caseOf(policy, usage, facts, request, at.epochMilliseconds));
}

/** Each group of rules with those that come after it. */
const FROM: ReadonlyMap<RuleGroup, readonly RuleGroup[]> = new Map(
  RULE_GROUPS.map((group, index) => [group, RULE_GROUPS.slice(index)]),
);

/** The same of a case that is made already. */
export function decideCase(c: Case): Decision {
  for (const group of RULE_GROUPS) {
    if (group.isMoot?.(c) === true) continue;
    for (const rule of group.rules) {
      const objection = rule.judge(c);
      if (objection === undefined) continue;
      // The rules before these were asked, and have no objection.
      const next = objection.passesFrom === undefined ? undefined : firstPass(c, FROM.get(group));
      return refusal(rule.id, objection, next);
    }
  }
  const { handset, asked, place } = c;
  // Each of the three has a rule of its own that refuses without it.
  if (handset === undefined || !asked.ok || place === undefined) throw new Error('a rule of judgement is missing');
  return grantOf(c, handset, asked.number, place);
}

function refusal(id: RuleId, { rule, fact, status }: Objection, nextMs: number | undefined): Refusal {
  return {
    outcome: 'refusal',
    rule: rule ?? id,
    fact: inWords(fact),
    sipStatus: status,
    ...(nextMs !== undefined && { nextAllowed: Temporal.Instant.fromEpochMilliseconds(nextMs) }),
  };
}

/** Whether a handset's own windows are open, whoever it would call: what the standing lease of its line rests on. */
export function mayCallAtAll(policy: CompiledPolicy, id: string, at: Temporal.Instant): boolean {
  const handset = policy.handsets.get(id);
  return handset?.enabled === true && handset.own.hours.stretchAt(at.epochMilliseconds).isOpen;
}
