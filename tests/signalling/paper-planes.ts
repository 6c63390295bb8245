/** The two planes that signalling never meets, as far as a call needs them: SDP by the real rules, and no sound. */
import type { CallSink, LinePlane, MediaOrder, MediaPlane } from '../../gateway/calls/ports.js';
import { connectedBy } from '../../gateway/media/plane-reports.js';
import {
  type HandsetOffer,
  readOffer,
  readTrunkAnswer,
  writeDeskAnswer,
  writeHandsetAnswer,
  writePromptAnswer,
  writeTrunkOffer,
} from '../../gateway/media/sdp.js';
import type { CallId } from '../../gateway/policy/ids.js';

export const OUR_CELL_END = { address: '127.0.0.1', port: 20_000, sessionId: 1 };
export const OUR_DESK_END = { address: '127.0.0.1', port: 40_000, sessionId: 3 };
export const OUR_TRUNK_END = { address: '127.0.0.1', port: 30_000, sessionId: 2 };

/** Offers and answers as the relay's plane writes them. */
export class PaperMedia implements MediaPlane {
  readonly #offers = new Map<CallId, HandsetOffer>();
  readonly #desks = new Set<CallId>();
  /** Rings back to handsets that cannot do it by themselves, as the relay does; by default, as rtpengine, not. */
  ringsBack = false;
  /** The calls that the trunk's SDP was connected for before the answer. */
  readonly early: CallId[] = [];

  constructor(private readonly sink: Pick<CallSink, 'event'>) {}

  open(call: CallId, order: MediaOrder): void {
    const offer = readOffer(order.handsetOffer);
    if ('fault' in offer) {
      this.sink.event(call, { type: 'media-failed', code: offer.fault });
      return;
    }
    this.#offers.set(call, offer);
    if (order.desk === true) this.#desks.add(call);
    this.sink.event(call, { type: 'media-opened', trunkOffer: writeTrunkOffer(offer, OUR_TRUNK_END) });
    if (this.ringsBack && order.ringsBack === true)
      this.sink.event(call, { type: 'announcing', answer: writePromptAnswer(offer, OUR_CELL_END) });
  }

  announce(call: CallId): void {
    this.sink.event(call, { type: 'media-failed', code: 'media.no-prompt' });
  }

  connect(call: CallId, trunkSdp: string, final: boolean): void {
    const offer = this.#offers.get(call);
    if (!final) this.early.push(call);
    if (offer === undefined) return;
    if (this.#desks.has(call)) {
      this.sink.event(call, { type: 'media-connected', handsetAnswer: writeDeskAnswer(offer, OUR_DESK_END) });
      return;
    }
    const answer = readTrunkAnswer(trunkSdp, offer);
    if ('fault' in answer) this.sink.event(call, { type: 'media-failed', code: answer.fault });
    else this.sink.event(call, connectedBy(writeHandsetAnswer(offer, answer, OUR_CELL_END), final));
  }

  arm(call: CallId): void {
    this.sink.event(call, { type: 'armed', plane: 'media' });
  }

  close(call: CallId): void {
    this.#offers.delete(call);
    this.sink.event(call, { type: 'released', plane: 'media' });
  }
}

/** No handset of these tests has a line controller. */
export function noLines(sink: Pick<CallSink, 'event'>): LinePlane {
  return {
    facts: () => ({ fitted: false, hook: 'unknown', supervised: false, relay: 'unknown' }),
    arm: (call) => sink.event(call, { type: 'armed', plane: 'line' }),
    cut: (call) => sink.event(call, { type: 'released', plane: 'line', relayOpen: true }),
    release: (call) => sink.event(call, { type: 'released', plane: 'line', relayOpen: false }),
    setLockdowns: () => undefined,
    endHolds: () => undefined,
  };
}
