/**
 * The calls of this gateway, from request to record. Planes report here; people's orders come here; what is to be done goes
 * to the planes and the disk. One call's logic is in call-machine.ts and nowhere else.
 */
import type { Timer } from '../clock/clock.js';
import type { Decision, EndsBy, Refusal, RuleId } from '../policy/decision.js';
import type { CallId, E164, HandsetId } from '../policy/ids.js';
import { type DialRequest, type Facts, type Lockdown, UNUSED } from '../policy/request.js';
import type { AudioTests } from './audio-tests.js';
import { begin } from './call-machine.js';
import type { StateName } from './call-state.js';
import { openedDialogs } from './contact-numbers.js';
import { CutoffWatch } from './cutoff-watch.js';
import { type CallCounts, Driver, type DriverOptions } from './driver.js';
import type { Judge } from './judge.js';
import { LiveCall } from './live-call.js';
import { LockdownBook } from './lockdown-book.js';
import type {
  CallEvent,
  CallRequest,
  CallSink,
  CutoffOrder,
  CutoffResult,
  EventDraft,
  OpenCall,
  PlaneName,
} from './ports.js';
import { type WhyReport, whyReport } from './recent-calls.js';
import { recordOfOpenCall } from './recovery.js';
import { callEvent, cutoffDone, planeLostAlarm } from './reports.js';

export interface CallsOptions extends DriverOptions {
  readonly judge: Judge;
  /** Test calls, which are nobody's calls. Absent: there are none. */
  readonly tests?: AudioTests;
  /** How often the wall clock is compared with the monotonic one while calls are up, milliseconds. Default 1,000. */
  readonly clockLookMs?: number;
  /** The longest that a start waits for legs of before to answer their BYE, milliseconds. Default 5,000. */
  readonly recoverMs?: number;
}

/** A call in progress, for status, console and cutoffs by number. */
export interface LiveCallView {
  readonly call: CallId;
  readonly handset: HandsetId;
  readonly state: StateName;
  readonly number?: E164;
  readonly until?: string;
}

export interface RecoveryReport {
  /** Calls that the journal held open. */
  readonly calls: number;
  /** Those whose legs all answered, or were declared dead, in time. */
  readonly legsEnded: number;
}

/** A cutoff answers after this at the latest, with what has been reached, milliseconds. */
const CUTOFF_MS = 10_000;
/** With so many records that the disk has refused, calls are turned down without a record. */
const MOST_UNRECORDED = 1_000;
const RECORD_AGAIN_MS = 1_000;
/** The two clocks may be this far apart before the deadlines are looked at anew. */
const STEP_NS = 50_000_000n;

const ENDS_BY: readonly RuleId[] = [
  'window.site',
  'window.wing',
  'window.handset',
  'window.person',
  'window.campaign',
  'window.callee',
];

const unavailable = (rule: RuleId, fact: string): Refusal => ({ outcome: 'refusal', rule, fact, sipStatus: 503 });

export class Calls implements CallSink {
  private readonly driver: Driver;
  private readonly lockdowns: LockdownBook;
  private recovering = false;
  private stopping = false;
  private clockTimer: Timer | undefined;
  private offsetNs: bigint | undefined;
  private emptied: (() => void)[] = [];

  constructor(private readonly options: CallsOptions) {
    const { clock, store, line, log } = options;
    this.driver = new Driver(
      options,
      (entry) => this.decide(entry),
      () => this.onForgotten(),
    );
    this.lockdowns = new LockdownBook(clock, store, line, (fault) =>
      log.error({ event: 'calls.lockdown-not-saved', err: fault }),
    );
  }

  /** Calls in memory, those that are ending included. */
  get size(): number {
    return this.driver.entries.size;
  }

  get counts(): Readonly<CallCounts> {
    return this.driver.counts;
  }

  live(): readonly LiveCallView[] {
    return [...this.driver.entries.values()].map((entry) => {
      const { call, handset, state, number } = entry;
      const { deadline } = entry.story;
      return {
        call,
        handset,
        state: state.at,
        ...(number === undefined ? {} : { number }),
        ...(deadline === undefined ? {} : { until: deadline.wall.toString() }),
      };
    });
  }

  /** Why a call is as it is, or ended as it did; undefined when it is none of the last few hundred. */
  why(call: CallId): WhyReport | undefined {
    const entry = this.driver.entries.get(call) ?? this.driver.recent.get(call);
    return entry === undefined ? undefined : whyReport(entry);
  }

  request(request: CallRequest): void {
    const { driver } = this;
    const { signalling, line, log } = this.options;
    if (!this.stopping && !this.recovering && this.options.tests?.takes(request) === true) return;
    if (driver.entries.has(request.call)) {
      driver.counts.stray += 1;
      return;
    }
    if (driver.unrecorded.size >= MOST_UNRECORDED) {
      log.error({ event: 'calls.overwhelmed', unrecorded: driver.unrecorded.size });
      signalling.refuse(request.call, unavailable503('the disk takes no records'));
      return;
    }
    driver.counts.requests += 1;
    const now = driver.now();
    const { state, effects } = begin(request, line.facts(request.handset).fitted, now);
    this.lookAtClockWhileCallsAreUp();
    driver.add(new LiveCall(request, state, now.monotonicNs), effects);
  }

  event(call: CallId, event: CallEvent): void {
    if (this.options.tests?.event(call, event) !== true) this.driver.feed(call, event);
  }

  planeLost(plane: PlaneName, why: string): void {
    const { log } = this.options;
    if (plane === 'signalling') this.driver.legs.signallingLost();
    this.options.tests?.planeLost(plane);
    const calls = [...this.driver.entries.keys()];
    log.error({ event: 'calls.plane-lost', plane, why, calls: calls.length });
    for (const call of calls) this.driver.feed(call, { type: 'plane-lost', plane, why });
    this.append([planeLostAlarm(plane, why, calls.length)]);
  }

  /** A plane is up again. Signalling then ends the legs that the lost one left behind; the line plane learns what is locked. */
  planeBack(plane: PlaneName): void {
    if (plane === 'signalling') this.driver.legs.signallingBack();
    if (plane === 'line') this.lockdowns.tellLine();
  }

  /**
   * Ends calls now, and keeps the target from calling for as long as the order says. Silence comes first, before the disk.
   * Settles when every call is silent, its BYEs are sent and its relay is open, or after 10 s with what was reached.
   */
  cutoff(order: CutoffOrder): Promise<CutoffResult> {
    const { clock, log } = this.options;
    const orderedNs = clock.monotonicNs();
    this.options.tests?.cut(order.target);
    const targets = [...this.driver.entries.values()].filter((entry) => entry.isTarget(order.target));
    return new Promise((settle) => {
      let timer: Timer | undefined;
      const done = (result: CutoffResult): void => {
        timer?.cancel();
        for (const entry of targets) entry.watches = entry.watches.filter((other) => other !== watch);
        this.append([cutoffDone(order, result)]);
        log.info({ ...result, event: 'calls.cutoff', target: order.target.kind, by: order.by });
        this.options.observer.cutoff(order, result);
        settle(result);
      };
      const calls = targets.map(({ call }) => call);
      const watch = new CutoffWatch(order, calls, orderedNs, done);
      timer = clock.after(CUTOFF_MS, () => done(watch.result(CUTOFF_MS)));
      for (const entry of targets) entry.watches = [...entry.watches, watch];
      for (const call of calls) this.driver.feed(call, { type: 'cutoff', order });
      const { target } = order;
      if (target.kind !== 'call') this.lockdowns.set(order, target);
      if (watch.isIdle && calls.length === 0) done(watch.result(0));
    });
  }

  /** Lifts the lockdowns of exactly this target. False when the disk cannot take it: they then stand. */
  release(target: Lockdown['target'], by: string): boolean {
    return this.lockdowns.release(target, by);
  }

  lockdownsInForce(): readonly Lockdown[] {
    return this.lockdowns.inForce();
  }

  /** Policy has changed: every live call is judged again, and may only end sooner. Limits are not counted again. */
  policyChanged(): void {
    for (const entry of [...this.driver.entries.values()]) {
      if (!entry.isLiving || entry.story.grant === undefined) continue;
      this.driver.feed(entry.call, this.narrowing(entry));
    }
  }

  /** Somebody may have set the wall clock: every deadline is looked at by both clocks. */
  lookAtClock(): void {
    const { clock } = this.options;
    const offsetNs = BigInt(clock.wall().epochNanoseconds) - clock.monotonicNs();
    const before = this.offsetNs ?? offsetNs;
    const moved = offsetNs > before ? offsetNs - before : before - offsetNs;
    // Many small steps are one large one: they are counted from when the deadlines were looked at last.
    this.offsetNs = moved < STEP_NS ? before : offsetNs;
    if (moved < STEP_NS) return;
    for (const entry of [...this.driver.entries.values()]) {
      const isTimed = entry.isLiving && entry.story.grant !== undefined;
      if (isTimed) this.driver.feed(entry.call, { type: 'deadline-passed', by: 'calls' });
    }
  }

  /**
   * At start, before the first call is taken: ends what the journal says may still be up, and records it. Requests that come
   * meanwhile are refused. Rejects when the journal cannot be read.
   */
  async recover(): Promise<RecoveryReport> {
    this.recovering = true;
    const open = this.options.store.openCalls();
    this.lockdowns.tellLine();
    const ended = await Promise.all(open.map((call) => this.endOpenCall(call)));
    this.recovering = false;
    const legsEnded = ended.filter((done) => done).length;
    this.options.log.info({ event: 'calls.recovered', calls: open.length, legsEnded });
    return { calls: open.length, legsEnded };
  }

  /** Ends every call and settles when all are recorded, or after `boundMs`; what is left is in the journal for the next start. */
  async stop(boundMs = 5_000): Promise<void> {
    this.stopping = true;
    const testsEnded = this.options.tests?.stop(boundMs);
    for (const call of [...this.driver.entries.keys()]) this.driver.feed(call, { type: 'stop' });
    if (this.size > 0) {
      await new Promise<void>((settle) => {
        const bound = this.options.clock.after(boundMs, settle);
        this.emptied.push(() => {
          bound.cancel();
          settle();
        });
      });
    }
    await testsEnded;
    this.clockTimer?.cancel();
    this.lockdowns.stop();
    for (const entry of this.driver.entries.values()) entry.cancelAll();
  }

  private decide(entry: LiveCall): Decision {
    const { store, line, clock, judge, log } = this.options;
    if (this.stopping) return unavailable('fault.signalling', 'the gateway is stopping');
    if (this.recovering) return unavailable('fault.store', 'the gateway is starting and ends the calls of before');
    const { handset } = entry.request;
    try {
      if (!store.hasRoom()) return unavailable('store.full', 'the disk has no room for another call');
      const facts: Facts = { clock: clock.trust(), line: line.facts(handset), lockdowns: this.lockdowns.inForce() };
      return judge.judge(asked(entry.request), facts, clock.wall(), store);
    } catch (fault) {
      log.error({ event: 'calls.judgement-failed', call: entry.call, err: fault });
      return unavailable('fault.store', 'what has been used so far cannot be read');
    }
  }

  private narrowing(entry: LiveCall): Extract<CallEvent, { type: 'narrowed' }> {
    const { clock, judge, log } = this.options;
    const at = clock.wall();
    // The line reports for itself, and the monotonic clock holds the call: neither is policy.
    const line = { fitted: true, hook: 'off', supervised: true, relay: 'connected' } as const;
    const facts: Facts = { clock: { trusted: true }, line, lockdowns: this.lockdowns.inForce() };
    let decision: Decision;
    try {
      decision = judge.judge(asked(entry.request), facts, at, UNUSED);
    } catch (fault) {
      // Nobody can say that the new policy lets it go on; and the other calls are still to be judged.
      log.error({ event: 'calls.judgement-failed', call: entry.call, err: fault });
      return { type: 'narrowed', notAfter: at };
    }
    if (decision.outcome === 'grant') {
      const { notAfter, maxTalkMs, notAfterBy: by, number } = decision;
      // The same digits may mean another number now; that call was never asked for.
      if (number === entry.number) return { type: 'narrowed', notAfter, maxTalkMs, by };
      return { type: 'narrowed', notAfter: at };
    }
    const { rule } = decision;
    const by: EndsBy | undefined = rule.startsWith('lockdown.')
      ? 'lockdown'
      : ENDS_BY.includes(rule)
        ? (rule as EndsBy)
        : undefined;
    return { type: 'narrowed', notAfter: at, ...(by === undefined ? {} : { by }) };
  }

  private async endOpenCall(open: OpenCall): Promise<boolean> {
    const { clock, store, numberToken, log } = this.options;
    const fromNs = clock.monotonicNs();
    const legs = open.dialogs.length === 0 ? Promise.resolve(true) : this.endLegs(open);
    const legsEnded = await Promise.race([legs, this.wait(this.options.recoverMs ?? 5_000).then(() => false)]);
    const afterMs = Number(clock.monotonicNs() - fromNs) / 1e6;
    for (;;) {
      if (this.stopping) return false;
      const record = recordOfOpenCall(open, clock.wall(), legsEnded, afterMs);
      try {
        store.record(record, [callEvent(record, numberToken)]);
        this.options.observer.ended(record);
        return legsEnded;
      } catch (fault) {
        log.error({ event: 'call.record-failed', call: record.call, err: fault });
        await this.wait(RECORD_AGAIN_MS);
      }
    }
  }

  /** What is owed to the legs of a call that the journal held, in the dialogs' own words. */
  private async endLegs({ request, dialogs }: OpenCall): Promise<boolean> {
    const { contacts, log } = this.options;
    try {
      return await this.driver.legs.end(request.call, openedDialogs(request, contacts, dialogs));
    } catch (fault) {
      log.error({ event: 'call.legs-not-ended', call: request.call, err: fault });
      return false;
    }
  }

  private wait(ms: number): Promise<void> {
    return new Promise((settle) => {
      this.options.clock.after(ms, settle);
    });
  }

  private lookAtClockWhileCallsAreUp(): void {
    if (this.clockTimer !== undefined) return;
    this.offsetNs = undefined;
    this.lookAtClock();
    const everyMs = this.options.clockLookMs ?? 1_000;
    const again = (): void => {
      this.lookAtClock();
      this.clockTimer = this.size === 0 ? undefined : this.options.clock.after(everyMs, again);
    };
    this.clockTimer = this.options.clock.after(everyMs, again);
  }

  private onForgotten(): void {
    if (this.size > 0) return;
    const waiting = this.emptied;
    this.emptied = [];
    for (const settle of waiting) settle();
  }

  private append(events: readonly EventDraft[]): void {
    try {
      this.options.store.append(events);
    } catch (fault) {
      this.options.log.error({ event: 'calls.event-lost', types: events.map(({ type }) => type), err: fault });
    }
  }
}

/** What policy is asked of a call. */
const asked = ({ handset, person, dialled, desk, contact }: CallRequest): DialRequest => ({
  ...{ handset, dialled },
  ...(person === undefined ? {} : { person }),
  ...(desk === undefined ? {} : { desk }),
  ...(contact === undefined ? {} : { isContact: true as const }),
});

const unavailable503 = (fact: string) => ({ status: 503, rule: 'store.full', fact });
