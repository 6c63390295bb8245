import type { EndedView } from '../api/calls.js';
import type { HandsetView } from '../api/handsets.js';
import type { AlarmView, LiveEvents, SiteView } from '../api/site.js';

/** As many ended calls and alarms as the board keeps. */
const MOST_KEPT = 50;

/** The site as the page knows it: the last whole view, and what has come since. */
export interface LiveSite extends SiteView {
  /** When each handset's word came, milliseconds of the page's steady clock: countdowns go from there. */
  readonly heardMs: Readonly<Record<string, number>>;
}

type Taken = Exclude<keyof LiveEvents, 'bye'>;

/** The site after one event. `undefined`: nothing is known before the first whole view. */
export function afterEvent(
  site: LiveSite | undefined,
  name: string,
  data: unknown,
  nowMs: number,
): LiveSite | undefined {
  if (name === 'view') {
    const view = data as SiteView;
    return { ...view, heardMs: Object.fromEntries(view.handsets.map(({ handset }) => [handset, nowMs])) };
  }
  if (site === undefined) return undefined;
  switch (name as Taken) {
    case 'handset':
      return withHandset(site, data as HandsetView, nowMs);
    case 'ended':
      return { ...site, ended: [data as EndedView, ...site.ended].slice(0, MOST_KEPT) };
    case 'alarm':
      return { ...site, alarms: [data as AlarmView, ...site.alarms].slice(0, MOST_KEPT) };
    case 'planes':
      return { ...site, planes: data as LiveEvents['planes'] };
    case 'boards':
      return { ...site, boards: data as LiveEvents['boards'] };
    case 'scan':
      return { ...site, scan: data as LiveEvents['scan'] };
    case 'uplink':
      return { ...site, uplink: data as LiveEvents['uplink'] };
    default:
      return site; // A newer gateway may say more than this page knows.
  }
}

function withHandset(site: LiveSite, view: HandsetView, nowMs: number): LiveSite {
  const isKnown = site.handsets.some(({ handset }) => handset === view.handset);
  const handsets = isKnown
    ? site.handsets.map((one) => (one.handset === view.handset ? view : one))
    : [...site.handsets, view];
  return { ...site, handsets, heardMs: { ...site.heardMs, [view.handset]: nowMs } };
}
