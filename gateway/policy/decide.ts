import { Temporal } from 'temporal-polyfill';
import type { Decision, EndsBy, Grant, Refusal, RuleId } from './decision.js';
import type { E164 } from './ids.js';
import type { Normal } from './number.js';
import type { CompiledHandset, CompiledPolicy } from './policy.js';
import type { DialRequest, Facts, Lockdown, Usage } from './request.js';
import { ALWAYS, meet, type Span, spanAt } from './spans.js';
import { DAY_MS, ZoneClock } from './zone-clock.js';

/** What must be looked up before a request can be decided. */
export interface Prepared {
  readonly number?: E164;
  /** The beginning of the day by which the handset's quotas are counted: midnight in the site's zone. */
  readonly dayStart: Temporal.Instant;
}

/** A ruling of one rule: it has no objection, or it refuses. */
type Verdict =
  | { readonly fact: string; readonly status: number; readonly nextAllowed?: number; readonly rule?: RuleId }
  | undefined;

interface Case {
  readonly policy: CompiledPolicy;
  readonly usage: Usage;
  readonly facts: Facts;
  readonly request: DialRequest;
  readonly atMs: number;
  readonly handset: CompiledHandset | undefined;
  readonly asked: Normal;
}

interface Rule {
  readonly id: RuleId;
  readonly judge: (c: Case) => Verdict;
}

/** One rule's part in an explanation. */
export interface Judged {
  readonly rule: RuleId;
  readonly verdict: 'passes' | 'refuses';
  readonly fact: string;
}

export function prepare(policy: CompiledPolicy, request: DialRequest, at: Temporal.Instant): Prepared {
  const asked = read(policy, policy.handsets.get(request.handset), request.dialled);
  return {
    dayStart: Temporal.Instant.fromEpochMilliseconds(dayStartMs(policy.zone, at.epochMilliseconds)),
    ...(asked.ok && { number: asked.number }),
  };
}

function dayStartMs(zone: string, atMs: number): number {
  const clock = ZoneClock.of(zone);
  return clock.instantOf(clock.dayAt(atMs) * DAY_MS, 'closes');
}

/** The digits of a dial string as a handset would key them. */
function keyed(dialled: string): string {
  const user = /^sips?:([^@;]*)@/i.exec(dialled)?.[1] ?? dialled;
  return user;
}

function read(policy: CompiledPolicy, handset: CompiledHandset | undefined, dialled: string): Normal {
  const token = handset?.profile.tokens[keyed(dialled)];
  return policy.numbers.read(token ?? dialled);
}

/** Judges a request: pure, the first refusal wins, else a grant until the end of the narrowest window. */
export function decide(
  policy: CompiledPolicy,
  usage: Usage,
  facts: Facts,
  request: DialRequest,
  at: Temporal.Instant,
): Decision {
  const c = caseOf(policy, usage, facts, request, at);
  for (const rule of JUDGEMENT) {
    const verdict = rule.judge(c);
    if (verdict !== undefined) return refusal(rule.id, verdict);
  }
  return grant(c);
}

/** Every rule judged, in order, whatever an earlier one said. */
export function explain(
  policy: CompiledPolicy,
  usage: Usage,
  facts: Facts,
  request: DialRequest,
  at: Temporal.Instant,
): Judged[] {
  const c = caseOf(policy, usage, facts, request, at);
  return JUDGEMENT.map(({ id, judge }) => {
    const verdict = judge(c);
    return {
      rule: verdict?.rule ?? id,
      verdict: verdict === undefined ? 'passes' : 'refuses',
      fact: verdict?.fact ?? '',
    };
  });
}

function caseOf(policy: CompiledPolicy, usage: Usage, facts: Facts, request: DialRequest, at: Temporal.Instant): Case {
  const handset = policy.handsets.get(request.handset);
  return {
    policy,
    usage,
    facts,
    request,
    atMs: at.epochMilliseconds,
    handset,
    asked: read(policy, handset, request.dialled),
  };
}

function refusal(id: RuleId, verdict: Exclude<Verdict, undefined>): Refusal {
  const { fact, status, nextAllowed, rule } = verdict;
  return {
    outcome: 'refusal',
    rule: rule ?? id,
    fact,
    sipStatus: status,
    ...(nextAllowed !== undefined &&
      Number.isFinite(nextAllowed) && { nextAllowed: Temporal.Instant.fromEpochMilliseconds(nextAllowed) }),
  };
}

const FORBIDDEN = 403;
const UNAVAILABLE = 480;

const JUDGEMENT: readonly Rule[] = [
  {
    id: 'clock.untrusted',
    judge: ({ facts }) => (facts.clock.trusted ? undefined : { fact: facts.clock.why, status: 503 }),
  },
  ...(['site', 'wing', 'handset', 'person'] as const).map(
    (kind): Rule => ({ id: `lockdown.${kind}`, judge: (c) => lockdown(c, kind) }),
  ),
  {
    id: 'handset.unknown',
    judge: ({ handset, request }) =>
      handset === undefined ? { fact: `there is no handset ${request.handset}`, status: FORBIDDEN } : undefined,
  },
  {
    id: 'handset.disabled',
    judge: ({ handset }) =>
      handset?.enabled === false ? { fact: `handset ${handset.id} is disabled`, status: FORBIDDEN } : undefined,
  },
  { id: 'line.unsupervised', judge: lineUnsupervised },
  { id: 'line.not-off-hook', judge: lineNotOffHook },
  { id: 'dial.free-dialling', judge: freeDialling },
  {
    id: 'dial.malformed',
    judge: ({ asked }) => (!asked.ok && asked.class === 'malformed' ? { fact: asked.why, status: 484 } : undefined),
  },
  {
    id: 'number.class',
    judge: ({ asked }) =>
      !asked.ok && asked.class !== 'malformed' ? { fact: asked.why, status: FORBIDDEN } : undefined,
  },
  {
    id: 'number.blocked',
    judge: ({ asked, handset }) =>
      asked.ok && handset?.block.has(asked.number) === true
        ? { fact: 'the number is on a block list', status: FORBIDDEN }
        : undefined,
  },
  {
    id: 'number.not-sanctioned',
    judge: ({ asked, handset }) =>
      asked.ok && handset?.allow.has(asked.number) !== true
        ? { fact: 'the number is on no allow list of this handset', status: FORBIDDEN }
        : undefined,
  },
  ...(['site', 'wing', 'handset'] as const).map(
    (level): Rule => ({ id: `window.${level}`, judge: (c) => ownWindow(c, level) }),
  ),
  { id: 'window.callee', judge: calleeWindow },
  {
    id: 'limit.attempts',
    judge: (c) => quota(c, c.handset?.profile.attemptsPerDay, c.usage.handset.attemptsToday, 'attempts'),
  },
  { id: 'limit.gap', judge: gap },
  { id: 'limit.calls', judge: (c) => quota(c, c.handset?.profile.callsPerDay, c.usage.handset.callsToday, 'calls') },
  { id: 'limit.talk', judge: talk },
  { id: 'limit.concurrent', judge: concurrent },
];

function lockdown(c: Case, kind: Lockdown['target']['kind']): Verdict {
  const order = c.facts.lockdowns.find((one) => one.target.kind === kind && isTarget(c, one) && inForce(one, c.atMs));
  if (order === undefined) return undefined;
  return {
    fact: `a cutoff is in force: ${order.reason}`,
    status: UNAVAILABLE,
    ...(order.until && { nextAllowed: order.until.epochMilliseconds }),
  };
}

const inForce = ({ from, until }: Lockdown, atMs: number): boolean =>
  from.epochMilliseconds <= atMs && (until === undefined || until.epochMilliseconds > atMs);

function isTarget({ handset, request }: Case, { target }: Lockdown): boolean {
  switch (target.kind) {
    case 'site':
      return true;
    case 'wing':
      return target.wing === handset?.wing;
    case 'handset':
      return target.handset === request.handset;
    case 'person':
      return request.person !== undefined && target.person === request.person;
  }
}

function lineUnsupervised({ handset, facts }: Case): Verdict {
  if (handset?.profile.hookRequired !== true || (facts.line.fitted && facts.line.supervised)) return undefined;
  const fact = facts.line.fitted
    ? 'the line controller of this handset is lost'
    : 'this handset has no line controller, and its profile asks for one';
  return { fact, status: 503 };
}

function lineNotOffHook({ handset, facts }: Case): Verdict {
  if (handset?.profile.hookRequired !== true || facts.line.hook === 'off') return undefined;
  return { fact: `the wire says ${facts.line.hook === 'on' ? 'on-hook' : 'nothing of the hook'}`, status: FORBIDDEN };
}

function freeDialling({ handset, request }: Case): Verdict {
  if (handset?.profile.tokenOnly !== true || handset.profile.tokens[keyed(request.dialled)] !== undefined)
    return undefined;
  return { fact: 'this handset dials codes, and this is none', status: FORBIDDEN };
}

function ownSpans(c: Case, level?: 'site' | 'wing' | 'handset'): readonly Span[] {
  let spans: readonly Span[] = ALWAYS;
  for (const one of c.handset?.schedules ?? []) {
    if (level === undefined || one.level === level) spans = meet(spans, one.schedule.spansAround(c.atMs));
  }
  return spans;
}

function calleeSpans(c: Case): readonly Span[] {
  return c.asked.ok && c.asked.country !== undefined ? c.policy.callee.spansAround(c.asked.country, c.atMs) : [];
}

/** The first instant at which every window is open: by their boundaries, not by trying. */
function whenAllOpen(c: Case): number | undefined {
  return meet(ownSpans(c), calleeSpans(c)).find(({ to }) => to > c.atMs)?.from;
}

function ownWindow(c: Case, level: 'site' | 'wing' | 'handset'): Verdict {
  const spans = ownSpans(c, level);
  if (spanAt(spans, c.atMs) !== undefined) return undefined;
  const next = spans.find(({ from }) => from > c.atMs)?.from;
  const opens = next === undefined ? '' : `; opens ${clockTime(c.policy.zone, next, c.atMs)}`;
  const when = whenAllOpen(c);
  return {
    fact: `it is ${clockTime(c.policy.zone, c.atMs, c.atMs)} here, outside the hours of the ${level}${opens}`,
    status: UNAVAILABLE,
    ...(when !== undefined && { nextAllowed: when }),
  };
}

function calleeWindow(c: Case): Verdict {
  if (!c.asked.ok) return undefined;
  const { country } = c.asked;
  if (country === undefined || c.policy.callee.zones(country).length === 0)
    return { fact: 'it is not known where the callee is', status: FORBIDDEN };
  const spans = calleeSpans(c);
  if (spanAt(spans, c.atMs) !== undefined) return undefined;
  const when = whenAllOpen(c);
  const zone = c.policy.callee.closedZone(country, c.atMs) ?? c.policy.callee.zones(country)[0] ?? 'UTC';
  const day = ZoneClock.of(zone).dayAt(c.atMs);
  const holiday = c.policy.callee.isHoliday(country, day);
  const next = spans.find(({ from }) => from > c.atMs)?.from;
  const opens = next === undefined ? '' : `; calls from ${clockTime(zone, next, c.atMs)}`;
  return {
    ...(holiday && { rule: 'holiday.callee' as const }),
    fact: `in ${cityOf(zone)} it is ${clockTime(zone, c.atMs, c.atMs)}${holiday ? ', a holiday' : ''}${opens}`,
    status: UNAVAILABLE,
    ...(when !== undefined && { nextAllowed: when }),
  };
}

function quota(c: Case, most: number | undefined, used: number, what: string): Verdict {
  if (most === undefined || used < most) return undefined;
  return { fact: `${used} of ${most} ${what} are used today`, status: UNAVAILABLE, nextAllowed: tomorrow(c) };
}

function tomorrow(c: Case): number {
  const clock = ZoneClock.of(c.policy.zone);
  return clock.instantOf((clock.dayAt(c.atMs) + 1) * DAY_MS, 'opens');
}

function gap(c: Case): Verdict {
  const { lastEndedAt } = c.usage.handset;
  const gapS = c.handset?.profile.gapS ?? 0;
  if (lastEndedAt === undefined || gapS === 0) return undefined;
  const next = lastEndedAt.epochMilliseconds + gapS * 1000;
  return c.atMs >= next
    ? undefined
    : { fact: `the last call ended less than ${gapS} s ago`, status: UNAVAILABLE, nextAllowed: next };
}

function talk(c: Case): Verdict {
  const most = c.handset?.profile.talkPerDayS;
  if (most === undefined || c.usage.handset.talkMsToday < most * 1000) return undefined;
  return {
    fact: `the talk of today, ${Math.round(most / 60)} minutes, is used`,
    status: UNAVAILABLE,
    nextAllowed: tomorrow(c),
  };
}

function concurrent(c: Case): Verdict {
  const most = c.handset?.profile.concurrent ?? 1;
  return c.usage.handset.live < most
    ? undefined
    : { fact: `${c.usage.handset.live} calls are up on this handset already`, status: 486 };
}

function grant(c: Case): Decision {
  const { handset, asked } = c;
  if (handset === undefined || !asked.ok || asked.country === undefined)
    return refusal('handset.unknown', { fact: 'nothing to grant', status: FORBIDDEN });
  const { profile } = handset;
  const ends: { by: EndsBy; at: number }[] = [
    { by: 'window.callee', at: spanAt(calleeSpans(c), c.atMs)?.to ?? c.atMs },
  ];
  for (const level of ['site', 'wing', 'handset'] as const)
    ends.push({ by: `window.${level}`, at: spanAt(ownSpans(c, level), c.atMs)?.to ?? c.atMs });
  for (const order of c.facts.lockdowns)
    if (isTarget(c, order) && order.from.epochMilliseconds > c.atMs)
      ends.push({ by: 'lockdown', at: order.from.epochMilliseconds });
  const first = ends.reduce((a, b) => (b.at < a.at ? b : a));
  const talkLeft =
    profile.talkPerDayS === undefined
      ? Number.POSITIVE_INFINITY
      : profile.talkPerDayS * 1000 - c.usage.handset.talkMsToday;
  const byQuota = talkLeft < profile.maxTalkS * 1000;
  return {
    outcome: 'grant',
    handset: handset.id,
    wing: handset.wing,
    ...(c.request.person !== undefined && { person: c.request.person }),
    number: asked.number,
    calleeZones: c.policy.callee.zones(asked.country),
    notAfter: Temporal.Instant.fromEpochMilliseconds(Math.min(first.at, c.atMs + 366 * DAY_MS)),
    maxTalkMs: Math.min(profile.maxTalkS * 1000, talkLeft),
    notAfterBy: first.by,
    maxTalkBy: byQuota ? 'limit.talk' : 'max-talk',
    trunks: handset.trunks,
    callerIdentity: handset.callerIdentity,
    ringMs: profile.ringS * 1000,
    warningsS: profile.warningsS,
    earlyMedia: profile.earlyMedia,
    digitsAllowed: profile.digitsAllowed,
    controllerLost: profile.controllerLost,
    hookRequired: profile.hookRequired,
  } satisfies Grant;
}

const two = (n: number): string => String(n).padStart(2, '0');

/** "20:14", or with its date when it is of another day. */
function clockTime(zone: string, ms: number, todayMs: number): string {
  const clock = ZoneClock.of(zone);
  const local = new Date(ms + clock.offsetAt(ms));
  const time = `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}`;
  return clock.dayAt(ms) === clock.dayAt(todayMs) ? time : `${local.toISOString().slice(0, 10)} ${time}`;
}

const cityOf = (zone: string): string => (zone.split('/').at(-1) ?? zone).replaceAll('_', ' ');

/** Whether a handset's own windows are open, whoever it would call: what the standing lease of its line rests on. */
export function mayCallAtAll(policy: CompiledPolicy, id: string, at: Temporal.Instant): boolean {
  const handset = policy.handsets.get(id);
  if (handset?.enabled !== true) return false;
  const ms = at.epochMilliseconds;
  return handset.schedules.every(({ schedule }) => spanAt(schedule.spansAround(ms), ms) !== undefined);
}
