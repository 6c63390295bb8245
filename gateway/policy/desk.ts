/**
 * A call to the gateway's own work desk: nobody is called, so of all rules those of the clock, the policy, the lockdowns, the
 * handset, its wire and its hours judge it. Its grant is a lease like any other, until the first of those hours ends, and for as
 * long after it as it takes to say how a call went.
 */
import { Temporal } from 'temporal-polyfill';
import { type Case, caseOf, lockdownsOf } from './case.js';
import type { Decision, EndsBy, RuleId } from './decision.js';
import { ALWAYS, type Stretch } from './hours.js';
import type { E164 } from './ids.js';
import { JUDGEMENT } from './judgement.js';
import type { CompiledPolicy } from './policy.js';
import { type DialRequest, type Facts, UNUSED } from './request.js';
import { inWords } from './words/words.js';
import { DAY_MS } from './zone-clock.js';

/** The rules that speak of whoever is called, or of somebody who has signed on already. */
const OF_CALLEES = /^(dial|number|dnc|contact|limit|holiday)\.|^window\.(callee|campaign)$|^person\.not-signed-on$/;
const isOfHours = (id: RuleId): boolean => /^window\.(site|wing|handset)$/.test(id);
const isOfCallees = (id: RuleId): boolean => OF_CALLEES.test(id);
const DESK_RULES = JUDGEMENT.filter(({ id }) => !isOfCallees(id));
/** What stands where a call has its number. */
const NO_NUMBER = '' as E164;

/** Judges a handset's call to the desk: pure, the first refusal wins. */
export function decideDesk(policy: CompiledPolicy, facts: Facts, request: DialRequest, at: Temporal.Instant): Decision {
  const c = caseOf(policy, UNUSED, facts, request, at.epochMilliseconds);
  for (const { id, judge } of DESK_RULES) {
    const objection = judge(c);
    if (objection === undefined || (isOfHours(id) && keptMs(c) > c.atMs)) continue;
    const { rule, fact, status, passesFrom } = objection;
    return {
      outcome: 'refusal',
      rule: rule ?? id,
      fact: inWords(fact),
      sipStatus: status,
      ...(passesFrom !== undefined && { nextAllowed: Temporal.Instant.fromEpochMilliseconds(passesFrom) }),
    };
  }
  const { handset } = c;
  if (handset === undefined) throw new Error('a rule of judgement is missing');
  const { profile } = handset;
  const { by, atMs } = firstEnd(c);
  return {
    outcome: 'grant',
    handset: handset.id,
    wing: handset.wing,
    ...(request.person !== undefined && { person: request.person }),
    number: NO_NUMBER,
    calleeZones: [],
    notAfter: Temporal.Instant.fromEpochMilliseconds(atMs),
    maxTalkMs: atMs - c.atMs,
    notAfterBy: by,
    maxTalkBy: by,
    trunks: [],
    callerIdentity: '',
    ringMs: profile.ringS * 1000,
    warningsS: [],
    earlyMedia: false,
    digitsAllowed: '',
    controllerLost: profile.controllerLost,
    hookRequired: profile.hookRequired,
  };
}

function firstEnd(c: Case): { readonly by: EndsBy; readonly atMs: number } {
  let first: { readonly by: EndsBy; readonly atMs: number } = { by: 'max-talk', atMs: c.atMs + DAY_MS };
  const earlier = (by: EndsBy, atMs: number): void => {
    if (atMs < first.atMs) first = { by, atMs };
  };
  for (const level of ['site', 'wing', 'handset'] as const)
    earlier(`window.${level}`, listensTo(c, (c.handset?.levels.get(level)?.hours ?? ALWAYS).stretchAt(c.atMs)));
  earlier('policy', c.facts.policy?.is === 'good' ? c.facts.policy.expiresMs : Number.POSITIVE_INFINITY);
  for (const { from } of lockdownsOf(c))
    if (from.epochMilliseconds > c.atMs) earlier('lockdown', from.epochMilliseconds);
  return first;
}

/** Until when the desk listens to somebody whose time is over, epoch milliseconds. */
const keptMs = ({ request: { wrapUp } }: Case): number => wrapUp?.untilMs ?? Number.NEGATIVE_INFINITY;

const listensTo = (c: Case, { isOpen, to }: Stretch): number =>
  isOpen ? to + (c.request.wrapUp?.forMs ?? 0) : keptMs(c);
