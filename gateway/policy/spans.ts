/** A stretch of time, [from, to), epoch milliseconds. Lists of spans are sorted and do not touch. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Sorts spans and joins those that overlap or touch. */
export function joined(spans: readonly Span[]): Span[] {
  const sorted = spans.filter(({ from, to }) => to > from).sort((a, b) => a.from - b.from);
  const out: { from: number; to: number }[] = [];
  for (const span of sorted) {
    const last = out.at(-1);
    if (last !== undefined && span.from <= last.to) last.to = Math.max(last.to, span.to);
    else out.push({ ...span });
  }
  return out;
}

/** What is in both lists: commutative, associative, never wider than either. */
export function meet(a: readonly Span[], b: readonly Span[]): Span[] {
  const out: Span[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const left = a[i] as Span;
    const right = b[j] as Span;
    const from = Math.max(left.from, right.from);
    const to = Math.min(left.to, right.to);
    if (to > from) out.push({ from, to });
    if (left.to < right.to) i += 1;
    else j += 1;
  }
  return out;
}

/** Spans as they are, but for the stretch `within`, where only those parts stay that `only` has too. */
export function onlyWithin(spans: readonly Span[], within: Span, only: readonly Span[]): Span[] {
  const outside = [
    { from: Number.NEGATIVE_INFINITY, to: within.from },
    { from: within.to, to: Number.POSITIVE_INFINITY },
  ];
  return meet(spans, joined([...outside, ...meet([within], joined(only))]));
}
