import { Temporal } from 'temporal-polyfill';
import type { Clock, ClockTrust, Timer } from '../../gateway/clock/clock.js';
import { afterAcknowledgement, afterReading, type StepState } from '../../gateway/clock/step-watch.js';
import type { Life } from './life.js';
import type { Timeline } from './timeline.js';

/**
 * The clocks of the simulated machine. The true time is known to the world alone; the wall clock may be set wrong by
 * somebody, and the gateway judges it by the production rule for steps. The monotonic clock begins anew with each boot.
 */
export class MachineClock {
  /** The true instant at virtual time 0, milliseconds since 1970; it leaps while the machine is switched off. */
  private trueEpochMs: number;
  /** How wrong the wall clock is, milliseconds. */
  wrongMs = 0;
  private bootUs = 0;
  private boots = 1;
  private steps: StepState | undefined;
  private cached: { us: number; wrongMs: number; wall: Temporal.Instant } | undefined;

  constructor(
    private readonly timeline: Timeline,
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
    const wall = Temporal.Instant.fromEpochNanoseconds(
      (BigInt(this.trueEpochMs) + BigInt(this.wrongMs)) * 1_000_000n + BigInt(nowUs) * 1_000n,
    );
    this.cached = { us: nowUs, wrongMs: this.wrongMs, wall };
    return wall;
  }

  monotonicNs(): bigint {
    return BigInt(this.timeline.nowUs - this.bootUs) * 1_000n;
  }

  /** Somebody sets the wall clock. */
  set(wrongMs: number): void {
    this.wrongMs = wrongMs;
  }

  /** Somebody who knows the time vouches for the wall clock as it reads now. */
  vouch(): void {
    this.steps = afterAcknowledgement(this.reading());
  }

  /** The machine is switched on again, `leapMs` of true time later than virtual time says; its hardware clock is right. */
  reboot(leapMs: number): void {
    this.boots += 1;
    this.bootUs = this.timeline.nowUs;
    this.trueEpochMs += Math.round(leapMs);
    this.wrongMs = 0;
    this.cached = undefined;
    this.steps = undefined;
  }

  trust(): ClockTrust {
    this.steps = afterReading(this.steps, this.reading());
    return this.steps.step === undefined ? { trusted: true } : { trusted: false, why: 'the clock stepped' };
  }

  /** The clock as one life of the gateway's process sees it: its timers die with it, and wait while it is stopped. */
  of(life: Life): Clock {
    return {
      wall: () => this.wall(),
      monotonicNs: () => this.monotonicNs(),
      trust: () => this.trust(),
      after: (ms, run): Timer => {
        const happening = this.timeline.in(ms * 1e3, () => life.run(run));
        return { cancel: () => this.timeline.cancel(happening) };
      },
    };
  }

  private reading() {
    return { wallNs: BigInt(this.wall().epochNanoseconds), monotonicNs: this.monotonicNs() };
  }
}
