import type { RuleId } from '../../gateway/policy/decision.js';
import type { Lockdown } from '../../gateway/policy/request.js';
import type { SimHandset } from './sim-site.js';

type Target = Lockdown['target'];

interface Order {
  readonly target: Target;
  /** True time, milliseconds; infinity until it is released. */
  readonly untilMs: number;
}

/** An order that came while the clock was wrong, or that may have been given in vain, may hold for this much longer. */
const DOUBT_MS = 26 * 3_600_000;

const same = (a: Target, b: Target): boolean => JSON.stringify(a) === JSON.stringify(b);

const hits = (target: Target, { id, wing }: SimHandset): boolean => {
  if (target.kind === 'site') return true;
  return target.kind === 'wing' ? target.wing === wing : target.kind === 'handset' && target.handset === id;
};

/** The cutoff orders in force, as a person would say who knows the true time. */
export class LockdownWatch {
  /** Those that hold for certain. */
  private must: readonly Order[] = [];
  /** Those that may: given to a gateway that may have died of it, or by a clock that was wrong. */
  private may: readonly Order[] = [];

  /** About to be ordered: from here on it may hold. */
  ordered(target: Target, nowMs: number, holdMs: number): void {
    this.may = [...this.may.filter(({ untilMs }) => untilMs > nowMs), { target, untilMs: nowMs + holdMs + DOUBT_MS }];
  }

  /** The gateway has taken it. */
  obeyed(target: Target, nowMs: number, holdMs: number): void {
    this.must = [...this.must.filter(({ untilMs }) => untilMs > nowMs), { target, untilMs: nowMs + holdMs }];
  }

  /** Somebody releases a target; `done` when the gateway says that it is. */
  released(target: Target, done: boolean): void {
    this.must = this.must.filter((order) => !same(order.target, target));
    if (done) this.may = this.may.filter((order) => !same(order.target, target));
  }

  /** An order that holds the handset for certain. */
  holding(handset: SimHandset, nowMs: number): Order | undefined {
    return this.must.find(({ target, untilMs }) => untilMs > nowMs && hits(target, handset));
  }

  mayHold(handset: SimHandset, rule: RuleId, nowMs: number): boolean {
    return this.may.some(
      ({ target, untilMs }) => untilMs > nowMs && rule === `lockdown.${target.kind}` && hits(target, handset),
    );
  }
}
