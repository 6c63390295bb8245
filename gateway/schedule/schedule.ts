/**
 * What is done at hours of a zone's wall clock, and every so many minutes. It is told of each minute, and looks at the wall
 * clock itself: a minute that was missed (a machine that slept, a clock that was set forward) is made up for once, and a
 * clock that is set back does nothing twice.
 *
 * In the narrow reading throughout: an hour that does not exist that night has come when the gap has, one that comes twice
 * has come at the first.
 */
import type { Clock, Timer } from '../clock/clock.js';
import { DAY_MS, ZoneClock } from '../policy/zone-clock.js';

/** Calls `run` at the beginning of each minute, about; never before it is asked, nor after its timer is cancelled. */
export type Minutes = (run: () => void) => Timer;

export interface ScheduleOptions {
  readonly clock: Clock;
  readonly minutes: Minutes;
  /** A job threw; the others go on, and it runs again when it is next due. */
  readonly onFault: (job: string, fault: unknown) => void;
}

interface Job {
  readonly name: string;
  readonly run: () => void;
  /** The first instant after `ms` at which it is due, epoch milliseconds. */
  readonly next: (ms: number) => number;
  dueMs: number;
}

const MINUTE_MS = 60_000;

export class Schedule {
  readonly #jobs: Job[] = [];
  #timer: Timer | undefined;

  constructor(private readonly options: ScheduleOptions) {}

  /** Runs `run` every day at a wall time of a zone, "HH:MM". */
  daily(name: string, time: string, zone: string, run: () => void): void {
    const ofDayMs = (Number(time.slice(0, 2)) * 60 + Number(time.slice(3))) * MINUTE_MS;
    const clock = ZoneClock.of(zone);
    const next = (ms: number): number => {
      for (let day = clock.dayAt(ms) - 1; ; day += 1) {
        const due = clock.instantOf(day * DAY_MS + ofDayMs, 'closes');
        if (due > ms) return due;
      }
    };
    this.#add(name, run, next);
  }

  /** Runs `run` every `minutes` minutes, on their multiples since 1970. */
  every(name: string, minutes: number, run: () => void): void {
    const stepMs = minutes * MINUTE_MS;
    this.#add(name, run, (ms) => (Math.floor(ms / stepMs) + 1) * stepMs);
  }

  start(): void {
    const nowMs = this.options.clock.wall().epochMilliseconds;
    for (const job of this.#jobs) job.dueMs = job.next(nowMs);
    this.#timer = this.options.minutes(() => this.tick());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** A minute has come: runs what is due, each once. */
  tick(): void {
    const nowMs = this.options.clock.wall().epochMilliseconds;
    for (const job of this.#jobs) {
      const soonest = job.next(nowMs);
      // Set back by a day or more, the clock was wrong before: nobody is to wait for as long as it was.
      if (job.dueMs - soonest > DAY_MS) job.dueMs = soonest;
      if (nowMs < job.dueMs) continue;
      job.dueMs = soonest;
      try {
        job.run();
      } catch (fault) {
        this.options.onFault(job.name, fault);
      }
    }
  }

  #add(name: string, run: () => void, next: Job['next']): void {
    this.#jobs.push({ name, run, next, dueMs: Number.POSITIVE_INFINITY });
  }
}
