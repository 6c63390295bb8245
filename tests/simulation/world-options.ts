import { Temporal } from 'temporal-polyfill';
import type { Random } from './random.js';

export interface WorldOptions {
  readonly seed: number;
  readonly handsets: number;
  /** A fault that is planted, by its name; see plants.ts. */
  readonly plant?: string;
  /** Attempts of a handset in a day, on average. */
  readonly callsPerDay?: number;
  /** How often somebody comes to work at a handset that is for it, in a day, on average. */
  readonly shiftsPerDay?: number;
  /** The day on whose midnight it begins, "2026-03-28"; otherwise one of a year that the seed chooses. UTC. */
  readonly from?: string;
  /** Nothing goes wrong but what the plant does: for worlds at an edge. */
  readonly calm?: boolean;
  /** The whole production line plane, over a bus to the production half of the agents. */
  readonly wire?: boolean;
}

/** Calls that the person at a handset asks for in a day; about a third of them are granted, and a fifth are talks. */
export const CALLS_PER_DAY = 7;

/** What a work handset sees in a day. */
export const SHIFTS_PER_DAY = 1;

/** Before nights on which clocks change in Brussels, London, New York or Sydney, and before Christmas and New Year. */
const EVES = [
  '2026-03-07',
  '2026-03-28',
  '2026-04-04',
  '2026-10-03',
  '2026-10-24',
  '2026-10-31',
  '2026-12-23',
  '2026-12-30',
];
/** A day of the year; for one world in three the eve of a night on which clocks change somewhere, or of a holiday. */
export function firstDay(random: Random): Temporal.Instant {
  if (random.chance(1 / 3)) return Temporal.Instant.from(`${random.pick(EVES)}T00:00:00Z`);
  return Temporal.Instant.from('2026-01-05T00:00:00Z').add({ hours: 24 * random.int(0, 364) });
}
