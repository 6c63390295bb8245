import { liveSite } from './live.js';
import { Store } from './store.js';

interface AtFirst {
  readonly at: Date;
  readonly errors: Readonly<Record<string, number>>;
}

/** What each board's errors were when this page first heard of it: a count that rises from there is a fault of now. */
export const boardsAtFirst = new Store<ReadonlyMap<string, AtFirst>>(new Map());

liveSite.watch(() => {
  const site = liveSite.value;
  if (site === undefined) {
    boardsAtFirst.set(new Map());
    return;
  }
  const known = boardsAtFirst.value;
  // A count that fell is that of an agent that started anew: it is counted from there.
  const isOld = ({ board, errors = {} }: (typeof site.boards)[number]) => {
    const first = known.get(board);
    return first === undefined || Object.entries(first.errors).some(([kind, count]) => (errors[kind] ?? 0) < count);
  };
  const fresh = site.boards.filter(isOld);
  if (fresh.length === 0) return;
  const next = new Map(known);
  for (const { board, errors = {} } of fresh) next.set(board, { at: new Date(), errors });
  boardsAtFirst.set(next);
});
