import type { HandsetId } from '../../gateway/policy/ids.js';
import type { Random } from './random.js';
import { dialogOf, type Engine, hangUp, type Session, TRANSACTION_MS } from './sim-leg.js';
import type { Timeline } from './timeline.js';

export interface PeerHabits {
  /** The handset's side, once it has been given a final answer or hangs up: it puts its hook down. */
  handsetDone(handset: HandsetId): void;
  /** The handset's person hangs up, by SIP. */
  hookDown(handset: HandsetId): void;
}

/** The handsets: those that call, and those that are called because a number was keyed on them. */
export class SimCallers {
  constructor(
    private readonly timeline: Timeline,
    private readonly random: Random,
    private readonly engine: Engine,
    private readonly peers: PeerHabits,
  ) {}

  /** The final answer has come: 200 to an INVITE, or a re-INVITE to a leg that is up. */
  accepts(session: Session): void {
    const { call, handsetLeg: leg } = session;
    const { engine, random, timeline } = this;
    leg.isKnown = true;
    leg.isMute = random.chance(0.02);
    if (leg.isMute) {
      timeline.in(TRANSACTION_MS * 1e3, () => engine.isLive(session) && engine.tell(call, { type: 'handset-hung-up' }));
      return;
    }
    leg.peerUp = true;
    timeline.in(random.int(5_000, 200_000), () => {
      if (!engine.isLive(session)) return;
      engine.tell(call, { type: 'accepted' });
      // One in seven never hangs up by itself: that is what deadlines are for. Who works does it by other reasons.
      if (!session.isDesk && !random.chance(0.15)) timeline.in(random.exponential(150e6), () => this.hangsUp(session));
    });
  }

  /** The leg of its host is asked to send its sound to a contact. */
  turns(session: Session): void {
    const { call, host } = session;
    const { engine, random, timeline } = this;
    timeline.in(engine.network() + engine.network(), () => {
      if (!engine.isLive(session)) return;
      const isTaken = host?.handsetLeg.peerUp === true && !random.chance(0.005);
      engine.tell(
        call,
        isTaken ? { type: 'accepted' } : { type: 'handset-failed', status: 488, why: 'it would not be joined' },
      );
    });
  }

  /** We call the handset on which a number was keyed: it answers by itself; or late; or it is not there. */
  isCalled(session: Session): void {
    const { call, handsetLeg: leg } = session;
    const { engine, random, timeline } = this;
    const dice = random.next();
    if (dice < 0.03) {
      leg.isOver = true;
      hangUp(leg);
      engine.tell(call, { type: 'handset-failed', status: 480, why: 'the handset is not registered' });
      return;
    }
    engine.tell(call, { type: 'handset-called', dialog: dialogOf(leg) }, () => {
      leg.isKnown = true;
    });
    // It never answers, and neither does it answer a CANCEL.
    leg.isMute = dice < 0.05;
    if (leg.isMute) return;
    const us = dice < 0.15 ? random.int(12e6, 18e6) : random.int(50_000, 1_500_000);
    timeline.in(us, () => {
      if (leg.isEnded) return;
      leg.peerUp = true;
      if (!engine.isUp) return;
      engine.tell(call, { type: 'handset-answered', offer: 'offer', dialog: dialogOf(leg) }, () => {
        leg.isKnown = true;
      });
    });
  }

  /** The person changes their mind before there is an answer. */
  cancels(session: Session): void {
    if (!this.engine.isLive(session) || session.isFinal) return;
    session.isFinal = true;
    session.handsetLeg.isOver = true;
    hangUp(session.handsetLeg);
    this.peers.handsetDone(session.handset);
    this.engine.tell(session.call, { type: 'handset-cancelled' });
  }

  /** The person hangs up; whoever is a guest on the leg goes with it. */
  hangsUp(session: Session): void {
    const { engine, random } = this;
    const leg = session.handsetLeg;
    if (!leg.peerUp) return;
    this.peers.hookDown(session.handset);
    // A device that goes on talking over a wire that says on-hook.
    if (random.chance(0.05)) return;
    this.timeline.in(random.int(1_000, 900_000), () => {
      if (!leg.peerUp) return;
      hangUp(leg);
      leg.isOver = true;
      if (!engine.isLive(session)) return;
      const { guest } = session;
      if (guest !== undefined && engine.isLive(guest)) engine.tell(guest.call, { type: 'handset-hung-up' });
      engine.tell(session.call, { type: 'handset-hung-up' });
    });
  }
}
