import type { AgentHealthMessage, LineStateMessage } from '../../config/schema/types.generated.js';
import { LeaseKeeper } from '../../device-agents/lease-keeper.js';
import { readLease } from '../../device-agents/lease-message.js';
import { instantText } from '../../gateway/clock/instant-text.js';
import type { BoardId, HandsetId } from '../../gateway/policy/ids.js';
import type { MachineClock } from './machine-clock.js';
import type { SimBoard, SimHandset } from './sim-site.js';
import { type Happening, SECOND_US, type Timeline } from './timeline.js';

/** The board's own watchdog opens its relays when nobody has spoken to it for this long. */
export const WATCHDOG_US = 5 * SECOND_US;
const HEALTH_US = SECOND_US;

export interface AgentBus {
  /** A message of the agent's to the gateway. */
  publish(topic: string, payload: string): void;
}

interface Wire {
  readonly handset: SimHandset;
  readonly board: BoardId;
  /** What the agent has last said of the relay. */
  said: LineStateMessage['relay'];
  /** The last lease that was obeyed connects. */
  isOrdered: boolean;
}

/**
 * A device agent with its boards: the production lease keeper and message reader, and what agent.ts does around them. A coil
 * follows the leases while agent and board are there, and the board's watchdog when they are not.
 */
export class WireAgent {
  isUp = false;
  /** A planted fault: a coil opens by order alone, and not when its lease ends. */
  isStuck = false;
  private keeper: LeaseKeeper;
  private readonly wires: ReadonlyMap<string, Wire>;
  private readonly lostBoards = new Map<BoardId, { readonly closed: ReadonlySet<string>; readonly untilUs: number }>();
  private left: { readonly closed: ReadonlySet<string>; readonly untilUs: number } = { closed: new Set(), untilUs: 0 };
  private stamps = 0n;
  private beat: Happening | undefined;
  private leaseEnd: Happening | undefined;

  constructor(
    private readonly boards: readonly SimBoard[],
    handsets: readonly SimHandset[],
    private readonly timeline: Timeline,
    private readonly clock: MachineClock,
    private readonly bus: AgentBus,
    readonly name: string,
  ) {
    this.wires = new Map(
      handsets.flatMap((handset): [string, Wire][] =>
        handset.board === undefined
          ? []
          : [[handset.id, { handset, board: handset.board, said: 'unknown', isOrdered: false }]],
      ),
    );
    this.keeper = new LeaseKeeper([], '');
  }

  /** A new process: it knows no lease, and says all that it knows. */
  start(): void {
    this.keeper = new LeaseKeeper(this.wires.keys(), this.clock.bootId);
    this.isUp = true;
    this.reportAll();
    this.beatOn();
  }

  /** Its connection to the gateway is there again. */
  reportAll(): void {
    if (!this.isUp) return;
    for (const wire of this.wires.values()) this.report(wire);
    this.health();
  }

  /** The process is gone at once. Its coils stay as they are until the boards' watchdogs open them. */
  die(): void {
    if (!this.isUp) return;
    this.left = { closed: this.closedNow(), untilUs: this.timeline.nowUs + WATCHDOG_US };
    this.isUp = false;
    this.timeline.cancel(this.beat);
    this.timeline.cancel(this.leaseEnd);
  }

  /** The gateway is gone or silent: every lease is over. */
  endLeases(): void {
    this.keeper.endAll();
    for (const wire of this.wires.values()) wire.isOrdered = false;
    this.follow();
  }

  loseBoard(board: BoardId): void {
    if (this.lostBoards.has(board)) return;
    this.lostBoards.set(board, { closed: this.closedNow(), untilUs: this.timeline.nowUs + WATCHDOG_US });
    this.reportAll();
  }

  findBoard(board: BoardId): void {
    if (this.lostBoards.delete(board)) this.reportAll();
  }

  hookChanged(handset: HandsetId): void {
    const wire = this.wires.get(handset);
    if (wire !== undefined && this.isUp && !this.lostBoards.has(wire.board)) this.report(wire);
  }

  /** A lease has come. */
  lease(handset: string, payload: string): void {
    const wire = this.wires.get(handset);
    if (!this.isUp || wire === undefined) return;
    const lease = readLease(Buffer.from(payload));
    if (lease === undefined || this.keeper.accept(handset, lease, this.clock.monotonicNs()) !== 'obeyed') return;
    wire.isOrdered = lease.connected;
    this.follow();
    if (lease.confirm) this.report(wire);
  }

  /** The coil of the handset connects its pair now. */
  isConnected(handset: HandsetId): boolean {
    const wire = this.wires.get(handset);
    if (wire === undefined) return false;
    const { nowUs } = this.timeline;
    const lost = this.lostBoards.get(wire.board);
    if (lost !== undefined) return nowUs < lost.untilUs && lost.closed.has(handset);
    if (!this.isUp) return nowUs < this.left.untilUs && this.left.closed.has(handset);
    if (this.isStuck && wire.isOrdered) return true;
    return this.keeper.connected(handset, this.clock.monotonicNs());
  }

  /** Nothing but the board's own watchdog holds the coil. */
  isLeftToWatchdog(handset: HandsetId): boolean {
    const wire = this.wires.get(handset);
    return wire !== undefined && (!this.isUp || this.lostBoards.has(wire.board));
  }

  private closedNow(): ReadonlySet<string> {
    return new Set([...this.wires.keys()].filter((handset) => this.isConnected(handset as HandsetId)));
  }

  /** Lets the coils follow the leases, says what has changed, and looks again when the next lease ends. */
  private follow(): void {
    if (!this.isUp) return;
    for (const wire of this.wires.values()) if (wire.said !== this.relayOf(wire)) this.report(wire);
    this.timeline.cancel(this.leaseEnd);
    const endNs = this.keeper.nextEndNs(this.clock.monotonicNs());
    if (endNs === undefined) return;
    this.leaseEnd = this.timeline.at(this.clock.usOf(endNs) + 1, () => this.follow());
  }

  private relayOf({ handset, board }: Wire): LineStateMessage['relay'] {
    if (this.lostBoards.has(board)) return 'unknown';
    return this.isConnected(handset.id) ? 'connected' : 'open';
  }

  private report(wire: Wire): void {
    const isLost = this.lostBoards.has(wire.board);
    wire.said = this.relayOf(wire);
    const message: LineStateMessage = {
      hook: isLost ? 'unknown' : wire.handset.hook,
      relay: wire.said,
      tamper: false,
      ...this.stamp(),
      leaseNs: `${this.keeper.lastNs(wire.handset.id)}`,
    };
    this.bus.publish(`bus/line/${wire.handset.id}/state`, JSON.stringify(message));
  }

  private beatOn(): void {
    this.timeline.cancel(this.beat);
    this.beat = this.timeline.in(HEALTH_US, () => {
      this.health();
      this.beatOn();
    });
  }

  private health(): void {
    const errors = { crc: 0, timeout: 0, exception: 0, port: 0, answer: 0 };
    const message: AgentHealthMessage = {
      ...this.stamp(),
      port: 'open',
      leasesRefused: 0,
      boards: this.boards.map(({ id }) => {
        const isLost = this.lostBoards.has(id);
        return { board: id, state: isLost ? 'lost' : 'ok', watchdog: 'armed', rttMs: 2, polls: 1, errors };
      }),
    };
    this.bus.publish(`bus/agent/${this.name}/health`, JSON.stringify(message));
  }

  /** No two messages of one instant: the gateway takes the newer one. */
  private stamp(): { readonly at: string; readonly atNs: string } {
    this.stamps += 1n;
    return { at: instantText(this.clock.wall()), atNs: `${this.clock.monotonicNs() + (this.stamps % 1_000n)}` };
  }
}
