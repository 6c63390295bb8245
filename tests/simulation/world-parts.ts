import type { Calls } from '../../gateway/calls/calls.js';
import type { CallSink } from '../../gateway/calls/ports.js';
import type { OwnList } from '../../gateway/do-not-call/own-list.js';
import type { E164 } from '../../gateway/policy/ids.js';
import type { CompiledPolicy } from '../../gateway/policy/policy.js';
import type { Channel } from './channel.js';
import type { Life } from './life.js';
import type { LineWorld } from './line-world.js';
import type { ListWatch } from './list-watch.js';
import type { LockdownWatch } from './lockdown-watch.js';
import type { MachineClock } from './machine-clock.js';
import type { Random } from './random.js';
import type { SimBroker } from './sim-broker.js';
import type { NationalList } from './sim-lists.js';
import type { SimMedia } from './sim-media.js';
import type { SimOrders } from './sim-orders.js';
import type { SimSignalling } from './sim-signalling.js';
import type { SimHandset, SimSite } from './sim-site.js';
import type { SimStore } from './sim-store.js';
import type { Timeline } from './timeline.js';
import type { Watch } from './watch.js';
import type { WorkLife } from './work-life.js';
import type { WorkOfSite } from './work-watch.js';

/** One life of the gateway's process. */
export interface LivingGateway {
  readonly life: Life;
  readonly calls: Calls;
  readonly sink: CallSink;
  readonly work: WorkLife | undefined;
  readonly sinceUs: number;
}

/** What of the world can go wrong, and what people can order. */
export interface WorldParts {
  readonly random: Random;
  readonly timeline: Timeline;
  readonly clock: MachineClock;
  readonly site: SimSite;
  readonly store: SimStore;
  readonly media: SimMedia;
  readonly line: LineWorld;
  readonly signalling: SimSignalling;
  readonly broker: SimBroker;
  readonly orders: SimOrders;
  readonly watch: Watch;
  readonly lockdowns: LockdownWatch;
  readonly lists: ListWatch;
  /** The gateway's own do-not-call list, of its life of now. */
  readonly ownList: OwnList;
  readonly channels: { readonly media: Channel; readonly line: Channel; readonly signalling: Channel };
  /** The gateway of now; undefined between two lives. */
  readonly gateway: LivingGateway | undefined;
  readonly policyIndex: number;
  readonly national: NationalList;
  /** Somebody sends a bundle in headquarters' name. */
  readonly bundles: { forge(): void };
  readonly work: WorkOfSite | undefined;
  policyNow(): CompiledPolicy;
  changePolicy(index: number): void;
  /** The disk has it; and what has been told of it. */
  policyTaken(index: number): void;
  policyChanged(): void;
  gatewayDied(how: string, backInUs?: number): void;
  /** The planes are heard again by the same life that had lost them. */
  reconnect(gateway: LivingGateway): void;
  anyHandset(): SimHandset;
  readonly numberToken: (number: E164) => string;
  track<T>(work: Promise<T>): Promise<T>;
}
