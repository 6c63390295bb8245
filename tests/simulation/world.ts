/**
 * A simulated site, in the manner of TigerBeetle's simulator: the production calls, policy, lease book and outbox drain in a
 * world where one seed decides everything that happens, and time is virtual. After whatever happens the promises are
 * checked; one that does not hold throws a `Breach`, and the same seed throws it again.
 */
import { Temporal } from 'temporal-polyfill';
import type { Calls } from '../../gateway/calls/calls.js';
import { type CallId, callId, type HandsetId } from '../../gateway/policy/ids.js';
import { Channel } from './channel.js';
import { Faults } from './faults.js';
import { bringUp, outboxOf } from './gateway-life.js';
import { Dead, Life } from './life.js';
import { MachineClock } from './machine-clock.js';
import type { Plant } from './plants.js';
import { Random } from './random.js';
import { SimBroker } from './sim-broker.js';
import { SimLine } from './sim-line.js';
import { SimMedia } from './sim-media.js';
import { SimSignalling } from './sim-signalling.js';
import { type SimHandset, SimSite } from './sim-site.js';
import { SimStore } from './sim-store.js';
import { DAY_US, HOUR_US, SECOND_US, Timeline } from './timeline.js';
import { bump, type Tally, Watch } from './watch.js';
import type { WorldParts } from './world-parts.js';

export interface WorldOptions {
  readonly seed: number;
  readonly handsets: number;
  readonly plant?: Plant;
  /** Attempts of a handset in a day, on average. */
  readonly callsPerDay?: number;
}

/** The longest call rings half a minute and talks twenty; a disk may be broken for ten. */
const OLDEST_CALL_US = 2 * HOUR_US;
/** Legs that nobody has ended are ended by session timers after 90 s; ours must have been told before that. */
const LEGS_US = 100 * SECOND_US;

export class World implements WorldParts {
  readonly random: Random;
  readonly timeline = new Timeline();
  readonly clock: MachineClock;
  readonly site: SimSite;
  readonly store: SimStore;
  readonly media: SimMedia;
  readonly line: SimLine;
  readonly signalling: SimSignalling;
  readonly broker: SimBroker;
  readonly watch: Watch;
  readonly channels: { readonly media: Channel; readonly line: Channel; readonly signalling: Channel };
  policyIndex = 0;
  /** The gateway of now; undefined between two lives. */
  gateway: { readonly life: Life; readonly calls: Calls; readonly sinceUs: number } | undefined;
  private readonly faults: Faults;
  private readonly handsets: readonly SimHandset[];
  private readonly plant: Plant | undefined;
  private readonly callEveryUs: number;
  private points = 0;
  private made = 0;
  private asyncWork = 0;
  private isHealing = false;

  constructor({ seed, handsets, plant, callsPerDay = 7 }: WorldOptions) {
    const random = new Random(seed);
    const { timeline } = this;
    this.random = random;
    this.plant = plant;
    this.clock = new MachineClock(
      timeline,
      Temporal.Instant.from('2026-01-05T00:00:00Z').add({ hours: 24 * random.int(0, 364) }),
    );
    this.site = new SimSite(handsets);
    this.handsets = [...this.site.handsets.values()];
    this.callEveryUs = DAY_US / (handsets * callsPerDay);
    this.watch = new Watch(timeline, this.clock, this.site, () => this.store);
    const { watch, clock } = this;
    const odds = { double: 0.005, lose: 0.0005 };
    this.channels = {
      media: new Channel(timeline, random, odds),
      line: new Channel(timeline, random, odds, 150),
      signalling: new Channel(timeline, random, odds),
    };
    this.store = new SimStore(clock, () => timeline.nowUs, {
      recorded: (record) => {
        watch.wrote(record);
        if (this.media.isFlowing(record.call)) watch.breach('every plane released', `media of ${record.call} flows on`);
        this.lookAtPlanes(record.call);
      },
      appended: () => this.broker.wake(),
    });
    const usOf = (monotonicNs: bigint): number => clock.usOf(monotonicNs);
    this.media = new SimMedia(timeline, random, this.channels.media, usOf, watch);
    this.line = new SimLine(timeline, random, this.channels.line, clock, this.site.handsets, {
      closedInVain: (handset, why) => watch.relayClosed(handset, why),
    });
    this.signalling = new SimSignalling(
      timeline,
      random,
      this.channels.signalling,
      usOf,
      { handsetDone: (handset) => this.hangUpSoon(handset), hookDown: (handset) => this.hookDown(handset) },
      (work) => this.track(work),
    );
    if (plant?.byeLegs !== undefined) this.signalling.byeLegs = plant.byeLegs;
    this.broker = new SimBroker(timeline, random);
    this.faults = new Faults(this);
  }

  get tally(): Tally {
    return this.watch.tally;
  }

  /** Lets `days` go by, then mends everything and looks whether all is told. `onDay` hears of each day. */
  async run(days: number, onDay: (day: number) => void = () => undefined): Promise<void> {
    this.startGateway();
    this.faults.begin();
    this.nextCall();
    this.everyHour();
    for (let day = 1; day <= days; day += 1) {
      await this.until(day * DAY_US);
      onDay(day);
    }
    await this.heal();
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

  startGateway(): void {
    if (this.gateway?.life.isDead === false) return;
    this.points = this.isHealing ? Number.POSITIVE_INFINITY : Math.ceil(this.random.exponential(9_000));
    const life = new Life(
      () => {
        this.points -= 1;
        return this.points === 0;
      },
      () => this.gatewayDied('crash between two effects'),
    );
    const clock = this.clock.of(life);
    this.line.gatewayBack();
    const calls = bringUp(life, clock, this.clock.bootId, {
      store: this.store,
      signalling: this.signalling,
      media: this.media,
      line: this.line,
      watch: this.watch,
      policy: () => this.policy,
      plant: this.plant,
    });
    this.gateway = { life, calls, sinceUs: this.timeline.nowUs };
    const listener = {
      life,
      sink: {
        request: (request: Parameters<Calls['request']>[0]) => calls.request(request),
        event: (call: CallId, event: Parameters<Calls['event']>[1]) => calls.event(call, event),
        planeLost: (plane: Parameters<Calls['planeLost']>[0], why: string) => calls.planeLost(plane, why),
      },
    };
    for (const channel of Object.values(this.channels)) channel.open(listener);
    this.broker.connect(life, outboxOf(life, this.store));
    this.recover(life, calls);
  }

  /** The process is gone, at once; planes notice within a moment, and it is started again after a while. */
  gatewayDied(how: string, backInUs?: number): void {
    const died = this.gateway;
    if (died === undefined) return;
    this.gateway = undefined;
    bump(this.tally.faults, how);
    died.life.die();
    for (const channel of Object.values(this.channels)) channel.close();
    this.broker.gone();
    this.watch.gatewayDied();
    const { random, timeline } = this;
    timeline.in(random.int(100, 90_000), () => this.media.silenceAll());
    timeline.in(random.int(100, 90_000), () => this.signalling.clientLost());
    timeline.in(random.int(100, 90_000), () => this.line.contactLost());
    const usual = random.chance(0.1) ? random.int(60e6, 3_600e6) : random.int(800_000, 20e6);
    timeline.in(Math.max(200_000, backInUs ?? usual), () => this.startGateway());
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
    while (this.timeline.step(untilUs)) {
      if (this.watch.failure !== undefined) throw this.watch.failure;
      // Promises of the gateway's run their continuations before anything else happens.
      if (this.asyncWork > 0) await new Promise<void>((settle) => setImmediate(settle));
    }
    if (this.watch.failure !== undefined) throw this.watch.failure;
  }

  private recover(life: Life, calls: Calls): void {
    this.track(calls.recover()).catch((fault) => {
      // A journal that cannot be read is a failed start: the supervisor tries again.
      if (!(fault instanceof Dead) && !life.isDead) this.gatewayDied('start failed on a broken disk');
    });
  }

  /** Somebody lifts a hook and keys a number, now and then. */
  private nextCall(): void {
    this.timeline.in(this.random.exponential(this.callEveryUs), () => {
      if (this.isHealing) return;
      this.nextCall();
      const handset = this.anyHandset();
      const { random } = this;
      if (handset.hook === 'off' && !random.chance(0.2)) return;
      // One in thirty calls comes from a wire that says on-hook: cloned credentials, or a hook not read yet.
      const isRogue = random.chance(0.03);
      if (!isRogue) handset.hook = 'off';
      this.timeline.in(random.int(200_000, 4_000_000), () => this.invite(handset));
      if (isRogue && random.chance(0.5)) {
        this.timeline.in(random.int(4_000_000, 5_500_000), () => {
          handset.hook = 'off';
        });
      }
    });
  }

  private invite(handset: SimHandset): void {
    this.made += 1;
    const call = callId(`call-${this.made}`);
    const request = {
      call,
      handset: handset.id,
      dialled: this.dialled(handset),
      at: this.clock.wall(),
      offer: 'offer',
      source: '127.0.0.1',
    };
    const taken = this.signalling.invite(request, () => this.watch.requested(request));
    if (!taken) this.hangUpSoon(handset.id);
  }

  private dialled(handset: SimHandset): string {
    const { random } = this;
    const number = random.pick(this.site.numbersFor(handset));
    const dice = random.next();
    if (dice < 0.85) return number;
    if (dice < 0.9) return number.replace('+', '00');
    return random.pick(['112', '+33199000001', '12ab', '+442079460013', '+4420', '+882161234567', number.slice(0, -1)]);
  }

  private hangUpSoon(handset: HandsetId): void {
    this.timeline.in(this.random.int(300_000, 4_000_000), () => this.hookDown(handset));
  }

  private hookDown(id: HandsetId): void {
    const handset = this.site.handsets.get(id);
    if (handset === undefined || handset.hook === 'on') return;
    handset.hook = 'on';
    this.line.hookOn(id);
  }

  private everyHour(): void {
    this.timeline.in(HOUR_US, () => {
      this.everyHour();
      const sinceUs = this.gateway?.sinceUs;
      if (sinceUs === undefined || this.timeline.nowUs - sinceUs < OLDEST_CALL_US) return;
      this.watch.noCallOlderThan(OLDEST_CALL_US);
      const { size } = this.gateway?.calls ?? { size: 0 };
      if (size > this.handsets.length * 2) this.watch.breach('nothing of a call stays in memory', `${size} calls`);
    });
  }

  /** Some time after the record, every plane has let go of the call, and both peers have been told. */
  private lookAtPlanes(call: CallId): void {
    this.timeline.in(LEGS_US, () => {
      const { watch } = this;
      if (this.media.holds(call)) watch.breach('every plane released', `the relay holds ${call}`);
      if (this.line.holds(call)) watch.breach('every plane released', `the line holds ${call}`);
      for (const { leg, peerUp, isEnded, isKnown } of this.signalling.legsOf(call)) {
        if (peerUp && !isEnded && isKnown) watch.breach('both legs are told', `the ${leg} leg of ${call} is up`);
      }
      this.signalling.forget(call);
    });
  }

  private async heal(): Promise<void> {
    this.isHealing = true;
    this.points = Number.POSITIVE_INFINITY;
    this.faults.heal();
    await this.until(this.timeline.nowUs + 3 * HOUR_US);
    const { watch, broker, store } = this;
    watch.noCallOlderThan(0);
    if (this.gateway === undefined) return watch.breach('the gateway comes back', 'it did not');
    if (this.gateway.calls.size > 0) watch.breach('every call ends', `${this.gateway.calls.size} have not`);
    if (this.media.size + this.signalling.size > 0) {
      watch.breach('every plane released', `${this.media.size} in the relay, ${this.signalling.size} in the engine`);
    }
    if (broker.through !== store.sequence) {
      watch.breach('no event lost', `headquarters has ${broker.through} of ${store.sequence} without a gap`);
    }
    if (store.depth > 0) watch.breach('no event kept after its confirmation', `${store.depth} wait`);
  }
}
