/**
 * A simulated site, in the manner of TigerBeetle's simulator: the production calls, policy, lease book and outbox drain in a
 * world where one seed decides everything that happens, and time is virtual. After whatever happens the promises are
 * checked; one that does not hold throws a `Breach`, and the same seed throws it again.
 */
import { Temporal } from 'temporal-polyfill';
import type { OwnList } from '../../gateway/do-not-call/own-list.js';
import type { E164, HandsetId } from '../../gateway/policy/ids.js';
import type { CompiledPolicy } from '../../gateway/policy/policy.js';
import { numberTokens } from '../../gateway/uplink/number-token.js';
import { Breach } from './breach.js';
import { Channel } from './channel.js';
import { Faults } from './faults.js';
import { GatewayProcess } from './gateway-process.js';
import type { LineWorld } from './line-world.js';
import { ListWatch } from './list-watch.js';
import { LockdownWatch } from './lockdown-watch.js';
import { MachineClock } from './machine-clock.js';
import { People } from './people.js';
import { PlaneWatch } from './plane-watch.js';
import type { Plant } from './plant.js';
import { plantNamed } from './plants.js';
import { QuotaWatch } from './quota-watch.js';
import { Random } from './random.js';
import { SimBroker } from './sim-broker.js';
import { SimBundles } from './sim-bundles.js';
import { SimLine } from './sim-line.js';
import { NationalList } from './sim-lists.js';
import { SimMedia } from './sim-media.js';
import { SimOrders } from './sim-orders.js';
import { SimSignalling } from './sim-signalling.js';
import { type SimHandset, SimSite, WORK } from './sim-site.js';
import { SimStore } from './sim-store.js';
import { SimWork } from './sim-work.js';
import { DAY_US, HOUR_US, Timeline } from './timeline.js';
import { type Tally, Watch } from './watch.js';
import { WireLine } from './wire-line.js';
import { CALLS_PER_DAY, firstDay, SHIFTS_PER_DAY, type WorldOptions } from './world-options.js';
import type { LivingGateway, WorldParts } from './world-parts.js';

/** The longest call rings half a minute and talks twenty; a disk may be broken for ten. */
const OLDEST_CALL_US = 2 * HOUR_US;
/** A call is forgotten at once when its record is written: no more than this are between the two. */
const RECORDED_AND_HELD = 3;
/** Where days are dear, all that goes wrong comes this much more often. */
const WIRE_PACE = 12;
/** So many happenings, and the process looks at its signals. */
const BREATH = 4_096;

export class World implements WorldParts {
  readonly random: Random;
  readonly timeline = new Timeline();
  readonly clock: MachineClock;
  readonly site: SimSite;
  readonly store: SimStore;
  readonly media: SimMedia;
  readonly line: LineWorld;
  readonly signalling: SimSignalling;
  readonly broker: SimBroker;
  readonly orders: SimOrders;
  readonly bundles: SimBundles;
  /** Undefined where no handset is for it. */
  readonly work: SimWork | undefined;
  readonly lockdowns = new LockdownWatch();
  readonly national: NationalList;
  readonly lists: ListWatch;
  readonly watch: Watch;
  readonly channels: { readonly media: Channel; readonly line: Channel; readonly signalling: Channel };
  policyIndex = 0;
  readonly planes: PlaneWatch;
  private readonly process: GatewayProcess;
  private isStopped = false;
  private readonly options: WorldOptions;
  private readonly faults: Faults;
  private readonly handsets: readonly SimHandset[];
  private readonly plant: Plant | undefined;
  private readonly people: People;
  private asyncWork = 0;
  private readonly tokens = new Map<E164, string>();
  readonly numberToken = (number: E164): string => {
    const token = this.tokens.get(number) ?? this.token(number);
    this.tokens.set(number, token);
    return token;
  };
  private readonly token = numberTokens(Buffer.alloc(32, 1).toString('base64'));

  constructor(options: WorldOptions) {
    const { seed, handsets, callsPerDay = CALLS_PER_DAY, from } = options;
    const plant = plantNamed(options.plant);
    this.options = options;
    const random = new Random(seed);
    const { timeline } = this;
    this.random = random;
    this.plant = plant;
    this.clock = new MachineClock(
      timeline,
      random,
      from === undefined ? firstDay(random) : Temporal.Instant.from(`${from}T00:00:00Z`),
    );
    this.site = new SimSite(handsets);
    this.handsets = [...this.site.handsets.values()];
    this.process = new GatewayProcess(this, plant, options.calm === true);
    this.people = new People(this, DAY_US / (handsets * callsPerDay));
    this.national = new NationalList(this.clock.trueMs());
    this.lists = new ListWatch(this.site, this.national);
    const quotas = new QuotaWatch(this.site);
    this.watch = new Watch(
      timeline,
      this.clock,
      this.site,
      () => this.store,
      this.lockdowns,
      quotas,
      () => this.policyIndex,
      this.lists,
    );
    const { watch, clock } = this;
    const odds = { double: 0.005, lose: 0.0005 };
    const channel = (slowestMs?: number): Channel =>
      new Channel(timeline, random, odds, slowestMs, () => this.work?.watch.blurred());
    this.channels = { media: channel(), line: channel(150), signalling: channel() };
    this.store = new SimStore(clock, () => timeline.nowUs, {
      recorded: (record, events) => {
        watch.wrote(record, events);
        const isPlain = record.contact === undefined && record.number !== undefined;
        if (isPlain && record.answeredAt !== undefined && record.number !== undefined)
          this.people.talkedTo(record.number);
        this.people.ended(record);
        this.planes.recorded(record.call);
        if (plant?.disk === 'splits-record') timeline.in(600e6, () => this.store.closeLeftOpen());
      },
      appended: () => this.broker.wake(),
      acknowledged: (sequence) => {
        if (!this.broker.has(sequence))
          watch.breach('no event lost', `event ${sequence} is forgotten, and headquarters has it not`, '');
      },
    });
    this.store.plant = plant?.disk;
    clock.newestOnDiskMs = () => this.store.newestOnDiskMs;
    const usOf = (monotonicNs: bigint): number => clock.usOf(monotonicNs);
    this.media = new SimMedia(timeline, random, this.channels.media, usOf, watch);
    this.media.isDeaf = plant?.deafRelay === true;
    const lineWatcher = {
      closedInVain: (handset: HandsetId, why: string) => watch.relayClosed(handset, why),
    };
    this.line =
      options.wire === true
        ? new WireLine(
            timeline,
            random,
            clock,
            this.site.handsets,
            () => this.policy,
            lineWatcher,
            plant?.stuckCoil === true,
            options.calm === true,
          )
        : new SimLine(timeline, random, this.channels.line, clock, this.site.handsets, lineWatcher);
    this.signalling = new SimSignalling(
      timeline,
      random,
      this.channels.signalling,
      usOf,
      {
        handsetDone: (handset) => this.people.hangUpSoon(handset),
        hookDown: (handset) => this.people.hookDown(handset),
      },
      (work) => this.track(work),
    );
    if (plant?.byeLegs !== undefined) this.signalling.byeLegs = plant.byeLegs;
    if (plant?.keyedByeLegs !== undefined) this.signalling.keyedByeLegs = plant.keyedByeLegs;
    this.broker = new SimBroker(timeline, random, {
      outOfOrder: (kind, sequence, after) =>
        watch.breach('events arrive in order', `${kind} ${sequence} after ${after}`, ''),
    });
    this.orders = new SimOrders(this, (number) => this.numberToken(number));
    this.orders.believesAll = plant?.believesOrders === true;
    this.bundles = new SimBundles(this, plant?.bundles);
    const desks = this.handsets.filter(({ profile }) => profile === WORK).map(({ id }) => id);
    const { shiftsPerDay = SHIFTS_PER_DAY } = options;
    this.work = desks.length === 0 ? undefined : new SimWork(this, this.people, desks, shiftsPerDay, plant);
    watch.work = this.work;
    this.planes = new PlaneWatch(this);
    this.faults = new Faults(this, options.wire === true ? WIRE_PACE : 1);
  }

  get tally(): Tally {
    return this.watch.tally;
  }

  /** Lets `days` go by, then mends everything and looks whether all is told; or until it is stopped. `onDay` hears of each day. */
  async run(days: number, onDay: (day: number) => void = () => undefined): Promise<void> {
    this.process.start();
    if (this.options.calm !== true) this.faults.begin();
    this.people.begin();
    this.work?.begin();
    this.everyHour();
    for (let day = 1; day - 1 < days; day += 1) {
      await this.until(Math.min(day, days) * DAY_US);
      if (this.isStopped) return;
      onDay(Math.min(day, days));
    }
    await this.heal();
  }

  /** Somebody wants to see what was reached so far: `run` then settles soon. */
  stop(): void {
    this.isStopped = true;
  }

  /** Waits for something of the gateway's that settles by itself; the timeline then lets its continuations run. */
  track<T>(work: Promise<T>): Promise<T> {
    this.asyncWork += 1;
    const done = (): void => {
      this.asyncWork -= 1;
    };
    work.then(done, done);
    return work;
  }

  get gateway(): LivingGateway | undefined {
    return this.process.living;
  }

  get ownList(): OwnList {
    return this.process.ownList;
  }

  gatewayDied(how: string, backInUs?: number): void {
    this.process.died(how, backInUs);
  }

  reconnect(gateway: LivingGateway): void {
    this.process.reconnect(gateway);
  }

  /** Headquarters sends another bundle. */
  changePolicy(index: number): void {
    this.bundles.send(index);
  }

  policyTaken(index: number): void {
    this.policyIndex = index;
  }

  /** A new bundle is in force, and the gateway judges its live calls again. */
  policyChanged(): void {
    const { gateway, watch, plant } = this;
    if (gateway === undefined || gateway.life.isDead) return;
    watch.bundleChanged();
    if (plant?.deafToBundles !== true) gateway.life.run(() => gateway.calls.policyChanged());
  }

  policyNow(): CompiledPolicy {
    return this.policy;
  }

  private get policy() {
    const policy = this.site.policies[this.policyIndex];
    if (policy === undefined) throw new Error('no such policy');
    return policy;
  }

  anyHandset(): SimHandset {
    return this.random.pick(this.handsets);
  }

  private async until(untilUs: number): Promise<void> {
    const { timeline, watch, orders, bundles } = this;
    while (!this.isStopped && this.step(untilUs)) {
      if (watch.failure !== undefined) throw watch.failure;
      if (orders.isWaiting) await orders.work();
      while (bundles.isWaiting) await bundles.settled();
      // Promises of the gateway's run their continuations before anything else happens.
      if (this.asyncWork > 0 || timeline.steps % BREATH === 0)
        await new Promise<void>((settle) => setImmediate(settle));
    }
    if (watch.failure !== undefined) throw watch.failure;
  }

  private step(untilUs: number): boolean {
    try {
      return this.timeline.step(untilUs);
    } catch (fault) {
      if (fault instanceof Breach) throw fault;
      const text = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
      throw this.watch.breach('nothing is thrown out of the gateway', text, '');
    }
  }

  private everyHour(): void {
    this.timeline.in(HOUR_US, () => {
      this.everyHour();
      this.national.renew(this.clock.trueMs());
      const sinceUs = this.gateway?.sinceUs;
      if (sinceUs === undefined || this.timeline.nowUs - sinceUs < OLDEST_CALL_US) return;
      this.watch.noCallOlderThan(OLDEST_CALL_US);
      const { size } = this.gateway?.calls ?? { size: 0 };
      const open = this.watch.openCount;
      if (size > open + RECORDED_AND_HELD)
        this.watch.breach('nothing of a call stays in memory', `${size} calls, and ${open} have no record yet`, '');
    });
  }

  private async heal(): Promise<void> {
    this.process.makeSafe();
    this.people.isStill = true;
    this.faults.heal();
    await this.until(this.timeline.nowUs + (this.options.wire === true ? 1.1 : 3) * HOUR_US);
    if (!this.isStopped) this.planes.settled();
  }
}
