import type { HandsetView } from '../api/handsets.js';
import type { SiteView } from '../api/site.js';

/** What a handset's tile says: one word for all that is known of it, in the order of what a technician must see first. */
export const STATES = [
  'talking',
  'ringing',
  'calling',
  'refused',
  'off-hook',
  'fault',
  'cut',
  'away',
  'disabled',
  'on-hook',
] as const;
export type HandsetState = (typeof STATES)[number];

/**
 * The one state of a handset. A call that is up is never hidden behind anything else; then what keeps it from calling,
 * the gravest first; then what it does.
 */
export function stateOf(view: HandsetView): HandsetState {
  if (view.phase === 'talking' || view.phase === 'ringing' || view.phase === 'calling') return view.phase;
  if (view.cut !== undefined) return 'cut';
  if (view.fault !== undefined) return 'fault';
  if (view.disabled) return 'disabled';
  if (view.rule !== undefined) return 'refused';
  if (!view.registered) return 'away';
  return view.hook === 'off' ? 'off-hook' : 'on-hook';
}

/** How many handsets are in each state. */
export function countStates(handsets: readonly HandsetView[]): ReadonlyMap<HandsetState, number> {
  const counts = new Map<HandsetState, number>();
  for (const view of handsets) counts.set(stateOf(view), (counts.get(stateOf(view)) ?? 0) + 1);
  return counts;
}

/** The wings in the site's order, each with those of its handsets that `isShown`; a wing that the site does not name comes last. */
export function byWing(
  { wings, handsets }: Pick<SiteView, 'wings' | 'handsets'>,
  isShown: (view: HandsetView) => boolean,
): readonly {
  readonly wing: string;
  readonly handsets: readonly HandsetView[];
  readonly shown: readonly HandsetView[];
}[] {
  const names = [...new Set([...wings.map(({ wing }) => wing), ...handsets.map(({ wing }) => wing)])];
  return names.map((wing) => {
    const own = handsets.filter((view) => view.wing === wing);
    return { wing, handsets: own, shown: own.filter(isShown) };
  });
}

/** How many calls an order on these handsets would end now. */
export function liveCalls(handsets: readonly HandsetView[]): number {
  return handsets.filter(({ phase }) => phase === 'talking' || phase === 'ringing' || phase === 'calling').length;
}

/**
 * Whole seconds of talk left, by the page's steady clock: what the gateway said, less the time since it said so.
 * Never below 0; undefined when nobody talks.
 */
export function secondsLeft(view: HandsetView, heardMs: number | undefined, nowMs: number): number | undefined {
  if (view.phase !== 'talking' || view.leftS === undefined) return undefined;
  return Math.max(0, Math.ceil(view.leftS - (nowMs - (heardMs ?? nowMs)) / 1000));
}
