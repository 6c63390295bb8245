import { Temporal } from 'temporal-polyfill';
import type { CallEffect, MachineEvent, TimerName } from '../../gateway/calls/call-effect.js';
import { begin, step } from '../../gateway/calls/call-machine.js';
import type { CallState, Now, StateName } from '../../gateway/calls/call-state.js';
import type { CallRecord } from '../../gateway/calls/record.js';
import type { Deadline } from '../../gateway/clock/deadline.js';
import type { Grant } from '../../gateway/policy/decision.js';
import { trunkId } from '../../gateway/policy/ids.js';
import { dialog, NOON, refusal, request } from './samples.js';

export class Breach extends Error {}

const BEFORE_END: readonly StateName[] = [
  'judging',
  'announcing',
  'journalling',
  'calling-handset',
  'opening-media',
  'dialling',
  'ringing',
  'connecting',
  'committing',
  'arming',
  'accepting',
  'talking',
];

/** A call in a world of its own: clocks, timers, and planes that answer when asked to. After each step the promises are checked. */
export class WatchedCall {
  state: CallState;
  private ms = 0;
  private readonly timers = new Map<TimerName, { readonly atMs: number; readonly event: MachineEvent }>();
  private watched: Deadline | undefined;
  /** Orders that a plane or the disk has not answered yet. */
  private readonly unanswered: CallEffect[] = [];
  private committed: Deadline | undefined;
  private armed: Deadline | undefined;
  private readonly ordered = new Set<CallEffect['do']>();
  private record: CallRecord | undefined;
  private recordsTaken = 0;

  constructor(
    private readonly fitted: boolean,
    private readonly grant: Grant,
    /** Policy refuses it, and it is told so in words. */
    private readonly isRefused = false,
    /** It was keyed on a line card, and brings no INVITE. */
    private readonly isKeyed = false,
    /** It is for the gateway's own work desk: nobody else is called. */
    private readonly isDesk = false,
  ) {
    const asked = {
      ...(isKeyed ? { offer: '', keyed: true as const } : {}),
      ...(isDesk ? { desk: true as const } : {}),
    };
    const first = begin(request(asked), fitted, this.now());
    this.state = first.state;
    this.see(first.effects);
  }

  get isLiving(): boolean {
    return BEFORE_END.includes(this.state.at);
  }

  now(): Now {
    return {
      wall: NOON.add({ milliseconds: this.ms }),
      monotonicNs: BigInt(this.ms) * 1_000_000n,
      bootId: 'boot-1',
    };
  }

  event(event: MachineEvent): void {
    const before = this.state;
    const next = step(before, event, this.now());
    if (event.type === 'recorded' && before.at === 'recording') this.recordsTaken += 1;
    if (event.type === 'committed' && (before.at === 'connecting' || before.at === 'committing'))
      this.committed = before.call.deadline;
    this.state = next.state;
    this.see(next.effects);
    this.check(before);
  }

  /** Time goes by, and timers fire on the way. */
  wait(ms: number): void {
    const until = this.ms + ms;
    for (;;) {
      const due = [...this.timers].sort((a, b) => a[1].atMs - b[1].atMs)[0];
      if (due === undefined || due[1].atMs > until) break;
      this.ms = Math.max(this.ms, due[1].atMs);
      this.timers.delete(due[0]);
      this.event(due[1].event);
    }
    this.ms = until;
  }

  /** The plane, or the disk, answers the oldest order that waits. `well: false`: it fails. */
  answer(well: boolean): void {
    const effect = this.unanswered.shift();
    const event = effect === undefined ? undefined : this.answerTo(effect, well);
    if (event !== undefined) this.event(event);
  }

  /** Nobody answers any more but policy and the disk; the timers alone must bring the call to its end. */
  abandon(): void {
    for (let rounds = 0; this.state.at !== 'ended'; rounds += 1) {
      if (rounds > 200) throw new Breach(`the call stays in ${this.state.at} when nobody answers`);
      if (this.state.at === 'recording') this.event({ type: 'recorded' });
      else if (this.state.at === 'judging') this.event({ type: 'judged', decision: this.grant });
      else this.wait(60_000);
    }
    this.checkEnd();
  }

  private answerTo(effect: CallEffect, well: boolean): MachineEvent | undefined {
    switch (effect.do) {
      case 'judge':
        return this.isRefused
          ? { type: 'judged', decision: refusal(), announcement: { language: 'nl', pieces: ['refused.blocked'] } }
          : { type: 'judged', decision: this.grant };
      case 'open-journal':
        return well ? { type: 'journalled' } : { type: 'journal-failed', why: 'disk' };
      case 'media-announce':
        if (!well) return { type: 'media-failed', code: 'media.no-prompt' };
        this.event({ type: 'announcing', answer: 'h' });
        return { type: 'announced' };
      case 'call-handset':
        this.event({ type: 'handset-called', dialog: dialog('handset', 'early') });
        if (!well) return { type: 'handset-failed', status: 480, why: 'busy' };
        return { type: 'handset-answered', offer: 'h', dialog: dialog('handset') };
      case 'media-open':
        return well ? { type: 'media-opened', trunkOffer: 'o' } : { type: 'media-failed', code: 'media.socket' };
      case 'dial':
        this.event({ type: 'dialling', trunk: trunkId('carrier'), dialog: dialog('trunk', 'early') });
        if (!well) return { type: 'trunk-failed', status: 500, cause: 'trunk-failed' };
        this.event({ type: 'trunk-ringing' });
        return { type: 'trunk-answered', answer: 'a', dialogs: [dialog('trunk'), dialog('handset', 'early')] };
      case 'answer-desk':
        return well
          ? { type: 'trunk-answered', answer: '', dialogs: [dialog('handset', 'early')] }
          : { type: 'handset-cancelled' };
      case 'media-connect':
        if (!effect.final) return undefined;
        return well ? { type: 'media-connected', handsetAnswer: 'h' } : { type: 'media-failed', code: 'media.lost' };
      case 'commit':
        return well ? { type: 'committed' } : { type: 'commit-failed', why: 'disk' };
      case 'media-arm':
        return well ? { type: 'armed', plane: 'media' } : { type: 'arm-failed', plane: 'media', why: '' };
      case 'signalling-arm':
        return well ? { type: 'armed', plane: 'signalling' } : { type: 'arm-failed', plane: 'signalling', why: '' };
      case 'line-arm':
        return well ? { type: 'armed', plane: 'line' } : { type: 'controller-lost' };
      case 'accept':
        return well ? { type: 'accepted' } : { type: 'handset-hung-up' };
      case 'media-close':
        return well ? { type: 'released', plane: 'media' } : { type: 'plane-lost', plane: 'media', why: '' };
      case 'refuse':
      case 'signalling-release':
      case 'end-legs':
        return { type: 'released', plane: 'signalling', legs: [] };
      case 'line-cut':
      case 'line-release':
        return { type: 'released', plane: 'line', relayOpen: well };
      case 'record':
        return well ? { type: 'recorded' } : { type: 'record-failed', why: 'disk' };
      case 'look-at-hook':
        return { type: 'hook-checked', stillOn: !well };
      default:
        return undefined;
    }
  }

  private see(effects: readonly CallEffect[]): void {
    for (const effect of effects) {
      this.seeCalled(effect.do);
      this.ordered.add(effect.do);
      switch (effect.do) {
        case 'set-timer':
          this.timers.set(effect.timer, { atMs: this.ms + effect.afterMs, event: effect.event });
          break;
        case 'watch-deadline':
          this.watched = effect.deadline;
          this.timers.set('deadline', {
            atMs: Math.max(this.ms, Math.ceil(Number(effect.deadline.monotonicNs) / 1e6)),
            event: { type: 'deadline-passed', by: 'calls' },
          });
          break;
        case 'cancel-timer':
          this.timers.delete(effect.timer);
          break;
        case 'media-arm':
        case 'signalling-arm':
        case 'line-arm':
          this.seeArm(effect.deadline);
          break;
        case 'accept':
          this.seeAccept();
          break;
        case 'record':
          if (this.record !== undefined && this.record !== effect.record) throw new Breach('two different records');
          this.record = effect.record;
          break;
        default:
      }
      this.unanswered.push(effect);
    }
  }

  /** A handset is called for what it keyed itself and policy granted, once, and for nothing else; without it nothing is dialled. */
  private seeCalled(order: CallEffect['do']): void {
    const { ordered, isKeyed, isDesk } = this;
    if (order === 'dial' && isDesk) throw new Breach('somebody was dialled for a call to the desk');
    if (order === 'answer-desk' && !isDesk) throw new Breach('the gateway answered a call that was for somebody else');
    if (order === 'answer-desk' && !ordered.has('open-journal'))
      throw new Breach('the desk answers what is in no journal');
    if (order === 'call-handset') {
      if (!isKeyed) throw new Breach('a handset was called that had keyed nothing');
      if (!ordered.has('open-journal')) throw new Breach('a handset was called without a grant in the journal');
      if (ordered.has('call-handset')) throw new Breach('a handset was called twice');
    }
    const needsLeg = order === 'media-open' || order === 'dial' || order === 'accept';
    if (isKeyed && needsLeg && !ordered.has('call-handset')) throw new Breach(`${order} without the handset's leg`);
    if (isKeyed && order === 'refuse') throw new Breach('a status for an INVITE that never came');
  }

  private seeArm(deadline: Deadline): void {
    if (this.committed === undefined) throw new Breach('a plane is armed with a deadline that the disk does not have');
    if (deadline.monotonicNs > this.committed.monotonicNs) throw new Breach('armed past the committed deadline');
    if (this.armed !== undefined && deadline.monotonicNs > this.armed.monotonicNs)
      throw new Breach('a deadline moved away');
    this.armed = deadline;
    if (Temporal.Instant.compare(deadline.wall, this.grant.notAfter) > 0) throw new Breach('armed past the window');
  }

  private seeAccept(): void {
    if (this.committed === undefined) throw new Breach('200 to the handset before the commit');
    const { state } = this;
    if (state.at !== 'accepting') throw new Breach(`200 to the handset in ${state.at}`);
    const planes = ['media-arm', 'signalling-arm', ...(this.fitted ? ['line-arm'] : [])] as const;
    for (const plane of planes) {
      if (!this.ordered.has(plane as CallEffect['do'])) throw new Breach(`200 to the handset without ${plane}`);
    }
  }

  private check(before: CallState): void {
    const { state } = this;
    const wasOver = !BEFORE_END.includes(before.at);
    if (wasOver && this.isLiving) throw new Breach(`${before.at} came to life as ${state.at}`);
    if (this.recordsTaken > 1) throw new Breach('recorded twice');
    if (!this.isLiving || state.at === 'judging') return;
    if (state.at === 'announcing') {
      this.checkAnnouncing();
      return;
    }
    // Who is to end this call if nobody says a word any more?
    const story = state.call as { limit?: Deadline; deadline?: Deadline };
    const ends = story.deadline ?? story.limit;
    if (ends === undefined || this.watched?.monotonicNs !== ends.monotonicNs) {
      throw new Breach(`nobody of ours watches the deadline in ${state.at}`);
    }
    if (!this.timers.has('deadline')) throw new Breach(`no timer for the deadline in ${state.at}`);
    if (state.at !== 'talking' && !this.timers.has('step')) throw new Breach(`${state.at} may last for ever`);
    if (ends.monotonicNs < this.now().monotonicNs) throw new Breach(`${state.at} outlives its deadline`);
  }

  /** A refusal that is spoken is a refusal: bounded, and with nothing of the trunk. */
  private checkAnnouncing(): void {
    if (!this.timers.has('step')) throw new Breach('a prompt may last for ever');
    for (const never of ['open-journal', 'media-open', 'dial', 'media-connect', 'media-arm', 'accept'] as const)
      if (this.ordered.has(never)) throw new Breach(`${never} in a call that was refused`);
  }

  private checkEnd(): void {
    const { ordered } = this;
    if (this.recordsTaken !== 1) throw new Breach(`${this.recordsTaken} records`);
    const hasMedia = ordered.has('media-open') || ordered.has('media-announce');
    if (hasMedia && !ordered.has('media-close')) throw new Breach('media was opened and never closed');
    if (ordered.has('line-arm') && !ordered.has('line-cut') && !ordered.has('line-release')) {
      throw new Breach('the line was armed and never given back');
    }
    if (!['refuse', 'signalling-release', 'end-legs'].some((end) => ordered.has(end as CallEffect['do']))) {
      throw new Breach('the legs were never told');
    }
  }
}
