import type { CallRequest, OpenCall } from '../../gateway/calls/ports.js';
import type { CallRecord, EndCause } from '../../gateway/calls/record.js';
import type { CallId, HandsetId } from '../../gateway/policy/ids.js';
import type { Lockdown } from '../../gateway/policy/request.js';
import { Breach } from './breach.js';
import type { MachineClock } from './machine-clock.js';
import type { SimSite } from './sim-site.js';
import type { SimStore } from './sim-store.js';
import type { Timeline } from './timeline.js';
import { closedWithin } from './window-oracle.js';

interface Seen {
  readonly atUs: number;
  /** The deadline that the relay holds, once it holds one. */
  armedUs?: number;
}

/** What a simulated site went through. */
export interface Tally {
  calls: number;
  granted: number;
  talked: number;
  talkMs: number;
  readonly refused: Map<string, number>;
  readonly ended: Map<EndCause, number>;
  readonly faults: Map<string, number>;
}

export const bump = <K>(counts: Map<K, number>, key: K): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};

/** Knows what the gateway has promised, sees all that happens, and trusts nothing that the gateway says. */
export class Watch {
  readonly tally: Tally = {
    calls: 0,
    granted: 0,
    talked: 0,
    talkMs: 0,
    refused: new Map(),
    ended: new Map(),
    faults: new Map(),
  };
  /** Requests that the gateway has taken and not recorded. */
  private readonly open = new Map<CallId, Seen>();
  private readonly recorded = new Set<CallId>();
  /** Orders in force as a person would say, in true time. */
  private lockdowns: { readonly target: Lockdown['target']; readonly untilMs: number }[] = [];

  constructor(
    private readonly timeline: Timeline,
    private readonly clock: MachineClock,
    private readonly site: SimSite,
    private readonly store: () => SimStore,
  ) {}

  /** The first promise that did not hold. It is kept, because the gateway survives what its ports throw. */
  failure: Breach | undefined;

  breach(promise: string, detail: string): never {
    this.failure ??= new Breach(promise, detail);
    throw this.failure;
  }

  get openCalls(): ReadonlyMap<CallId, Seen> {
    return this.open;
  }

  requested({ call }: CallRequest): void {
    if (this.open.has(call)) return;
    this.open.set(call, { atUs: this.timeline.nowUs });
    this.tally.calls += 1;
  }

  /** The gateway has died: what it had not written down yet never was a call. */
  gatewayDied(): void {
    for (const call of this.open.keys()) if (this.store().entry(call) === undefined) this.open.delete(call);
  }

  lockedDown(target: Lockdown['target'], holdMs: number): void {
    this.lockdowns.push({ target, untilMs: this.clock.trueMs() + holdMs });
  }

  released(target: Lockdown['target']): void {
    this.lockdowns = this.lockdowns.filter((other) => JSON.stringify(other.target) !== JSON.stringify(target));
  }

  /** The disk could not take an order: nobody promises that it outlives the process. */
  lockdownsMayBeLost(): void {
    this.lockdowns = [];
  }

  /** A call is granted: every clock that counts must show a time at which it may be. */
  granted({ handset, at }: CallRequest, { number, notAfter }: OpenCall['grant']): void {
    this.tally.granted += 1;
    const one = this.site.handsets.get(handset);
    if (one === undefined) throw this.breach('no unknown handset', handset);
    if (this.clock.wrongMs !== 0) this.breach('no grant by a wrong clock', `${handset} at ${at}`);
    const nowMs = this.clock.trueMs();
    const windows = this.site.windowsOf(one, number);
    const closed = closedWithin(windows, nowMs, Math.min(notAfter.epochMilliseconds, nowMs + 1_500_000));
    if (closed !== undefined) this.breach('no grant outside any window', `${handset} until ${notAfter}: ${closed}`);
    this.lockdowns = this.lockdowns.filter(({ untilMs }) => untilMs > nowMs);
    const held = this.lockdowns.find(({ target }) => {
      if (target.kind === 'site') return true;
      return target.kind === 'wing'
        ? target.wing === one.wing
        : target.kind === 'handset' && target.handset === handset;
    });
    if (held !== undefined) this.breach('no grant in a lockdown', `${handset} under ${JSON.stringify(held.target)}`);
  }

  /** The relay opens its gates until an instant. */
  armed(call: CallId, deadlineUs: number): void {
    const entry = this.store().entry(call);
    const seen = this.open.get(call);
    const { nowUs } = this.timeline;
    if (entry?.deadline === undefined || entry.answeredAt === undefined) {
      throw this.breach('no talk without a committed deadline', call);
    }
    if (this.clock.usOf(entry.deadline.monotonicNs) < deadlineUs)
      this.breach('no media past the committed deadline', call);
    const one = this.site.handsets.get(entry.request.handset);
    if (one === undefined || seen === undefined) throw this.breach('no media of a call that never was', call);
    if (seen.armedUs !== undefined && deadlineUs > seen.armedUs) this.breach('a deadline never moves away', call);
    if (seen.armedUs === undefined) {
      const talkMs = (deadlineUs - nowUs) / 1e3;
      if (talkMs > this.site.mostTalkMs(one) + 1) this.breach('no talk beyond the most', `${call}: ${talkMs} ms`);
      const windows = this.site.windowsOf(one, entry.grant.number);
      const closed = closedWithin(windows, this.clock.trueMs(nowUs), this.clock.trueMs(deadlineUs));
      if (closed !== undefined) this.breach('no talk outside any window', `${call}: ${closed}`);
    }
    seen.armedUs = deadlineUs;
  }

  flowed(call: CallId, fromUs: number, toUs: number): void {
    const armedUs = this.open.get(call)?.armedUs;
    if (armedUs !== undefined && toUs > armedUs)
      this.breach('no media after the deadline', `${call}: ${toUs - armedUs} us`);
    this.tally.talked += 1;
    this.tally.talkMs += (toUs - fromUs) / 1e3;
  }

  /** A record is durable. */
  wrote(record: CallRecord): void {
    const { call, cause, rule } = record;
    if (this.recorded.has(call)) this.breach('no record twice', call);
    this.recorded.add(call);
    const seen = this.open.get(call);
    if (seen === undefined) this.breach('no record of a call that never was', call);
    this.open.delete(call);
    if (cause === 'refused') bump(this.tally.refused, rule ?? '?');
    else bump(this.tally.ended, cause);
  }

  /** Every call that is older than this must have its record. */
  noCallOlderThan(us: number): void {
    const sinceUs = this.timeline.nowUs - us;
    for (const [call, { atUs }] of this.open) {
      if (atUs < sinceUs)
        this.breach(
          'no call without a record',
          `${call}, asked for ${Math.round((this.timeline.nowUs - atUs) / 6e7)} minutes ago`,
        );
    }
    for (const call of this.store().openSince(sinceUs)) this.breach('no call open in the journal for ever', call);
  }

  relayClosed(handset: HandsetId, why: string): void {
    this.breach('no relay closed past its last lease', `${handset}: ${why}`);
  }
}
