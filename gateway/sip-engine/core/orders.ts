import { randomUUID } from 'node:crypto';
import type { ProxyOrder, SipOrder } from '../client/client-hub.js';
import type { ClientLink } from '../client/client-link.js';
import { refused, sentFor } from '../client/reports.js';
import { Answer } from '../dialog/answer.js';
import type { Dialog } from '../dialog/dialog.js';
import { Reliable } from '../dialog/reliable.js';
import { parseCSeq } from '../message/cseq.js';
import type { SipMessage } from '../message/message.js';
import { tagOf, withTag } from '../message/name-addr.js';
import { lists } from '../message/option-tags.js';
import { isFault, parseMessage } from '../message/parse.js';
import { ClientTransaction } from '../transaction/client-transaction.js';
import { hopRequest, type SentRequest } from '../transaction/sent-request.js';
import { routeInDialog } from './addressing.js';
import { ApplicationRequest } from './application-request.js';
import { Attempts } from './attempts.js';
import type { Endings } from './endings.js';
import { EngineBye } from './engine-bye.js';
import type { IncomingRequest } from './incoming-request.js';
import type { NewRequests } from './new-requests.js';
import type { Proxying } from './proxying.js';
import type { Room } from './room.js';
import { completeRequest, completeResponse, otherHeadersOf } from './sketch.js';
import { tellSent } from './tell-sent.js';

/** What becomes of a SUBSCRIBE; see the README of this folder. */
const NO_SUBSCRIPTIONS = 'Server error: this server has no subscriptions (SUBSCRIBE dialogs)';

/** Requests whose 2xx may agree on a session timer. */
const REFRESHING = new Set(['INVITE', 'UPDATE']);

/** Whether a response is one that must be acknowledged by PRACK: the application requires it (RFC 3262 §3). */
function isReliable({ transaction, initial }: IncomingRequest, sketch: SipMessage): boolean {
  const { status } = sketch;
  return initial && transaction.isInvite && status > 100 && status < 200 && lists(sketch, 'require', '100rel');
}

/** Carries out what applications order: responses, requests in dialogs, new requests, CANCEL, ACK. */
export class Orders {
  constructor(
    readonly room: Room,
    readonly endings: Endings,
    readonly newRequests: NewRequests,
    readonly proxying: Proxying,
  ) {}

  proxy(link: ClientLink, order: ProxyOrder): void {
    const sketch = parseMessage(order.message, this.room.limits.message);
    if (isFault(sketch)) link.send(refused(order.orderId, `Server error: the message cannot be parsed: ${sketch.why}`));
    else this.proxying.take(link, order, sketch);
  }

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
    else this.newRequests.take(link, order, sketch);
  }

  #respond(link: ClientLink, order: SipOrder, sketch: SipMessage): void {
    const incoming = this.room.incoming.get(order.transactionId);
    if (incoming === undefined || !incoming.transaction.pending) {
      link.send(refused(order.orderId, 'Server error: the transaction has ended or was answered before'));
      return;
    }
    const { transaction, dialog } = incoming;
    const { status } = sketch;
    if (transaction.method === 'SUBSCRIBE' && status >= 200 && status < 300) {
      link.send(refused(order.orderId, NO_SUBSCRIPTIONS));
      this.endings.refuse(incoming, 489);
      return;
    }
    const isAnswer = transaction.isInvite && status >= 200 && status < 300;
    this.#takeTag(incoming, sketch);
    const reliable = dialog !== undefined && isReliable(incoming, sketch);
    const { flow, frame, localTag } = transaction;
    const agrees = dialog !== undefined && status >= 200 && status < 300 && REFRESHING.has(transaction.method);
    let more = agrees ? this.room.sessions.answer(dialog, incoming, sketch) : '';
    const rseq = reliable ? Number(sketch.get('rseq') ?? dialog.reliables.nextRseq()) : 0;
    if (reliable && !sketch.has('rseq')) more += `RSeq: ${rseq}\r\n`;
    const text = completeResponse(sketch, frame, localTag, flow, isAnswer || reliable, more);
    if (reliable) this.#respondReliably(incoming, dialog, rseq, text, status);
    else transaction.respond(status, text);
    if (status >= 200) {
      incoming.patience?.cancel();
      incoming.request = undefined;
    }
    if (dialog !== undefined && transaction.isInvite) this.#answered(incoming, dialog, status, text);
    if (dialog !== undefined && status >= 200 && status < 300) {
      if (incoming.target !== undefined) dialog.remoteTarget = incoming.target;
      if (!incoming.initial && dialog.state !== 'ended') dialog.moveTo(flow);
    }
    const transport = transaction.isInvite ? flow.transport : '';
    const dialogField = dialog === undefined || transaction.method === 'BYE' ? '' : dialog.id;
    const time = this.room.clock.timeOfDay();
    const echo = sentFor(order.orderId, text, transport, flow, time, transaction.id, dialogField);
    // The application makes its dialog of this echo, and must have it before the peer's next word, which may be BYE.
    if (isAnswer) link.send(echo);
    else link.sendSoon(echo);
  }

  /** Repeats a provisional response until its PRACK; without one the INVITE is refused (RFC 3262 §3). */
  #respondReliably(incoming: IncomingRequest, dialog: Dialog, rseq: number, text: string, status: number): void {
    const { transaction } = incoming;
    const { timers, values } = this.room;
    const send = (): void => {
      if (transaction.pending) transaction.respond(status, text);
    };
    dialog.reliables.add(new Reliable(timers, values, rseq, send, () => this.endings.end(dialog, 'no PRACK', 504)));
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
    dialog.reliables.stop();
    if (incoming.initial) {
      if (status >= 300) this.room.calls.stop('application', 'call-rejected', text);
      else this.room.calls.start(dialog, 'application', text);
    }
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
    tellSent(this.room, link, order.orderId, text, invite.flow, invite.id);
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
      const { sent, flow, id } = dialog.engineBye;
      tellSent(this.room, link, order.orderId, sent.text, flow, id);
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
      const attempts = new Attempts(
        this.room,
        new ApplicationRequest(this.room, this.endings, link, dialog, false),
        [flow],
        {
          complete: (way) => completeRequest(parts, sketch, way),
          onBegin: (begun) => {
            if (method === 'BYE') this.room.calls.stop('application', 'normal-release', begun.sent.text);
            if (method === 'INVITE') dialog.outgoingInvite = begun;
            else if (method === 'UPDATE' && sketch.body !== '') dialog.outgoingUpdate = begun;
          },
          wanted: () => link.open && dialog.state !== 'ended',
        },
      );
      if (method === 'INVITE' || method === 'UPDATE') this.room.sessions.asked(dialog, sketch);
      const begun = attempts.start();
      if (begun !== undefined) tellSent(this.room, link, order.orderId, begun.sent.text, begun.flow, begun.id);
    });
  }

  #ack(link: ClientLink, order: SipOrder, sketch: SipMessage, dialog: Dialog | undefined): void {
    if (dialog?.outgoingInvite?.state !== 'accepted') {
      const why = 'Server error: ACK for non-success final response is automatically generated by server';
      link.send(refused(order.orderId, why));
      return;
    }
    this.endings.acknowledge(dialog, sketch, (text, flow) =>
      tellSent(this.room, link, order.orderId, text, flow, randomUUID()),
    );
    if (dialog.withoutContact) this.endings.end(dialog, 'no Contact');
  }
}
