import type { Judge } from '../../gateway/calls/judge.js';
import type { CallStore, LinePlane, MediaPlane, SignallingPlane } from '../../gateway/calls/ports.js';
import type { LegName } from '../../gateway/calls/record.js';
import type { Deadline } from '../../gateway/clock/deadline.js';
import type { CommandStore } from '../../gateway/uplink/command-desk.js';
import type { OutboxSource } from '../../gateway/uplink/drain.js';
import type { PromiseName } from './breach.js';
import type { BundleFaults } from './forged-bundles.js';
import type { DiskPlant } from './sim-store.js';

/** What the gateway's calls are joined to. */
export interface Ports {
  readonly judge: Judge;
  readonly store: CallStore;
  readonly signalling: SignallingPlane;
  readonly media: MediaPlane;
  readonly line: LinePlane;
}

export interface PlantTools {
  /** Runs something later in virtual time. */
  readonly later: (ms: number, run: () => void) => void;
  /** Milliseconds left until a deadline. */
  readonly leftMs: (deadline: Deadline) => number;
  readonly numberOfLife: number;
}

/** A fault that is planted to see whether the simulator finds it; in the joints, never in the program. */
export interface Plant {
  readonly what: string;
  /** The promise that it breaks first. */
  readonly breaks: PromiseName;
  /** What the breach tells, where the promise is about many things. */
  readonly tells?: RegExp;
  readonly ports?: (ports: Ports, tools: PlantTools) => Partial<Ports>;
  readonly outbox?: (outbox: OutboxSource) => OutboxSource;
  readonly commands?: (store: CommandStore) => CommandStore;
  /** Legs that get a BYE when a call is released. */
  readonly byeLegs?: readonly LegName[];
  /** The same of calls that were keyed on a card. */
  readonly keyedByeLegs?: readonly LegName[];
  readonly disk?: DiskPlant;
  /** The relay does not obey its own deadline. */
  readonly deafRelay?: boolean;
  /** A coil opens by order alone, and not when its lease ends; with the whole line plane only. */
  readonly stuckCoil?: boolean;
  /** Every order is believed, whoever signed it. */
  readonly believesOrders?: boolean;
  /** A do-not-call list passes for new. */
  readonly agelessList?: boolean;
  /** What numbers have said is never asked. */
  readonly deafToWords?: boolean;
  /** What the taking of bundles does not see, or says wrongly. */
  readonly bundles?: BundleFaults;
  /** A row, a time, a pause or a change that the work loses. */
  readonly work?: 'settlement-lost' | 'times-lost' | 'pause-lost' | 'changes-unheard';
  /** Live calls are not judged again when a bundle comes. */
  readonly deafToBundles?: boolean;
}

/** Plants by their names. */
export type Plants = Readonly<Record<string, Plant>>;

const FIVE_S = 5_000_000_000n;
/** A deadline that is late, by five seconds unless told otherwise. */
export const later = (deadline: Deadline, ns = FIVE_S): Deadline => ({
  ...deadline,
  monotonicNs: deadline.monotonicNs + ns,
  wall: deadline.wall.add({ nanoseconds: Number(ns) }),
});
/** True at every nth time of asking. */
export const everyNth = (n: number): (() => boolean) => {
  let times = 0;
  return () => {
    times += 1;
    return times % n === 0;
  };
};

/** A port with some of its methods replaced. */
export function bound<T extends object>(port: T, methods: Partial<T>): T {
  return { ...port, ...methods };
}
