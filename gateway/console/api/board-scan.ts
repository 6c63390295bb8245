/** Looking for boards on a port that no agent of the site holds. */

/** Where boards may be, as boards.json has it. Default: 9600 baud, no parity, one stop bit. */
export type ScanPlace =
  | {
      readonly kind: 'serial';
      /** A device file below /dev. */
      readonly path: string;
      readonly baud?: number;
      readonly parity?: 'none' | 'even' | 'odd';
      readonly stopBits?: 1 | 2;
    }
  | { readonly kind: 'rtu-over-tcp'; readonly host: string; readonly port: number };

/** POST /api/boards/scan → 202 ScanView; how it goes on is told live, as `scan`. It reads and never writes. */
export interface ScanOrder {
  readonly place: ScanPlace;
  /** The unit ids to ask, 1 to 247; 1 to 16 unless told otherwise. A silent one takes 0.3 s. */
  readonly from?: number;
  readonly to?: number;
}

export interface ScanView {
  readonly place: ScanPlace;
  readonly from: number;
  readonly to: number;
  readonly startedAt: string;
  readonly state: 'running' | 'done' | 'failed';
  /** The unit that is asked, or was last. */
  readonly unit: number;
  readonly boards: readonly FoundBoardView[];
  /** `failed`: what the port had to say, in English. */
  readonly why?: string;
}

/** A unit that answered. `matches`: the kinds on file that it could be, the likeliest first; none: describe it. */
export interface FoundBoardView {
  readonly unit: number;
  readonly tookMs: number;
  readonly matches: readonly {
    readonly kind: string;
    readonly isCertain: boolean;
    readonly isExact: boolean;
    readonly facts: readonly string[];
  }[];
}

/** GET /api/ports → { ports: PortView[] }. The machine's serial adapters. */
export interface PortView {
  readonly path: string;
  /** The agent of this site that holds it: it cannot be scanned. */
  readonly agent?: string;
}
