import type { Logger } from 'pino';
import type { Temporal } from 'temporal-polyfill';
import type { Clock } from '../clock/clock.js';
import type { Decision, Refusal } from '../policy/decision.js';
import type { CallId } from '../policy/ids.js';
import type { CallEffect, MachineEvent } from './call-effect.js';
import { step } from './call-machine.js';
import type { CallAlarm, Now } from './call-state.js';
import { type ContactNumbers, sealedDialogs, withNumber } from './contact-numbers.js';
import type { LiveCall } from './live-call.js';
import { OwedLegs } from './owed-legs.js';
import { PLANE_OF } from './plane-of.js';
import type {
  Announcement,
  CallEvent,
  CallObserver,
  CallRequest,
  CallStore,
  LinePlane,
  MediaPlane,
  SignallingPlane,
} from './ports.js';
import { RecentCalls } from './recent-calls.js';
import type { LegDialog } from './record.js';
import { callAlarm, callEvent, type NumberToken } from './reports.js';

export type CallsLog = Pick<Logger, 'info' | 'warn' | 'error'>;

export interface DriverOptions {
  readonly clock: Clock;
  readonly store: CallStore;
  readonly signalling: SignallingPlane;
  readonly media: MediaPlane;
  readonly line: LinePlane;
  readonly observer: CallObserver;
  readonly numberToken: NumberToken;
  readonly log: CallsLog;
  readonly bootId: string;
  /** The numbers of contacts, where there are any. */
  readonly contacts?: ContactNumbers;
  /** What a handset is told in words before the final status of a refusal; undefined: nothing. */
  readonly announcement?: (request: CallRequest, refusal: Refusal, at: Temporal.Instant) => Announcement | undefined;
}

/** What has been counted since the start. */
export interface CallCounts {
  requests: number;
  granted: number;
  ended: number;
  /** Events that a state had no use for, or for calls that are no more. */
  unexpected: number;
  stray: number;
  /** Times that the disk did not take a record. */
  recordFailures: number;
}

/** One timer waits no longer, milliseconds; the deadline is then looked at again. */
const LONGEST_WAIT_MS = 6 * 3_600_000;

const message = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault));

/** Holds the calls, runs what the machine orders and feeds back what comes of it; one event after the other, never nested. */
export class Driver {
  readonly entries = new Map<CallId, LiveCall>();
  readonly recent = new RecentCalls();
  readonly counts: CallCounts = { requests: 0, granted: 0, ended: 0, unexpected: 0, stray: 0, recordFailures: 0 };
  /** Calls whose record the disk has refused at least once. */
  readonly unrecorded = new Set<CallId>();
  readonly legs: OwedLegs;
  private queue: { readonly call: CallId; readonly event: MachineEvent }[] = [];
  private draining = false;

  constructor(
    private readonly options: DriverOptions,
    private readonly decide: (entry: LiveCall) => Decision,
    private readonly onForgotten: () => void,
  ) {
    const onEnded = (call: CallId, event: CallEvent): void => {
      if (this.entries.has(call)) this.feed(call, event);
    };
    this.legs = new OwedLegs({ signalling: options.signalling, onEnded, log: options.log });
  }

  now(): Now {
    const { clock, bootId } = this.options;
    return { wall: clock.wall(), monotonicNs: clock.monotonicNs(), bootId };
  }

  /** Takes a call in; its first effects run before this returns. */
  add(entry: LiveCall, effects: readonly CallEffect[]): void {
    this.entries.set(entry.call, entry);
    const nested = this.draining;
    this.draining = true;
    this.run(entry, effects);
    this.draining = nested;
    this.drain();
  }

  feed(call: CallId, event: MachineEvent): void {
    this.queue.push({ call, event });
    this.drain();
  }

  private drain(): void {
    if (this.draining) return;
    this.draining = true;
    try {
      for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift())
        this.take(next.call, next.event);
    } finally {
      this.draining = false;
    }
  }

  private take(call: CallId, event: MachineEvent): void {
    const entry = this.entries.get(call);
    if (entry === undefined) {
      this.stray(call, event);
      return;
    }
    const before = entry.state;
    const now = this.now();
    const { state, effects } = step(before, event, now);
    entry.state = state;
    if (state.at !== before.at) {
      entry.note(event.type, now.monotonicNs);
      this.options.log.info({ event: 'call.state', call, handset: entry.handset, state: state.at, by: event.type });
    }
    this.run(entry, effects);
    for (const watch of entry.watches) watch.see(call, entry.state, now.monotonicNs, event.type === 'byes-sent');
  }

  /** Something for a call that is over. A trunk that answers it is up, and nobody else will end it. */
  private stray(call: CallId, event: MachineEvent): void {
    this.counts.stray += 1;
    if (event.type === 'trunk-answered') void this.legs.end(call, event.dialogs);
    if (event.type === 'handset-answered') void this.legs.end(call, [event.dialog]);
  }

  private run(entry: LiveCall, effects: readonly CallEffect[]): void {
    for (const effect of effects) {
      try {
        this.perform(entry, effect);
      } catch (fault) {
        // A driver of ours that throws is a bug; to the call it is a plane that is not there.
        const plane = PLANE_OF[effect.do];
        this.options.log.error({ event: 'call.effect-threw', call: entry.call, effect: effect.do, err: fault });
        if (plane !== undefined) this.tell(entry, { type: 'plane-lost', plane, why: message(fault) });
      }
    }
  }

  private tell(entry: LiveCall, event: MachineEvent): void {
    this.queue.push({ call: entry.call, event });
  }

  private perform(entry: LiveCall, effect: CallEffect): void {
    const { call, handset, request } = entry;
    const { signalling, media, line, observer, log } = this.options;
    switch (effect.do) {
      case 'judge':
        this.judge(entry);
        break;
      case 'open-journal':
        this.write(entry, (store) => store.open(request, effect.grant), 'journalled', 'journal-failed');
        break;
      case 'save-dialogs':
        this.write(
          entry,
          (store) => store.saveDialogs(call, sealedDialogs(entry.request, this.options.contacts, effect.dialogs)),
          undefined,
          'journal-failed',
        );
        break;
      case 'commit':
        this.commit(entry, effect);
        break;
      case 'record':
        this.record(entry, effect);
        break;
      case 'alarm':
        this.alarm(entry, effect.alarm);
        break;
      case 'call-handset':
        signalling.callHandset(call, handset);
        break;
      case 'media-open':
        media.open(call, withNumber(request, this.options.contacts, effect.order));
        break;
      case 'media-announce':
        media.announce(call, handset, request.offer, effect.announcement);
        break;
      case 'media-connect':
        media.connect(call, effect.sdp, effect.final);
        break;
      case 'media-arm':
        media.arm(call, effect.deadline, effect.warningsS);
        break;
      case 'media-close':
        media.close(call);
        break;
      case 'dial':
        signalling.dial(call, withNumber(request, this.options.contacts, effect.order));
        break;
      case 'answer-desk':
        signalling.answerDesk(call);
        break;
      case 'ring':
        signalling.ring(call);
        break;
      case 'early-media':
        signalling.early(call, effect.answer);
        break;
      case 'accept':
        signalling.accept(call, effect.answer);
        break;
      case 'refuse':
        signalling.refuse(call, { status: effect.status, rule: effect.rule, fact: effect.fact });
        break;
      case 'signalling-arm':
        signalling.arm(call, effect.deadline);
        break;
      case 'signalling-release':
        signalling.release(call, effect.cause);
        break;
      case 'end-legs':
        void this.legs.end(call, effect.dialogs);
        break;
      case 'line-arm':
        line.arm(call, handset, effect.deadline);
        break;
      case 'line-cut':
        line.cut(call, handset, effect.holdMs);
        break;
      case 'line-release':
        line.release(call, handset);
        break;
      case 'look-at-hook': {
        const { fitted, hook } = line.facts(handset);
        this.tell(entry, { type: 'hook-checked', stillOn: fitted && hook === 'on' });
        break;
      }
      case 'set-timer':
        entry.setTimer(effect.timer, this.after(call, effect.afterMs, effect.event));
        break;
      case 'watch-deadline': {
        const now = this.now();
        const byMonotonic = Number(effect.deadline.monotonicNs - now.monotonicNs) / 1e6;
        const byWall = Number(effect.deadline.wall.epochNanoseconds - now.wall.epochNanoseconds) / 1e6;
        const leftMs = Math.max(0, Math.min(byMonotonic, byWall, LONGEST_WAIT_MS));
        entry.setTimer('deadline', this.after(call, leftMs, { type: 'deadline-passed', by: 'calls' }));
        break;
      }
      case 'cancel-timer':
        entry.cancelTimer(effect.timer);
        break;
      case 'tell': {
        const { do: _, phase, ...detail } = effect;
        observer.handset(handset, phase, { call, ...detail });
        break;
      }
      case 'count-unexpected':
        this.counts.unexpected += 1;
        log.warn({ event: 'call.unexpected', call, state: effect.state, what: effect.event });
        break;
      case 'forget':
        this.forget(entry, effect.record);
        break;
    }
  }

  private after(call: CallId, ms: number, event: MachineEvent) {
    return this.options.clock.after(ms, () => this.feed(call, event));
  }

  private judge(entry: LiveCall): void {
    const decision = this.decide(entry);
    if (decision.outcome === 'grant') this.counts.granted += 1;
    const announcement = decision.outcome === 'refusal' ? this.announcementOf(entry, decision) : undefined;
    this.tell(entry, { type: 'judged', decision, ...(announcement === undefined ? {} : { announcement }) });
  }

  /** What the handset is told of its refusal; nothing while another refusal is told to it: its ear is taken, and ports are few. */
  private announcementOf(entry: LiveCall, refusal: Refusal): Announcement | undefined {
    const { announcement } = this.options;
    // Who keyed has no leg to hear it on, and reads it.
    if (announcement === undefined || entry.request.keyed === true) return undefined;
    for (const other of this.entries.values())
      if (other.handset === entry.handset && other.state.at === 'announcing') return undefined;
    return announcement(entry.request, refusal, this.now().wall);
  }

  private write(
    entry: LiveCall,
    work: (store: CallStore) => void,
    done: 'journalled' | undefined,
    failed: 'journal-failed' | 'commit-failed',
  ): void {
    try {
      work(this.options.store);
    } catch (fault) {
      this.storeFailed(entry, failed, fault);
      return;
    }
    if (done !== undefined) this.tell(entry, { type: done });
  }

  /** The call waits for it, and the others do not. One that ends meanwhile has no use for the answer. */
  private commit(entry: LiveCall, { answeredAt, deadline, dialogs }: Extract<CallEffect, { do: 'commit' }>): void {
    const { call, request } = entry;
    const durable = (fault?: Error): void => {
      if (fault !== undefined) this.storeFailed(entry, 'commit-failed', fault);
      else if (this.entries.has(call)) this.tell(entry, { type: 'committed' });
      this.drain();
    };
    const sealed = (): readonly LegDialog[] => sealedDialogs(request, this.options.contacts, dialogs);
    this.write(
      entry,
      (store) => store.commitDeadline(call, answeredAt, deadline, sealed(), durable),
      undefined,
      'commit-failed',
    );
  }

  private storeFailed(entry: LiveCall, failed: 'journal-failed' | 'commit-failed', fault: unknown): void {
    this.options.log.error({ event: 'call.store-fault', call: entry.call, err: fault });
    if (this.entries.has(entry.call)) this.tell(entry, { type: failed, why: message(fault) });
  }

  private record(entry: LiveCall, { record, alarms }: Extract<CallEffect, { do: 'record' }>): void {
    const { store, numberToken, log } = this.options;
    try {
      store.record(record, [...alarms.map((alarm) => callAlarm(record, alarm)), callEvent(record, numberToken)]);
      this.unrecorded.delete(entry.call);
      this.tell(entry, { type: 'recorded' });
    } catch (fault) {
      this.counts.recordFailures += 1;
      this.unrecorded.add(entry.call);
      log.error({ event: 'call.record-failed', call: entry.call, err: fault });
      this.tell(entry, { type: 'record-failed', why: message(fault) });
    }
  }

  private alarm(entry: LiveCall, alarm: CallAlarm): void {
    try {
      this.options.store.append([callAlarm(entry, alarm)]);
    } catch (fault) {
      this.options.log.error({ event: 'call.alarm-lost', call: entry.call, code: alarm.code, err: fault });
    }
  }

  private forget(entry: LiveCall, record: Extract<CallEffect, { do: 'forget' }>['record']): void {
    entry.cancelAll();
    this.entries.delete(entry.call);
    this.recent.add(entry);
    this.counts.ended += 1;
    const { cause, rule, talkMs, cutoffErrorMs } = record;
    const { call, handset } = entry;
    this.options.log.info({ event: 'call.ended', call, handset, cause, rule, talkMs, cutoffErrorMs });
    this.options.observer.ended(record);
    this.onForgotten();
  }
}
