import type { LinePlane } from '../../gateway/calls/ports.js';
import type { LineBus } from '../../gateway/lines/fittings.js';
import { GONE, HEALTH_FILTER } from '../../gateway/lines/line-messages.js';
import { Lines } from '../../gateway/lines/lines.js';
import { isLockedDown } from '../../gateway/lines/lockdown.js';
import { mayCallAtAll } from '../../gateway/policy/decide.js';
import { boardId, type CallId, type HandsetId } from '../../gateway/policy/ids.js';
import type { CompiledPolicy } from '../../gateway/policy/policy.js';
import type { Lockdown } from '../../gateway/policy/request.js';
import type { Life } from './life.js';
import type { LineLife, LineWorld } from './line-world.js';
import type { MachineClock } from './machine-clock.js';
import type { Random } from './random.js';
import type { LineWatcher } from './sim-line.js';
import { AGENTS, BOARDS, type SimHandset } from './sim-site.js';
import type { Timeline } from './timeline.js';
import { WireAgent } from './wire-agent.js';

/** A lease is for five seconds at most, however late or lost the next one is. */
const LONGEST_LEASE_MS = 5_000;

/** One way over the bus: in order, as TCP does; mostly at once, now and then late, by seconds too where things go wrong, and sometimes doubled. */
class Way {
  private lastUs = 0;

  constructor(
    private readonly timeline: Timeline,
    private readonly random: Random,
    private readonly isCalm: boolean,
  ) {}

  send(arrive: () => void): void {
    const { random, timeline } = this;
    const dice = random.next();
    const lateUs =
      dice < 0.0005 && !this.isCalm
        ? random.int(0, 7_000_000)
        : dice < 0.01
          ? random.int(0, 500_000)
          : random.int(100, 5_000);
    this.lastUs = Math.max(this.lastUs, timeline.nowUs + lateUs);
    timeline.at(this.lastUs, arrive);
    if (dice > 0.998) timeline.at(this.lastUs, arrive);
  }
}

/**
 * The whole production line plane: each lease by itself over a bus to agents on the production lease keeper, their health and
 * states back. It costs some hundred happenings a second, so it is for days of small sites; sim-line.ts is for years.
 */
export class WireLine implements LineWorld {
  private readonly agents: ReadonlyMap<string, WireAgent>;
  private readonly agentOf = new Map<HandsetId, WireAgent>();
  private readonly lostAgents = new Set<string>();
  private readonly held = new Map<CallId, HandsetId>();
  private lockdowns: readonly Lockdown[] = [];
  /** How often a person has lifted a lockdown: what a cut held may be let go then. */
  private lifts = 0;
  private lines: Lines | undefined;
  private life: Life | undefined;
  /** Rises with each connection of the bus. */
  private epoch = 0;
  private deliver: (topic: string, payload: string) => void = () => undefined;

  constructor(
    private readonly timeline: Timeline,
    private readonly random: Random,
    clock: MachineClock,
    private readonly handsets: ReadonlyMap<HandsetId, SimHandset>,
    private readonly policy: () => CompiledPolicy,
    private readonly watcher: LineWatcher,
    isStuck: boolean,
    private readonly isCalm: boolean,
  ) {
    const all = [...handsets.values()];
    this.agents = new Map(
      AGENTS.flatMap((name): [string, WireAgent][] => {
        const boards = BOARDS.filter(({ agent }) => agent === name);
        const own = all.filter(({ board }) => boards.some(({ id }) => id === board));
        if (own.length === 0) return [];
        const way = new Way(timeline, random, isCalm);
        const bus = { publish: (topic: string, payload: string) => this.up(way, topic, payload) };
        const agent = new WireAgent(boards, own, timeline, clock, bus, name);
        agent.isStuck = isStuck;
        for (const { id } of own) this.agentOf.set(id, agent);
        return [[name, agent]];
      }),
    );
  }

  get size(): number {
    return this.held.size;
  }

  gatewayBack({ life, clock, bootId, sink }: LineLife): LinePlane {
    this.lines?.stop();
    this.epoch += 1;
    this.life = life;
    this.held.clear();
    this.lockdowns = [];
    const fitted = BOARDS.filter(({ agent }) => this.agents.has(agent));
    const lines = new Lines({
      clock,
      bootId,
      bus: this.busOf(life),
      sink,
      boards: fitted.map(({ id, agent }) => ({ board: id, agent, allowNoWatchdog: false })),
      lines: [...this.handsets.values()].flatMap(({ id, wing, board }) =>
        board === undefined ? [] : [{ handset: id, wing, board }],
      ),
      mayCall: (handset) => mayCallAtAll(this.policy(), handset, clock.wall()),
    });
    this.lines = lines;
    lines.start();
    for (const [name, agent] of this.agents) {
      agent.die();
      if (!this.lostAgents.has(name)) this.startSoon(name);
    }
    return this.planeOf(lines, clock);
  }

  contactLost(): void {
    if (this.life?.isDead === true) this.epoch += 1;
    for (const agent of this.agents.values()) agent.endLeases();
  }

  contactBack(): void {
    for (const agent of this.agents.values()) agent.reportAll();
  }

  /** An agent's process ends, or hangs and says nothing more; or a board does not answer its agent. */
  lose(part: string): void {
    const agent = this.agents.get(part);
    if (agent === undefined) {
      const board = boardId(part);
      for (const one of this.agents.values()) if (this.ofBoard(part) === one.name) one.loseBoard(board);
      return;
    }
    this.lostAgents.add(part);
    agent.die();
    // Its last will, if the bus sees the connection close; a hung one is found silent.
    if (this.random.chance(0.7)) this.tell(HEALTH_FILTER.replace('+', part), GONE);
  }

  found(part: string): void {
    if (this.agents.has(part)) {
      if (this.lostAgents.delete(part)) this.startSoon(part);
      return;
    }
    const board = boardId(part);
    for (const one of this.agents.values()) if (this.ofBoard(part) === one.name) one.findBoard(board);
  }

  hookChanged(handset: HandsetId): void {
    this.agentOf.get(handset)?.hookChanged(handset);
  }

  holds(call: CallId): boolean {
    return this.held.has(call);
  }

  isConnected(handset: HandsetId): boolean {
    return this.agentOf.get(handset)?.isConnected(handset) === true;
  }

  isLeftToWatchdog(handset: HandsetId): boolean {
    return this.agentOf.get(handset)?.isLeftToWatchdog(handset) === true;
  }

  /** The production plane, with its orders noted: what must be open is looked at when the longest lease has run out. */
  private planeOf(lines: Lines, clock: LineLife['clock']): LinePlane {
    return {
      facts: (handset) => lines.facts(handset),
      arm: (call, handset, deadline) => {
        if (this.agentOf.has(handset)) this.held.set(call, handset);
        lines.arm(call, handset, deadline);
      },
      cut: (call, handset, holdMs) => {
        this.held.delete(call);
        lines.cut(call, handset, holdMs);
        const { lifts } = this;
        const isHeld = () => this.lifts === lifts;
        if (holdMs > LONGEST_LEASE_MS + 100) this.look(lines, handset, 'its relay is held open', isHeld);
      },
      release: (call, handset) => {
        this.held.delete(call);
        lines.release(call, handset);
      },
      setLockdowns: (lockdowns) => {
        this.lockdowns = lockdowns;
        lines.setLockdowns(lockdowns);
        for (const handset of this.handsets.values()) {
          const isLocked = () =>
            isLockedDown({ handset: handset.id, wing: handset.wing }, this.lockdowns, clock.wall());
          if (isLocked()) this.look(lines, handset.id, 'a lockdown is in force', isLocked);
        }
      },
      endHolds: (target) => {
        this.lifts += 1;
        lines.endHolds(target);
      },
    };
  }

  private look(lines: Lines, handset: HandsetId, why: string, stillSo: () => boolean): void {
    this.timeline.in((LONGEST_LEASE_MS + 50) * 1_000, () => {
      if (this.lines === lines && stillSo() && this.isConnected(handset)) this.watcher.closedInVain(handset, why);
    });
  }

  private startSoon(name: string): void {
    const { epoch } = this;
    this.timeline.in(this.random.int(200_000, 1_500_000), () => {
      if (this.epoch === epoch && this.life?.isDead === false && !this.lostAgents.has(name))
        this.agents.get(name)?.start();
    });
  }

  private ofBoard(part: string): string | undefined {
    return BOARDS.find(({ id }) => id === part)?.agent;
  }

  private busOf(life: Life): LineBus {
    const { epoch } = this;
    const down = new Map(
      [...this.agents.keys()].map((name) => [name, new Way(this.timeline, this.random, this.isCalm)]),
    );
    const receivers: { readonly head: string; readonly receive: (topic: string, payload: Buffer) => void }[] = [];
    this.deliver = (topic, payload) => {
      life.run(() => {
        for (const { head, receive } of receivers) if (topic.startsWith(head)) receive(topic, Buffer.from(payload));
      });
    };
    return {
      subscribe: (filter, receive) => receivers.push({ head: filter.slice(0, filter.indexOf('+')), receive }),
      publish: (topic, payload) => {
        const handset = (topic.split('/')[2] ?? '') as HandsetId;
        const agent = this.agentOf.get(handset);
        if (agent === undefined || life.isDead) return;
        down.get(agent.name)?.send(() => {
          if (this.epoch === epoch) agent.lease(handset, payload);
        });
      },
    };
  }

  private up(way: Way, topic: string, payload: string): void {
    const { epoch } = this;
    way.send(() => {
      if (this.epoch === epoch) this.deliver(topic, payload);
    });
  }

  private tell(topic: string, payload: string): void {
    const { epoch } = this;
    this.timeline.in(this.random.int(100, 20_000), () => {
      if (this.epoch === epoch) this.deliver(topic, payload);
    });
  }
}
