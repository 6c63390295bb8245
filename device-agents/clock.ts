import { readFileSync } from 'node:fs';

/** A timer that was asked for; cancelling twice is harmless. */
export interface AgentTimer {
  cancel(): void;
}

/** The only way in which an agent reads time or waits for it. */
export interface AgentClock {
  /** CLOCK_MONOTONIC in nanoseconds: one clock for all processes of a boot, which nobody can set back. */
  nowNs(): bigint;
  /** The wall clock as people read it, ISO 8601 in UTC. Nothing is decided by it. */
  wall(): string;
  /** Runs `run` once, `ms` milliseconds from now, never early. */
  after(ms: number, run: () => void): AgentTimer;
  /** The same to a tenth of a millisecond, at the price of some CPU: for the silences of a fast line, a few milliseconds at most. */
  soon(ms: number, run: () => void): void;
}

/** The machine's clocks. */
export function agentClock(): AgentClock {
  return {
    nowNs: () => process.hrtime.bigint(),
    wall: () => new Date().toISOString(),
    after(ms, run) {
      const timer = setTimeout(run, Math.max(0, Math.ceil(ms)));
      return { cancel: () => clearTimeout(timer) };
    },
    soon(ms, run) {
      const atNs = process.hrtime.bigint() + BigInt(Math.ceil(ms * 1e6));
      const look = () => {
        if (process.hrtime.bigint() >= atNs) run();
        else setImmediate(look);
      };
      // Node's timer takes a whole millisecond or up to two; what is left of it is waited for turn by turn.
      if (ms > 1) setTimeout(look, Math.floor(ms - 0.5));
      else look();
    },
  };
}

/** The id of this boot, as Linux gives it: instants of another boot mean nothing. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

export const MS = 1_000_000n;

/** The later of two monotonic instants. */
export function laterOf(aNs: bigint, bNs: bigint): bigint {
  if (aNs > bNs) return aNs;
  return bNs;
}

/** The earlier of two monotonic instants. */
export function earlierOf(aNs: bigint, bNs: bigint): bigint {
  if (aNs < bNs) return aNs;
  return bNs;
}

/** Milliseconds from one monotonic instant to another, with fractions. */
export function msBetween(fromNs: bigint, toNs: bigint): number {
  return Number(toNs - fromNs) / 1e6;
}
