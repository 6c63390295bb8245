/**
 * How Node itself is started for a plane. They are arguments of the process and never set from within it: V8 sets itself up
 * by them, and one that learns of them later can abort in its collector.
 */

/** For processes whose garbage is small and dies young: the nursery stays small (79 MB, not 108, for an agent of 16 boards). */
export const SMALL_HEAP: readonly string[] = ['--semi-space-growth-factor=1'];

/**
 * For the relay. Node makes garbage of every datagram; a nursery left to grow to 16 MB makes packets wait milliseconds while
 * it is swept. A small one is swept in a fraction of a millisecond, by the same thread, which then waits for no other.
 */
export const STEADY_HEAP: readonly string[] = [...SMALL_HEAP, '--single-threaded-gc'];
