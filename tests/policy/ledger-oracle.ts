import { Temporal } from 'temporal-polyfill';
import type { LimitSubject, UseLimit } from '../../config/schema/types.generated.js';
import type { UsageBook } from '../../gateway/policy/request.js';
import { wallAt } from './wall-oracle.js';

/** A call that has ended, as a person would note it down. */
export interface NotedCall {
  readonly startedMs: number;
  readonly talkMs: number;
  readonly answered: boolean;
  /** What it counts for; absent: for everything. */
  readonly by?: readonly LimitSubject[];
}

const endOf = ({ startedMs, talkMs }: NotedCall): number => startedMs + talkMs;

/** What was noted down until an instant, as policy asks for it. */
export function ledgerAt(calls: readonly NotedCall[], ms: number): UsageBook {
  const past = (kind: LimitSubject) =>
    calls.filter((call) => endOf(call) <= ms && (call.by === undefined || call.by.includes(kind)));
  return {
    used: ({ kind }, sinceMs) => {
      const all = past(kind);
      const some = all.filter(({ startedMs }) => startedMs >= sinceMs);
      const last = Math.max(...all.map(endOf));
      return {
        attempts: some.length,
        calls: some.filter(({ answered }) => answered).length,
        talkMs: some.reduce((sum, { talkMs }) => sum + talkMs, 0),
        live: 0,
        liveTalkMs: 0,
        ...(Number.isFinite(last) && { lastEndedAt: Temporal.Instant.fromEpochMilliseconds(last) }),
      };
    },
    callsSince: ({ kind }, sinceMs) => past(kind).filter(({ startedMs }) => startedMs >= sinceMs),
  };
}

/** Which day, week, month or other period of the zone's wall clock an instant is in, by its calendar alone. */
function periodOf(period: UseLimit['in'], zone: string, ms: number): string {
  const date = new Date(wallAt(zone, ms));
  const day = date.toISOString().slice(0, 10);
  if (period === 'day') return day;
  if (period === 'month') return day.slice(0, 7);
  const back = (date.getUTCDay() + 6) % 7;
  return new Date(date.getTime() - back * 86_400_000).toISOString().slice(0, 10);
}

/** What of a measure counts against a limit at an instant, by definition. */
export function countedAt(limit: UseLimit, calls: readonly NotedCall[], zone: string, ms: number): number {
  const isIn = ({ startedMs }: NotedCall): boolean =>
    limit.in === '30-days' || limit.in === '24-hours'
      ? ms - startedMs <= (limit.in === '30-days' ? 30 : 1) * 86_400_000
      : periodOf(limit.in, zone, startedMs) === periodOf(limit.in, zone, ms);
  const counted = calls.filter((call) => endOf(call) <= ms && (call.by?.includes(limit.per) ?? true) && isIn(call));
  if (limit.of === 'attempts') return counted.length;
  if (limit.of === 'calls') return counted.filter(({ answered }) => answered).length;
  return counted.reduce((sum, { talkMs }) => sum + talkMs, 0) / 1000;
}
