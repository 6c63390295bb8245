/** Orders to cut, and to lift what was cut. */

/** What is to be cut or released. */
export type CutTarget =
  | { readonly kind: 'handset'; readonly handset: string }
  | { readonly kind: 'wing'; readonly wing: string }
  | { readonly kind: 'site' };

/** POST /api/cutoffs → CutView */
export interface CutOrder {
  readonly target: CutTarget;
  readonly reason: string;
  readonly holdS: number | 'until-released';
}

/** POST /api/calls/:id/cut, by a supervisor who listens to it → CutView. What an order to cut came to. */
export interface CutView {
  readonly calls: number;
  readonly silentMs: number;
  /** Every plane of every call confirmed. */
  readonly complete: boolean;
}

/** POST /api/releases → { released: true } */
export interface ReleaseOrder {
  readonly target: CutTarget;
}
