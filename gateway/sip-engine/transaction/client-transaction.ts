import { randomUUID } from 'node:crypto';
import type { SipMessage } from '../message/message.js';
import type { Flow } from '../transport/flow.js';
import { INVITE_CLIENT, type InviteClientEvent } from './invite-client.js';
import { NON_INVITE_CLIENT, type NonInviteClientEvent } from './non-invite-client.js';
import { hopRequest, type SentRequest } from './sent-request.js';
import { Transaction, type TransactionRoom } from './transaction.js';

/** Whoever sent the request. */
export interface ClientUser {
  /** The request is another's, which we pass on: its answers bear that other's Via too. */
  readonly forwards?: boolean;
  /** Every provisional answer, the first final one, and of an INVITE every further 2xx. */
  onResponse(transaction: ClientTransaction, response: SipMessage, from: Flow): void;
  /** Nobody answered (408), or the request could not be delivered (503); RFC 3261 §8.1.3.1. */
  onFailed(transaction: ClientTransaction, status: 408 | 503): void;
}

/** The way out for requests. `onError` hears of a request that could not leave, and never from within the call. */
export interface RequestSender {
  send(flow: Flow, text: string): void;
  sendRequest(flow: Flow, text: string, onError: () => void): void;
  forget(flow: Flow, onError: () => void): void;
}

export interface ClientTransactionRoom extends TransactionRoom {
  readonly transports: RequestSender;
  readonly clientTransactions: Map<string, ClientTransaction>;
  readonly outgoing: Map<string, ClientTransaction>;
}

/** The key by which responses find their transaction (RFC 3261 §17.1.3). */
export function clientKey(branch: string, method: string): string {
  return `${branch} ${method}`;
}

/** A request that we sent. */
export class ClientTransaction extends Transaction<InviteClientEvent | NonInviteClientEvent> {
  readonly key: string;
  /** The ACK that went out for it: repeated for every repetition of the answer. */
  ackText = '';
  #ackFlow: Flow | undefined;
  #response: SipMessage | undefined;
  #from: Flow | undefined;
  #onProvisional: (() => void) | undefined;
  readonly #onError = () => void this.handle('transport-error');

  constructor(
    protected override readonly room: ClientTransactionRoom,
    readonly sent: SentRequest,
    readonly flow: Flow,
    readonly user: ClientUser,
    /** Given where it takes the place of one that failed. */
    readonly id: string = randomUUID(),
  ) {
    super(sent.method === 'INVITE' ? INVITE_CLIENT : NON_INVITE_CLIENT, room, flow.transport !== 'udp');
    this.key = clientKey(sent.branch, sent.method);
  }

  get isInvite(): boolean {
    return this.machine === INVITE_CLIENT;
  }

  /** Whether a CANCEL can still do anything: no final answer has come. */
  get pending(): boolean {
    return this.state === 'calling' || this.state === 'trying' || this.state === 'proceeding';
  }

  /** Sends the request. */
  start(): void {
    this.room.clientTransactions.set(this.key, this);
    this.room.outgoing.set(this.id, this);
    this.begin();
  }

  /** Takes up an INVITE that an engine before this one sent and that has been answered provisionally. */
  resume(): void {
    this.room.clientTransactions.set(this.key, this);
    this.state = 'proceeding';
  }

  /** Takes a response that matches. */
  receive(response: SipMessage, from: Flow): void {
    this.#response = response;
    this.#from = from;
    const { status } = response;
    const provisional = status < 200;
    this.handle(provisional ? '1xx' : !this.isInvite ? 'final' : status < 300 ? '2xx' : 'failure');
    this.#response = undefined;
    this.#from = undefined;
    if (provisional && this.#onProvisional !== undefined) {
      const send = this.#onProvisional;
      this.#onProvisional = undefined;
      send();
    }
  }

  /** The peer's port is closed. */
  refusedByPort(): void {
    if (this.state === 'calling' || this.state === 'trying') this.handle('transport-error');
  }

  /** Runs `send` as soon as a CANCEL may be sent, which is after the first provisional answer (RFC 3261 §9.1), and then waits no longer than 64·T1. */
  whenCancellable(send: () => void): void {
    const sendNow = (): void => {
      if (this.state !== 'proceeding') return;
      this.startGivingUpOnCancel();
      send();
    };
    if (this.state === 'proceeding') sendNow();
    else if (this.state === 'calling') this.#onProvisional = sendNow;
  }

  /** The dialog has sent the ACK of a 2xx; it is repeated from here when the 2xx is. */
  acknowledged(text: string, flow: Flow): void {
    this.ackText = text;
    this.#ackFlow = flow;
  }

  /** Repeats the ACK, if there has been one. */
  repeatAck(): void {
    if (this.ackText !== '') this.room.transports.send(this.#ackFlow ?? this.flow, this.ackText);
  }

  protected override perform(action: 'send' | 'pass-up' | 'ack' | 'tell-timeout' | 'tell-transport-error'): void {
    switch (action) {
      case 'send':
        this.room.transports.sendRequest(this.flow, this.sent.text, this.#onError);
        break;
      case 'ack':
        if (this.ackText === '') {
          this.ackText = hopRequest(this.sent, 'ACK', this.#response?.get('to') ?? this.sent.to);
        }
        this.room.transports.send(this.flow, this.ackText);
        break;
      case 'pass-up':
        if (this.#response !== undefined && this.#from !== undefined) {
          this.user.onResponse(this, this.#response, this.#from);
        }
        break;
      case 'tell-timeout':
        this.user.onFailed(this, 408);
        break;
      case 'tell-transport-error':
        this.user.onFailed(this, 503);
        break;
    }
  }

  protected override ended(): void {
    this.room.clientTransactions.delete(this.key);
    if (this.room.outgoing.get(this.id) === this) this.room.outgoing.delete(this.id);
    this.room.transports.forget(this.flow, this.#onError);
  }
}
