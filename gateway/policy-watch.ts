import type { Temporal } from 'temporal-polyfill';
import type { Clock } from './clock/clock.js';

/** What policy rests on and what will not hold much longer. */
export interface PolicyWarning {
  readonly code: 'dnc.ageing' | 'dnc.stale' | 'policy.expiring' | 'policy.expired' | 'zones.old';
  /** What it is about, e.g. the list's name: each is told once. */
  readonly of: string;
  readonly why: string;
}

const MONTHS_OLD = 12;
/** The database is released some six times a year: a is of the first months, f of the last. */
const MONTHS_A_RELEASE = 2;

/**
 * Whether the time zone rules that Node carries are older than twelve months: clocks may then change on nights that they
 * do not know of. @param version as of `process.versions.tz`, e.g. "2026a".
 */
export function zoneRulesWarning(version: string | undefined, at: Temporal.Instant): readonly PolicyWarning[] {
  const found = /^(\d{4})([a-z])/.exec(version ?? '');
  const [, year = '0', letter = 'a'] = found ?? [];
  const month = (letter.charCodeAt(0) - 'a'.charCodeAt(0)) * MONTHS_A_RELEASE;
  const now = new Date(at.epochMilliseconds);
  const age = (now.getUTCFullYear() - Number(year)) * 12 + now.getUTCMonth() - month;
  if (found !== null && age <= MONTHS_OLD) return [];
  const what = found === null ? 'are of no version that is known' : `are of ${version}`;
  return [{ code: 'zones.old', of: 'zones', why: `the time zone rules ${what}: run a newer Node` }];
}

/** Looks at what ages when it is told to: lists and the signed policy. Each warning is raised once, and again after it was over. */
export class PolicyWatch {
  #told: ReadonlySet<string> = new Set();

  constructor(
    private readonly clock: Pick<Clock, 'wall' | 'trust'>,
    private readonly warnings: (at: Temporal.Instant) => readonly PolicyWarning[],
    private readonly alarm: (code: string, why: string) => void,
  ) {}

  look(): void {
    // A clock that is not believed says nothing of ages; calls are refused by it anyhow.
    if (!this.clock.trust().trusted) return;
    const found = this.warnings(this.clock.wall());
    const keyOf = ({ code, of }: PolicyWarning) => `${code} ${of}`;
    for (const warning of found) if (!this.#told.has(keyOf(warning))) this.alarm(warning.code, warning.why);
    this.#told = new Set(found.map(keyOf));
  }
}
