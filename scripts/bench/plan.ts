/** Which measurements there are, in which order, and how long each goes on. */
import type { Reading } from './figure.js';
import { measureCost, measureRate, measureSetUp } from './measure-calls.js';
import { CUTOFF_LEAD_MS, measureInstant, measureLimit, nextInstantMs } from './measure-cutoff.js';
import { measureMemory, measureStartUp } from './measure-process.js';
import { measureDecisions, measureRelay, measureSilence, measureStore } from './measure-rooms.js';
import { Rig } from './rig.js';

export interface Bench {
  /** As `--only` knows it; several may share one. */
  readonly name: string;
  readonly needsSipp: boolean;
  /** It finds its own better run, or one is enough. */
  readonly once?: boolean;
  /** Whether it would begin at once: one that waits for a turn of the clock is best begun then. */
  readonly isItsTime?: () => boolean;
  readonly run: () => Promise<Reading[]>;
}

export const NAMES: Readonly<Record<string, string>> = {
  'start-up': 'start of the process → first REGISTER answered',
  memory: 'memory of all processes, idle and with 400 calls up',
  'set-up': 'INVITE in → INVITE out at 20 calls/s',
  cpu: 'CPU a call at 200 calls/s',
  rate: 'calls/s held, stepping up',
  relay: 'the relay with 100 and 400 two-way G.711 calls',
  silence: 'from the order to close a call, and from its deadline, to silence, on both media drivers',
  cutoff: '200 calls that end at one instant: packets and BYEs after it',
  limit: '200 calls limited to 10 s: BYE against the limit',
  decisions: 'policy decisions/s with 10, 10,000 and 100,000 rules',
  store: 'durable events/s, and the drain of the outbox to mosquitto where that is installed',
};

/** What is measured call by call is measured on a gateway that has long been at work, as it is on a site. */
const WARM = { rate: 150, calls: 1_200 };

/** A gateway that has seen work, kept from one measurement to the next of its kind. */
export class WarmRig {
  #rig: Rig | undefined;
  #challenged = false;

  constructor(private readonly folder: string) {}

  async get(challenged: boolean): Promise<Rig> {
    if (this.#rig !== undefined && this.#challenged === challenged) return this.#rig;
    await this.drop();
    this.#challenged = challenged;
    const rig = await Rig.start({ folder: this.folder, challenged });
    this.#rig = rig;
    await rig.warmUp(WARM);
    return rig;
  }

  /** Nothing else runs while something is measured. */
  async drop(): Promise<void> {
    const rig = this.#rig;
    this.#rig = undefined;
    await rig?.stop();
  }
}

/** The look-out for a turn of the minute is this wide: about the longest measurement that might be in the way. */
const SLOT_MS = 12_000;

export function plan(folder: string, warm: WarmRig, quick: boolean): Bench[] {
  const seconds = quick
    ? { setUp: 4, cost: 3, rate: 3, relay: 3, judge: 0.4 }
    : { setUp: 10, cost: 4, rate: 4, relay: 6, judge: 0.8 };
  const alone = (run: () => Promise<Reading[]>) => async () => {
    await warm.drop();
    return run();
  };
  const calls = (challenged: boolean): Bench[] => [
    {
      name: 'set-up',
      needsSipp: true,
      run: async () => measureSetUp(await warm.get(challenged), challenged, seconds.setUp),
    },
    {
      name: 'cpu',
      needsSipp: true,
      run: async () => measureCost(await warm.get(challenged), challenged, seconds.cost),
    },
  ];
  const rate = (challenged: boolean): Bench => ({
    name: 'rate',
    needsSipp: true,
    once: true,
    run: alone(() => {
      const start = async () => {
        const rig = await Rig.start({ folder, challenged });
        await rig.warmUp();
        return rig;
      };
      return measureRate(
        start,
        challenged,
        quick ? { seconds: seconds.rate, steps: [200, 400] } : { seconds: seconds.rate },
      );
    }),
  });
  const relay = (count: number): Bench => ({
    name: 'relay',
    needsSipp: false,
    run: alone(() => measureRelay(count, seconds.relay)),
  });
  return [
    { name: 'decisions', needsSipp: false, run: alone(() => measureDecisions(folder, seconds.judge)) },
    { name: 'start-up', needsSipp: true, run: alone(() => measureStartUp(folder)) },
    ...calls(false),
    ...(quick ? [] : calls(true)),
    rate(false),
    ...(quick ? [] : [rate(true)]),
    relay(400),
    ...(quick ? [] : [relay(100)]),
    { name: 'silence', needsSipp: false, once: true, run: alone(() => measureSilence(quick ? 2 : 5)) },
    { name: 'limit', needsSipp: true, run: alone(() => measureLimit(folder)) },
    { name: 'memory', needsSipp: true, run: alone(() => measureMemory(folder)) },
    { name: 'store', needsSipp: false, run: alone(() => measureStore(quick ? 20_000 : 100_000)) },
    {
      name: 'cutoff',
      needsSipp: true,
      isItsTime: () => nextInstantMs(Date.now()) - Date.now() < CUTOFF_LEAD_MS + SLOT_MS,
      run: alone(() => measureInstant(folder)),
    },
  ];
}

/** The next to be run: one whose time is now, else the first that waits for none, else the first. */
export function pick(pending: readonly Bench[]): Bench | undefined {
  return (
    pending.find((bench) => bench.isItsTime?.() === true) ??
    pending.find((bench) => bench.isItsTime === undefined) ??
    pending[0]
  );
}
