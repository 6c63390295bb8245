import type { CallEvent, LinePlane } from '../../gateway/calls/ports.js';
import type { Deadline } from '../../gateway/clock/deadline.js';
import { LeaseBook, type LeaseOrder, REFRESH_MS } from '../../gateway/lines/lease-book.js';
import { isAimedAt } from '../../gateway/lines/lockdown.js';
import type { BoardId, CallId, HandsetId } from '../../gateway/policy/ids.js';
import type { LineFacts, Lockdown } from '../../gateway/policy/request.js';
import type { Channel } from './channel.js';
import type { LineWorld } from './line-world.js';
import type { MachineClock } from './machine-clock.js';
import type { Random } from './random.js';
import { BOARDS, type SimHandset } from './sim-site.js';
import type { Happening, Timeline } from './timeline.js';

const MS = 1_000_000n;
const REFRESH_NS = BigInt(REFRESH_MS) * MS;

interface Armed {
  readonly handset: HandsetId;
  deadlineUs: number;
  timer: Happening;
}

export interface LineWatcher {
  /** The relay is connected at an instant at which it must not be. */
  closedInVain(handset: HandsetId, why: string): void;
}

const AGENT_OF = new Map<BoardId, string>(BOARDS.map(({ id, agent }) => [id, agent]));

/**
 * The line plane on the production lease book, with the agents and boards behind it. Leases are renewed every 1.5 s and are
 * all alike between two orders; so they are worked out when somebody looks, and not one by one. wire-line.ts gives each
 * lease by itself, over a bus, on the whole production line plane.
 */
export class SimLine implements LineWorld, LinePlane {
  private book = new LeaseBook();
  private readonly leases = new Map<HandsetId, LeaseOrder>();
  private readonly armed = new Map<CallId, Armed>();
  private lockdowns: readonly Lockdown[] = [];
  /** The agents are in contact with the gateway. */
  private contact = false;
  /** Agents and boards that are not there. */
  private readonly lost = new Set<string>();

  constructor(
    private readonly timeline: Timeline,
    private readonly random: Random,
    private readonly channel: Channel,
    private readonly clock: MachineClock,
    private readonly handsets: ReadonlyMap<HandsetId, SimHandset>,
    private readonly watcher: LineWatcher,
  ) {}

  get size(): number {
    return this.armed.size;
  }

  /** A new life of the gateway begins with an empty book. */
  gatewayBack(): LinePlane {
    this.book = new LeaseBook();
    this.leases.clear();
    this.lockdowns = [];
    this.contact = true;
    return this;
  }

  /** The bus is there again, for the same life. */
  contactBack(): void {
    this.contact = true;
  }

  /** The bus is gone, or the leases have run out: every relay is open. */
  contactLost(): void {
    this.contact = false;
    for (const { timer } of this.armed.values()) this.timeline.cancel(timer);
    this.armed.clear();
  }

  holds(call: CallId): boolean {
    return this.armed.has(call);
  }

  /** A device agent, or one of its boards, is not there any more: whoever is armed on it hears so. */
  lose(part: string): void {
    this.lost.add(part);
    for (const [call, { handset }] of this.armed) {
      const { board, agent } = this.behind(handset);
      if (board === part || agent === part) this.tell(call, { type: 'controller-lost' });
    }
  }

  found(part: string): void {
    this.lost.delete(part);
  }

  /** Whoever is armed on a handset whose hook went on hears so. */
  hookChanged(handset: HandsetId): void {
    if (this.handsets.get(handset)?.hook !== 'on') return;
    for (const [call, armed] of this.armed) if (armed.handset === handset) this.tell(call, { type: 'hook-on' });
  }

  facts(handset: HandsetId): LineFacts {
    const one = this.handsets.get(handset);
    if (one?.board === undefined) return { fitted: false, hook: 'unknown', supervised: false, relay: 'unknown' };
    const supervised = this.contact && !this.isLost(handset);
    const relay = this.isConnected(handset) ? 'connected' : 'open';
    return { fitted: true, hook: one.hook, supervised, relay };
  }

  arm(call: CallId, handset: HandsetId, deadline: Deadline): void {
    if (this.isLost(handset) || this.random.chance(0.0005)) {
      this.tell(call, { type: 'controller-lost' });
      return;
    }
    this.renew(handset);
    this.book.arm(call, handset, deadline.monotonicNs);
    this.lease(handset);
    const before = this.armed.get(call);
    this.timeline.cancel(before?.timer);
    const atUs = this.clock.usOf(deadline.monotonicNs);
    const deadlineUs = Math.min(before?.deadlineUs ?? atUs, atUs);
    const timer = this.timeline.at(deadlineUs, () => this.deadlinePassed(call, handset));
    this.armed.set(call, { handset, deadlineUs, timer });
    this.tell(call, { type: 'armed', plane: 'line' });
  }

  cut(call: CallId, handset: HandsetId, holdMs: number): void {
    this.disarm(call, handset);
    const untilNs = this.clock.monotonicNs() + BigInt(Math.ceil(holdMs)) * MS;
    this.book.hold(handset, untilNs);
    this.lease(handset);
    this.look(handset, holdMs / 2, 'its relay is held open', () => this.book.isHeld(handset, this.clock.monotonicNs()));
    // An agent that is not there says nothing; its board opens by itself.
    if (!this.isLost(handset) && !this.random.chance(0.0005))
      this.tell(call, { type: 'released', plane: 'line', relayOpen: true });
  }

  release(call: CallId, handset: HandsetId): void {
    this.disarm(call, handset);
    this.lease(handset);
    this.tell(call, { type: 'released', plane: 'line', relayOpen: false });
  }

  setLockdowns(lockdowns: readonly Lockdown[]): void {
    const before = this.lockdowns;
    this.lockdowns = lockdowns;
    if (lockdowns.length === 0 && before.length === 0) return;
    for (const handset of this.handsets.keys()) {
      this.lease(handset);
      if (!this.may(handset)) this.look(handset, 1_000, 'a lockdown is in force', () => !this.may(handset));
    }
  }

  endHolds(target: Lockdown['target']): void {
    for (const [handset, { wing }] of this.handsets) {
      if (!isAimedAt(target, { handset, wing })) continue;
      this.book.endHold(handset);
      this.lease(handset);
    }
  }

  /** The relay of the handset connects its pair now. */
  isConnected(handset: HandsetId): boolean {
    if (!this.contact || this.isLost(handset)) return false;
    this.renew(handset);
    const lease = this.leases.get(handset);
    return lease?.connected === true && this.clock.monotonicNs() < lease.untilNs;
  }

  /** Here a lost board is open at once. */
  isLeftToWatchdog(): boolean {
    return false;
  }

  private deadlinePassed(call: CallId, handset: HandsetId): void {
    if (this.isConnected(handset)) this.watcher.closedInVain(handset, `call ${call} is past its deadline`);
    this.tell(call, { type: 'deadline-passed', by: 'line' });
  }

  private look(handset: HandsetId, afterMs: number, why: string, stillSo: () => boolean): void {
    const { book } = this;
    this.timeline.in(afterMs * 1e3, () => {
      if (this.book === book && stillSo() && this.isConnected(handset)) this.watcher.closedInVain(handset, why);
    });
  }

  private disarm(call: CallId, handset: HandsetId): void {
    this.renew(handset);
    this.book.release(call, handset);
    this.timeline.cancel(this.armed.get(call)?.timer);
    this.armed.delete(call);
  }

  /** The last renewal that was due since the last look. */
  private renew(handset: HandsetId): void {
    const nowNs = this.clock.monotonicNs();
    const tickNs = (nowNs / REFRESH_NS) * REFRESH_NS;
    const last = this.leases.get(handset);
    if (last !== undefined && last.sentNs >= tickNs) return;
    this.leases.set(handset, this.book.next(handset, tickNs, this.may(handset)));
  }

  private lease(handset: HandsetId): void {
    this.leases.set(handset, this.book.next(handset, this.clock.monotonicNs(), this.may(handset)));
  }

  private may(handset: HandsetId): boolean {
    const one = this.handsets.get(handset);
    return !this.lockdowns.some(({ target, until }) => {
      if (until !== undefined && until.epochMilliseconds <= this.clock.wall().epochMilliseconds) return false;
      if (target.kind === 'site') return true;
      return target.kind === 'wing'
        ? one?.wing === target.wing
        : target.kind === 'handset' && target.handset === handset;
    });
  }

  private behind(handset: HandsetId): { readonly board?: BoardId; readonly agent?: string } {
    const board = this.handsets.get(handset)?.board;
    const agent = board === undefined ? undefined : AGENT_OF.get(board);
    return board === undefined || agent === undefined ? {} : { board, agent };
  }

  private isLost(handset: HandsetId): boolean {
    const { board, agent } = this.behind(handset);
    return board === undefined || agent === undefined || this.lost.has(board) || this.lost.has(agent);
  }

  private tell(call: CallId, event: CallEvent): void {
    this.channel.tell((sink) => sink.event(call, event));
  }
}
