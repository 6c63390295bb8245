import type { SipSource } from './sip-metrics.js';
import type { RoomReport } from './store/room.js';

/** What the metrics read each time that somebody looks; each must be cheap. */
export interface MetricsSource {
  calls(): number;
  /** Events written and not confirmed by headquarters' broker. */
  outboxDepth(): number;
  lastSequence(): number;
  room(): RoomReport;
  isConnected(): boolean;
  isClockTrusted(): boolean;
  readonly sip: SipSource;
}

/** What is counted as it happens. */
export interface MetricsCounts {
  readonly ended: ReadonlyMap<string, number>;
  readonly refused: ReadonlyMap<string, number>;
  readonly cutoffs: ReadonlyMap<string, number>;
  readonly workRefused: ReadonlyMap<string, number>;
  readonly talkedMs: number;
}
