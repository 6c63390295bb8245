import type { CallSink, MediaPlane } from '../calls/ports.js';
import type { MediaStats } from '../calls/record.js';
import type { CallId } from '../policy/ids.js';
import type { Leg } from './media-session.js';
import type { Direction } from './sdp.js';

/** What carries the packets of calls: our own relay, or an rtpengine. What the rest of the gateway knows of either. */
export interface MediaDriver extends MediaPlane {
  setSink(sink: CallSink): void;
  /** Who is told, after the calls, that contact is lost. */
  onLost(lost: (why: string) => void): void;
  readonly attached: boolean;
  /** Ends contact on purpose: what is held is dropped, and nobody is told. */
  detach(): void;
  /** A leg was put on hold, or taken off it, in its own words. */
  hold(call: CallId, leg: Leg, direction: Direction): void;
  /**
   * The handset keyed a digit in an INFO: one of 0-9 * # A-D, or '' where it could not be read. It is judged like any other, and
   * goes to the trunk as an RFC 4733 event or no further.
   */
  keyed(call: CallId, key: string): void;
  /** What each call carries so far, and how well. */
  measureAll(): Promise<ReadonlyMap<CallId, MediaStats>>;
  /** What a call carries so far; undefined for a call that is not held. */
  measure(call: CallId): Promise<MediaStats | undefined>;
}

/** What these calls of a driver carry so far. */
export async function measuredOf(
  driver: Pick<MediaDriver, 'measure'>,
  calls: Iterable<CallId>,
): Promise<ReadonlyMap<CallId, MediaStats>> {
  const measured = await Promise.all([...calls].map(async (call) => [call, await driver.measure(call)] as const));
  return new Map(measured.flatMap(([call, stats]) => (stats === undefined ? [] : [[call, stats]])));
}
