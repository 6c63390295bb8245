/** A timer that was asked for; cancelling twice is harmless. */
export interface EngineTimer {
  cancel(): void;
}

/** The only way in which the engine reads time or waits for it. Tests put a virtual one in its place. */
export interface EngineClock {
  /** Milliseconds of the monotonic clock, with fractions, from an origin of this process's own. */
  nowMs(): number;
  /** CLOCK_MONOTONIC in nanoseconds: one clock for all processes of a boot. */
  nowNs(): bigint;
  /** UTC as drachtio's protocol writes it, `HH:MM:SS.micros`. */
  timeOfDay(): string;
  /** Runs `run` once, `ms` milliseconds from now: up to one early, as Node's timers are, so whoever keeps a limit looks again. */
  after(ms: number, run: () => void): EngineTimer;
}

const DAY_MS = 86_400_000;

function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}

/** The machine's clocks. */
export function engineClock(): EngineClock {
  let second = -1;
  let prefix = '';
  return {
    nowMs: () => performance.now(),
    nowNs: () => process.hrtime.bigint(),
    timeOfDay() {
      const ofDayMs = (performance.timeOrigin + performance.now()) % DAY_MS;
      const whole = Math.floor(ofDayMs / 1000);
      if (whole !== second) {
        second = whole;
        prefix = `${two(Math.floor(whole / 3600))}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}.`;
      }
      const micros = Math.floor((ofDayMs - whole * 1000) * 1000);
      return prefix + (1_000_000 + Math.min(micros, 999_999)).toString().slice(1);
    },
    after(ms, run) {
      const timer = setTimeout(run, Math.max(0, Math.ceil(ms)));
      return { cancel: () => clearTimeout(timer) };
    },
  };
}
