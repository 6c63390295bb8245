import type { CallRequest, EventDraft, OpenCall } from '../../gateway/calls/ports.js';
import type { CallRecord, EndCause } from '../../gateway/calls/record.js';
import type { Decision } from '../../gateway/policy/decision.js';
import type { CallId, HandsetId } from '../../gateway/policy/ids.js';
import type { DialRequest } from '../../gateway/policy/request.js';
import { Breach, type PromiseName } from './breach.js';
import { Chronicle } from './chronicle.js';
import type { ListWatch } from './list-watch.js';
import type { LockdownWatch } from './lockdown-watch.js';
import type { MachineClock } from './machine-clock.js';
import type { QuotaWatch } from './quota-watch.js';
import type { SimSite } from './sim-site.js';
import type { SimStore } from './sim-store.js';
import type { Timeline } from './timeline.js';
import { closedFrom, closedWithin, isHoliday, isOpen, localDay } from './window-oracle.js';

interface Seen {
  readonly atUs: number;
  /** The deadline that the relay holds, once it holds one. */
  armedUs?: number;
  /** The bundle under which it was granted, and the number. */
  policyIndex?: number;
  number?: string;
  /** Where a newer bundle ends it at the latest, virtual time. */
  overUs?: number;
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

/** The clock may be off by this and be believed (gateway/clock/step-watch.ts), milliseconds. */
const BELIEVED_MS = 2_000;
/** The hook is known to the gateway by then, if its controller is there, microseconds. */
const HOOK_US = 10e6;
/** Around a night on which the clocks change the narrow reading of a wall time is narrower than any person's clock shows. */
const DOUBTFUL_MS = 70 * 60_000;

/** A process that hangs is told late, and its planes fall silent by themselves within this, microseconds. */
const NARROWED_US = 3e6;

/** Knows what the gateway has promised, sees all that happens, and trusts nothing that the gateway says. */
export class Watch {
  readonly chronicle = new Chronicle();
  readonly tally: Tally = {
    calls: 0,
    granted: 0,
    talked: 0,
    talkMs: 0,
    refused: new Map(),
    ended: new Map(),
    faults: new Map(),
  };
  /** The first promise that did not hold. It is kept, because the gateway survives what its ports throw. */
  failure: Breach | undefined;
  /** Requests that the gateway has taken and not recorded. */
  private readonly open = new Map<CallId, Seen>();
  private readonly recorded = new Set<CallId>();

  constructor(
    private readonly timeline: Timeline,
    private readonly clock: MachineClock,
    private readonly site: SimSite,
    private readonly store: () => SimStore,
    private readonly lockdowns: LockdownWatch,
    private readonly quotas: QuotaWatch,
    private readonly policyIndex: () => number,
    private readonly lists: ListWatch,
  ) {}

  breach(promise: PromiseName, detail: string, about: string): never {
    this.failure ??= new Breach(promise, detail, about);
    throw this.failure;
  }

  /** Calls that the gateway has taken and not recorded. */
  get openCount(): number {
    return this.open.size;
  }

  note(about: string, what: string): void {
    this.chronicle.note(this.timeline.nowUs, about, what);
  }

  /** Something went wrong with the site, or was ordered. */
  fault(name: string): void {
    bump(this.tally.faults, name);
    this.note('', name);
  }

  requested({ call, handset, dialled }: CallRequest): void {
    if (this.open.has(call)) return;
    this.open.set(call, { atUs: this.timeline.nowUs });
    this.tally.calls += 1;
    this.note(call, `${handset} asks for ${dialled}`);
  }

  /** The gateway has died: what it had not written down yet never was a call. */
  gatewayDied(): void {
    for (const call of this.open.keys()) if (this.store().entry(call) === undefined) this.open.delete(call);
  }

  /** Policy has spoken, of a call that is asked for or of a live one under a new policy. A refusal must be true. */
  judged({ handset, dialled }: DialRequest, decision: Decision): void {
    if (decision.outcome === 'grant') return;
    const { rule, fact } = decision;
    const untrue = (): never => this.breach('no refusal without its reason', `${rule}: ${fact}`, handset);
    const one = this.site.handsets.get(handset);
    switch (rule) {
      case 'clock.untrusted':
        if (this.clock.wrongMs === 0 && this.timeline.nowUs > this.clock.doubtedUntilUs) untrue();
        break;
      case 'handset.unknown':
        if (one !== undefined) untrue();
        break;
      case 'lockdown.site':
      case 'lockdown.wing':
      case 'lockdown.handset':
        if (one !== undefined && !this.lockdowns.mayHold(one, rule, this.clock.trueMs())) untrue();
        break;
      case 'line.not-off-hook':
        if (one?.hook === 'off' && this.timeline.nowUs - one.hookSinceUs > HOOK_US) untrue();
        break;
      case 'dnc.listed':
      case 'dnc.stale':
      case 'contact.refused':
        if (one !== undefined && this.clock.wrongMs === 0) {
          const number = dialled.startsWith('00') ? `+${dialled.slice(2)}` : dialled;
          if (!this.lists.isTrue(rule, one, number, this.clock.trueMs())) untrue();
        }
        break;
      case 'holiday.callee': {
        const called = this.site.calledAt(dialled);
        if (called === undefined || this.clock.wrongMs !== 0) break;
        const looks = [-BELIEVED_MS, BELIEVED_MS].map((ms) => this.clock.trueMs() + ms);
        const days = called.zones.flatMap((zone) => looks.map((ms) => localDay(zone, ms)));
        if (!days.some((day) => isHoliday(called.closedIn, day))) untrue();
        break;
      }
      case 'window.site':
      case 'window.wing':
      case 'window.handset':
      case 'window.callee': {
        if (one === undefined || Math.abs(this.clock.wrongMs) > 0) break;
        const nowMs = this.clock.trueMs();
        const rules = this.site.rulesOf(rule, one, dialled, this.policyIndex());
        // A number of nowhere, or a policy that has come since.
        if (rules.length === 0) break;
        const looks = [nowMs - DOUBTFUL_MS, nowMs, nowMs + DOUBTFUL_MS];
        if (looks.every((ms) => rules.every((hours) => isOpen(hours, ms)))) untrue();
        break;
      }
    }
  }

  /** A call is granted: every clock that counts must show a time at which it may be. */
  granted({ call, handset, at }: CallRequest, { number, notAfter }: OpenCall['grant']): void {
    this.tally.granted += 1;
    const one = this.site.handsets.get(handset);
    if (one === undefined) throw this.breach('no unknown handset', handset, call);
    if (Math.abs(this.clock.wrongMs) > BELIEVED_MS)
      this.breach('no grant by a wrong clock', `${handset} at ${at}, ${this.clock.wrongMs} ms off`, call);
    const nowMs = this.clock.trueMs();
    const policyIndex = this.policyIndex();
    const seen = this.open.get(call);
    if (seen !== undefined) Object.assign(seen, { policyIndex, number });
    const windows = this.site.windowsOf(one, number, policyIndex);
    const closed = closedWithin(windows, nowMs, Math.min(notAfter.epochMilliseconds, nowMs + 1_500_000));
    if (closed !== undefined)
      this.breach('no grant outside any window', `${handset} until ${notAfter}: ${closed}`, call);
    const held = this.lockdowns.holding(one, nowMs);
    if (held !== undefined)
      this.breach('no grant in a lockdown', `${handset} under ${JSON.stringify(held.target)}`, call);
    if (!this.site.sanctions(one, number, policyIndex))
      this.breach('no number that is not sanctioned', `${number} from ${handset}`, call);
    const said = this.lists.forbids(one, number, nowMs);
    if (said !== undefined) this.breach('nobody called who asked not to be', `${number}: ${said}`, call);
    const often = this.quotas.tooOften(one, number, nowMs);
    if (often !== undefined) this.breach('no number tried too often', `${number}: ${often}`, call);
  }

  /** The relay opens its gates until an instant. */
  armed(call: CallId, deadlineUs: number): void {
    const entry = this.store().entry(call);
    const seen = this.open.get(call);
    const { nowUs } = this.timeline;
    if (seen === undefined) throw this.breach('no media of a call that never was', call, call);
    if (entry?.deadline === undefined || entry.answeredAt === undefined)
      throw this.breach('no talk without a committed deadline', call, call);
    if (seen.armedUs !== undefined && deadlineUs > seen.armedUs) this.breach('a deadline never moves away', call, call);
    if (this.clock.usOf(entry.deadline.monotonicNs) < deadlineUs)
      this.breach('no media past the committed deadline', call, call);
    const one = this.site.handsets.get(entry.request.handset);
    if (one !== undefined && seen.armedUs === undefined) {
      const talkMs = (deadlineUs - nowUs) / 1e3;
      if (talkMs > this.site.mostTalkMs(one) + 1) this.breach('no talk beyond the most', `${call}: ${talkMs} ms`, call);
      const windows = this.site.windowsOf(one, entry.grant.number, seen.policyIndex ?? 0);
      const closed = closedWithin(windows, this.clock.trueMs(nowUs), this.clock.trueMs(deadlineUs));
      if (closed !== undefined) this.breach('no talk outside any window', `${call}: ${closed}`, call);
    }
    seen.armedUs = deadlineUs;
  }

  /** A new bundle is in force, and the gateway has been told: each live call ends where that bundle ends it, or before. */
  bundleChanged(): void {
    if (this.clock.wrongMs !== 0 || this.timeline.nowUs < this.clock.doubtedUntilUs) return;
    const { nowUs } = this.timeline;
    const nowMs = this.clock.trueMs(nowUs);
    for (const [call, seen] of this.open) {
      const one = this.site.handsets.get(this.store().entry(call)?.request.handset as HandsetId);
      if (one === undefined || seen.number === undefined) continue;
      const isLeft = this.site.sanctions(one, seen.number, this.policyIndex());
      const hours = this.site.windowsOf(one, seen.number, this.policyIndex());
      const leftMs = isLeft ? closedFrom(hours, nowMs, nowMs + 1_500_000) - nowMs : 0;
      seen.overUs = Math.min(seen.overUs ?? Number.POSITIVE_INFINITY, nowUs + leftMs * 1e3);
    }
  }

  flowed(call: CallId, fromUs: number, toUs: number): void {
    const { armedUs, overUs } = this.open.get(call) ?? {};
    this.note(call, 'silent');
    if (overUs !== undefined && toUs > overUs + NARROWED_US)
      this.breach('a live call ends where a new bundle ends it', `${call}: ${(toUs - overUs) / 1e6} s late`, call);
    if (armedUs !== undefined && toUs > armedUs)
      this.breach('no media after the deadline', `${call}: ${(toUs - armedUs) / 1e3} ms`, call);
    const talkMs = (toUs - fromUs) / 1e3;
    this.tally.talked += 1;
    this.tally.talkMs += talkMs;
    const { request } = this.store().entry(call) ?? {};
    if (request === undefined) return;
    const over = this.quotas.talked(request.handset, request.at.epochMilliseconds, talkMs);
    if (over !== undefined) this.breach('no more than the quota of the day', `${request.handset}: ${over}`, call);
  }

  /** A record is durable, with the events that went to the outbox in the same transaction. */
  wrote(record: CallRecord, events: readonly EventDraft[]): void {
    const { call, cause, rule } = record;
    this.note(call, `recorded: ${cause}${rule === undefined ? '' : ` ${rule}`}`);
    if (this.recorded.has(call)) this.breach('no record twice', call, call);
    this.recorded.add(call);
    const seen = this.open.get(call);
    if (seen === undefined) this.breach('no record of a call that never was', call, call);
    this.open.delete(call);
    const type = cause === 'refused' ? 'balise.call.refused' : 'balise.call.ended';
    const told = events.filter((event) => event.type === type && event.data.call === call).length;
    if (told !== 1) this.breach('a record carries its event', `${call} has ${told} of ${type}`, call);
    const { number, trunk, requestedAt, endedAt } = record;
    if (trunk !== undefined && number !== undefined)
      this.quotas.attempted(number, requestedAt.epochMilliseconds, endedAt.epochMilliseconds);
    if (cause === 'refused') bump(this.tally.refused, rule ?? '?');
    else bump(this.tally.ended, cause);
  }

  /** Every call that is older than this must have its record. */
  noCallOlderThan(us: number): void {
    const sinceUs = this.timeline.nowUs - us;
    for (const [call, { atUs }] of this.open) {
      if (atUs >= sinceUs) continue;
      const minutes = Math.round((this.timeline.nowUs - atUs) / 6e7);
      this.breach('no call without a record', `${call}, asked for ${minutes} minutes ago`, call);
    }
    for (const call of this.store().openSince(sinceUs)) this.breach('no call open in the journal for ever', call, call);
  }

  relayClosed(handset: HandsetId, why: string): void {
    this.breach('no relay closed past its last lease', `${handset}: ${why}`, handset);
  }
}
