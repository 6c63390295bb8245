import type { ClientLink } from '../client/client-link.js';
import type { SessionExpires } from '../message/session-expires.js';
import type { ClientTransaction } from '../transaction/client-transaction.js';
import type { ServerTransaction } from '../transaction/server-transaction.js';
import type { Flow } from '../transport/flow.js';
import type { Answer } from './answer.js';
import { ReliableQueue } from './reliable.js';

/** `ending`: a BYE of ours is on its way. `ended`: the dialog is no more, and only those who still hold it see it. */
export type DialogState = 'early' | 'confirmed' | 'ending' | 'ended';

/** drachtio's name for a dialog. */
export function dialogId(callId: string, fromTag: string): string {
  return `${callId};from-tag=${fromTag}`;
}

/** One INVITE dialog (RFC 3261 §12), from the INVITE on. */
export class Dialog {
  state: DialogState = 'early';
  /** From (of a UAC) or To (of a UAS) as we send it, tag included. */
  local: string;
  /** The other one. */
  remote: string;
  remoteTag: string;
  remoteTarget: string;
  routeSet: readonly string[] = [];
  localCseq: number;
  remoteCseq = 0;
  /** The way to the peer: where its last request came from, or where ours went. */
  flow: Flow;
  /** Our INVITE that has no ACK yet, or the last one. */
  outgoingInvite: ClientTransaction | undefined;
  /** The peer's INVITE that has no final answer yet. */
  incomingInvite: ServerTransaction | undefined;
  /** Our 2xx that has no ACK yet. */
  answer: Answer | undefined;
  /** The BYE that the engine sent by itself, which a BYE of the application then joins. */
  engineBye: ClientTransaction | undefined;
  /** The peer gave no Contact: the application cannot hold such a dialog, so it ends with its ACK. */
  withoutContact = false;
  /** Provisional responses of the application that wait for PRACK. */
  readonly reliables = new ReliableQueue();
  /** UPDATEs with an offer, one each way at most (RFC 3311 §5.2). */
  outgoingUpdate: ClientTransaction | undefined;
  incomingUpdate: ServerTransaction | undefined;
  /** The timer that ends it unless it is refreshed (RFC 4028). */
  session: { cancel(): void } | undefined;
  askedSession: SessionExpires | undefined;
  peerTakesUpdate = false;
  /** The session description that we sent last. */
  localSdp = '';
  /** It is spoken to where it was seen and nowhere else, whatever its peer says of itself. */
  isStray = false;
  /** To be ended as soon as it is answered. */
  doomed = false;
  /** The application that handles it; undefined when it is lost. */
  owner: ClientLink | undefined;

  constructor(
    readonly id: string,
    readonly role: 'uac' | 'uas',
    readonly callId: string,
    public localTag: string,
    start: {
      readonly local: string;
      readonly remote: string;
      readonly remoteTag: string;
      readonly remoteTarget: string;
      readonly localCseq: number;
      readonly flow: Flow;
      readonly owner: ClientLink | undefined;
    },
  ) {
    this.local = start.local;
    this.remote = start.remote;
    this.remoteTag = start.remoteTag;
    this.remoteTarget = start.remoteTarget;
    this.localCseq = start.localCseq;
    this.flow = start.flow;
    this.owner = start.owner;
  }

  /** A connection that carries a call is not idle. */
  hold(): void {
    if (this.flow.connection !== undefined) this.flow.connection.holds++;
  }

  release(): void {
    if (this.flow.connection !== undefined) this.flow.connection.holds--;
  }

  /** The peer has shown itself by another way. */
  moveTo(flow: Flow): void {
    if (flow === this.flow) return;
    this.release();
    this.flow = flow;
    this.hold();
  }
}
