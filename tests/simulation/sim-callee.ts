import type { DialOrder } from '../../gateway/calls/ports.js';
import type { Random } from './random.js';
import { dialogOf, type Engine, hangUp, type Leg, type Session, TRANSACTION_MS } from './sim-leg.js';
import type { Timeline } from './timeline.js';

/** The carrier and the callees behind it: good, bad and mute ones. */
export class SimCallees {
  constructor(
    private readonly timeline: Timeline,
    private readonly random: Random,
    private readonly engine: Engine,
  ) {}

  /** What the far end does with our INVITE. */
  rings(session: Session, leg: Leg, order: DialOrder): void {
    const { call } = session;
    const { random, timeline, engine } = this;
    const later = (ms: number, run: () => void): void => {
      timeline.in(ms * 1e3, () => {
        if (engine.isLive(session) && session.isPending) run();
      });
    };
    const fails = (ms: number, status: number, cause: 'busy' | 'no-answer' | 'trunk-failed'): void =>
      later(ms, () => {
        session.isPending = false;
        hangUp(leg);
        leg.isOver = true;
        engine.tell(call, { type: 'trunk-failed', status, cause });
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
    later(ringsMs, () => engine.tell(call, { type: 'trunk-ringing' }));
    later(order.ringMs, () => engine.tell(call, { type: 'ring-timeout' }));
    if (dice < 0.15) {
      later(ringsMs + 500, () => engine.tell(call, { type: 'callee-redirected' }));
      return;
    }
    if (dice < 0.19) later(ringsMs + 10, () => engine.tell(call, { type: 'trunk-early-media', sdp: 'early' }));
    if (dice < 0.3) return;
    // The callee lifts the telephone, whatever has become of the call meanwhile, unless a CANCEL has reached it.
    timeline.in((ringsMs + random.int(1_000, 25_000)) * 1e3, () => {
      if (leg.isEnded) return;
      leg.peerUp = true;
      timeline.in(engine.network(), () => this.answers(session, leg));
      // No ACK for this long, and the carrier gives the leg up (RFC 3261 §13.3.1.4).
      timeline.in(TRANSACTION_MS * 1e3, () => {
        if (session.isPending) hangUp(leg);
      });
    });
  }

  private answers(session: Session, leg: Leg): void {
    const { call } = session;
    const { engine, random, timeline } = this;
    if (!engine.isUp) return;
    const wasLive = engine.isLive(session) && session.isPending;
    session.isPending = false;
    // Crossed our CANCEL: the leg is up, and nobody wants it.
    if (!wasLive) {
      if (leg.peerUp) engine.send(leg, () => undefined);
      return;
    }
    // The handset's leg of a guest is its host's, and stands in the journal with that.
    const own = session.kind === 'guest' ? [] : [dialogOf(session.handsetLeg)];
    engine.tell(call, { type: 'trunk-answered', answer: 'answer', dialogs: [...own, dialogOf(leg)] });
    if (random.chance(0.1)) return;
    timeline.in(random.exponential(120e6), () => {
      if (!leg.peerUp) return;
      hangUp(leg);
      timeline.in(engine.network(), () => {
        leg.isOver = true;
        if (engine.isLive(session)) engine.tell(call, { type: 'trunk-hung-up' });
      });
    });
  }
}
