import { Temporal } from 'temporal-polyfill';
import type { Clock, Timer } from '../clock/clock.js';
import type { Lockdown } from '../policy/request.js';
import type { CallStore, CutoffOrder, LinePlane } from './ports.js';
import { lockdownReleased, lockdownSet } from './reports.js';

/** The disk did not take a lockdown: it is in force from memory, and tried again this often, milliseconds. */
const SAVE_AGAIN_MS = 5_000;
/** The longest that one timer waits, milliseconds; setTimeout takes no more than 24 days. */
const LONGEST_WAIT_MS = 3_600_000;

interface Held {
  readonly order: CutoffOrder;
  readonly lockdown: Lockdown;
  /** Its end on the monotonic clock; undefined: until released. */
  readonly untilNs?: bigint;
  isSaved: boolean;
}

const sameTarget = (a: Lockdown['target'], b: Lockdown['target']): boolean => JSON.stringify(a) === JSON.stringify(b);

/** An order holds from when it is given: a `from` ahead of the wall clock is of a clock that has been put right since. */
function begun(lockdown: Lockdown, wall: Temporal.Instant): Lockdown {
  return Temporal.Instant.compare(lockdown.from, wall) > 0 ? { ...lockdown, from: wall } : lockdown;
}

/**
 * The lockdowns in force, and the line plane's knowledge of them. One that the disk will not take is in force all the same;
 * and one ends by neither clock before the other agrees, so that setting the wall clock forward lifts nothing.
 */
export class LockdownBook {
  private held: readonly Held[] = [];
  private saving: Timer | undefined;
  private expiry: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly store: CallStore,
    private readonly line: LinePlane,
    private readonly onFault: (fault: unknown) => void,
  ) {}

  inForce(): readonly Lockdown[] {
    const onDisk = this.store.lockdowns();
    const wall = this.clock.wall();
    if (this.held.length === 0) return onDisk.map((lockdown) => begun(lockdown, wall));
    const nowNs = this.clock.monotonicNs();
    const more = this.held.flatMap(({ lockdown, untilNs, isSaved }): readonly Lockdown[] => {
      const { until } = lockdown;
      const isOverByWall = until !== undefined && Temporal.Instant.compare(until, wall) <= 0;
      if (isSaved && !isOverByWall) return [];
      if (untilNs === undefined || until === undefined) return [lockdown];
      if (untilNs <= nowNs && isOverByWall) return [];
      const leftMs = Math.max(1, Math.ceil(Number(untilNs - nowNs) / 1e6));
      return [isOverByWall ? { ...lockdown, until: wall.add({ milliseconds: leftMs }) } : lockdown];
    });
    return [...onDisk, ...more].map((lockdown) => begun(lockdown, wall));
  }

  set(order: CutoffOrder, target: Lockdown['target']): void {
    const from = this.clock.wall();
    const { hold, reason } = order;
    if (hold === 'until-released') this.hold({ order, lockdown: { target, from, reason }, isSaved: false });
    else {
      const ms = Math.ceil(hold);
      // A wall clock that is behind would let it end too soon in the next life, which has only that to go by.
      const newest = this.store.newestInstant();
      const base = newest !== undefined && Temporal.Instant.compare(newest, from) > 0 ? newest : from;
      const lockdown: Lockdown = { target, from, until: base.add({ milliseconds: ms }), reason };
      this.hold({ order, lockdown, untilNs: this.clock.monotonicNs() + BigInt(ms) * 1_000_000n, isSaved: false });
    }
    this.tellLine();
  }

  /** Lifts every lockdown of exactly this target. False when the disk cannot take it: the lockdown then stands. */
  release(target: Lockdown['target'], by: string): boolean {
    try {
      this.store.releaseLockdown(target, [lockdownReleased(target, by)]);
    } catch (fault) {
      this.onFault(fault);
      return false;
    }
    this.held = this.held.filter(({ lockdown }) => !sameTarget(lockdown.target, target));
    this.line.endHolds(target);
    this.tellLine();
    return true;
  }

  /** Tells the line plane what is in force, now and whenever one ends by itself. */
  tellLine(): void {
    this.expiry?.cancel();
    this.expiry = undefined;
    const inForce = this.inForce();
    this.line.setLockdowns(inForce);
    const wallMs = this.clock.wall().epochMilliseconds;
    const ends = inForce.flatMap(({ until }) => (until === undefined ? [] : [until.epochMilliseconds - wallMs + 1]));
    if (ends.length === 0) return;
    this.expiry = this.clock.after(Math.min(LONGEST_WAIT_MS, Math.max(1, Math.min(...ends))), () => this.tellLine());
  }

  stop(): void {
    this.expiry?.cancel();
    this.saving?.cancel();
  }

  private hold(held: Held): void {
    const nowNs = this.clock.monotonicNs();
    const isOver = ({ untilNs, isSaved }: Held): boolean => isSaved && untilNs !== undefined && untilNs <= nowNs;
    this.held = [...this.held.filter((other) => !isOver(other) && other.order.id !== held.order.id), held];
    this.save(held);
  }

  private save(held: Held): void {
    try {
      this.store.setLockdown(held.order.id, held.lockdown, [lockdownSet(held.order, held.lockdown)]);
      held.isSaved = true;
    } catch (fault) {
      this.onFault(fault);
      this.saving ??= this.clock.after(SAVE_AGAIN_MS, () => {
        this.saving = undefined;
        for (const other of this.held) if (!other.isSaved) this.save(other);
      });
    }
  }
}
