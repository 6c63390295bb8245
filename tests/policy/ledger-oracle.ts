import { Temporal } from 'temporal-polyfill';
import { NO_USAGE, type Usage } from '../../gateway/policy/request.js';
import { wallAt } from './wall-oracle.js';

/** A call that has ended, as a person would note it down. */
export interface NotedCall {
  readonly startedMs: number;
  readonly talkMs: number;
  readonly answered: boolean;
}

/** What a site's ledger says at an instant, of calls that one handset has made: counted by the day of the zone's wall clock. */
export function usageAt(calls: readonly NotedCall[], zone: string, ms: number): Usage {
  const dateOf = (at: number) => Math.floor(wallAt(zone, at) / 86_400_000);
  const past = calls.filter(({ startedMs, talkMs }) => startedMs + talkMs <= ms);
  const today = past.filter(({ startedMs }) => dateOf(startedMs) === dateOf(ms));
  const last = Math.max(...past.map(({ startedMs, talkMs }) => startedMs + talkMs));
  return {
    number: NO_USAGE,
    handset: {
      attemptsToday: today.length,
      callsToday: today.filter(({ answered }) => answered).length,
      talkMsToday: today.reduce((sum, { talkMs }) => sum + talkMs, 0),
      live: 0,
      ...(Number.isFinite(last) && { lastEndedAt: Temporal.Instant.fromEpochMilliseconds(last) }),
    },
  };
}
