import { randomInt } from 'node:crypto';
import {
  type AudioDescription,
  answerTo,
  type Direction,
  type HandsetOffer,
  type OurEnd,
  readReoffer,
  receives,
  sendsTo,
  writeHandsetAnswer,
  writeTrunkAnswer,
  writeTrunkOffer,
} from './sdp.js';

/** Where one side reaches us. */
export interface End {
  readonly address: string;
  readonly port: number;
}

/** What a re-INVITE comes to: our answer, and which way speech may go from now on. */
export interface Reoffered {
  readonly answer: string;
  readonly toTrunk: boolean;
  readonly toHandset: boolean;
}

export type Leg = 'handset' | 'trunk';

/** What is negotiated of one call on either side, whatever carries its packets. */
export class MediaSession {
  readonly offer: HandsetOffer;
  closed = false;
  #handsetEnd: OurEnd | undefined;
  #trunkEnd: OurEnd | undefined;
  /** The trunk's last SDP: a 200 without one rests on that of the 183. */
  answer: AudioDescription | undefined;
  /** What each side wants of late, in its own words. */
  readonly #wants: Record<Leg, Direction>;

  constructor(offer: HandsetOffer) {
    this.offer = offer;
    this.#wants = { handset: offer.direction, trunk: 'sendrecv' };
  }

  /** Our ends are known; tells the offer for the trunk. */
  opened(handset: End, trunk: End): string {
    this.#handsetEnd = { ...handset, sessionId: randomInt(1, 2 ** 47), version: 1 };
    // Another number on the other side: nothing that one side sees can be found on the other.
    this.#trunkEnd = { ...trunk, sessionId: randomInt(1, 2 ** 47), version: 1 };
    return writeTrunkOffer(this.offer, this.#trunkEnd);
  }

  get handsetEnd(): OurEnd | undefined {
    return this.#handsetEnd;
  }

  /** The trunk's SDP was taken; tells the answer for the handset. Undefined before `opened`. */
  connected(answer: AudioDescription): string | undefined {
    this.answer = answer;
    this.#wants.trunk = answer.direction;
    return this.#handsetEnd && writeHandsetAnswer(this.offer, answer, this.#handsetEnd);
  }

  /**
   * A re-INVITE of one side: hold, resume, or the same again; undefined (a 488) for anything else. Without an SDP it asks
   * for our offer, and gets what stands. The other side is told nothing: it hears silence, as in any hold.
   */
  reoffered(leg: Leg, sdp: string): Reoffered | undefined {
    const { answer, offer } = this;
    if (answer === undefined || this.#handsetEnd === undefined || this.#trunkEnd === undefined) return undefined;
    if (sdp !== '') {
      const [agreed, line] = leg === 'handset' ? ([offer, offer.audioLine] as const) : ([answer, 0] as const);
      const wanted = readReoffer(sdp, agreed, line);
      if (wanted === undefined) return undefined;
      if (wanted !== this.#wants[leg]) this.#next(leg);
      this.#wants[leg] = wanted;
    }
    const { handset, trunk } = this.#wants;
    return {
      answer:
        leg === 'handset'
          ? writeHandsetAnswer({ ...offer, direction: handset }, { ...answer, direction: trunk }, this.#handsetEnd)
          : writeTrunkAnswer(answer, answerTo(trunk, handset), this.#trunkEnd),
      toTrunk: sendsTo(handset) && receives(trunk),
      toHandset: sendsTo(trunk) && receives(handset),
    };
  }

  #next(leg: Leg): void {
    const end = leg === 'handset' ? this.#handsetEnd : this.#trunkEnd;
    if (end === undefined) return;
    const next = { ...end, version: (end.version ?? 1) + 1 };
    if (leg === 'handset') this.#handsetEnd = next;
    else this.#trunkEnd = next;
  }
}
