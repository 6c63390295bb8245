/** Boards that are added to the site. */
import type { ScanPlace } from './board-scan.js';

/** A board of boards.json to be. */
export interface NewBoard {
  readonly id: string;
  /** Its kind: a name of `config/devices/`. */
  readonly device: string;
  /** Its Modbus unit id, 1 to 247; 1 unless told otherwise. */
  readonly unit?: number;
  /** The agent that drives it; left out: the one that has its port, or a new one. */
  readonly agent?: string;
  readonly transport: ScanPlace;
  /** Take a board that has no communication watchdog of its own. */
  readonly allowNoWatchdog?: boolean;
}

/** POST /api/boards → 201 BoardsAdded. All of them or none. */
export interface NewBoards {
  readonly boards: readonly NewBoard[];
}

export interface BoardsAdded {
  /** Each with whether the running gateway has it: a board of an agent that has others waits for a restart. */
  readonly boards: readonly { readonly board: string; readonly agent: string; readonly isRunning: boolean }[];
  /** What a person should know, in English: what takes a restart. */
  readonly remarks: readonly string[];
}
