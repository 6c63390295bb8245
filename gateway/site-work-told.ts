/** Tells the rest of the house what people do at the work desk: headquarters, the console, the displays, the metrics. */
import type { GatewayMetrics } from './gateway-metrics.js';
import type { Lines } from './lines/lines.js';
import type { SiteWatch } from './site-watch.js';
import type { Uplink } from './uplink/uplink.js';
import type { Activity } from './work/campaign.js';
import type { WorkSeam } from './work/work-seam.js';

export type WorkTold = Required<Pick<WorkSeam, 'doing' | 'refused'>>;

export interface WorkToldParts {
  readonly uplink: Pick<Uplink, 'work'> | undefined;
  readonly watch: Pick<SiteWatch, 'work'>;
  readonly lines: Pick<Lines, 'say'>;
  readonly metrics: () => Pick<GatewayMetrics, 'workRefused'> | undefined;
}

/** What the display of a keypad handset says: what its person does, and nothing of the contact. */
const SAYS: Readonly<Record<Activity, string>> = {
  'signed-on': 'Signed on',
  'no-work': 'No contact now',
  ringing: 'Ringing',
  talking: 'Talking',
  'wrap-up': 'How did it go?',
  pause: 'Pause',
  away: 'Signed on, away',
};

export function workTold({ uplink, watch, lines, metrics }: WorkToldParts): WorkTold {
  return {
    doing: (handset, { person, activity }) => {
      const doing = activity === 'signed-off' ? undefined : { person, activity };
      uplink?.work(handset, doing);
      watch.work(handset, doing);
      lines.say(handset, doing === undefined ? 'Signed off' : SAYS[doing.activity]);
    },
    refused: (why) => metrics()?.workRefused(why),
  };
}
