/** GET /api/work: what came of the work in the last thirty days. */
export interface WorkView {
  /** Of the site: hours of the day are by its clock. */
  readonly zone: string;
  readonly outcomes: readonly OutcomeView[];
  readonly scores: readonly ScoreView[];
}

export interface OutcomeView {
  readonly campaign: string;
  /** Empty where it was not told. */
  readonly language: string;
  /** How it went, e.g. `completed`. */
  readonly outcome: string;
  /** The hour of the day, 0 to 23. */
  readonly hour: number;
  /** Contacts that try the work are counted apart. */
  readonly isMystery: boolean;
  readonly calls: number;
}

export interface ScoreView {
  readonly campaign: string;
  readonly criterion: string;
  readonly calls: number;
  /** 0 to 5. */
  readonly mean: number;
}
