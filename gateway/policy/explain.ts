import type { Temporal } from 'temporal-polyfill';
import { type Case, caseOf, hoursOfLevel, placesOf } from './case.js';
import { decideCase } from './decide.js';
import type { Decision, RuleId } from './decision.js';
import type { Fact, OwnLevel } from './facts.js';
import { JUDGEMENT } from './judgement.js';
import { tightestTalk, usesOf } from './limit-rules.js';
import { localTime } from './local-time.js';
import type { CompiledPolicy } from './policy.js';
import type { DialRequest, Facts, UsageBook } from './request.js';

/** One rule's part in an explanation: its objection, or what it has to note. */
export interface Judged {
  readonly rule: RuleId;
  readonly verdict: 'passes' | 'refuses';
  readonly facts: readonly Fact[];
}

export interface Explanation {
  readonly judged: readonly Judged[];
  readonly decision: Decision;
  /** Of several limits the one that bounds the talk of a grant (`maxTalkBy: limit.talk`), and what is left of it. */
  readonly binding?: Fact;
}

/** Every rule judged, in order, whatever an earlier one said, and what is decided of it. */
export function explain(
  policy: CompiledPolicy,
  usage: UsageBook,
  facts: Facts,
  request: DialRequest,
  at: Temporal.Instant,
): Explanation {
  const c = caseOf(policy, usage, facts, request, at.epochMilliseconds);
  const judged = JUDGEMENT.map(({ id, judge }): Judged => {
    const objection = judge(c);
    return objection === undefined
      ? { rule: id, verdict: 'passes', facts: notesOf(c, id) }
      : { rule: objection.rule ?? id, verdict: 'refuses', facts: [objection.fact] };
  });
  const decision = decideCase(c);
  const isBound = decision.outcome === 'grant' && decision.maxTalkBy === 'limit.talk';
  const binding = isBound ? tightestTalk(c) : undefined;
  return { judged, decision, ...(binding !== undefined && { binding }) };
}

/** What a rule that passes has to say: until when it is open, what is used of a limit. */
function notesOf(c: Case, rule: RuleId): readonly Fact[] {
  const [family, name] = rule.split('.') as [string, string];
  if (family === 'limit' && (name === 'attempts' || name === 'calls' || name === 'talk')) return usesOf(c, name);
  if (rule === 'window.callee') return calleeNotes(c);
  if (family !== 'window') return [];
  const { to } = hoursOfLevel(c, name as OwnLevel).stretchAt(c.atMs);
  if (!Number.isFinite(to)) return [];
  const { zone } = c.policy;
  return [{ is: 'open', now: localTime(zone, c.atMs, c.atMs), until: localTime(zone, to, c.atMs) }];
}

function calleeNotes(c: Case): readonly Fact[] {
  const { place, atMs } = c;
  const zone = place?.zones[0];
  if (place === undefined || zone === undefined) return [];
  const until = localTime(zone, Math.min(...placesOf(c).map(({ hours }) => hours.stretchAt(atMs).to)), atMs);
  return [{ is: 'zones', zones: place.zones, now: localTime(zone, atMs, atMs), until }];
}
