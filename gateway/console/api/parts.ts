/** What a site is built of: planes, boards, trunks, the way to headquarters. */

export interface PlaneView {
  readonly name: string;
  readonly state: 'up' | 'down';
  readonly detail: string;
}

/** GET /api/boards → { boards: BoardView[] } */
export interface BoardView {
  readonly board: string;
  readonly device: string;
  /** `ok`, `lost`, `watchdog-missing` or `tamper`; `starting` before the first word. */
  readonly state: string;
  readonly detail: string;
  readonly port: string;
  readonly handsets: readonly string[];
  readonly rttMs?: number;
  readonly polls?: number;
  /** Errors since its agent started, by kind. */
  readonly errors?: Readonly<Record<string, number>>;
  readonly watchdog?: string;
  readonly at?: string;
}

/** GET /api/trunks → { trunks: TrunkView[] } */
export interface TrunkView {
  readonly trunk: string;
  readonly address: string;
  readonly transport: string;
  /** Since the gateway's start. */
  readonly attempts: number;
  readonly answered: number;
  readonly failed: number;
  readonly lastFailure?: { readonly at: string; readonly sipStatus: number };
}

/** GET /api/uplink */
export interface UplinkView {
  readonly configured: boolean;
  readonly connected: boolean;
  readonly broker?: string;
  /** Events written and not yet confirmed by headquarters. */
  readonly waiting: number;
  readonly lastSequence: number;
}
