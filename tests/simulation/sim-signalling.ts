import type { CallEvent, CallRequest, DialOrder, SignallingPlane } from '../../gateway/calls/ports.js';
import type { LegDialog, LegName } from '../../gateway/calls/record.js';
import type { Deadline } from '../../gateway/clock/deadline.js';
import type { CallId, HandsetId } from '../../gateway/policy/ids.js';
import type { Channel } from './channel.js';
import type { Random } from './random.js';
import type { Happening, Timeline } from './timeline.js';

/** A leg with the peer at its far end. */
export interface Leg {
  readonly call: CallId;
  readonly leg: LegName;
  /** The peer counts the dialog as up. */
  peerUp: boolean;
  /** A BYE or CANCEL of ours went out, or the peer hung up by itself. */
  isEnded: boolean;
  /** The peer answers nothing any more. */
  isMute: boolean;
  /** Our side is done with it. */
  isOver: boolean;
  /** The gateway has heard of it, so that it can be held to end it. */
  isKnown: boolean;
}

interface Session {
  readonly call: CallId;
  readonly handset: HandsetId;
  readonly handsetLeg: Leg;
  trunkLeg?: Leg;
  /** The INVITE to the trunk has no final answer. */
  isPending: boolean;
  /** The handset's INVITE has its final answer. */
  isFinal: boolean;
  isReleasing: boolean;
  isReported: boolean;
  deadline?: Happening | undefined;
}

export interface PeerHabits {
  /** The handset's side, once it has been given a final answer or hangs up: it puts its hook down. */
  handsetDone(handset: HandsetId, call: CallId): void;
  /** The handset's person hangs up, by SIP. */
  hookDown(handset: HandsetId): void;
}

const TRANSACTION_MS = 32_000;
const SESSION_TIMER_MS = 90_000;
const BOTH: readonly LegName[] = ['handset', 'trunk'];

/** The SIP engine, its driver, and the handsets and carrier at the far ends: good, bad and mute ones. */
export class SimSignalling implements SignallingPlane {
  isUp = true;
  /** Which legs get a BYE when a call is released. A planted fault leaves one out. */
  byeLegs: readonly LegName[] = BOTH;
  private readonly sessions = new Map<CallId, Session>();
  private readonly legs = new Map<string, Leg>();
  private journalWork: (() => void)[] = [];

  constructor(
    private readonly timeline: Timeline,
    private readonly random: Random,
    private readonly channel: Channel,
    private readonly usOf: (monotonicNs: bigint) => number,
    private readonly peers: PeerHabits,
    private readonly track: <T>(work: Promise<T>) => Promise<T>,
  ) {}

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
    const handsetLeg = this.newLeg(call, 'handset');
    const session: Session = {
      call,
      handset,
      handsetLeg,
      isPending: false,
      isFinal: false,
      isReleasing: false,
      isReported: false,
    };
    this.sessions.set(call, session);
    this.channel.tell((sink) => sink.request(request), onArrival, true);
    if (this.random.chance(0.1))
      this.timeline.in(this.random.int(100_000, 25_000_000), () => this.handsetCancels(session));
    return true;
  }

  /** No site of the simulator has a desk. */
  answerDesk(call: CallId): void {
    throw new Error(`${call} is for the desk, and no handset here asks for it`);
  }

  callHandset(call: CallId): void {
    // Nobody keys in this world.
    this.tell(call, { type: 'handset-failed', status: 480, why: 'the handset is not registered' });
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
    this.callee(session, leg, order);
  }

  accept(call: CallId): void {
    const session = this.sessions.get(call);
    if (session === undefined || session.isFinal || !this.isUp) return;
    session.isFinal = true;
    const leg = session.handsetLeg;
    leg.isKnown = true;
    leg.isMute = this.random.chance(0.02);
    if (leg.isMute) {
      this.timeline.in(
        TRANSACTION_MS * 1e3,
        () => this.isLive(session) && this.tell(call, { type: 'handset-hung-up' }),
      );
      return;
    }
    leg.peerUp = true;
    this.timeline.in(this.random.int(5_000, 200_000), () => {
      if (!this.isLive(session)) return;
      this.tell(call, { type: 'accepted' });
      // One in seven never hangs up by itself: that is what deadlines are for.
      if (!this.random.chance(0.15))
        this.timeline.in(this.random.exponential(150e6), () => this.handsetHangsUp(session));
    });
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
    this.releaseLegs(session, this.byeLegs);
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
      this.peers.handsetDone(session.handset, session.call);
    }
    this.sessions.clear();
    for (const leg of this.legs.values()) this.timeline.in(SESSION_TIMER_MS * 1e3, () => hangUp(leg));
    for (const settle of this.journalWork) settle();
    this.journalWork = [];
  }

  private isLive(session: Session): boolean {
    return this.isUp && !session.isReleasing && this.sessions.get(session.call) === session;
  }

  /** What the far end does with our INVITE. */
  private callee(session: Session, leg: Leg, order: DialOrder): void {
    const { call } = session;
    const { random, timeline } = this;
    const later = (ms: number, run: () => void): void => {
      timeline.in(ms * 1e3, () => {
        if (this.isLive(session) && session.isPending) run();
      });
    };
    const fails = (ms: number, status: number, cause: 'busy' | 'no-answer' | 'trunk-failed'): void =>
      later(ms, () => {
        session.isPending = false;
        hangUp(leg);
        leg.isOver = true;
        this.tell(call, { type: 'trunk-failed', status, cause });
      });
    if (leg.isMute) {
      fails(TRANSACTION_MS, 408, 'no-answer');
      return;
    }
    const dice = random.next();
    const ringsMs = random.int(200, 3_000);
    if (dice < 0.1) {
      fails(ringsMs, 486, 'busy');
      return;
    }
    if (dice < 0.14) {
      fails(ringsMs, 503, 'trunk-failed');
      return;
    }
    later(ringsMs, () => this.tell(call, { type: 'trunk-ringing' }));
    later(order.ringMs, () => this.tell(call, { type: 'ring-timeout' }));
    if (dice < 0.15) {
      later(ringsMs + 500, () => this.tell(call, { type: 'callee-redirected' }));
      return;
    }
    if (dice < 0.19) later(ringsMs + 10, () => this.tell(call, { type: 'trunk-early-media', sdp: 'early' }));
    if (dice < 0.3) return;
    // The callee lifts the telephone, whatever has become of the call meanwhile, unless a CANCEL has reached it.
    timeline.in((ringsMs + random.int(1_000, 25_000)) * 1e3, () => {
      if (leg.isEnded) return;
      leg.peerUp = true;
      timeline.in(this.network(), () => this.trunkAnswers(session, leg));
      // No ACK for this long, and the carrier gives the leg up (RFC 3261 §13.3.1.4).
      timeline.in(TRANSACTION_MS * 1e3, () => {
        if (session.isPending) hangUp(leg);
      });
    });
  }

  private trunkAnswers(session: Session, leg: Leg): void {
    const { call } = session;
    if (!this.isUp) return;
    const wasLive = this.isLive(session) && session.isPending;
    session.isPending = false;
    // Crossed our CANCEL: the leg is up, and nobody wants it.
    if (!wasLive) {
      if (leg.peerUp) this.send(leg, () => undefined);
      return;
    }
    const dialogs = [dialogOf(session.handsetLeg), dialogOf(leg)];
    this.tell(call, { type: 'trunk-answered', answer: 'answer', dialogs });
    if (this.random.chance(0.1)) return;
    this.timeline.in(this.random.exponential(120e6), () => {
      if (!leg.peerUp) return;
      hangUp(leg);
      this.timeline.in(this.network(), () => {
        leg.isOver = true;
        if (this.isLive(session)) this.tell(call, { type: 'trunk-hung-up' });
      });
    });
  }

  private handsetCancels(session: Session): void {
    if (!this.isLive(session) || session.isFinal) return;
    session.isFinal = true;
    session.handsetLeg.isOver = true;
    hangUp(session.handsetLeg);
    this.peers.handsetDone(session.handset, session.call);
    this.tell(session.call, { type: 'handset-cancelled' });
  }

  private handsetHangsUp(session: Session): void {
    const leg = session.handsetLeg;
    if (!leg.peerUp) return;
    this.peers.hookDown(session.handset);
    // A device that goes on talking over a wire that says on-hook.
    if (this.random.chance(0.05)) return;
    this.timeline.in(this.random.int(1_000, 900_000), () => {
      if (!leg.peerUp) return;
      hangUp(leg);
      leg.isOver = true;
      if (this.isLive(session)) this.tell(session.call, { type: 'handset-hung-up' });
    });
  }

  private releaseLegs(session: Session, which: readonly LegName[]): void {
    session.isReleasing = true;
    this.timeline.cancel(session.deadline);
    if (!session.isFinal) {
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

  private bye(session: Session, leg: Leg): void {
    if (leg.isOver) {
      this.report(session);
      return;
    }
    this.send(leg, () => this.report(session));
  }

  /** BYE or CANCEL, sent again until it is answered or given up; `done` when it is either. */
  private send(leg: Leg, done: () => void): void {
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
  private network(): number {
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
    if (!session.isFinal) {
      session.isFinal = true;
      hangUp(session.handsetLeg);
    }
    this.timeline.cancel(session.deadline);
    this.sessions.delete(session.call);
    this.peers.handsetDone(session.handset, session.call);
  }

  private newLeg(call: CallId, leg: LegName): Leg {
    const made: Leg = { call, leg, peerUp: false, isEnded: false, isMute: false, isOver: false, isKnown: false };
    this.legs.set(legId(call, leg), made);
    return made;
  }

  private tell(call: CallId, event: CallEvent, onArrival?: () => void): void {
    this.channel.tell((sink) => sink.event(call, event), onArrival);
  }
}

function hangUp(leg: Leg): void {
  leg.peerUp = false;
  leg.isEnded = true;
}

const legId = (call: CallId, leg: LegName): string => `${call};${leg}`;

function dialogOf({ call, leg, peerUp }: Leg): LegDialog {
  const id = legId(call, leg);
  return {
    leg,
    state: peerUp ? 'confirmed' : 'early',
    dialogId: id,
    callId: id,
    localUri: '',
    localTag: '',
    remoteUri: '',
    remoteTag: '',
    remoteTarget: '',
    routeSet: [],
    cseq: 1,
    branch: '',
    transport: 'udp',
    address: '127.0.0.1',
    port: 5060,
  };
}
