import { Temporal } from 'temporal-polyfill';
import type { CutoffOrder } from '../../gateway/calls/ports.js';
import { type E164, wingId } from '../../gateway/policy/ids.js';
import type { Lockdown } from '../../gateway/policy/request.js';
import { mayAskNot } from './sim-lists.js';
import { AGENTS, BOARDS, WINGS } from './sim-site.js';
import { isOfWork } from './sim-work.js';
import { DAY_US, HOUR_US, SECOND_US } from './timeline.js';
import type { WorldParts } from './world-parts.js';

const ZONES = ['Europe/Brussels', 'Europe/London', 'America/New_York', 'Australia/Sydney'];

interface Kind {
  readonly name: string;
  /** How often it comes, on average: every so many days. */
  readonly everyDays: number;
  readonly run: (faults: Faults) => void;
}

const KINDS: readonly Kind[] = [
  { name: 'gateway killed', everyDays: 1, run: ({ world }) => world.gatewayDied('killed', undefined) },
  { name: 'gateway stopped (SIGSTOP)', everyDays: 1, run: (faults) => faults.hang() },
  { name: 'gateway restarted in order', everyDays: 4, run: (faults) => faults.restart() },
  { name: 'power failed', everyDays: 6, run: (faults) => faults.powerFails(0) },
  { name: 'switched off until a DST night', everyDays: 9, run: (faults) => faults.leap() },
  { name: 'relay process killed', everyDays: 1, run: (faults) => faults.mediaDies() },
  { name: 'SIP engine killed', everyDays: 1, run: (faults) => faults.engineDies() },
  { name: 'device agent lost', everyDays: 0.5, run: (faults) => faults.partDies(AGENTS) },
  { name: 'relay board lost', everyDays: 1, run: (faults) => faults.partDies(BOARDS.map(({ id }) => id)) },
  { name: 'bus lost', everyDays: 4, run: (faults) => faults.busDies() },
  { name: 'disk broken', everyDays: 3, run: (faults) => faults.diskBreaks() },
  { name: 'disk full', everyDays: 8, run: (faults) => faults.diskFills() },
  { name: 'broker connection lost', everyDays: 0.3, run: (faults) => faults.brokerBreaks() },
  { name: 'broker away', everyDays: 4, run: (faults) => faults.brokerAway() },
  { name: 'wall clock set wrong', everyDays: 1.5, run: (faults) => faults.clockSteps() },
  { name: 'policy changed', everyDays: 0.5, run: (faults) => faults.policyChanges() },
  { name: 'person or campaign changed', everyDays: 1, run: (faults) => faults.workChanges() },
  { name: 'policy bundle forged', everyDays: 2, run: ({ world }) => world.bundles.forge() },
  { name: 'number asked not to be called', everyDays: 1.5, run: (faults) => faults.askNot() },
  { name: 'do-not-call list not renewed', everyDays: 5, run: (faults) => faults.listAges() },
  { name: 'cutoff ordered', everyDays: 0.3, run: (faults) => faults.cutoff() },
  { name: 'order forged', everyDays: 0.5, run: ({ world }) => world.orders.forge() },
];

/** All that goes wrong, and all that people order, each in its own rhythm. */
export class Faults {
  private isHealed = false;
  private orders = 0;

  constructor(
    readonly world: WorldParts,
    /** How much more often than usual each comes. */
    private readonly pace = 1,
  ) {}

  begin(): void {
    for (const kind of KINDS) this.next(kind);
  }

  /** From here on nothing goes wrong any more, and what is broken is mended. */
  heal(): void {
    const { world } = this;
    this.isHealed = true;
    world.store.isFaulty = false;
    world.store.isFull = false;
    world.broker.isUp = true;
    world.clock.set(0);
    world.national.isCutOff = false;
    for (const part of [...AGENTS, ...BOARDS.map(({ id }) => id)]) world.line.found(part);
    if (world.gateway !== undefined) world.broker.up(world.gateway.life);
  }

  hang(): void {
    const { world } = this;
    const { gateway, random, timeline, media, line, signalling, channels } = world;
    if (gateway === undefined) return;
    const { life, calls } = gateway;
    const forUs = random.chance(0.5) ? random.int(10_000, 2_000_000) : random.int(2_000_000, 30 * SECOND_US);
    life.stop();
    const isLost = forUs > 2 * SECOND_US;
    if (isLost) {
      timeline.in(2 * SECOND_US, () => {
        if (life.isDead) return;
        media.silenceAll();
        signalling.clientLost();
        for (const channel of Object.values(channels)) channel.close();
      });
      timeline.in(Math.min(forUs, 5 * SECOND_US), () => !life.isDead && line.contactLost());
    }
    timeline.in(forUs, () => {
      if (life.isDead) return;
      life.goOn();
      if (!isLost || life.isDead) return;
      for (const plane of ['media', 'signalling', 'line'] as const)
        life.run(() => calls.planeLost(plane, 'no heartbeat'));
      timeline.in(random.int(300_000, 3 * SECOND_US), () => {
        if (!life.isDead) world.reconnect(gateway);
      });
    });
  }

  restart(): void {
    const { world } = this;
    const { gateway } = world;
    if (gateway === undefined) return;
    gateway.life.run(() => gateway.work?.stop());
    world.track(gateway.calls.stop(3_000)).then(() => {
      if (world.gateway === gateway) world.gatewayDied('stopped in order', SECOND_US);
    });
  }

  /** Everything on the machine is gone at once; `leapMs` more of true time go by while it is off. */
  powerFails(leapMs: number): void {
    const { world } = this;
    const { store, signalling, media, random, clock, timeline } = world;
    if (world.gateway === undefined) return;
    const offUs = random.int(5 * SECOND_US, 600 * SECOND_US);
    world.gatewayDied('power', offUs + 2 * SECOND_US);
    media.silenceAll();
    world.line.contactLost();
    signalling.crash();
    store.losePower(random);
    world.watch.gatewayDied();
    // What the disk has lost of the legs, nobody can end but their own session timers.
    for (const leg of signalling.allLegs()) {
      if (store.entry(leg.call)?.dialogs.has(`${leg.call};${leg.leg}`) !== true) leg.isKnown = false;
    }
    timeline.in(offUs, () => {
      clock.reboot(leapMs, this.hardwareClockOff());
      signalling.isUp = true;
    });
  }

  /** Switched off until twenty hours before the next night on which some clocks change. */
  leap(): void {
    const { world } = this;
    const now = Temporal.Instant.fromEpochMilliseconds(Math.floor(world.clock.trueMs()));
    const next = now.toZonedDateTimeISO(world.random.pick(ZONES)).getTimeZoneTransition('next');
    const leapMs = (next?.epochMilliseconds ?? 0) - now.epochMilliseconds - 20 * 3_600_000;
    if (leapMs > 0) this.powerFails(leapMs);
  }

  mediaDies(): void {
    const { world } = this;
    const { media, gateway, random, timeline, channels } = world;
    if (!media.isUp) return;
    media.isUp = false;
    media.silenceAll();
    channels.media.breakOff();
    timeline.in(random.int(1_000, 500_000), () => gateway?.life.run(() => gateway.calls.planeLost('media', 'exit')));
    timeline.in(random.int(600_000, 4 * SECOND_US), () => {
      media.isUp = true;
      gateway?.life.run(() => gateway.calls.planeBack('media'));
    });
  }

  engineDies(): void {
    const { world } = this;
    const { signalling, gateway, random, timeline, channels } = world;
    if (!signalling.isUp) return;
    signalling.crash();
    channels.signalling.breakOff();
    // A leg that the gateway has never heard of cannot be ended by it.
    timeline.in(random.int(1_000, 500_000), () =>
      gateway?.life.run(() => gateway.calls.planeLost('signalling', 'exit')),
    );
    timeline.in(random.int(600_000, 4 * SECOND_US), () => {
      signalling.isUp = true;
      gateway?.life.run(() => gateway.calls.planeBack('signalling'));
    });
  }

  /** One of these is gone for a while. */
  partDies(parts: readonly string[]): void {
    const { line, random, timeline } = this.world;
    const part = random.pick(parts);
    line.lose(part);
    timeline.in(random.int(SECOND_US, 300 * SECOND_US), () => line.found(part));
  }

  /** No agent hears the gateway. */
  busDies(): void {
    const { line, random, timeline } = this.world;
    for (const agent of AGENTS) line.lose(agent);
    const forUs = random.int(100_000, 60 * SECOND_US);
    for (const agent of AGENTS) timeline.in(forUs + random.int(0, 2 * SECOND_US), () => line.found(agent));
  }

  diskBreaks(): void {
    const { store, random, timeline } = this.world;
    store.isFaulty = true;
    timeline.in(random.int(100_000, 600 * SECOND_US), () => {
      store.isFaulty = false;
    });
  }

  diskFills(): void {
    const { store, random, timeline } = this.world;
    store.isFull = true;
    timeline.in(random.int(60 * SECOND_US, 2 * HOUR_US), () => {
      store.isFull = false;
    });
  }

  brokerBreaks(): void {
    const { broker, random, timeline } = this.world;
    broker.break();
    timeline.in(random.int(100_000, 60 * SECOND_US), () => this.brokerBack());
  }

  brokerAway(): void {
    const { broker, random, timeline } = this.world;
    broker.isUp = false;
    broker.break();
    timeline.in(random.exponential(DAY_US / 4), () => {
      broker.isUp = true;
      this.brokerBack();
    });
  }

  clockSteps(): void {
    const { clock, random, timeline } = this.world;
    const byMs = random.pick([-7_200_000, -3_600_000, -60_000, -5_000, 5_000, 60_000, 3_600_000, 7_200_000]);
    clock.set(byMs + random.int(0, 999));
    timeline.in(random.int(60 * SECOND_US, HOUR_US), () => {
      clock.set(0);
    });
  }

  /** After a power cut: an hour's wrong set-up, or an empty battery; set right within minutes. */
  private hardwareClockOff(): number {
    const { clock, random, timeline } = this.world;
    if (!random.chance(0.3)) return 0;
    timeline.in(random.int(10 * SECOND_US, 900 * SECOND_US), () => clock.set(0));
    return random.pick([-20 * 365 * 86_400_000, -7_200_000, 7_200_000]);
  }

  /** Rather in a call than between two: it is waited for one, for a while. */
  policyChanges(looks = 240): void {
    const { world } = this;
    if (looks > 0 && (world.gateway?.calls.live().length ?? 0) === 0) {
      world.timeline.in(15 * SECOND_US, () => this.policyChanges(looks - 1));
      return;
    }
    const others = world.site.policies.map((_, index) => index).filter((index) => index !== world.policyIndex);
    world.changePolicy(world.random.pick(others));
  }

  /** A technician changes who may work when; rather in a contact's call than between two. */
  workChanges(looks = 480): void {
    const { work, watch, gateway, timeline, store, random } = this.world;
    if (work === undefined) return;
    const live = gateway?.calls.live().find(({ call, state }) => isOfWork(call) && state === 'talking');
    if (looks > 0 && live === undefined) {
      timeline.in(15 * SECOND_US, () => this.workChanges(looks - 1));
      return;
    }
    const { person, campaign } = (live && store.entry(live.call)?.request) ?? {};
    watch.workChanged(work.change(random.chance(0.5) ? campaign : person));
  }

  /** Headquarters has heard it from somebody, and knows the number or its token. */
  askNot(): void {
    const { orders, random, site, numberToken } = this.world;
    const number = random.pick(site.allNumbers.filter(mayAskNot)) as E164;
    orders.send({
      type: 'do-not-call',
      ...(random.chance(0.5) ? { numbers: [number] } : { numberTokens: [numberToken(number)] }),
    });
  }

  /** For some days no new national list is to be had. */
  listAges(): void {
    const { national, random, timeline } = this.world;
    national.isCutOff = true;
    timeline.in(random.int(20 * HOUR_US, 80 * HOUR_US), () => {
      national.isCutOff = false;
    });
  }

  cutoff(): void {
    const { world } = this;
    const { gateway, orders, random, timeline } = world;
    if (gateway === undefined) return;
    const { life, calls } = gateway;
    const target = this.target(calls.live().map(({ call }) => call));
    const hold = random.chance(0.3) ? ('until-released' as const) : random.int(1_000, 3_600_000);
    if (hold === 'until-released' && target.kind !== 'call') {
      timeline.in(random.int(60 * SECOND_US, 3 * HOUR_US), () => this.release(target));
    }
    // Seven in ten come from headquarters, signed; the others from the console or a wired button.
    if (random.chance(0.7)) {
      orders.send({ type: 'cutoff', target, hold });
      return;
    }
    this.orders += 1;
    const order: CutoffOrder = { id: `local-${this.orders}`, target, reason: 'drill', by: 'console', hold };
    life.run(() => orders.cutOff(calls, life, order));
  }

  /** Again and again until the gateway has done it: a lockdown that nobody lifts would end the run. */
  private release(target: Lockdown['target']): void {
    const { gateway, orders, random, timeline } = this.world;
    if (gateway !== undefined && random.chance(0.3)) orders.send({ type: 'release', target });
    let isDone = false;
    gateway?.life.run(() => {
      isDone = orders.release(gateway.calls, target);
    });
    if (!isDone) timeline.in(60 * SECOND_US, () => this.release(target));
  }

  private target(live: readonly Extract<CutoffOrder['target'], { kind: 'call' }>['call'][]): CutoffOrder['target'] {
    const { random } = this.world;
    const dice = random.next();
    const [call] = live;
    if (dice < 0.3 && call !== undefined) return { kind: 'call', call: random.pick(live) };
    if (dice < 0.8) return { kind: 'handset', handset: this.world.anyHandset().id };
    if (dice < 0.95) return { kind: 'wing', wing: wingId(random.pick(WINGS)) };
    return { kind: 'site' };
  }

  private brokerBack(): void {
    const { gateway, broker } = this.world;
    if (gateway !== undefined) broker.up(gateway.life);
  }

  private next(kind: Kind): void {
    const { random, timeline, watch, work } = this.world;
    timeline.in(random.exponential((kind.everyDays * DAY_US) / this.pace), () => {
      if (this.isHealed) return;
      this.next(kind);
      watch.fault(kind.name);
      // Whatever it is, what is heard of talks may come late by it.
      work?.watch.blurred();
      kind.run(this);
    });
  }
}
