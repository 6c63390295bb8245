import { Temporal } from 'temporal-polyfill';
import type { Clock, ClockTrust, Timer } from '../../gateway/clock/clock.js';
import { afterReading, type Reading } from '../../gateway/clock/step-watch.js';
import { afterReport, judgeClock, type TrustKnowledge } from '../../gateway/clock/trust.js';
import type { Life } from './life.js';
import type { Random } from './random.js';
import type { Timeline } from './timeline.js';

/** How often chrony is asked (gateway/clock/trust.ts), microseconds. */
const ASKED_US = 30e6;
const UNKNOWN: TrustKnowledge = { mode: 'system', steps: undefined };

/**
 * The clocks of the simulated machine. The true time is known to the world alone; the wall clock may be set wrong by
 * somebody, and the gateway judges it by the production rules: steps, synchronisation, and the newest instant on disk. The
 * monotonic clock begins anew with each boot.
 */
export class MachineClock {
  /** The newest instant on disk, milliseconds; undefined when there is none. */
  newestOnDiskMs: () => number | undefined = () => undefined;
  /** How wrong the wall clock is, milliseconds. */
  wrongMs = 0;
  /** Virtual time until which the gateway may doubt a clock that is right: chrony has not been asked since. */
  doubtedUntilUs = 0;
  /** The true instant at virtual time 0, milliseconds since 1970; it leaps while the machine is switched off. */
  private trueEpochMs: number;
  private bootUs = 0;
  private boots = 1;
  private known = UNKNOWN;
  private askedUs = Number.NEGATIVE_INFINITY;
  private judged: { us: number; trust: ClockTrust } | undefined;
  private cached: { us: number; wrongMs: number; wall: Temporal.Instant } | undefined;

  constructor(
    private readonly timeline: Timeline,
    private readonly random: Random,
    start: Temporal.Instant,
  ) {
    this.trueEpochMs = start.epochMilliseconds;
  }

  get bootId(): string {
    return `boot-${this.boots}`;
  }

  /** The true instant, milliseconds since 1970. */
  trueMs(atUs = this.timeline.nowUs): number {
    return this.trueEpochMs + atUs / 1e3;
  }

  /** The virtual time of an instant of this boot's monotonic clock. */
  usOf(monotonicNs: bigint): number {
    return Number(monotonicNs / 1000n) + this.bootUs;
  }

  wall(): Temporal.Instant {
    const { nowUs } = this.timeline;
    if (this.cached?.us === nowUs && this.cached.wrongMs === this.wrongMs) return this.cached.wall;
    const wall = Temporal.Instant.fromEpochNanoseconds(this.readingAt(nowUs).wallNs);
    this.cached = { us: nowUs, wrongMs: this.wrongMs, wall };
    return wall;
  }

  /** The same in whole milliseconds, for the disk. */
  wallMs(): number {
    return Math.floor(this.trueEpochMs + this.wrongMs + this.timeline.nowUs / 1e3);
  }

  monotonicNs(): bigint {
    return BigInt(this.timeline.nowUs - this.bootUs) * 1_000n;
  }

  /** Somebody sets the wall clock; chrony sees that at its next asking, or that it is right again. */
  set(wrongMs: number): void {
    this.trust();
    this.wrongMs = wrongMs;
    this.cached = undefined;
    this.judged = undefined;
    this.doubtedUntilUs = this.timeline.nowUs + 2 * ASKED_US;
    // A step there and back again between two calls is a step too: the asking looks, and we look where it changes.
    this.timeline.in(ASKED_US, () => this.trust());
  }

  /**
   * The machine is switched on again, `leapMs` of true time later than virtual time says, with a hardware clock that is
   * `wrongMs` off.
   */
  reboot(leapMs: number, wrongMs: number): void {
    this.boots += 1;
    this.bootUs = this.timeline.nowUs;
    this.trueEpochMs += Math.round(leapMs);
    this.wrongMs = wrongMs;
    this.cached = undefined;
    this.judged = undefined;
    this.doubtedUntilUs = this.timeline.nowUs + 2 * ASKED_US;
    this.known = UNKNOWN;
    this.askedUs = Number.NEGATIVE_INFINITY;
  }

  /** By the production rules. */
  trust(): ClockTrust {
    const { nowUs } = this.timeline;
    if (this.judged?.us !== nowUs) this.judged = { us: nowUs, trust: this.judge() };
    return this.judged.trust;
  }

  /**
   * The clock as one life of the gateway's process sees it: its timers die with it, wait while it is stopped, and are late by
   * what its event loop has else to do. So a plane that holds a deadline is always before the gateway.
   */
  of(life: Life): Clock {
    return {
      wall: () => this.wall(),
      monotonicNs: () => this.monotonicNs(),
      trust: () => this.trust(),
      after: (ms, run): Timer => {
        const happening = this.timeline.in(ms * 1e3 + this.random.int(50, 2_000), () => life.run(run));
        return { cancel: () => this.timeline.cancel(happening) };
      },
    };
  }

  /** The askings since the last look are all alike, so the last one is made up for. */
  private judge(): ClockTrust {
    const now = this.readingAt(this.timeline.nowUs);
    const askedUs = this.bootUs + Math.floor((this.timeline.nowUs - this.bootUs) / ASKED_US) * ASKED_US;
    if (askedUs > this.askedUs) {
      this.askedUs = askedUs;
      const asked = this.readingAt(askedUs);
      const said =
        this.wrongMs === 0
          ? ({ state: 'synchronised' } as const)
          : ({ state: 'not-synchronised', why: 'the clock is off' } as const);
      this.known = afterReport(this.known, said, asked.monotonicNs, asked);
    }
    const newestMs = this.newestOnDiskMs();
    this.known = {
      ...this.known,
      steps: afterReading(this.known.steps, now),
      ...(newestMs === undefined ? {} : { floorNs: BigInt(newestMs) * 1_000_000n }),
    };
    return judgeClock(this.known, now);
  }

  private readingAt(us: number): Reading {
    return {
      wallNs: (BigInt(this.trueEpochMs) + BigInt(this.wrongMs)) * 1_000_000n + BigInt(us) * 1_000n,
      monotonicNs: BigInt(us - this.bootUs) * 1_000n,
    };
  }
}
