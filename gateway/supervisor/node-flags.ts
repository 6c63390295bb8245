/**
 * How Node itself is started for a plane. They are arguments of the process and never set from within it: V8 sets itself up
 * by them, and one that learns of them later can abort in its collector.
 */

/**
 * For processes whose garbage is small and dies young: the nursery stays at 1 MB, where it would grow to 16. (A growth factor of 1
 * does not keep it: Node 20 on a machine with much memory begins with 8 MB.)
 */
export const SMALL_HEAP: readonly string[] = ['--max-semi-space-size=1'];

/**
 * For the SIP engine: the thread that serves sweeps by itself. On few and busy cores V8's helping threads cost more processor
 * time than they spare it.
 */
export const LONE_SWEEPER: readonly string[] = ['--single-threaded-gc'];

/**
 * For the relay. Node makes garbage of every datagram: while a nursery of 8 MB is swept packets wait a millisecond, and a third of
 * that for one of 1 MB. It is swept by the thread that forwards, which then waits for no other.
 */
export const STEADY_HEAP: readonly string[] = [...SMALL_HEAP, ...LONE_SWEEPER];
