import { Temporal } from 'temporal-polyfill';

interface Segment {
  readonly fromMs: number;
  readonly toMs: number;
  readonly offsetMs: number;
}

/** Two years of changes: a search for the next opening goes no further. */
const MOST_SEGMENTS = 6;

/** Local time in one zone, fast: the offset is looked up among remembered stretches between transitions. Pure but for that memory. */
export class ZoneClock {
  static readonly #known = new Map<string, ZoneClock>();
  #segments: readonly Segment[] = [];
  #newest: Segment | undefined;

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
    const newest = this.#newest;
    if (newest !== undefined && ms >= newest.fromMs && ms < newest.toMs) return newest.offsetMs;
    const known = this.#segments.find(({ fromMs, toMs }) => ms >= fromMs && ms < toMs) ?? this.#read(ms);
    this.#newest = known;
    return known.offsetMs;
  }

  #read(ms: number): Segment {
    const at = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(this.zone);
    const next = at.getTimeZoneTransition('next');
    const before = at.add({ nanoseconds: 1 }).getTimeZoneTransition('previous');
    const made = {
      fromMs: before === null ? -8.64e15 : before.epochMilliseconds,
      toMs: next === null ? 8.64e15 : next.epochMilliseconds,
      offsetMs: at.offsetNanoseconds / 1e6,
    };
    this.#segments = [made, ...this.#segments.slice(0, MOST_SEGMENTS - 1)];
    return made;
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
