import type { CallEvent, CallRequest, DialOrder, SignallingPlane } from '../../gateway/calls/ports.js';
import type { LegDialog, LegName } from '../../gateway/calls/record.js';
import type { Deadline } from '../../gateway/clock/deadline.js';
import type { CallId, HandsetId } from '../../gateway/policy/ids.js';
import type { Channel } from './channel.js';
import type { Random } from './random.js';
import { SimCallees } from './sim-callee.js';
import { type PeerHabits, SimCallers } from './sim-caller.js';
import {
  BOTH,
  dialogOf,
  type Engine,
  hangUp,
  type Leg,
  legId,
  newLeg,
  newSession,
  type Session,
  TRANSACTION_MS,
} from './sim-leg.js';
import type { Timeline } from './timeline.js';

/** A leg whose peer hears nothing more is ended by its session timer after this. */
const SESSION_TIMER_MS = 90_000;

/** The SIP engine, its driver, and the handsets and carrier at the far ends: good, bad and mute ones. */
export class SimSignalling implements SignallingPlane, Engine {
  isUp = true;
  /** Which legs get a BYE when a call is released. A planted fault leaves one out. */
  byeLegs: readonly LegName[] = BOTH;
  keyedByeLegs: readonly LegName[] = BOTH;
  private readonly sessions = new Map<CallId, Session>();
  private readonly legs = new Map<string, Leg>();
  private journalWork: (() => void)[] = [];
  private readonly callees: SimCallees;
  private readonly callers: SimCallers;

  constructor(
    private readonly timeline: Timeline,
    private readonly random: Random,
    private readonly channel: Channel,
    private readonly usOf: (monotonicNs: bigint) => number,
    private readonly peers: PeerHabits,
    private readonly track: <T>(work: Promise<T>) => Promise<T>,
  ) {
    this.callees = new SimCallees(timeline, random, this);
    this.callers = new SimCallers(timeline, random, this, peers);
  }

  get size(): number {
    return this.sessions.size;
  }

  legsOf(call: CallId): readonly Leg[] {
    return BOTH.flatMap((leg) => this.legs.get(legId(call, leg)) ?? []);
  }

  allLegs(): IterableIterator<Leg> {
    return this.legs.values();
  }

  /** The engine holds a deadline of the call, and has legs of it that nobody has begun to end. */
  holdsBeyond(call: CallId): boolean {
    const session = this.sessions.get(call);
    if (session?.deadline === undefined || !this.isLive(session)) return false;
    return this.legsOf(call).some(({ peerUp, isEnded, isKnown }) => peerUp && !isEnded && isKnown);
  }

  forget(call: CallId): void {
    for (const leg of BOTH) this.legs.delete(legId(call, leg));
  }

  /** A handset sends its INVITE, authenticated. False when there is nobody to take it. */
  invite(request: CallRequest, onArrival: () => void): boolean {
    if (!this.isUp || !this.channel.isOpen) return false;
    const { call, handset } = request;
    const session = newSession({ call, handset, handsetLeg: this.newLeg(call, 'handset'), kind: 'invited' });
    this.sessions.set(call, session);
    this.channel.tell((sink) => sink.request(request), onArrival, true);
    if (this.random.chance(0.1))
      this.timeline.in(this.random.int(100_000, 25_000_000), () => this.callers.cancels(session));
    return true;
  }

  /** The gateway answers by itself. */
  answerDesk(call: CallId): void {
    const session = this.sessions.get(call);
    if (session === undefined || !this.isUp) {
      this.tell(call, { type: 'trunk-failed', status: 503, cause: 'fault.signalling' });
      return;
    }
    session.isDesk = true;
    this.tell(call, { type: 'trunk-answered', answer: 'answer', dialogs: [dialogOf(session.handsetLeg)] }, () => {
      session.handsetLeg.isKnown = true;
    });
  }

  /** A number was keyed on a handset, and is granted: we call it. */
  callHandset(call: CallId, handset: HandsetId): void {
    if (!this.isUp) {
      this.tell(call, { type: 'handset-failed', status: 503, why: 'the engine is away' });
      return;
    }
    const session = newSession({ call, handset, handsetLeg: this.newLeg(call, 'handset'), kind: 'keyed' });
    this.sessions.set(call, session);
    this.callers.isCalled(session);
  }

  /** A contact's call has the leg of the desk's for its own; undefined when that leg is not there, or is taken. */
  join(call: CallId, desk: CallId, handset: HandsetId, back: (isBack: boolean) => void): string | undefined {
    const host = this.sessions.get(desk);
    if (host === undefined || !this.isLive(host) || !host.handsetLeg.peerUp || host.guest !== undefined)
      return undefined;
    const handsetLeg = this.newLeg(call, 'handset');
    const session = newSession({ call, handset, handsetLeg, kind: 'guest', host, back });
    host.guest = session;
    this.sessions.set(call, session);
    return 'offer';
  }

  /** The person at a handset hangs up what it has at the desk. */
  hangUpDesk(call: CallId): void {
    const session = this.sessions.get(call);
    if (session !== undefined) this.callers.hangsUp(session);
  }

  early(): void {
    // What a handset hears before its refusal is no part of this world.
  }

  ring(): void {
    // Nothing follows from a 180.
  }

  dial(call: CallId, order: DialOrder): void {
    const session = this.sessions.get(call);
    if (session === undefined || !this.isUp) {
      this.tell(call, { type: 'trunk-failed', status: 503, cause: 'fault.signalling' });
      return;
    }
    const leg = this.newLeg(call, 'trunk');
    leg.isMute = this.random.chance(0.03);
    session.trunkLeg = leg;
    session.isPending = true;
    const [trunk] = order.trunks;
    if (trunk === undefined) throw new Error('no trunk');
    this.tell(call, { type: 'dialling', trunk, dialog: dialogOf(leg) }, () => {
      leg.isKnown = true;
    });
    this.callees.rings(session, leg, order);
  }

  accept(call: CallId): void {
    const session = this.sessions.get(call);
    if (session === undefined || session.isFinal || !this.isUp) return;
    session.isFinal = true;
    if (session.kind === 'guest') this.callers.turns(session);
    else this.callers.accepts(session);
  }

  refuse(call: CallId): void {
    const session = this.sessions.get(call);
    if (session !== undefined) this.over(session);
    this.tell(call, { type: 'released', plane: 'signalling', legs: ['handset'] });
  }

  arm(call: CallId, deadline: Deadline): void {
    const session = this.sessions.get(call);
    if (session === undefined || !this.isUp) {
      this.tell(call, { type: 'arm-failed', plane: 'signalling', why: 'no such call' });
      return;
    }
    this.timeline.cancel(session.deadline);
    session.deadline = this.timeline.at(this.usOf(deadline.monotonicNs), () => {
      if (!this.isLive(session)) return;
      for (const leg of this.legsOf(call)) this.bye(session, leg);
      this.tell(call, { type: 'deadline-passed', by: 'signalling' });
    });
    this.tell(call, { type: 'armed', plane: 'signalling' });
  }

  release(call: CallId): void {
    const session = this.sessions.get(call);
    if (session === undefined) {
      this.tell(call, { type: 'released', plane: 'signalling', legs: [] });
      return;
    }
    if (session.isReleasing) return;
    this.releaseLegs(session, session.kind === 'keyed' ? this.keyedByeLegs : this.byeLegs);
  }

  endFromJournal(dialogs: readonly LegDialog[]): Promise<void> {
    const work = new Promise<void>((settle) => {
      const legs = dialogs.flatMap(({ dialogId }) => this.legs.get(dialogId) ?? []);
      let left = legs.length;
      if (left === 0 || !this.isUp) {
        settle();
        return;
      }
      this.journalWork.push(settle);
      for (const leg of legs) {
        this.send(leg, () => {
          left -= 1;
          if (left === 0) settle();
        });
      }
    });
    return this.track(work);
  }

  /** The client's connection closed: the engine ends every leg at once. */
  clientLost(): void {
    for (const session of [...this.sessions.values()]) if (!session.isReleasing) this.releaseLegs(session, BOTH);
  }

  /** The engine's process is gone, and with it every transaction. Peers that hear nothing more end the leg by their session timer. */
  crash(): void {
    this.isUp = false;
    for (const session of this.sessions.values()) {
      this.timeline.cancel(session.deadline);
      session.isReleasing = true;
      if (session.kind !== 'guest') this.peers.handsetDone(session.handset);
    }
    this.sessions.clear();
    for (const leg of this.legs.values()) this.timeline.in(SESSION_TIMER_MS * 1e3, () => hangUp(leg));
    for (const settle of this.journalWork) settle();
    this.journalWork = [];
  }

  isLive(session: Session): boolean {
    return this.isUp && !session.isReleasing && this.sessions.get(session.call) === session;
  }

  private releaseLegs(session: Session, which: readonly LegName[]): void {
    session.isReleasing = true;
    this.timeline.cancel(session.deadline);
    if (session.kind === 'guest') this.leave(session);
    else if (session.kind === 'invited' && !session.isFinal) {
      session.isFinal = true;
      session.handsetLeg.isOver = true;
      hangUp(session.handsetLeg);
    }
    const legs = session.trunkLeg === undefined ? [session.handsetLeg] : [session.handsetLeg, session.trunkLeg];
    for (const leg of legs) {
      if (which.includes(leg.leg)) this.bye(session, leg);
      else leg.isOver = true;
    }
    this.report(session);
  }

  /** A guest gives the leg back; the leg itself stays with its host. */
  private leave(session: Session): void {
    const { host, back, handsetLeg } = session;
    handsetLeg.isOver = true;
    hangUp(handsetLeg);
    if (host?.guest === session) host.guest = undefined;
    const usUntil = this.network() + this.network();
    this.timeline.in(usUntil, () => {
      if (host !== undefined && this.isLive(host)) back?.(host.handsetLeg.peerUp && !this.random.chance(0.005));
    });
  }

  private bye(session: Session, leg: Leg): void {
    if (leg.isOver) {
      this.report(session);
      return;
    }
    this.send(leg, () => this.report(session));
  }

  /** BYE or CANCEL, sent again until it is answered or given up; `done` when it is either. */
  send(leg: Leg, done: () => void): void {
    leg.isEnded = true;
    const over = (): void => {
      leg.isOver = true;
      if (this.isUp) done();
    };
    if (leg.isMute) {
      this.timeline.in(TRANSACTION_MS * 1e3, over);
      return;
    }
    this.timeline.in(this.network(), () => {
      hangUp(leg);
      this.timeline.in(this.network(), over);
    });
  }

  /** One way over the network, with what is sent again for each packet that is lost (RFC 3261 §17.1.2.2), microseconds. */
  network(): number {
    let us = this.random.int(500, 60_000);
    for (let waitUs = 500_000; this.random.chance(0.02) && us < 16e6; waitUs = Math.min(4e6, waitUs * 2)) us += waitUs;
    return us;
  }

  private report(session: Session): void {
    if (!session.isReleasing || session.isReported) return;
    if (!session.handsetLeg.isOver || session.trunkLeg?.isOver === false) return;
    this.over(session);
    this.tell(session.call, { type: 'released', plane: 'signalling', legs: BOTH });
  }

  private over(session: Session): void {
    session.isReported = true;
    session.isReleasing = true;
    if (session.kind === 'guest' && !session.handsetLeg.isOver) this.leave(session);
    if (!session.isFinal && session.kind === 'invited') {
      session.isFinal = true;
      hangUp(session.handsetLeg);
    }
    this.timeline.cancel(session.deadline);
    this.sessions.delete(session.call);
    if (session.kind !== 'guest') this.peers.handsetDone(session.handset);
  }

  private newLeg(call: CallId, leg: LegName): Leg {
    const made = newLeg(call, leg);
    this.legs.set(legId(call, leg), made);
    return made;
  }

  tell(call: CallId, event: CallEvent, onArrival?: () => void): void {
    this.channel.tell((sink) => sink.event(call, event), onArrival);
  }
}
