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
  /** What a call carries so far; undefined for a call that is not held. */
  measure(call: CallId): Promise<MediaStats | undefined>;
}
