import type { Limit, UseLimit } from '../../config/schema/types.generated.js';
import { type Case, personOf } from './case.js';
import type { Fact, Objection } from './facts.js';
import { forgottenAt, periodAt } from './periods.js';
import type { PastCall, Subject, UsageCount } from './request.js';

const UNAVAILABLE = 480;
const BUSY = 486;

/** The first objection of the limits on `of`, whichever level they are of and whatever they count by. */
export function judgeLimits(c: Case, of: Limit['of']): Objection | undefined {
  const over = of === 'attempts' ? triedOut(c) : undefined;
  if (over !== undefined) return over;
  let first: Objection | undefined;
  for (const limit of c.limits[of]) {
    const objection = judgeLimit(c, limit);
    // Of several the one that lasts longest is told, so that nobody waits for one and meets the next.
    if (objection !== undefined && (first === undefined || endOf(objection) > endOf(first))) first = objection;
  }
  return first;
}

/** A contact that its campaign has tried as often as it may; time does not help. */
function triedOut({ request: { campaign, contact } }: Case): Objection | undefined {
  const most = campaign?.attempts?.most;
  if (most === undefined || contact === undefined || contact.attempts < most) return undefined;
  return { fact: { is: 'tried-out', used: contact.attempts, most }, status: UNAVAILABLE };
}

const endOf = ({ passesFrom }: Objection): number => passesFrom ?? Number.POSITIVE_INFINITY;

function judgeLimit(c: Case, limit: Limit): Objection | undefined {
  const subject = subjectOf(c, limit.per);
  if (subject === undefined) return undefined;
  switch (limit.of) {
    case 'gap': {
      const { lastEndedAt } = c.usage.used(subject, c.atMs);
      if (lastEndedAt === undefined) return undefined;
      const passesFrom = Math.ceil(Number(lastEndedAt.epochNanoseconds) / 1e6) + limit.leastS * 1000;
      if (c.atMs >= passesFrom) return undefined;
      return { fact: { is: 'gap', per: limit.per, seconds: limit.leastS }, status: UNAVAILABLE, passesFrom };
    }
    case 'concurrent': {
      const { live } = c.usage.used(subject, c.atMs);
      return live < limit.most ? undefined : { fact: { is: 'busy', per: limit.per, live }, status: BUSY };
    }
    default:
      return judgeUse(c, limit, subject);
  }
}

function judgeUse(c: Case, limit: UseLimit, subject: Subject): Objection | undefined {
  const { sinceMs, endsMs } = periodAt(limit.in, zonesOf(c, limit.per), c.atMs);
  const count = c.usage.used(subject, sinceMs);
  const most = mostOf(limit);
  const used = amount(limit.of, count);
  if (used < most) return undefined;
  const live = limit.of === 'talk' ? count.liveTalkMs : count.live;
  const passesFrom =
    live >= most ? undefined : (endsMs ?? rollsOff(limit, c.usage.callsSince(subject, sinceMs), most - live));
  return {
    fact: { is: 'used', per: limit.per, in: limit.in, measure: limit.of, used, most },
    status: UNAVAILABLE,
    ...(passesFrom !== undefined && { passesFrom }),
  };
}

/** What is used of each limit on `of`, for an explanation. */
export function usesOf(c: Case, of: UseLimit['of']): readonly Fact[] {
  const facts: Fact[] = [];
  for (const limit of c.limits[of]) {
    const subject = subjectOf(c, limit.per);
    if (!isUse(limit) || subject === undefined) continue;
    const { sinceMs } = periodAt(limit.in, zonesOf(c, limit.per), c.atMs);
    const used = amount(limit.of, c.usage.used(subject, sinceMs));
    facts.push({ is: 'left', per: limit.per, in: limit.in, measure: limit.of, used, most: mostOf(limit) });
  }
  return facts;
}

/** Of the limits of talk the one that leaves least; undefined where none limits it. */
export function tightestTalk(c: Case): Fact | undefined {
  const leftOf = (fact: Fact | undefined): number =>
    fact?.is === 'left' ? fact.most - fact.used : Number.POSITIVE_INFINITY;
  return usesOf(c, 'talk').reduce<Fact | undefined>(
    (least, fact) => (leftOf(fact) < leftOf(least) ? fact : least),
    undefined,
  );
}

/** When enough of the oldest calls are forgotten that the rest is below `most`. */
function rollsOff({ of, in: period }: UseLimit, calls: readonly PastCall[], most: number): number | undefined {
  let left = calls.reduce((sum, call) => sum + amountOf(of, call), 0);
  for (const call of calls) {
    left -= amountOf(of, call);
    if (left < most) return forgottenAt(period, call.startedMs);
  }
  return undefined;
}

/** What of a limit of talk is left to a call that is granted now, milliseconds; infinite where none limits it. */
export function talkLeftMs(c: Case): number {
  let left = Number.POSITIVE_INFINITY;
  for (const limit of c.limits.talk) {
    const subject = subjectOf(c, limit.per);
    if (!isUse(limit) || subject === undefined) continue;
    const { sinceMs } = periodAt(limit.in, zonesOf(c, limit.per), c.atMs);
    left = Math.min(left, mostOf(limit) - c.usage.used(subject, sinceMs).talkMs);
  }
  return left;
}

/** Who or what a limit counts by in this request; nobody's use is counted where nobody is signed on, or the call is for no campaign. */
function subjectOf({ request, asked }: Case, per: Limit['per']): Subject | undefined {
  switch (per) {
    case 'handset':
      return { kind: per, id: request.handset };
    case 'person':
      return subject(per, personOf(request));
    case 'number':
      return subject(per, asked.ok ? asked.number : undefined);
    case 'campaign':
      return subject(per, request.campaign?.id);
  }
}

const subject = (kind: Subject['kind'], id: string | undefined): Subject | undefined =>
  id === undefined ? undefined : { kind, id };

/** A number's day is that of its callee; everybody else's is the site's. */
function zonesOf(c: Case, per: Limit['per']): readonly string[] {
  return per === 'number' ? (c.place?.zones ?? c.policy.zones) : c.policy.zones;
}

const isUse = (limit: Limit): limit is UseLimit => limit.of !== 'gap' && limit.of !== 'concurrent';

const mostOf = (limit: UseLimit): number => (limit.of === 'talk' ? limit.most * 1000 : limit.most);

function amount(of: UseLimit['of'], { attempts, calls, talkMs }: UsageCount): number {
  return { attempts, calls, talk: talkMs }[of];
}

function amountOf(of: UseLimit['of'], { answered, talkMs }: PastCall): number {
  return { attempts: 1, calls: answered ? 1 : 0, talk: talkMs }[of];
}
