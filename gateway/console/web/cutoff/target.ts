import type { HandsetView } from '../../api/handsets.js';
import type { CutTarget } from '../../api/orders.js';

/** The handset's or wing's name; the site needs none. */
export function nameOf(target: CutTarget): string {
  return target.kind === 'handset' ? target.handset : target.kind === 'wing' ? target.wing : '';
}

/** The handsets that an order on this target meets. */
export function handsetsOf(target: CutTarget, all: readonly HandsetView[]): readonly HandsetView[] {
  if (target.kind === 'handset') return all.filter(({ handset }) => handset === target.handset);
  return target.kind === 'wing' ? all.filter(({ wing }) => wing === target.wing) : all;
}
