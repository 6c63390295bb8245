import type { Campaign, Limit, Profile } from '../../config/schema/types.generated.js';
import type { CallRecord } from '../../gateway/calls/record.js';
import type { CallId } from '../../gateway/policy/ids.js';
import { localDay } from './window-oracle.js';

/** A call that was granted, as somebody would note it who was there. True times, milliseconds. */
interface Noted {
  readonly startedMs: number;
  readonly talkMs: number;
  readonly endedMs: number;
  readonly isAnswered: boolean;
  /** It may count or not: it never went out for certain, or the clock was wrong meanwhile. */
  readonly isDoubtful: boolean;
}

/** Who or what a call counts by, and what the limits on it are. */
export interface Counted {
  readonly handset: string;
  readonly number: string;
  readonly person?: string | undefined;
  readonly campaign?: string | undefined;
  readonly limits: readonly Limit[];
  /** The zones of the callee's days; everybody else's are the site's. */
  readonly zones: readonly string[];
}

interface Live extends Counted {
  readonly mostTalkMs: number;
  readonly startedMs: number;
  readonly wasRight: boolean;
  talkMs: number;
}

const DAY_MS = 86_400_000;
/** Nothing counts for longer. */
const KEPT_MS = 63 * DAY_MS;
/** A clock may be off by this and be believed, and a talk is rounded, milliseconds. */
const DOUBT_MS = 2_500;
const KINDS = ['handset', 'person', 'number', 'campaign'] as const;

/** The limits of a profile, a person or a campaign, as its text reads. */
export function limitsWritten(
  one: Pick<Partial<Profile>, 'limits' | 'talkPerDayS' | 'callsPerDay' | 'attemptsPerDay' | 'gapS' | 'concurrent'> &
    Pick<Partial<Campaign>, 'attempts'>,
): readonly Limit[] {
  const { limits = [], talkPerDayS, callsPerDay, attemptsPerDay, gapS, concurrent, attempts } = one;
  const daily = (
    of: 'talk' | 'calls' | 'attempts',
    most: number | undefined,
    per: Limit['per'] = 'handset',
  ): Limit[] => (most === undefined ? [] : [{ per, of, most, in: 'day' }]);
  const gap = (per: Limit['per'], leastS: number | undefined): Limit[] => (leastS ? [{ per, of: 'gap', leastS }] : []);
  return [
    ...limits,
    ...daily('talk', talkPerDayS),
    ...daily('calls', callsPerDay),
    ...daily('attempts', attemptsPerDay),
    ...gap('handset', gapS),
    ...(concurrent === undefined ? [] : [{ per: 'handset', of: 'concurrent', most: concurrent } as const]),
    ...daily('attempts', attempts?.perDay, 'number'),
    ...gap('number', attempts?.spacingS),
  ];
}

/** Which day, ISO week or month of a zone an instant is in. */
function periodOf(period: 'day' | 'week' | 'month', zone: string, ms: number): string {
  const day = localDay(zone, ms);
  if (period === 'day') return `${day}`;
  return period === 'week' ? `${Math.floor((day + 3) / 7)}` : new Date(day * DAY_MS).toISOString().slice(0, 7);
}

/** What counts against each limit, by what was seen; twice: what does for certain, and what may. */
export class LimitWatch {
  private readonly noted = new Map<string, Noted[]>();
  private readonly live = new Map<CallId, Live>();

  constructor(private readonly siteZone: string) {}

  /** A call is granted. @param wasRight the clock is. */
  granted(call: CallId, counted: Counted, startedMs: number, mostTalkMs: number, wasRight: boolean): void {
    this.live.set(call, { ...counted, startedMs, mostTalkMs, wasRight, talkMs: 0 });
  }

  /** The gateway has died: what it had not written down yet never was a call. */
  gatewayDied(isOpen: (call: CallId) => boolean): void {
    for (const call of this.live.keys()) if (!isOpen(call)) this.live.delete(call);
  }

  /** The relay of a call was open for so long. */
  talked(call: CallId, talkMs: number): void {
    const live = this.live.get(call);
    if (live !== undefined) live.talkMs += talkMs;
  }

  /** A call has its record. @param isRight the clock is. */
  recorded({ call, trunk, answeredAt, cause }: CallRecord, endedMs: number, isRight: boolean): void {
    const live = this.live.get(call);
    if (live === undefined) return;
    this.live.delete(call);
    const { startedMs } = live;
    const isAnswered = answeredAt !== undefined;
    const isOfBefore = cause === 'gateway-restarted';
    const isDoubtful = !isRight || !live.wasRight || isOfBefore || (trunk === undefined && !isAnswered);
    // Of a call that nobody was there to end, all of it may count.
    const talkMs = isOfBefore ? endedMs - startedMs : live.talkMs;
    const one: Noted = { startedMs, endedMs, talkMs, isAnswered: isAnswered || isOfBefore, isDoubtful };
    for (const kind of KINDS) {
      const key = `${kind} ${live[kind]}`;
      const list = this.noted.get(key) ?? [];
      const [oldest] = list;
      if (oldest !== undefined && oldest.startedMs < endedMs - KEPT_MS) list.shift();
      list.push(one);
      this.noted.set(key, list);
    }
  }

  /** Whether some limit on `of` may be reached. */
  mayBeReached(of: Limit['of'], counted: Counted, nowMs: number): boolean {
    return counted.limits.some((limit) => limit.of === of && this.isReached(limit, counted, nowMs, true));
  }

  /** A limit that is reached for certain, so that no call may be; undefined: none. */
  reached(counted: Counted, nowMs: number): string | undefined {
    const limit = counted.limits.find((one) => this.isReached(one, counted, nowMs, false));
    return limit === undefined ? undefined : `${counted[limit.per]} has reached ${JSON.stringify(limit)}`;
  }

  private isReached(limit: Limit, counted: Counted, nowMs: number, isGenerous: boolean): boolean {
    const { per } = limit;
    if (counted[per] === undefined) return false;
    const past = (this.noted.get(`${per} ${counted[per]}`) ?? []).filter((one) => isGenerous || !one.isDoubtful);
    const live = [...this.live.values()].filter((one) => one[per] === counted[per]);
    if (limit.of === 'concurrent') return live.length >= limit.most;
    if (limit.of === 'gap') {
      const doubtMs = isGenerous ? DOUBT_MS : -DOUBT_MS;
      return past.some(({ endedMs, isDoubtful }) => isDoubtful || nowMs < endedMs + limit.leastS * 1e3 + doubtMs);
    }
    const zones = per === 'number' ? counted.zones : [this.siteZone];
    const counts = past.filter(
      (one) => one.isDoubtful || this.isWithin(limit.in, zones, one.startedMs, nowMs, isGenerous),
    );
    if (limit.of === 'attempts') return counts.length + live.length >= limit.most;
    if (limit.of === 'calls') return counts.filter(({ isAnswered }) => isAnswered).length + live.length >= limit.most;
    // A lease counts whole while it lasts; what is left of it for certain is nothing.
    const leases = isGenerous ? live.reduce((sum, { mostTalkMs }) => sum + mostTalkMs, 0) : 0;
    const talkMs = counts.reduce((sum, one) => sum + one.talkMs + (isGenerous ? DOUBT_MS : -DOUBT_MS), 0);
    return talkMs + leases >= limit.most * 1e3;
  }

  /** Whether a call of then counts now: where several zones are the callee's, in any of them. */
  private isWithin(
    period: 'day' | 'week' | 'month' | '24-hours' | '30-days',
    zones: readonly string[],
    thenMs: number,
    nowMs: number,
    isGenerous: boolean,
  ): boolean {
    const rolling = { '24-hours': DAY_MS, '30-days': 30 * DAY_MS }[period as '24-hours' | '30-days'] as
      | number
      | undefined;
    const looks = [-DOUBT_MS, 0, DOUBT_MS].map((off): boolean => {
      if (rolling !== undefined) return thenMs >= nowMs - rolling + off;
      const of = period as 'day' | 'week' | 'month';
      const isSame = (zone: string): boolean => periodOf(of, zone, thenMs + off) === periodOf(of, zone, nowMs);
      return isGenerous ? zones.some(isSame) : zones.every(isSame);
    });
    return isGenerous ? looks.some(Boolean) : looks.every(Boolean);
  }
}
