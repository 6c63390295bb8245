import { randomUUID } from 'node:crypto';
import type { SipMessage } from '../message/message.js';
import type { Via } from '../message/via.js';
import type { Flow } from '../transport/flow.js';
import { INVITE_SERVER, type InviteServerEvent } from './invite-server.js';
import { NON_INVITE_SERVER, type NonInviteServerEvent } from './non-invite-server.js';
import { Transaction, type TransactionRoom } from './transaction.js';

export interface ServerTransactionRoom extends TransactionRoom {
  readonly transports: { send(flow: Flow, text: string): void };
  readonly serverTransactions: Map<string, ServerTransaction>;
}

const MAGIC = 'z9hG4bK';

/** The key by which requests find their transaction (RFC 3261 §17.2.3); an ACK finds that of its INVITE. */
export function serverKey(request: SipMessage, via: Via, method: string): string {
  const of = method === 'ACK' ? 'INVITE' : method;
  // The cookie alone makes nothing unique (RFC 4475 §3.2.1).
  if (via.branch !== undefined && via.branch.length > MAGIC.length && via.branch.startsWith(MAGIC))
    return `${via.branch} ${via.sentBy} ${of}`;
  // RFC 2543 had no unique branches; an ACK has the To tag that the INVITE lacks, so that tag cannot be asked for.
  const cseq = (request.get('cseq') ?? '').split(/\s/, 1)[0];
  return `2543 ${via.sentBy} ${via.branch ?? ''} ${request.get('call-id')} ${cseq} ${request.get('from')} ${of}`;
}

/** The response's header lines that are copied from the request (RFC 3261 §8.2.6.2); the To's tag is added by whoever answers. */
export interface ResponseFrame {
  readonly vias: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly cseq: string;
  readonly recordRoutes: string;
}

/** A request that we received. */
export class ServerTransaction extends Transaction<InviteServerEvent | NonInviteServerEvent> {
  readonly id = randomUUID();
  #lastText = '';
  /** Status of the final answer; 0 while there is none. */
  finalStatus = 0;
  onEnded: (() => void) | undefined;
  onFinal: (() => void) | undefined;

  constructor(
    protected override readonly room: ServerTransactionRoom,
    readonly key: string,
    readonly method: string,
    readonly flow: Flow,
    readonly frame: ResponseFrame,
    /** Our tag in To. */
    public localTag: string,
  ) {
    super(method === 'INVITE' ? INVITE_SERVER : NON_INVITE_SERVER, room, flow.transport !== 'udp');
    room.serverTransactions.set(key, this);
  }

  get isInvite(): boolean {
    return this.machine === INVITE_SERVER;
  }

  /** Whether a final answer is still owed. */
  get pending(): boolean {
    return this.finalStatus === 0 && !this.terminated;
  }

  /** Sends a response that is complete. */
  respond(status: number, text: string): void {
    this.#lastText = text;
    if (status < 200) {
      this.handle('app-1xx');
      return;
    }
    this.finalStatus = status;
    this.handle(!this.isInvite ? 'app-final' : status < 300 ? 'app-2xx' : 'app-failure');
    // A 2xx is repeated by the dialog (RFC 6026 §7.1); what is not needed is not kept for 32 s.
    if (this.isInvite && status < 300) this.#lastText = '';
    this.onFinal?.();
    this.onFinal = undefined;
  }

  /** Sends a 100 by the server itself; it is repeated until the application says something. */
  trying(text: string): void {
    this.#lastText = text;
    this.room.transports.send(this.flow, text);
  }

  protected override perform(action: 'send' | 'pass-up' | 'ack' | 'tell-timeout' | 'tell-transport-error'): void {
    if (action === 'send' && this.#lastText !== '') this.room.transports.send(this.flow, this.#lastText);
  }

  /** Ends it before its time, where too many linger. */
  forget(): void {
    this.drop();
    this.state = 'terminated';
    this.ended();
  }

  protected override ended(): void {
    this.room.serverTransactions.delete(this.key);
    this.onEnded?.();
    this.onFinal?.();
    this.onFinal = undefined;
  }
}
