/** A figure of the benchmark: what was measured, what it must reach, what others reach, and the table of them all. */

/** What a figure must reach. Figures without one are shown for what they say about another. */
export interface Budget {
  readonly is: 'at most' | 'at least';
  readonly value: number;
}

export interface Reading {
  /** Stable, for programs that read the JSON, e.g. `set-up.p50`. */
  readonly id: string;
  readonly title: string;
  /** '' for a plain count. */
  readonly unit: string;
  readonly value: number;
  /** Which way is better; needed where there is no budget. */
  readonly better: 'less' | 'more';
  readonly budget?: Budget;
  /** What another program does: in this very run, or on the machine where the budgets were made. */
  readonly reference?: { readonly text: string; readonly measuredHere: boolean };
  /** What the figure rests on, for the JSON. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

export type Verdict = 'within' | 'over' | 'shown';

/** A figure after all its runs: the better reading, and the value of each. */
export interface Figure extends Reading {
  readonly runs: readonly number[];
  readonly verdict: Verdict;
}

export function verdictOf({ value, budget }: Pick<Reading, 'value' | 'budget'>): Verdict {
  if (budget === undefined) return 'shown';
  // Not a number: nothing was measured, and that is within no budget.
  const holds = budget.is === 'at most' ? value <= budget.value : value >= budget.value;
  return holds ? 'within' : 'over';
}

/** Joins the readings of all runs by id, in the order in which they first came: the machine is shared, so the better one counts. */
export function joinRuns(readings: readonly Reading[]): Figure[] {
  const byId = new Map<string, Reading[]>();
  for (const reading of readings) byId.set(reading.id, [...(byId.get(reading.id) ?? []), reading]);
  return [...byId.values()].map((runs) => {
    const best = runs.reduce((a, b) => (isBetter(b, a) ? b : a));
    return { ...best, runs: runs.map(({ value }) => value), verdict: verdictOf(best) };
  });
}

function isBetter(a: Reading, b: Reading): boolean {
  if (Number.isNaN(b.value)) return true;
  return a.better === 'less' ? a.value < b.value : a.value > b.value;
}

/** Three digits that count, and whole numbers from a hundred up. */
export function rounded(value: number): string {
  if (Number.isNaN(value)) return 'none';
  if (!Number.isFinite(value)) return 'never';
  if (Number.isInteger(value) || Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

const withUnit = (value: number, unit: string): string =>
  [rounded(value), unit].filter((part) => part !== '').join(' ');

function budgetText({ budget, unit }: Reading): string {
  if (budget === undefined) return '-';
  return `${budget.is === 'at most' ? '≤' : '≥'} ${withUnit(budget.value, unit)}`;
}

function referenceText({ reference }: Reading): string {
  if (reference === undefined) return '-';
  return reference.measuredHere ? `${reference.text} (here)` : `reference: ${reference.text}`;
}

/** The figures as lines of text, columns aligned. */
export function table(figures: readonly Figure[]): string {
  const rows = [
    ['figure', 'measured', 'budget', 'reference', 'verdict'],
    ...figures.map((figure) => [
      figure.title,
      withUnit(figure.value, figure.unit),
      budgetText(figure),
      referenceText(figure),
      figure.verdict,
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
