/** What the tests of a media plane, on either driver, share: an ear in place of `calls`, and the SDP of far ends. */
import { EventEmitter, once } from 'node:events';
import { Temporal } from 'temporal-polyfill';
import type { CallEvent, CallSink } from '../../gateway/calls/ports.js';
import type { Deadline } from '../../gateway/clock/deadline.js';
import type { MediaDriver } from '../../gateway/media/media-driver.js';
import { callId, type E164, handsetId } from '../../gateway/policy/ids.js';
import { clock } from './relay-process.js';
import type { RtpParty } from './rtp-party.js';

export const CALL = callId('call-1');
export const HANDSET = handsetId('a-101');
const WAIT_MS = 8_000;

/** Listens in place of `calls` to one call, and lets a test wait for what it hears. */
export class Ear implements CallSink {
  readonly events: CallEvent[] = [];
  readonly lost: string[] = [];
  readonly #news = new EventEmitter();

  request(): void {
    throw new Error('media asks for no call');
  }

  event(call: string, event: CallEvent): void {
    if (call !== CALL) throw new Error(`an event for ${call}`);
    this.events.push(event);
    this.#news.emit('news');
  }

  planeLost(plane: string, why: string): void {
    this.lost.push(`${plane}: ${why}`);
    this.#news.emit('news');
  }

  /** The first event of this type. Rejects after 8 s. */
  async heard<Type extends CallEvent['type']>(type: Type): Promise<Extract<CallEvent, { type: Type }>> {
    const signal = AbortSignal.timeout(WAIT_MS);
    for (;;) {
      const found = this.events.find((event) => event.type === type);
      if (found !== undefined) return found as Extract<CallEvent, { type: Type }>;
      await once(this.#news, 'news', { signal });
    }
  }

  async heardLoss(): Promise<void> {
    while (this.lost.length === 0) await once(this.#news, 'news', { signal: AbortSignal.timeout(WAIT_MS) });
  }
}

export const sdpOf = (party: RtpParty, origin = '-'): string =>
  [
    'v=0',
    `o=${origin} 1 1 IN IP4 ${party.address}`,
    `s=${origin}`,
    `c=IN IP4 ${party.address}`,
    't=0 0',
    `m=audio ${party.port} RTP/AVP 8 101`,
    'a=rtpmap:101 telephone-event/8000',
    `a=rtcp:${party.rtcpPort}`,
    '',
  ].join('\r\n');

export const portIn = (sdp: string): number => Number(/m=audio (\d+)/.exec(sdp)?.[1]);

export const orderOf = (party: RtpParty, number?: string) => ({
  handset: HANDSET,
  ...(number === undefined ? {} : { number: number as E164 }),
  handsetOffer: sdpOf(party, 'cell'),
  earlyMedia: false,
  digitsAllowed: '',
});

export const deadlineIn = (ms: number): Deadline => ({
  wall: Temporal.Now.instant().add({ milliseconds: Math.round(ms) }),
  monotonicNs: clock.monotonicNs() + BigInt(Math.round(ms * 1e6)),
  bootId: 'this',
});

/** Takes a call that the plane has opened as far as its answer; tells where each side sends to. */
export async function connected(plane: MediaDriver, ear: Ear, trunk: RtpParty) {
  const { trunkOffer } = await ear.heard('media-opened');
  plane.connect(CALL, sdpOf(trunk, 'carrier'), true);
  const { handsetAnswer } = await ear.heard('media-connected');
  return {
    trunkOffer,
    handsetAnswer,
    trunkSide: { address: '127.0.0.1', port: portIn(trunkOffer) },
    handsetSide: { address: '127.0.0.1', port: portIn(handsetAnswer) },
  };
}
