/** GET /api/work: what came of the work in the last thirty days. */
export interface WorkView {
  /** Of the site: hours of the day are by its clock. */
  readonly zone: string;
  readonly outcomes: readonly OutcomeView[];
  readonly scores: readonly ScoreView[];
}

/** GET /api/work/sheets: the newest calls of the last thirty days that can be scored. */
export interface SheetsView {
  readonly calls: readonly SheetView[];
}

/** A call with the criteria of its campaign; POST /api/work/scores answers it as it then is. */
export interface SheetView {
  readonly call: string;
  readonly campaign: string;
  /** Who called. */
  readonly person: string;
  readonly endedAt: string;
  readonly talkS: number;
  readonly criteria: readonly { readonly id: string; readonly text: string }[];
  /** By criterion, 0 to 5, as it was scored last; empty: not yet. */
  readonly points: Readonly<Record<string, number>>;
}

/** POST /api/work/scores → SheetView: one score for each criterion, 0 to 5. */
export interface ScoreOrder {
  readonly call: string;
  readonly points: Readonly<Record<string, number>>;
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
