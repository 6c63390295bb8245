import type { Calls } from '../../gateway/calls/calls.js';
import type { Channel } from './channel.js';
import type { Life } from './life.js';
import type { MachineClock } from './machine-clock.js';
import type { Random } from './random.js';
import type { SimBroker } from './sim-broker.js';
import type { SimLine } from './sim-line.js';
import type { SimMedia } from './sim-media.js';
import type { SimSignalling } from './sim-signalling.js';
import type { SimHandset, SimSite } from './sim-site.js';
import type { SimStore } from './sim-store.js';
import type { Timeline } from './timeline.js';
import type { Tally, Watch } from './watch.js';

/** What of the world can go wrong, and what people can order. */
export interface WorldParts {
  readonly random: Random;
  readonly timeline: Timeline;
  readonly clock: MachineClock;
  readonly site: SimSite;
  readonly store: SimStore;
  readonly media: SimMedia;
  readonly line: SimLine;
  readonly signalling: SimSignalling;
  readonly broker: SimBroker;
  readonly watch: Watch;
  readonly tally: Tally;
  readonly channels: { readonly media: Channel; readonly line: Channel; readonly signalling: Channel };
  /** The gateway of now; undefined between two lives. */
  readonly gateway: { readonly life: Life; readonly calls: Calls; readonly sinceUs: number } | undefined;
  policyIndex: number;
  gatewayDied(how: string, backInUs?: number): void;
  anyHandset(): SimHandset;
  track<T>(work: Promise<T>): Promise<T>;
}
