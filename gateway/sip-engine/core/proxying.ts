import type { ProxyOrder } from '../client/client-hub.js';
import type { ClientLink } from '../client/client-link.js';
import { proxied, proxyDone, refused } from '../client/reports.js';
import type { EngineTimer } from '../clock.js';
import { parseCSeq } from '../message/cseq.js';
import { printedName } from '../message/header-names.js';
import type { SipMessage } from '../message/message.js';
import { printMessage } from '../message/print.js';
import { reasonPhrase } from '../message/reason.js';
import { topViaEnd } from '../message/via.js';
import { randomToken } from '../token.js';
import { ClientTransaction, type ClientUser } from '../transaction/client-transaction.js';
import type { SentRequest } from '../transaction/sent-request.js';
import { destinationOf, familyOfHost } from '../transport/destination.js';
import { type Flow, viaTransport } from '../transport/flow.js';
import type { Endings } from './endings.js';
import type { IncomingRequest } from './incoming-request.js';
import type { Room } from './room.js';
import { madeUpResponse, ownResponse } from './sketch.js';

/** Headers of the sketch that a proxy does not take over: they are the request's, or the hop's. */
const NOT_FROM_SKETCH = new Set(['via', 'route', 'record-route', 'max-forwards', 'content-length', 'cseq', 'call-id']);

/**
 * Forwards a request to one destination after the other, or to all at once, and the best of their answers back (RFC 3261
 * §16). It does not stay in the path of the dialog: what it could not end when the application is lost, it does not carry.
 */
export class Proxying {
  constructor(
    readonly room: Room,
    readonly endings: Endings,
  ) {}

  take(link: ClientLink, order: ProxyOrder, sketch: SipMessage): void {
    const refuse = (why: string): void => link.send(refused(order.orderId, `Server error: ${why}`));
    const incoming = this.room.incoming.get(order.transactionId);
    const request = incoming?.request;
    if (incoming === undefined || request === undefined || !incoming.transaction.pending || !incoming.initial) {
      refuse('the transaction has ended or was answered before');
      return;
    }
    if (order.remainInDialog)
      refuse('this server does not stay in the path of a dialog that it proxies (remainInDialog)');
    else if (order.followRedirects) refuse('this server does not follow redirections (followRedirects)');
    else {
      const hops = Number(request.get('max-forwards') ?? '70');
      if (hops > 0) new ProxiedRequest(this.room, this.endings, link, order, sketch, incoming, request).start();
      else {
        this.endings.refuse(incoming, 483);
        link.send(proxyDone(order.orderId));
      }
    }
  }
}

/** One request on its way to several destinations. */
class ProxiedRequest implements ClientUser {
  readonly forwards = true;
  readonly #waiting: string[];
  readonly #running = new Set<ClientTransaction>();
  /** Ways that are still being looked up. */
  #resolving = 0;
  #best: { readonly status: number; readonly text: string } | undefined;
  #timers: EngineTimer[] = [];
  #over = false;

  constructor(
    readonly room: Room,
    readonly endings: Endings,
    readonly link: ClientLink,
    readonly order: ProxyOrder,
    readonly sketch: SipMessage,
    readonly incoming: IncomingRequest,
    readonly request: SipMessage,
  ) {
    this.#waiting = [...order.destinations];
  }

  start(): void {
    const { incoming, room } = this;
    incoming.patience?.cancel();
    // A CANCEL of the caller, and the loss of the application, end the request; the branches go with it.
    incoming.onRefused = () => this.#stop();
    if (incoming.dialog !== undefined) room.dialogs.remove(incoming.dialog);
    if (this.order.simultaneous) while (this.#waiting.length > 0) this.#next();
    else this.#next();
  }

  onResponse(transaction: ClientTransaction, response: SipMessage, from: Flow): void {
    const { status } = response;
    const text = withoutTopVia(response);
    if (status >= 200) this.#running.delete(transaction);
    if (this.link.open) {
      const time = this.room.clock.timeOfDay();
      this.link.send(proxied(this.order.orderId, printMessage(response), from.transport, from, time, transaction.id));
    }
    if (status === 100) return;
    if (status < 300) {
      // A 2xx that comes again goes on again: it is the caller's to acknowledge (RFC 3261 §16.7).
      if (this.#over && !transaction.isInvite) return;
      this.incoming.transaction.respond(status, text);
      if (status >= 200) this.#end();
      return;
    }
    this.#refused(status, text);
  }

  onFailed(transaction: ClientTransaction, status: 408 | 503): void {
    this.#running.delete(transaction);
    const made = madeUpResponse(status, reasonPhrase(status), transaction.sent);
    const time = this.room.clock.timeOfDay();
    if (this.link.open) {
      this.link.send(
        proxied(this.order.orderId, made, transaction.flow.transport, transaction.flow, time, transaction.id),
      );
    }
    this.#refused(status, undefined);
  }

  #refused(status: number, text: string | undefined): void {
    if (this.#over) return;
    const { frame, localTag } = this.incoming.transaction;
    const answer = text ?? ownResponse(status, reasonPhrase(status), frame, localTag);
    if (this.#best === undefined || status < this.#best.status || status >= 600) this.#best = { status, text: answer };
    // Somebody who answers for everybody ends the search (§21.6).
    if (status >= 600) this.#waiting.length = 0;
    if (this.#running.size > 0 || this.#resolving > 0) return;
    if (this.#waiting.length > 0) {
      this.#next();
      return;
    }
    this.incoming.transaction.respond(this.#best.status, this.#best.text);
    this.#end();
  }

  #next(): void {
    const uri = this.#waiting.shift();
    if (uri === undefined || this.#over) return;
    const to = destinationOf(uri);
    const listener = to && this.room.transports.choose(to.transport ?? 'udp', undefined, familyOfHost(to.host));
    if (to === undefined || listener === undefined) {
      this.#refused(to === undefined ? 416 : 503, undefined);
      return;
    }
    this.#resolving++;
    this.room.resolve(
      to,
      listener.family,
      (transport) => listener.has(transport),
      ([target]) => {
        this.#resolving--;
        if (this.#over) return;
        if (target === undefined) this.#refused(503, undefined);
        else this.#forward(uri, { listener, ...target });
      },
    );
  }

  #forward(uri: string, flow: Flow): void {
    const sent = forwarded(this.request, this.sketch, uri, flow, this.incoming.transaction.frame.vias);
    const transaction = new ClientTransaction(this.room, sent, flow, this);
    this.#running.add(transaction);
    transaction.start();
    const giveUp = (): void => {
      if (this.#running.delete(transaction)) this.#cancel(transaction);
      this.#refused(408, undefined);
    };
    const { provisionalMs, finalMs } = this.order;
    const silent = (): boolean => transaction.state === 'calling' || transaction.state === 'trying';
    if (provisionalMs > 0) this.#timers.push(this.room.clock.after(provisionalMs, () => silent() && giveUp()));
    if (finalMs > 0) this.#timers.push(this.room.clock.after(finalMs, () => transaction.pending && giveUp()));
  }

  #cancel(transaction: ClientTransaction): void {
    if (transaction.isInvite) this.endings.cancel(transaction);
  }

  /** Ends what is still running, and tells the application. */
  #end(): void {
    if (this.#over) return;
    this.#stop();
    this.incoming.onRefused = undefined;
    if (this.link.open) this.link.send(proxyDone(this.order.orderId));
  }

  #stop(): void {
    this.#over = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
    for (const transaction of this.#running) this.#cancel(transaction);
    this.#running.clear();
    if (this.incoming.transaction.finalStatus === 487 && this.link.open) this.link.send(proxyDone(this.order.orderId));
  }
}

/** The request as it goes on: our Via on top, one hop less, to another target, with the headers that the application sets. */
function forwarded(request: SipMessage, sketch: SipMessage, uri: string, flow: Flow, vias: string): SentRequest {
  const branch = `z9hG4bK${randomToken()}`;
  const via = `SIP/2.0/${viaTransport(flow)} ${flow.listener.sentBy};rport;branch=${branch}`;
  const hops = Number(request.get('max-forwards') ?? '70');
  let text = `${request.method} ${uri} SIP/2.0\r\nVia: ${via}\r\n${vias}Max-Forwards: ${hops - 1}\r\n`;
  const set = new Set(sketch.names.filter((name) => !NOT_FROM_SKETCH.has(name)));
  const copy = (from: SipMessage, wanted: (name: string) => boolean): void => {
    for (let at = 0; at < from.names.length; at++) {
      const name = from.names[at] ?? '';
      if (wanted(name)) text += `${printedName(name, from.written[at] ?? name)}: ${from.values[at]}\r\n`;
    }
  };
  const hop = new Set(['via', 'max-forwards', 'route', 'content-length']);
  copy(request, (name) => !hop.has(name) && !set.has(name));
  copy(sketch, (name) => set.has(name));
  text += `Content-Length: ${request.body.length}\r\n\r\n${request.body}`;
  const { method } = request;
  const [from, to, callId] = [request.get('from') ?? '', request.get('to') ?? '', request.get('call-id') ?? ''];
  const cseq = parseCSeq(request.get('cseq') ?? '')?.number ?? 1;
  return { method, uri, via, branch, routes: [], from, to, callId, cseq, text };
}

/** A response as it goes back: without the Via that is ours. */
function withoutTopVia(response: SipMessage): string {
  const at = response.names.indexOf('via');
  const whole = response.values[at] ?? '';
  const rest = whole.slice(topViaEnd(whole) + 1).trim();
  const { names, written, values } = response;
  const copy = { names: [...names], written: [...written], values: [...values] };
  if (rest === '') for (const list of [copy.names, copy.written, copy.values]) list.splice(at, 1);
  else copy.values[at] = rest;
  return printMessage(Object.assign(Object.create(response) as SipMessage, copy));
}
