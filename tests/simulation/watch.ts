import type { CallRequest, EventDraft, OpenCall } from '../../gateway/calls/ports.js';
import type { CallRecord, EndCause } from '../../gateway/calls/record.js';
import type { Decision } from '../../gateway/policy/decision.js';
import type { CallId, HandsetId } from '../../gateway/policy/ids.js';
import type { DialRequest } from '../../gateway/policy/request.js';
import { Breach, type PromiseName } from './breach.js';
import { Chronicle } from './chronicle.js';
import { LimitWatch } from './limit-watch.js';
import type { ListWatch } from './list-watch.js';
import type { LockdownWatch } from './lockdown-watch.js';
import type { MachineClock } from './machine-clock.js';
import type { QuotaWatch } from './quota-watch.js';
import { BELIEVED_MS, RefusalWatch } from './refusal-watch.js';
import type { SimHandset, SimSite } from './sim-site.js';
import type { SimStore } from './sim-store.js';
import type { Timeline } from './timeline.js';
import { closedFrom, closedWithin, type WindowRule } from './window-oracle.js';
import { LOOK_MS } from './work-life.js';
import type { WorkOfSite } from './work-watch.js';

interface Seen {
  readonly atUs: number;
  /** True time, milliseconds. */
  readonly atMs: number;
  /** It was keyed on a line card: its handset has still to be called, and may not be there. */
  readonly isKeyed: boolean;
  /** The deadline that the relay holds, once it holds one. */
  armedUs?: number;
  /** All that had to be open when it was granted, and the number. */
  windows?: readonly WindowRule[];
  number?: string;
  /** Where what is judged by now ends it at the latest, virtual time. */
  overUs?: number;
  /** The same by the last change of a person or a campaign, and when that is found by. */
  readonly byWork: Map<string, { readonly foundUs: number; readonly overUs: number }>;
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

/** No call talks for longer, milliseconds. */
const LONGEST_TALK_MS = 1_500_000;
/** A lease at the desk is for a day at most, microseconds. */
const LONGEST_SITTING_US = 25 * 3_600e6;
/** A process that hangs is told late, and its planes fall silent by themselves within this, microseconds. */
const NARROWED_US = 3e6;

function narrow(seen: Seen, overUs: number): void {
  seen.overUs = Math.min(seen.overUs ?? Number.POSITIVE_INFINITY, overUs);
}

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
  private readonly refusals: RefusalWatch;
  private readonly limits: LimitWatch;
  /** What is known of the work; undefined where there is none. */
  work: WorkOfSite | undefined;

  constructor(
    private readonly timeline: Timeline,
    private readonly clock: MachineClock,
    private readonly site: SimSite,
    private readonly store: () => SimStore,
    private readonly lockdowns: LockdownWatch,
    private readonly quotas: QuotaWatch,
    private readonly policyIndex: () => number,
    private readonly lists: ListWatch,
  ) {
    const limits = new LimitWatch(site.zone);
    this.limits = limits;
    this.refusals = new RefusalWatch({
      ...{ limits, timeline, clock, site, lockdowns, lists, policyIndex },
      work: () => this.work,
    });
  }

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

  requested({ call, handset, dialled, keyed }: CallRequest): void {
    if (this.open.has(call)) return;
    this.open.set(call, {
      atUs: this.timeline.nowUs,
      atMs: this.clock.trueMs(),
      isKeyed: keyed === true,
      byWork: new Map(),
    });
    this.tally.calls += 1;
    this.note(call, `${handset} asks for ${dialled}`);
  }

  /** The gateway has died: what it had not written down yet never was a call. */
  gatewayDied(): void {
    for (const call of this.open.keys()) if (this.store().entry(call) === undefined) this.open.delete(call);
    const isOpen = (call: CallId): boolean => this.store().entry(call) !== undefined;
    this.limits.gatewayDied(isOpen);
    this.work?.watch.gatewayDied(isOpen);
  }

  /** Policy has spoken, of a call that is asked for or of a live one under a new policy. A refusal must be true. */
  judged(request: DialRequest, decision: Decision): void {
    if (decision.outcome === 'grant') return;
    const { rule, fact } = decision;
    if (!this.refusals.isTrue(rule, request))
      this.breach('no refusal without its reason', `${rule}: ${fact}`, request.handset);
  }

  /** A call is granted: every clock that counts must show a time at which it may be. */
  granted(request: CallRequest, { number: shown, notAfter }: OpenCall['grant']): void {
    const { call, handset, at } = request;
    const isDesk = request.desk === true;
    // Of a contact the gateway shows a token.
    const number = this.work?.watch.contactOf(request.dialled)?.number ?? shown;
    this.tally.granted += 1;
    const one = this.site.handsets.get(handset);
    if (one === undefined) throw this.breach('no unknown handset', handset, call);
    if (Math.abs(this.clock.wrongMs) > BELIEVED_MS)
      this.breach('no grant by a wrong clock', `${handset} at ${at}, ${this.clock.wrongMs} ms off`, call);
    const nowMs = this.clock.trueMs();
    const policyIndex = this.policyIndex();
    const seen = this.open.get(call);
    const windows = this.windowsOf(request, one, number, policyIndex);
    if (seen !== undefined) Object.assign(seen, { windows, number });
    const closed = closedWithin(windows, nowMs, Math.min(notAfter.epochMilliseconds, nowMs + LONGEST_TALK_MS));
    if (closed !== undefined)
      this.breach('no grant outside any window', `${handset} until ${notAfter}: ${closed}`, call);
    const held = this.lockdowns.holding(one, nowMs);
    if (held !== undefined)
      this.breach('no grant in a lockdown', `${handset} under ${JSON.stringify(held.target)}`, call);
    if (isDesk) return;
    if (!this.site.sanctions(one, number, policyIndex))
      this.breach('no number that is not sanctioned', `${number} from ${handset}`, call);
    const said = this.lists.forbids(one, number, nowMs);
    if (said !== undefined) this.breach('nobody called who asked not to be', `${number}: ${said}`, call);
    const often = this.quotas.tooOften(one, number, nowMs);
    if (often !== undefined) this.breach('no number tried too often', `${number}: ${often}`, call);
    if (request.contact !== undefined) this.grantedContact(request, nowMs);
    const counted = this.refusals.countedOf(one, request.dialled, request.person);
    const isRight = this.isRight();
    const bound = this.refusals.boundBy(one, request.dialled, request.person);
    const reached = isRight ? this.limits.reached(bound, nowMs) : undefined;
    if (reached !== undefined) this.breach('no more than the quota of the day', reached, call);
    this.limits.granted(call, counted, seen?.atMs ?? nowMs, this.site.mostTalkMs(one), isRight);
  }

  private isRight(): boolean {
    return this.clock.wrongMs === 0 && this.timeline.nowUs >= this.clock.doubtedUntilUs;
  }

  private grantedContact(request: CallRequest, nowMs: number): void {
    const { call, dialled } = request;
    const { watch } = this.work ?? {};
    const twice = watch?.twice(request);
    if (twice !== undefined) this.breach('no contact twice', twice, call);
    const usedUp = watch?.usedUp(dialled, nowMs);
    if (usedUp !== undefined) this.breach('no more than the quota of the day', usedUp, call);
    const untimely = this.clock.wrongMs === 0 ? watch?.untimely(dialled, nowMs) : undefined;
    if (untimely !== undefined) this.breach('no contact outside its own times', untimely, call);
  }

  /** Everything that must be open: of a call to the desk the handset's hours alone, of a contact's its person's and campaign's too. */
  private windowsOf(request: CallRequest, one: SimHandset, number: string, policyIndex: number): readonly WindowRule[] {
    if (request.desk === true) return this.site.ownWindowsOf(one, policyIndex);
    return [...this.site.windowsOf(one, number, policyIndex), ...(this.work?.rulesOf(request) ?? [])];
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
      const { request } = entry;
      const mostMs = Math.min(this.site.mostTalkMs(one), this.work?.mostTalkMs(request) ?? Number.POSITIVE_INFINITY);
      if (request.desk !== true && talkMs > mostMs + 1)
        this.breach('no talk beyond the most', `${call}: ${talkMs} ms`, call);
      const windows = seen.windows ?? [];
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
      const { request } = this.store().entry(call) ?? {};
      const one = request && this.site.handsets.get(request.handset);
      if (request === undefined || one === undefined || seen.number === undefined) continue;
      const isLeft = request.desk === true || this.site.sanctions(one, seen.number, this.policyIndex());
      const hours = this.windowsOf(request, one, seen.number, this.policyIndex());
      const longestMs = request.desk === true ? LONGEST_SITTING_US / 1e3 : LONGEST_TALK_MS;
      const leftMs = isLeft ? closedFrom(hours, nowMs, nowMs + longestMs) - nowMs : 0;
      narrow(seen, nowUs + leftMs * 1e3);
    }
  }

  /** A person or a campaign is another: whoever looks for it finds it within a minute, and each live call ends where that ends it. */
  workChanged(id: string): void {
    if (this.clock.wrongMs !== 0 || this.timeline.nowUs < this.clock.doubtedUntilUs) return;
    const { nowUs } = this.timeline;
    const nowMs = this.clock.trueMs(nowUs);
    for (const [call, seen] of this.open) {
      const { request } = this.store().entry(call) ?? {};
      if (request === undefined || (request.person !== id && request.campaign !== id)) continue;
      const { person, campaign, ...rest } = request;
      const own = { ...rest, ...(person === id && { person }), ...(campaign === id && { campaign }) };
      const leftMs = closedFrom(this.work?.rulesOf(own) ?? [], nowMs, nowMs + LONGEST_TALK_MS) - nowMs;
      const foundUs = nowUs + LOOK_MS * 1e3;
      // Changed and changed back between two looks is not changed.
      const before = seen.byWork.get(id);
      if (before !== undefined && before.foundUs <= nowUs) narrow(seen, before.overUs);
      seen.byWork.set(id, { foundUs, overUs: Math.max(foundUs, nowUs + leftMs * 1e3) });
    }
  }

  flowed(call: CallId, fromUs: number, toUs: number): void {
    const seen = this.open.get(call);
    const { armedUs } = seen ?? {};
    const overUs = Math.min(
      seen?.overUs ?? Number.POSITIVE_INFINITY,
      ...[...(seen?.byWork.values() ?? [])].map((by) => by.overUs),
    );
    this.note(call, 'silent');
    if (toUs > overUs + NARROWED_US)
      this.breach('a live call ends where a new bundle ends it', `${call}: ${(toUs - overUs) / 1e6} s late`, call);
    if (armedUs !== undefined && toUs > armedUs)
      this.breach('no media after the deadline', `${call}: ${(toUs - armedUs) / 1e3} ms`, call);
    const talkMs = (toUs - fromUs) / 1e3;
    const { request } = this.store().entry(call) ?? {};
    // At the desk nobody is talked to.
    if (request?.desk === true) return;
    this.tally.talked += 1;
    this.tally.talkMs += talkMs;
    this.limits.talked(call, talkMs);
    if (request === undefined) return;
    if (request.contact !== undefined) this.work?.watch.talked(request.person, talkMs);
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
    this.work?.watch.recorded(record);
    this.limits.recorded(record, this.clock.trueMs(), this.isRight());
    if (trunk !== undefined && number !== undefined)
      this.quotas.attempted(number, requestedAt.epochMilliseconds, endedAt.epochMilliseconds);
    if (cause === 'refused') bump(this.tally.refused, seen?.isKeyed === true ? `keyed: ${rule}` : (rule ?? '?'));
    else bump(this.tally.ended, cause);
  }

  /** Every call that is older than this must have its record; somebody may sit at the desk for longer. */
  noCallOlderThan(us: number): void {
    const { nowUs } = this.timeline;
    const isDesk = (call: CallId): boolean => this.store().entry(call)?.request.desk === true;
    for (const [call, { atUs }] of this.open) {
      const oldestUs = us > 0 && isDesk(call) ? LONGEST_SITTING_US : us;
      if (atUs >= nowUs - oldestUs) continue;
      const minutes = Math.round((nowUs - atUs) / 6e7);
      this.breach('no call without a record', `${call}, asked for ${minutes} minutes ago`, call);
    }
    for (const call of this.store().openSince(nowUs - us))
      if (us === 0 || !isDesk(call)) this.breach('no call open in the journal for ever', call, call);
  }

  relayClosed(handset: HandsetId, why: string): void {
    this.breach('no relay closed past its last lease', `${handset}: ${why}`, handset);
  }
}
