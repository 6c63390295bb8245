import type { DoNotCallList } from '../../gateway/policy/request.js';

/** The name of the national list, how old it may be, and how often a new one is fetched. */
export const NATIONAL = { list: 'national', mostAgeH: 48 } as const;
export const RENEWED_H = 20;
/** How long a refusal is silence, days; what the law says is longer, and this is what can be lived through. */
export const SILENCE_DAYS: Readonly<Record<string, number>> = { GB: 2 };

/** Numbers that are on the national list. */
const isNational = (number: string): boolean => number.endsWith('22') || number.endsWith('44');
/** People who say, one day, that they will not be called again; the others would all have said so within a year. */
export const mayAskNot = (number: string): boolean => number.endsWith('5');

const HOUR_MS = 3_600_000;

/** The national do-not-call list as it lies on the gateway's disk: it ages, and is replaced while calls run. */
export class NationalList {
  /** No new one is to be had. */
  isCutOff = false;

  constructor(private madeMs: number) {}

  ageH(nowMs: number): number {
    return (nowMs - this.madeMs) / HOUR_MS;
  }

  has(number: string): boolean {
    return isNational(number);
  }

  renew(nowMs: number): void {
    if (!this.isCutOff && this.ageH(nowMs) >= RENEWED_H) this.madeMs = nowMs;
  }

  asList(): DoNotCallList {
    return { isThere: true, madeMs: Math.floor(this.madeMs), has: isNational };
  }
}
