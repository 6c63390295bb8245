import type { LineReport } from '../agent.js';

/** How urgent a board's next question is; lower goes first. */
export const RANK = { openRelay: 0, setRelay: 1, poll: 2, lost: 3 } as const;

export interface Wish {
  readonly rank: number;
  /** Not before this instant. */
  readonly atNs: bigint;
}

/** How often a board is looked at, milliseconds. */
export interface Pace {
  /** Its inputs; 0 is as often as the line allows. */
  readonly pollMs: number;
  /** Its relays, even when nothing changes. */
  readonly verifyMs: number;
}

export interface BoardEvents {
  /** The report of a line changed, or was asked for. */
  line(handset: string, report: LineReport): void;
  health(): void;
}
