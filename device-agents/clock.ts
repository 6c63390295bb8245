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
  /**
   * The same to a hundredth of a millisecond, for the silences of a fast line: the last millisecond of it, or less, is slept
   * through by the whole process, and its last tenth is spent awake.
   */
  soon(ms: number, run: () => void): void;
}

const NOBODY_WAKES = new Int32Array(new SharedArrayBuffer(4));
/** Linux may wake a sleeper 50 µs late, so that others can wake with it (prctl(2), PR_SET_TIMERSLACK); what it takes comes on top. */
const WAKES_LATE_MS = 0.1;

/** The machine's clocks. */
export function agentClock(): AgentClock {
  return {
    nowNs: () => process.hrtime.bigint(),
    wall: () => new Date().toISOString(),
    after(ms, run) {
      const dueNs = process.hrtime.bigint() + BigInt(Math.ceil(ms * 1e6));
      let timer: NodeJS.Timeout;
      // Node's timer counts whole milliseconds of its own, and may fire up to one of them early.
      const look = () => (process.hrtime.bigint() >= dueNs ? run() : wait());
      const wait = () => {
        timer = setTimeout(look, Math.max(0, Math.ceil(msBetween(process.hrtime.bigint(), dueNs))));
      };
      wait();
      return { cancel: () => clearTimeout(timer) };
    },
    soon(ms, run) {
      const atNs = process.hrtime.bigint() + BigInt(Math.ceil(ms * 1e6));
      const sleep = () => {
        const leftMs = msBetween(process.hrtime.bigint(), atNs) - WAKES_LATE_MS;
        if (leftMs > 0) Atomics.wait(NOBODY_WAKES, 0, 0, leftMs);
        while (process.hrtime.bigint() < atNs);
        run();
      };
      // Node's timer knows whole milliseconds, and is a little late: a tenth of what turning round for the rest would cost.
      if (ms > 1.1) setTimeout(sleep, Math.floor(ms - 0.1));
      else sleep();
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
