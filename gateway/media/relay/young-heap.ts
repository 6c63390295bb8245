/**
 * Imported first by the relay's program. Node makes garbage of every datagram that it receives; V8's answer is to let the
 * young generation grow to 16 MB, so that packets wait milliseconds while it is swept. A small one is swept in a fraction
 * of a millisecond, by this thread, which then waits for no other on a machine of two cores.
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString('--single-threaded-gc');
