import type { SipMessage } from '../message/message.js';
import { ClientTransaction, type ClientUser } from '../transaction/client-transaction.js';
import type { SentRequest } from '../transaction/sent-request.js';
import type { Flow } from '../transport/flow.js';
import type { Room } from './room.js';

/**
 * Sends one request by the first of several ways that takes it: to the next address when one cannot be reached, gives no
 * answer or says 503 (RFC 3263 §4.3), and by TCP before UDP when it is too large for a datagram (RFC 3261 §18.1.1). To whoever
 * ordered it, it is one request under one transaction id.
 */
export class Attempts implements ClientUser {
  readonly #ways: Flow[];
  #isLarge = false;

  constructor(
    readonly room: Room,
    readonly user: ClientUser,
    ways: readonly Flow[],
    readonly complete: (flow: Flow) => SentRequest,
    /** Told of each transaction before it begins. */
    readonly onBegin: (transaction: ClientTransaction) => void,
    /** Whether a further attempt is still wanted. */
    readonly wanted: () => boolean,
  ) {
    this.#ways = [...ways];
  }

  /** Begins; undefined when there is no way at all. */
  start(id?: string): ClientTransaction | undefined {
    let flow = this.#ways.shift();
    if (flow === undefined) return undefined;
    let sent = this.complete(flow);
    const tooLarge = flow.transport === 'udp' && sent.text.length > this.room.limits.udpRequestBytes;
    if (tooLarge && !this.#isLarge && flow.listener.has('tcp')) {
      this.#isLarge = true;
      // Where nobody takes it by TCP, it goes by UDP after all.
      this.#ways.unshift(flow);
      flow = { ...flow, transport: 'tcp' };
      sent = this.complete(flow);
    }
    const transaction = new ClientTransaction(this.room, sent, flow, this, id);
    this.onBegin(transaction);
    transaction.start();
    return transaction;
  }

  onResponse(transaction: ClientTransaction, response: SipMessage, from: Flow): void {
    if (response.status === 503 && this.#next(transaction)) return;
    this.user.onResponse(transaction, response, from);
  }

  onFailed(transaction: ClientTransaction, status: 408 | 503): void {
    if (!this.#next(transaction)) this.user.onFailed(transaction, status);
  }

  #next(failed: ClientTransaction): boolean {
    if (this.#ways.length === 0 || !this.wanted()) return false;
    this.start(failed.id);
    return true;
  }
}
