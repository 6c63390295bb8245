/**
 * Policy's judgement of a call to a contact. The number is opened for the judgement and goes no further: the grant bears the
 * token that stands for it in journal, ledger and reports. What was used is counted by both, since the same number may have been
 * called as a contact and as any other.
 */
import type { Temporal } from 'temporal-polyfill';
import type { Campaign, Person } from '../../config/schema/types.generated.js';
import type { Judge } from '../calls/judge.js';
import type { Decision, Grant, Refusal, RuleId } from '../policy/decision.js';
import type { E164, HandsetId, TrunkId } from '../policy/ids.js';
import type { ContactFacts, DialRequest, Facts, PastCall, Subject, UsageBook, UsageCount } from '../policy/request.js';

/** A contact that is being called, as far as judging it needs. */
export interface AskedContact {
  readonly campaign: Campaign;
  /** Who calls; the person's hours and limits hold too. */
  readonly person?: Person | undefined;
  readonly contact?: ContactFacts;
  /** The zone that it is known to be in. */
  readonly calleeZone?: string;
}

export interface ContactJudgeParts {
  readonly judge: Judge;
  /** Throws when it cannot be opened. */
  readonly numberOf: (dialled: string) => E164;
  /** By what its call has dialled; undefined when the desk knows of no such call. */
  readonly asked: (dialled: string) => AskedContact | undefined;
  readonly numberToken: (number: E164) => string;
  /** How long the desk listens after a handset's hours; absent: no longer than they last. */
  readonly wrapUpAt?: (handset: HandsetId) => NonNullable<DialRequest['wrapUp']>;
}

const refusal = (rule: RuleId, fact: string): Refusal => ({ outcome: 'refusal', rule, fact, sipStatus: 503 });

export class ContactJudge implements Judge {
  constructor(private readonly parts: ContactJudgeParts) {}

  judge(request: DialRequest, facts: Facts, at: Temporal.Instant, usage: UsageBook): Decision {
    const { judge, numberOf, asked } = this.parts;
    const counted = countedByBoth(usage, this.parts.numberToken);
    if (request.desk === true) {
      const wrapUp = this.parts.wrapUpAt?.(request.handset);
      return judge.judge({ ...request, ...(wrapUp !== undefined && { wrapUp }) }, facts, at, counted);
    }
    if (request.isContact !== true) return judge.judge(request, facts, at, counted);
    const contact = asked(request.dialled);
    if (contact === undefined) return refusal('fault.store', 'the work desk knows of no such contact');
    const { person: who } = contact;
    if (who?.handsets.includes(request.handset) === false)
      return { ...refusal('window.person', `${who.id} may not work at ${request.handset}`), sipStatus: 403 };
    let number: E164;
    try {
      number = numberOf(request.dialled);
    } catch {
      return refusal('fault.store', 'the number of this contact does not open');
    }
    const { calleeZone, campaign, person, contact: tried } = contact;
    const opened = {
      ...{ ...request, dialled: number, campaign },
      ...(person !== undefined && { personFacts: person }),
      ...(tried !== undefined && { contact: tried }),
      ...(calleeZone !== undefined && { calleeZone }),
    };
    const decision = judge.judge(opened, facts, at, counted);
    if (decision.outcome === 'refusal') return decision;
    const within = withinCampaign(decision, campaign);
    // The token in the number's place.
    return within.outcome === 'refusal' ? within : { ...within, number: this.parts.numberToken(within.number) as E164 };
  }
}

/** A grant as far as a campaign lets it go; a refusal where the handset may not use the campaign's trunk. */
export function withinCampaign(grant: Grant, campaign: Campaign): Decision {
  const trunks = grant.trunks.filter((trunk) => trunk === (campaign.trunk as TrunkId));
  if (trunks.length === 0)
    return refusal('fault.signalling', `this handset may not use the trunk of the campaign ${campaign.id}`);
  const mostMs = campaign.maxTalkS * 1_000;
  return {
    ...grant,
    trunks,
    callerIdentity: campaign.callerIdentity ?? grant.callerIdentity,
    ringMs: Math.min(grant.ringMs, campaign.ringS * 1_000),
    ...(mostMs < grant.maxTalkMs && { maxTalkMs: mostMs, maxTalkBy: 'max-talk' as const }),
    warningsS: campaign.warningsS,
    // A carrier's announcement may speak the number.
    earlyMedia: false,
  };
}

/** The ledger asked of a number by itself and by its token, under which the calls of contacts are. */
export function countedByBoth(usage: UsageBook, numberToken: (number: E164) => string): UsageBook {
  const token = (subject: Subject): Subject => ({ kind: 'number', id: numberToken(subject.id as E164) });
  return {
    used: (subject, sinceMs) => {
      const own = usage.used(subject, sinceMs);
      return subject.kind === 'number' ? sum(own, usage.used(token(subject), sinceMs)) : own;
    },
    callsSince: (subject, sinceMs) => {
      const own = usage.callsSince(subject, sinceMs);
      return subject.kind === 'number' ? inOrder(own, usage.callsSince(token(subject), sinceMs)) : own;
    },
  };
}

function sum(a: UsageCount, b: UsageCount): UsageCount {
  const last = [a.lastEndedAt, b.lastEndedAt]
    .filter((at) => at !== undefined)
    .reduce<Temporal.Instant | undefined>(
      (newest, at) => (newest === undefined || at.epochNanoseconds > newest.epochNanoseconds ? at : newest),
      undefined,
    );
  return {
    attempts: a.attempts + b.attempts,
    calls: a.calls + b.calls,
    talkMs: a.talkMs + b.talkMs,
    live: a.live + b.live,
    liveTalkMs: a.liveTalkMs + b.liveTalkMs,
    ...(last !== undefined && { lastEndedAt: last }),
  };
}

const inOrder = (a: readonly PastCall[], b: readonly PastCall[]): readonly PastCall[] =>
  b.length === 0 ? a : [...a, ...b].sort((one, other) => one.startedMs - other.startedMs);
