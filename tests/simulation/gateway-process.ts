import type { CallSink } from '../../gateway/calls/ports.js';
import { OwnList } from '../../gateway/do-not-call/own-list.js';
import type { CompiledPolicy } from '../../gateway/policy/policy.js';
import type { DoNotCallList } from '../../gateway/policy/request.js';
import { bringUp, commandsOf, contactsOf, outboxOf } from './gateway-life.js';
import { Dead, Life } from './life.js';
import type { PlaneWatch } from './plane-watch.js';
import type { Plant } from './plant.js';
import type { SimBundles } from './sim-bundles.js';
import type { SimWork } from './sim-work.js';
import type { LivingGateway, WorldParts } from './world-parts.js';

/** What of the world a life of the gateway is joined to. */
export interface ProcessWorld extends Omit<WorldParts, 'bundles' | 'work'> {
  readonly bundles: SimBundles;
  readonly work: SimWork | undefined;
  readonly planes: PlaneWatch;
  policyNow(): CompiledPolicy;
}

/** Points that a life has on average before the process dies at one. */
const POINTS = 9_000;

/** The gateway's process: it is started, dies between any two effects, is lost to its planes and heard again. */
export class GatewayProcess {
  /** The gateway of now; undefined between two lives. */
  living: LivingGateway | undefined;
  private points = 0;
  private lives = 0;
  private own: OwnList | undefined;

  constructor(
    private readonly world: ProcessWorld,
    private readonly plant: Plant | undefined,
    /** It dies of nothing but what others do to it. */
    private isSafe: boolean,
  ) {}

  /** From here on it dies of nothing by itself, in this life and in later ones. */
  makeSafe(): void {
    this.isSafe = true;
    this.points = Number.POSITIVE_INFINITY;
  }

  start(): void {
    if (this.living?.life.isDead === false) return;
    const { world, plant } = this;
    const { store, watch, planes } = world;
    this.points = this.isSafe ? Number.POSITIVE_INFINITY : Math.ceil(world.random.exponential(POINTS));
    this.lives += 1;
    const life = new Life(
      () => {
        this.points -= 1;
        return this.points === 0;
      },
      () => this.died('crash between two effects'),
    );
    watch.note('', `the gateway starts, life ${this.lives}`);
    const clock = world.clock.of(life);
    const { bootId } = world.clock;
    const { numberToken } = world;
    this.own = new OwnList({ store: contactsOf(life, store), clock, numberToken, onFault: () => undefined });
    const sink: CallSink = {
      request: (request) => calls.request(work?.marked(request) ?? request),
      event: (call, event) => {
        watch.note(call, event.type);
        calls.event(call, event);
      },
      planeLost: (plane, why) => {
        watch.note('', `${plane} lost: ${why}`);
        calls.planeLost(plane, why);
      },
    };
    const line = world.line.gatewayBack({ life, clock, bootId, sink });
    const work = world.work?.lifeOf(life, clock, bootId, () => calls);
    const calls = bringUp(life, clock, bootId, line, {
      ...{ store, watch, planes, plant, work, numberToken },
      signalling: world.signalling,
      media: world.media,
      policy: () => world.policyNow(),
      doNotCall: { list: () => this.nationalList(), word: (number) => this.saidBy(number) },
      talking: (handset, call) => world.work?.talking(handset, call),
      tools: {
        later: (ms, run) => clock.after(ms, run),
        leftMs: ({ monotonicNs }) => (world.clock.usOf(monotonicNs) - world.timeline.nowUs) / 1e3,
        numberOfLife: this.lives,
      },
    });
    this.living = { life, calls, sink, work, sinceUs: world.timeline.nowUs };
    for (const channel of Object.values(world.channels)) channel.open({ life, sink });
    world.broker.connect(life, outboxOf(life, store, plant));
    world.orders.connect(life, clock, calls, commandsOf(life, store, plant));
    world.bundles.connect(life, clock);
    this.recover(this.living);
  }

  /** The process is gone, at once; planes notice within a moment, and it is started again after a while. */
  died(how: string, backInUs?: number): void {
    const died = this.living;
    if (died === undefined) return;
    const { random, timeline, watch, store, channels, broker, media, signalling, line, work } = this.world;
    this.living = undefined;
    watch.fault(how);
    died.life.die();
    store.died();
    for (const channel of Object.values(channels)) channel.close();
    broker.gone();
    watch.gatewayDied();
    work?.watch.blurred();
    timeline.in(random.int(100, 90_000), () => media.silenceAll());
    timeline.in(random.int(100, 90_000), () => signalling.clientLost());
    timeline.in(random.int(100, 90_000), () => line.contactLost());
    const usual = random.chance(0.1) ? random.int(60e6, 3_600e6) : random.int(800_000, 20e6);
    timeline.in(Math.max(200_000, backInUs ?? usual), () => this.start());
  }

  /** The planes are heard again by the same life that had lost them. */
  reconnect({ life, calls, sink }: LivingGateway): void {
    const { channels, line } = this.world;
    for (const channel of Object.values(channels)) channel.open({ life, sink });
    line.contactBack();
    for (const plane of ['media', 'signalling', 'line'] as const) life.run(() => calls.planeBack(plane));
  }

  /** The gateway's own do-not-call list, of its life of now or of its last. */
  get ownList(): OwnList {
    if (this.own === undefined) throw new Error('no gateway has started');
    return this.own;
  }

  private nationalList(): DoNotCallList {
    const { national, clock } = this.world;
    const list = national.asList();
    return list.isThere && this.plant?.agelessList === true ? { ...list, madeMs: clock.trueMs() } : list;
  }

  private saidBy(number: string) {
    return this.plant?.deafToWords === true ? undefined : this.own?.word(number);
  }

  private recover({ life, calls, work }: LivingGateway): void {
    const recovered = calls.recover().then(() => life.run(() => work?.start()));
    this.world.track(recovered).catch((fault) => {
      // A journal that cannot be read is a failed start: the supervisor tries again.
      if (!(fault instanceof Dead) && !life.isDead) this.died('start failed on a broken disk');
    });
  }
}
