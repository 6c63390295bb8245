import { Temporal } from 'temporal-polyfill';
import type { Clock, Timer } from '../clock/clock.js';
import type { Lockdown } from '../policy/request.js';
import type { CallStore, CutoffOrder, LinePlane } from './ports.js';
import { lockdownReleased, lockdownSet } from './reports.js';

/** The disk did not take a lockdown: it is in force from memory, and tried again this often, milliseconds. */
const SAVE_AGAIN_MS = 5_000;
/** The longest that one timer waits, milliseconds; setTimeout takes no more than 24 days. */
const LONGEST_WAIT_MS = 3_600_000;

interface Unsaved {
  readonly order: CutoffOrder;
  readonly lockdown: Lockdown;
}

const sameTarget = (a: Lockdown['target'], b: Lockdown['target']): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The lockdowns in force, and the line plane's knowledge of them. One that the disk will not take is in force all the same. */
export class LockdownBook {
  private unsaved: readonly Unsaved[] = [];
  private saving: Timer | undefined;
  private expiry: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly store: CallStore,
    private readonly line: LinePlane,
    private readonly onFault: (fault: unknown) => void,
  ) {}

  inForce(): readonly Lockdown[] {
    const wall = this.clock.wall();
    const held = this.unsaved.map(({ lockdown }) => lockdown);
    const live = held.filter(({ until }) => until === undefined || Temporal.Instant.compare(until, wall) > 0);
    return [...this.store.lockdowns(), ...live];
  }

  set(order: CutoffOrder, target: Lockdown['target']): void {
    const from = this.clock.wall();
    const { hold, reason } = order;
    const until = hold === 'until-released' ? {} : { until: from.add({ milliseconds: Math.ceil(hold) }) };
    const lockdown: Lockdown = { target, from, ...until, reason };
    this.save({ order, lockdown });
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
    this.unsaved = this.unsaved.filter(({ lockdown }) => !sameTarget(lockdown.target, target));
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
    this.expiry = this.clock.after(Math.min(LONGEST_WAIT_MS, Math.max(1, ...[Math.min(...ends)])), () =>
      this.tellLine(),
    );
  }

  stop(): void {
    this.expiry?.cancel();
    this.saving?.cancel();
  }

  private save(entry: Unsaved): void {
    try {
      this.store.setLockdown(entry.order.id, entry.lockdown, [lockdownSet(entry.order, entry.lockdown)]);
    } catch (fault) {
      this.onFault(fault);
      this.unsaved = [...this.unsaved, entry];
      this.saving ??= this.clock.after(SAVE_AGAIN_MS, () => this.saveAgain());
    }
  }

  private saveAgain(): void {
    const before = this.unsaved;
    this.unsaved = [];
    this.saving = undefined;
    for (const entry of before) this.save(entry);
  }
}
