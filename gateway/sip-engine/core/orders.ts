import { randomUUID } from 'node:crypto';
import type { SipOrder } from '../client/client-hub.js';
import type { ClientLink } from '../client/client-link.js';
import { refused, sentFor } from '../client/reports.js';
import { Answer } from '../dialog/answer.js';
import { Dialog, dialogId } from '../dialog/dialog.js';
import { parseCSeq } from '../message/cseq.js';
import type { SipMessage } from '../message/message.js';
import { listOf, parseNameAddr, tagOf, withTag } from '../message/name-addr.js';
import { isFault, parseMessage } from '../message/parse.js';
import { firstCSeq, randomToken } from '../token.js';
import { ClientTransaction } from '../transaction/client-transaction.js';
import { hopRequest, type SentRequest } from '../transaction/sent-request.js';
import { destinationOf } from '../transport/destination.js';
import type { Flow } from '../transport/flow.js';
import { familyOf, routeInDialog } from './addressing.js';
import { ApplicationRequest } from './application-request.js';
import type { Endings } from './endings.js';
import { EngineBye } from './engine-bye.js';
import type { IncomingRequest } from './incoming-request.js';
import type { Room } from './room.js';
import { completeRequest, completeResponse, LISTENER_HEADER, localised, otherHeadersOf } from './sketch.js';

/** Carries out what applications order: responses, requests in dialogs, new requests, CANCEL, ACK. */
export class Orders {
  constructor(
    readonly room: Room,
    readonly endings: Endings,
  ) {}

  take(link: ClientLink, order: SipOrder): void {
    const sketch = parseMessage(order.message, this.room.limits.message);
    if (isFault(sketch)) {
      link.send(refused(order.orderId, `Server error: the message cannot be parsed: ${sketch.why}`));
      return;
    }
    // Lengths that drachtio-srf counts are of characters, not of bytes; the frame knows better.
    const head = order.message.indexOf('\r\n\r\n');
    if (head >= 0) sketch.body = order.message.slice(head + 4);
    if (!sketch.isRequest) this.#respond(link, order, sketch);
    else if (sketch.method === 'CANCEL') this.#cancel(link, order, sketch);
    else if (order.dialogId !== '') this.#inDialog(link, order, sketch);
    else this.#begin(link, order, sketch);
  }

  #respond(link: ClientLink, order: SipOrder, sketch: SipMessage): void {
    const incoming = this.room.incoming.get(order.transactionId);
    if (incoming === undefined || !incoming.transaction.pending) {
      link.send(refused(order.orderId, 'Server error: the transaction has ended or was answered before'));
      return;
    }
    const { transaction, dialog } = incoming;
    const { status } = sketch;
    const isAnswer = transaction.isInvite && status >= 200 && status < 300;
    this.#takeTag(incoming, sketch);
    const reliable = transaction.isInvite && status < 200 && sketch.has('rseq');
    const { flow, frame, localTag } = transaction;
    const text = completeResponse(sketch, frame, localTag, flow, isAnswer || reliable);
    transaction.respond(status, text);
    if (status >= 200) incoming.patience?.cancel();
    if (dialog !== undefined && transaction.isInvite) this.#answered(incoming, dialog, status, text);
    if (dialog !== undefined && incoming.target !== undefined && status >= 200 && status < 300) {
      dialog.remoteTarget = incoming.target;
    }
    const transport = transaction.isInvite ? flow.transport : '';
    const dialogField = dialog === undefined || transaction.method === 'BYE' ? '' : dialog.id;
    const time = this.room.clock.timeOfDay();
    const echo = sentFor(order.orderId, text, transport, flow, time, transaction.id, dialogField);
    // The application makes its dialog of this echo, and must have it before the peer's next word, which may be BYE.
    if (isAnswer) link.send(echo);
    else link.sendSoon(echo);
  }

  /** The application may choose our tag with its first response. */
  #takeTag(incoming: IncomingRequest, sketch: SipMessage): void {
    const { transaction, dialog } = incoming;
    if (!incoming.initial || dialog === undefined || dialog.state !== 'early' || tagOf(transaction.frame.to)) return;
    const tag = tagOf(sketch.get('to') ?? '');
    if (tag === undefined || tag === transaction.localTag) return;
    transaction.localTag = tag;
    dialog.localTag = tag;
    dialog.local = withTag(transaction.frame.to, tag);
  }

  #answered(incoming: IncomingRequest, dialog: Dialog, status: number, text: string): void {
    if (status < 200) return;
    const { transaction } = incoming;
    dialog.incomingInvite = undefined;
    if (status >= 300) {
      if (incoming.initial) this.room.dialogs.remove(dialog);
      return;
    }
    if (incoming.initial) dialog.state = 'confirmed';
    dialog.answer?.stop();
    const { room } = this;
    dialog.answer = new Answer(
      room.timers,
      room.values,
      incoming.cseq,
      // An ACK is reported under the id of the INVITE that began the dialog; that of a later one under an id of its own.
      incoming.initial ? transaction.id : randomUUID(),
      () => room.transports.send(transaction.flow, text),
      () => {
        if (dialog.state === 'confirmed') room.counters.dialogsEndedByEngine++;
        if (dialog.state !== 'ended') this.endings.bye(dialog, 'ACK timeout');
      },
    );
  }

  #cancel(link: ClientLink, order: SipOrder, sketch: SipMessage): void {
    const invite = this.room.outgoing.get(order.transactionId);
    if (invite === undefined || !invite.isInvite || !invite.pending) {
      link.send(refused(order.orderId, 'Server error: no INVITE that could be cancelled has this transaction id'));
      return;
    }
    const text = hopRequest(invite.sent, 'CANCEL', invite.sent.to, otherHeadersOf(sketch));
    const sent: SentRequest = { ...invite.sent, method: 'CANCEL', text };
    const user = { onResponse: () => undefined, onFailed: () => undefined };
    invite.whenCancellable(() => new ClientTransaction(this.room, sent, invite.flow, user).start());
    this.#tellSent(link, order, text, invite.flow, invite.id);
  }

  #inDialog(link: ClientLink, order: SipOrder, sketch: SipMessage): void {
    const dialog = this.room.dialogs.get(order.dialogId);
    const { method } = sketch;
    if (method === 'ACK') {
      this.#ack(link, order, sketch, dialog);
      return;
    }
    if (dialog === undefined) {
      link.send(refused(order.orderId, `Server error: unable to find dialog for dialog id ${order.dialogId}`));
      return;
    }
    if (method === 'BYE' && dialog.engineBye?.user instanceof EngineBye) {
      // The engine was faster: the application joins, and hears what the peer says to the BYE that is on its way.
      dialog.engineBye.user.join(link);
      this.#tellSent(link, order, dialog.engineBye.sent.text, dialog.engineBye.flow, dialog.engineBye.id);
      return;
    }
    if (dialog.state === 'early' && dialog.role === 'uas' && (method === 'BYE' || method === 'INVITE')) {
      link.send(refused(order.orderId, `Server error: ${method} before the INVITE has been answered`));
      return;
    }
    const given = parseCSeq(sketch.get('cseq') ?? '')?.number ?? 0;
    const cseq = Math.max(dialog.localCseq + 1, given);
    dialog.localCseq = cseq;
    if (method === 'BYE') dialog.state = 'ending';
    routeInDialog(this.room, dialog, (flow, route) => {
      const { local: from, remote: to, callId } = dialog;
      const parts = { method, uri: route.uri, routes: route.routes, from, to, callId, cseq };
      const sent = completeRequest(parts, sketch, flow);
      const user = new ApplicationRequest(this.room, this.endings, link, dialog, false);
      const transaction = new ClientTransaction(this.room, sent, flow, user);
      if (method === 'INVITE') dialog.outgoingInvite = transaction;
      transaction.start();
      this.#tellSent(link, order, sent.text, flow, transaction.id);
    });
  }

  #ack(link: ClientLink, order: SipOrder, sketch: SipMessage, dialog: Dialog | undefined): void {
    if (dialog?.outgoingInvite?.state !== 'accepted') {
      const why = 'Server error: ACK for non-success final response is automatically generated by server';
      link.send(refused(order.orderId, why));
      return;
    }
    this.endings.acknowledge(dialog, sketch, (text, flow) => this.#tellSent(link, order, text, flow, randomUUID()));
    if (dialog.withoutContact) this.endings.end(dialog, 'no Contact');
  }

  #begin(link: ClientLink, order: SipOrder, sketch: SipMessage): void {
    const { method, uri } = sketch;
    const refuse = (why: string): void => link.send(refused(order.orderId, `Server error: ${why}`));
    if (method === 'ACK') {
      refuse('ACK for non-success final response is automatically generated by server');
      return;
    }
    if (method === 'INVITE' && !this.room.admitting()) {
      refuse('nobody watches the calls');
      return;
    }
    const routes = listOf(sketch.all('route'));
    const firstHop = routes[0] === undefined ? undefined : parseNameAddr(routes[0])?.uri;
    const nextHop = order.nextHop || firstHop || uri;
    const to = destinationOf(nextHop);
    const listener = to && this.room.transports.choose(to.transport, sketch.get(LISTENER_HEADER));
    if (to === undefined || listener === undefined) {
      refuse(to === undefined ? `cannot send to ${nextHop}` : `no listener for ${to.transport}`);
      return;
    }
    this.room.resolve(to.host, familyOf(listener), (address) => {
      if (address === undefined) refuse(`cannot resolve ${to.host}`);
      else this.#send(link, order, sketch, routes, { listener, transport: to.transport, address, port: to.port });
    });
  }

  #send(link: ClientLink, order: SipOrder, sketch: SipMessage, routes: readonly string[], flow: Flow): void {
    const { method, uri } = sketch;
    const givenFrom = sketch.get('from');
    const from = withTag(
      givenFrom === undefined ? `<sip:${flow.listener.hostPort}>` : localised(givenFrom, flow),
      randomToken(),
    );
    const givenTo = sketch.get('to');
    const to = givenTo === undefined ? `<${uri}>` : localised(givenTo, flow);
    const callId = sketch.get('call-id') ?? randomUUID();
    const cseq = parseCSeq(sketch.get('cseq') ?? '')?.number ?? firstCSeq();
    const localTag = tagOf(from) ?? '';
    const id = dialogId(callId, localTag);
    if (method === 'INVITE' && this.room.dialogs.get(id) !== undefined) {
      link.send(refused(order.orderId, `Server error: the dialog ${id} is there already`));
      return;
    }
    const sent = completeRequest({ method, uri, routes, from, to, callId, cseq }, sketch, flow);
    const dialog =
      method !== 'INVITE'
        ? undefined
        : new Dialog(id, 'uac', callId, localTag, {
            local: from,
            remote: to,
            remoteTag: '',
            remoteTarget: uri,
            localCseq: cseq,
            flow,
            owner: link,
          });
    const user = new ApplicationRequest(this.room, this.endings, link, dialog, dialog !== undefined);
    const transaction = new ClientTransaction(this.room, sent, flow, user);
    if (dialog !== undefined) {
      dialog.outgoingInvite = transaction;
      this.room.dialogs.add(dialog);
    }
    transaction.start();
    this.#tellSent(link, order, sent.text, flow, transaction.id);
  }

  #tellSent(link: ClientLink, order: SipOrder, text: string, flow: Flow, transactionId: string): void {
    const local = { address: flow.listener.address, port: flow.listener.port };
    const time = this.room.clock.timeOfDay();
    link.sendSoon(sentFor(order.orderId, text, flow.transport, local, time, transactionId, undefined));
  }
}
