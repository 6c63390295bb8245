import type { RuleId } from '../../gateway/policy/decision.js';
import { NATIONAL, type NationalList, SILENCE_DAYS } from './sim-lists.js';
import { countryOf, type SimHandset, type SimSite } from './sim-site.js';

const DAY_MS = 86_400_000;
/** A clock may be off by two seconds and be believed. */
const DOUBT_H = 3 / 3_600;

/** Who must not be called, as somebody would say who was there when they said so. */
export class ListWatch {
  /** Until when each is left alone, true time; infinite: for good. What the gateway has confirmed. */
  private readonly must = new Map<string, number>();
  /** What it may have heard, and have died of. */
  private readonly may = new Set<string>();

  constructor(
    private readonly site: SimSite,
    private readonly national: NationalList,
  ) {}

  /** About to be told. */
  telling(number: string): void {
    this.may.add(number);
  }

  /** The gateway says that it is in force and on disk. */
  askedNot(number: string): void {
    this.must.set(number, Number.POSITIVE_INFINITY);
  }

  refused(number: string, nowMs: number): void {
    const days = SILENCE_DAYS[countryOf(number) ?? 'US'] ?? 0;
    this.must.set(number, Math.max(this.must.get(number) ?? 0, nowMs + days * DAY_MS));
  }

  /** Why a call to this number may not be; undefined when it may. */
  forbids(handset: SimHandset, number: string, nowMs: number): string | undefined {
    if ((this.must.get(number) ?? 0) > nowMs) return 'it has said so';
    if (!this.site.asksNational(handset)) return undefined;
    if (this.national.has(number)) return 'it is on the national list';
    const ageH = this.national.ageH(nowMs);
    return ageH > NATIONAL.mostAgeH + DOUBT_H ? `the national list is ${ageH} hours old` : undefined;
  }

  /** Whether a refusal by one of these rules has a reason. */
  isTrue(rule: RuleId, handset: SimHandset, number: string, nowMs: number): boolean {
    const asks = this.site.asksNational(handset);
    if (rule === 'dnc.stale') return asks && this.national.ageH(nowMs) > NATIONAL.mostAgeH - DOUBT_H;
    return this.may.has(number) || (rule === 'dnc.listed' && asks && this.national.has(number));
  }
}
