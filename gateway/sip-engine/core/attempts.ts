import type { SipMessage } from '../message/message.js';
import { ClientTransaction, type ClientUser } from '../transaction/client-transaction.js';
import type { SentRequest } from '../transaction/sent-request.js';
import type { Flow } from '../transport/flow.js';
import type { Room } from './room.js';

/** How each attempt is made. */
export interface AttemptPlan {
  complete(flow: Flow): SentRequest;
  /** Told of each transaction before it begins. */
  onBegin(transaction: ClientTransaction): void;
  /** Whether a further attempt is still wanted. */
  wanted(): boolean;
}

/**
 * Sends one request by the first of several ways that takes it: to the next address when one cannot be reached, gives no
 * answer or says 503 (RFC 3263 §4.3), and by TCP before UDP when it is too large for a datagram (RFC 3261 §18.1.1). To whoever
 * ordered it, it is one request under one transaction id.
 */
export class Attempts implements ClientUser {
  #ways: Flow[] | undefined;
  #plan: AttemptPlan | undefined;
  #isLarge = false;

  constructor(
    readonly room: Room,
    readonly user: ClientUser,
    ways: readonly Flow[],
    plan: AttemptPlan,
  ) {
    this.#ways = [...ways];
    this.#plan = plan;
  }

  /** Begins; undefined when there is no way at all. */
  start(id?: string): ClientTransaction | undefined {
    const plan = this.#plan;
    const ways = this.#ways;
    let flow = ways?.shift();
    if (flow === undefined || plan === undefined || ways === undefined) return undefined;
    let sent = plan.complete(flow);
    const tooLarge = flow.transport === 'udp' && sent.text.length > this.room.limits.udpRequestBytes;
    if (tooLarge && !this.#isLarge && flow.listener.has('tcp')) {
      this.#isLarge = true;
      this.room.counters.sentByTcp++;
      // Where nobody takes it by TCP, it goes by UDP after all.
      ways.unshift(flow);
      flow = { ...flow, transport: 'tcp' };
      sent = plan.complete(flow);
    }
    // A transaction lingers for 32 s; what only a further attempt needs is not to linger with it.
    if (ways.length === 0) this.#plan = this.#ways = undefined;
    const transaction = new ClientTransaction(this.room, sent, flow, this, id);
    plan.onBegin(transaction);
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
    if (this.#plan === undefined || !this.#plan.wanted()) return false;
    this.start(failed.id);
    return true;
  }
}
