import type { Temporal } from 'temporal-polyfill';

/** Whether the wall clock may be believed; an untrusted clock refuses every call (`clock.untrusted`). */
export type ClockTrust = { readonly trusted: true } | { readonly trusted: false; readonly why: string };

/** A timer that was asked for; whoever asked for it cancels it. Cancelling twice is harmless. */
export interface Timer {
  cancel(): void;
}

/**
 * The only way in which the gateway reads time or waits for it.
 * `wall` is what people are told and what is written to disk; `monotonicNs` is CLOCK_MONOTONIC in nanoseconds, one for all
 * processes of a boot, and what the planes obey.
 */
export interface Clock {
  wall(): Temporal.Instant;
  monotonicNs(): bigint;
  trust(): ClockTrust;
  /** Runs `run` once, `ms` milliseconds from now on the monotonic clock (never early). */
  after(ms: number, run: () => void): Timer;
}
