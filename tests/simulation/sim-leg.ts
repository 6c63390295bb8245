import type { CallEvent } from '../../gateway/calls/ports.js';
import type { LegDialog, LegName } from '../../gateway/calls/record.js';
import type { CallId, HandsetId } from '../../gateway/policy/ids.js';
import type { Happening } from './timeline.js';

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

/** A call as the engine holds it. */
export interface Session {
  readonly call: CallId;
  readonly handset: HandsetId;
  readonly handsetLeg: Leg;
  /** Who called whom: the handset us, we a handset on which a number was keyed, or a contact is joined to a leg at the desk. */
  readonly kind: 'invited' | 'keyed' | 'guest';
  /** The call at whose leg this one is a guest, and told when that leg is its host's again. */
  readonly host?: Session;
  readonly back?: (isBack: boolean) => void;
  /** It is answered by the gateway itself. */
  isDesk: boolean;
  guest?: Session | undefined;
  trunkLeg?: Leg;
  /** The INVITE to the trunk has no final answer. */
  isPending: boolean;
  /** The handset's INVITE has its final answer. */
  isFinal: boolean;
  isReleasing: boolean;
  isReported: boolean;
  deadline?: Happening | undefined;
}

/** What the far ends need of the engine between them. */
export interface Engine {
  readonly isUp: boolean;
  isLive(session: Session): boolean;
  tell(call: CallId, event: CallEvent, onArrival?: () => void): void;
  /** BYE or CANCEL, sent again until it is answered or given up; `done` when it is either. */
  send(leg: Leg, done: () => void): void;
  /** One way over the network, microseconds. */
  network(): number;
}

/** A transaction is given up after this (64·T1, RFC 3261 §17.1.2.2). */
export const TRANSACTION_MS = 32_000;
export const BOTH: readonly LegName[] = ['handset', 'trunk'];

export const legId = (call: CallId, leg: LegName): string => `${call};${leg}`;

export function newLeg(call: CallId, leg: LegName): Leg {
  return { call, leg, peerUp: false, isEnded: false, isMute: false, isOver: false, isKnown: false };
}

export function newSession(
  about: Pick<Session, 'call' | 'handset' | 'handsetLeg' | 'kind'> & Partial<Pick<Session, 'host' | 'back'>>,
): Session {
  return { ...about, isDesk: false, isPending: false, isFinal: false, isReleasing: false, isReported: false };
}

export function hangUp(leg: Leg): void {
  leg.peerUp = false;
  leg.isEnded = true;
}

export function dialogOf({ call, leg, peerUp }: Leg): LegDialog {
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
