/**
 * How Node itself is started for a plane. They are arguments of the process and never set from within it: V8 sets itself up
 * by them, and one that learns of them later can abort in its collector.
 */

/** For processes whose garbage is small and dies young: the nursery stays small (79 MB, not 108, for an agent of 16 boards). */
export const SMALL_HEAP: readonly string[] = ['--semi-space-growth-factor=1'];

/**
 * For the relay. Node makes garbage of every datagram; while a nursery of 8 MB is swept, which is what it begins with on a
 * machine with much memory, packets wait a millisecond. One of 1 MB is swept in a third of that, by the same thread, which
 * then waits for no other.
 */
export const STEADY_HEAP: readonly string[] = ['--max-semi-space-size=1', '--single-threaded-gc'];
