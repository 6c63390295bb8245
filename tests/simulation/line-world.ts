import type { CallSink, LinePlane } from '../../gateway/calls/ports.js';
import type { Clock } from '../../gateway/clock/clock.js';
import type { CallId, HandsetId } from '../../gateway/policy/ids.js';
import type { Life } from './life.js';

/** What a new life of the gateway gives the line plane. */
export interface LineLife {
  readonly life: Life;
  readonly clock: Clock;
  readonly bootId: string;
  readonly sink: CallSink;
}

/** The line plane of the simulated world, with the agents, boards and wires behind it. */
export interface LineWorld {
  /** Calls that it holds. */
  readonly size: number;
  /** A new life of the gateway: the plane that this life orders. */
  gatewayBack(life: LineLife): LinePlane;
  /** The gateway is gone, or has not been heard for as long as a lease: every relay opens. */
  contactLost(): void;
  /** The bus is there again, for the same life. */
  contactBack(): void;
  /** A device agent, or one of its boards, is not there any more. */
  lose(part: string): void;
  found(part: string): void;
  /** The hook of a handset has changed. */
  hookChanged(handset: HandsetId): void;
  holds(call: CallId): boolean;
  /** The relay of the handset connects its pair now. */
  isConnected(handset: HandsetId): boolean;
  /** Nothing but the board's own watchdog holds the coil: it may be closed for some seconds more (planes: five). */
  isLeftToWatchdog(handset: HandsetId): boolean;
}
