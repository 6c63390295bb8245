import { randomInt } from 'node:crypto';
import type { MediaStats } from '../calls/record.js';
import {
  type AudioDescription,
  type Direction,
  type HandsetOffer,
  type OurEnd,
  receives,
  sendsTo,
  withEvents,
  writeHandsetAnswer,
  writeTrunkOffer,
} from './sdp.js';

/** Where one side reaches us. */
export interface End {
  readonly address: string;
  readonly port: number;
}

export type Leg = 'handset' | 'trunk';

/** What is negotiated of one call on either side, whatever carries its packets. */
export class MediaSession {
  readonly offer: HandsetOffer;
  /** What the trunk is offered: events too, where digits may pass that the handset sends in another way. */
  readonly trunkOffer: HandsetOffer;
  closed = false;
  /** Digits keyed in INFO requests that no driver has judged; none of them goes further. */
  infoDigits = 0;
  /** Somebody knows that a digit in an INFO was refused. */
  isToldOfInfo = false;
  #handsetEnd: OurEnd | undefined;
  /** The trunk's last SDP: a 200 without one rests on that of the 183. */
  answer: AudioDescription | undefined;
  /** What each side wants of late, in its own words. */
  readonly #wants: Record<Leg, Direction>;

  constructor(offer: HandsetOffer, digitsPass = false) {
    this.offer = offer;
    this.trunkOffer = digitsPass ? withEvents(offer) : offer;
    this.#wants = { handset: offer.direction, trunk: 'sendrecv' };
  }

  /** What the driver counted, with what signalling did. */
  counted(stats: MediaStats): MediaStats {
    return { ...stats, digitsDropped: stats.digitsDropped + this.infoDigits };
  }

  /** Where the handset reaches us is known. */
  handsetAt({ address, port }: End): OurEnd {
    // Another number than on the trunk's side: nothing that one side sees can be found on the other.
    this.#handsetEnd = { address, port, sessionId: this.#handsetEnd?.sessionId ?? randomInt(1, 2 ** 47) };
    return this.#handsetEnd;
  }

  /** Where the trunk is to reach us is known; tells our offer to it. */
  offerAt({ address, port }: End): string {
    return writeTrunkOffer(this.trunkOffer, { address, port, sessionId: randomInt(1, 2 ** 47) });
  }

  get handsetEnd(): OurEnd | undefined {
    return this.#handsetEnd;
  }

  /** The trunk's SDP was taken; tells the answer for the handset. Undefined before `handsetAt`. */
  connected(answer: AudioDescription): string | undefined {
    this.answer = answer;
    this.#wants.trunk = answer.direction;
    return this.#handsetEnd && writeHandsetAnswer(this.offer, answer, this.#handsetEnd);
  }

  /** One side asks, in its own words, to speak and hear less or more; tells which way speech may go from now on. */
  held(leg: Leg, direction: Direction): { readonly toTrunk: boolean; readonly toHandset: boolean } {
    this.#wants[leg] = direction;
    const { handset, trunk } = this.#wants;
    return { toTrunk: sendsTo(handset) && receives(trunk), toHandset: sendsTo(trunk) && receives(handset) };
  }
}
