import type { MediaOrder } from '../calls/ports.js';
import type { HandsetId } from '../policy/ids.js';
import type { OrderBody } from './control-protocol.js';
import type { MediaRules } from './media-rules.js';
import type { End, MediaSession } from './media-session.js';
import type { OurEnd } from './sdp.js';

/** What the gateway's side of the relay keeps of one call. */
export interface Held {
  readonly handset: HandsetId;
  readonly rules: MediaRules;
  readonly session: MediaSession;
  /** Absent for a refusal that is only spoken. */
  readonly order?: MediaOrder;
}

/** What is known of a call before its offer was read. */
export type Known = Omit<Held, 'session'>;

/** What a call may carry, as the relay is told at its opening. */
export type OpenHow = Pick<
  Extract<OrderBody, { do: 'open' }>,
  'earlyMedia' | 'digitsAllowed' | 'digitsMost' | 'digitsInSpeech' | 'keys'
>;

/** Of a call without a trunk. */
export const MUTE: OpenHow = { earlyMedia: false, digitsAllowed: '' };

/** What went wrong: a stable code, and why. */
export interface MediaFault {
  readonly code: string;
  readonly why: string;
}

/** A call whose sockets are bound. */
export interface Opened {
  readonly session: MediaSession;
  /** Where the handset reaches us. */
  readonly end: OurEnd;
  readonly trunkSide: End;
}

/** The SDP for a handset that nobody but we speak to, or why there is none. */
export type HandsetAnswer = { readonly answer: string } | MediaFault;
