import { Temporal } from 'temporal-polyfill';

interface Segment {
  readonly fromMs: number;
  readonly toMs: number;
  readonly offsetMs: number;
}

/** Local time in one zone, fast: the offset is looked up among remembered stretches between transitions. Pure but for that memory. */
export class ZoneClock {
  static readonly #known = new Map<string, ZoneClock>();
  #segment: Segment | undefined;

  private constructor(readonly zone: string) {}

  static of(zone: string): ZoneClock {
    const known = ZoneClock.#known.get(zone);
    if (known !== undefined) return known;
    const made = new ZoneClock(zone);
    ZoneClock.#known.set(zone, made);
    return made;
  }

  /** Offset from UTC at an instant, milliseconds. */
  offsetAt(ms: number): number {
    const segment = this.#segment;
    if (segment !== undefined && ms >= segment.fromMs && ms < segment.toMs) return segment.offsetMs;
    const at = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(this.zone);
    const next = at.getTimeZoneTransition('next');
    const before = at.add({ nanoseconds: 1 }).getTimeZoneTransition('previous');
    this.#segment = {
      fromMs: before === null ? -8.64e15 : before.epochMilliseconds,
      toMs: next === null ? 8.64e15 : next.epochMilliseconds,
      offsetMs: at.offsetNanoseconds / 1e6,
    };
    return this.#segment.offsetMs;
  }

  /** Days since 1970-01-01 of the local date at an instant. */
  dayAt(ms: number): number {
    return Math.floor((ms + this.offsetAt(ms)) / DAY_MS);
  }

  /**
   * The instant of a wall time, in the narrow reading: a time that does not exist is the gap's instant; one that exists
   * twice is the later one for an opening and the earlier one for a closing.
   * @param localMs local wall time as if it were UTC, milliseconds.
   */
  instantOf(localMs: number, edge: 'opens' | 'closes'): number {
    const a = localMs - this.offsetAt(localMs - DAY_MS);
    const b = localMs - this.offsetAt(localMs + DAY_MS);
    const real = [a, b].filter((ms) => ms + this.offsetAt(ms) === localMs);
    if (real.length === 0) return this.#gapBetween(Math.min(a, b), Math.max(a, b));
    return edge === 'opens' ? Math.max(...real) : Math.min(...real);
  }

  /** The transition that swallowed a wall time: between the two readings of it. */
  #gapBetween(fromMs: number, toMs: number): number {
    const at = Temporal.Instant.fromEpochMilliseconds(fromMs - 1).toZonedDateTimeISO(this.zone);
    return at.getTimeZoneTransition('next')?.epochMilliseconds ?? toMs;
  }
}

export const DAY_MS = 86_400_000;
