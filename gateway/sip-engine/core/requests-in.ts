import { randomUUID } from 'node:crypto';
import type { ClientLink } from '../client/client-link.js';
import { fromNetwork } from '../client/reports.js';
import { Dialog, dialogId } from '../dialog/dialog.js';
import { checkMandatory } from '../message/check.js';
import { parseCSeq } from '../message/cseq.js';
import type { SipMessage } from '../message/message.js';
import { tagOf, withTag } from '../message/name-addr.js';
import { unknownExtensions } from '../message/option-tags.js';
import { fault as faultOf } from '../message/parse.js';
import { printWithVia } from '../message/print.js';
import { reasonPhrase } from '../message/reason.js';
import { paramOf } from '../message/uri.js';
import { randomToken } from '../token.js';
import { ServerTransaction, serverKey } from '../transaction/server-transaction.js';
import type { QueuedTimer } from '../transaction/timers.js';
import { defaultPort } from '../transport/destination.js';
import type { Flow } from '../transport/flow.js';
import { contactUri, recordedRoutes } from './addressing.js';
import type { Endings } from './endings.js';
import type { IncomingRequest } from './incoming-request.js';
import type { Room } from './room.js';
import { sessionOf } from './sessions.js';
import { ownResponse } from './sketch.js';
import { answerFault, answerStateless, frameOf, type StampedVia, stampedVia } from './stateless.js';

/** Methods that mean nothing outside a dialog, or that name one when they carry a tag (RFC 3261 §12.2.2). */
const OF_DIALOG = new Set(['INVITE', 'BYE', 'UPDATE', 'PRACK', 'INFO', 'REFER', 'NOTIFY', 'SUBSCRIBE']);
const ONLY_IN_DIALOG = new Set(['BYE', 'UPDATE', 'PRACK', 'INFO']);
const KNOWN = new Set([...OF_DIALOG, 'REGISTER', 'OPTIONS', 'MESSAGE', 'PUBLISH', 'ACK', 'CANCEL']);

/** An application that has not answered an INVITE within this has forgotten it, milliseconds. */
const INVITE_PATIENCE_MS = 600_000;

const NO_SESSION = { session: undefined, peerTakesUpdate: false };
const RETRY_LATER = 'Retry-After: 5\r\n';

/** Takes requests from the network: answers what is the server's to answer, tells the application of the rest. */
export class RequestsIn {
  constructor(
    readonly room: Room,
    readonly endings: Endings,
  ) {}

  take(request: SipMessage, flow: Flow): void {
    const fault = checkMandatory(request);
    if (fault !== undefined) {
      answerFault(this.room, flow, fault);
      return;
    }
    const via = stampedVia(request, flow);
    const cseq = parseCSeq(request.get('cseq') ?? '');
    if (via === undefined || cseq === undefined) {
      answerFault(this.room, flow, faultOf('bad-header', 'malformed Via', 400, request));
      return;
    }
    const { method } = request;
    const key = serverKey(request, via.via, method);
    const known = this.room.serverTransactions.get(key);
    if (method === 'ACK') {
      this.#ack(request, flow, via, cseq.number, known);
      return;
    }
    if (known !== undefined) {
      this.room.counters.retransmissionsIn++;
      known.handle('request');
      return;
    }
    const unknown = method === 'CANCEL' ? [] : unknownExtensions(request);
    if (method === 'CANCEL') this.#cancel(request, flow, via, key);
    else if (unknown.length > 0) this.#refuse(request, flow, via, 420, `Unsupported: ${unknown.join(', ')}\r\n`);
    else {
      if (flow.transport !== 'udp' && paramOf(via.via.params, 'alias') !== undefined) this.#lend(flow, via);
      const tooShort = this.room.sessions.refusal(request);
      if (tooShort === undefined) this.#begin(request, flow, via, key, cseq.number);
      else this.#refuse(request, flow, via, 422, tooShort);
    }
  }

  #lend(flow: Flow, { via }: StampedVia): void {
    this.room.transports.connections.alias(flow, via.port ?? defaultPort(flow.transport));
  }

  #ack(request: SipMessage, flow: Flow, via: StampedVia, cseq: number, invite: ServerTransaction | undefined): void {
    // The ACK of a failure belongs to its transaction, and goes no further (RFC 3261 §17.1.1.3).
    if (invite !== undefined && invite.finalStatus >= 300) {
      invite.handle('ack');
      return;
    }
    const toTag = tagOf(request.get('to') ?? '');
    if (toTag === undefined) return;
    const callId = request.get('call-id') ?? '';
    const dialog = this.room.dialogs.ofRequest(callId, tagOf(request.get('from') ?? '') ?? '', toTag);
    const answer = dialog?.answer;
    if (dialog === undefined || answer === undefined || !answer.waiting || answer.cseq !== cseq) return;
    answer.stop();
    dialog.answer = undefined;
    const text = printWithVia(request, via.stamped);
    const time = this.room.clock.timeOfDay();
    dialog.owner?.send(fromNetwork(text, '', flow, time, answer.ackId, dialog.id));
  }

  #cancel(request: SipMessage, flow: Flow, via: StampedVia, key: string): void {
    const invite = this.room.serverTransactions.get(serverKey(request, via.via, 'INVITE'));
    if (invite === undefined) {
      this.#refuse(request, flow, via, 481);
      return;
    }
    this.#answer(this.#transaction(request, flow, via, key, invite.localTag), 200);
    const incoming = this.room.incoming.get(invite.id);
    if (incoming === undefined || !incoming.transaction.pending) return;
    this.endings.refuse(incoming, 487);
    this.#report(incoming.owner, request, via, flow, incoming.transaction.id, incoming.dialog?.id ?? '');
  }

  #begin(request: SipMessage, flow: Flow, via: StampedVia, key: string, cseq: number): void {
    const { method } = request;
    const fromTag = tagOf(request.get('from') ?? '');
    const toTag = tagOf(request.get('to') ?? '');
    const callId = request.get('call-id') ?? '';
    if (toTag !== undefined && fromTag !== undefined) {
      const dialog = this.room.dialogs.ofRequest(callId, fromTag, toTag);
      if (dialog !== undefined) {
        this.#inDialog(request, flow, via, key, cseq, dialog);
        return;
      }
      if (OF_DIALOG.has(method)) {
        this.#refuse(request, flow, via, 481);
        return;
      }
    }
    if (ONLY_IN_DIALOG.has(method)) {
      this.#refuse(request, flow, via, 481);
      return;
    }
    const link = this.room.hub.linkFor(method);
    if (link === undefined) {
      this.room.counters.refusedNoRoute++;
      this.#refuseUnrouted(request, flow, via);
      return;
    }
    if (method === 'INVITE') {
      if (!this.room.admitting()) {
        this.#refuse(request, flow, via, 503, RETRY_LATER);
        return;
      }
      // A tag is what names the dialog (RFC 3261 §8.1.1.3); and one that is there already has come to us twice (§8.2.2.2).
      if (fromTag === undefined) {
        answerFault(this.room, flow, faultOf('bad-header', 'missing From tag', 400, request));
        return;
      }
      if (this.room.dialogs.get(dialogId(callId, fromTag)) !== undefined) {
        this.#refuse(request, flow, via, 482);
        return;
      }
    }
    const admission = this.room.desk.admit(method, flow.address);
    if (admission !== 'admitted') {
      if (admission === 'refused') this.#tell(request, via, 503, RETRY_LATER);
      return;
    }
    const localTag = randomToken();
    const transaction = this.#transaction(request, flow, via, key, localTag);
    transaction.onFinal = () => this.room.desk.finished(transaction);
    const dialog =
      method === 'INVITE' && fromTag !== undefined
        ? this.#newDialog(request, flow, transaction, link, callId, fromTag, cseq)
        : undefined;
    if (dialog !== undefined) this.room.calls.attempt('network', request.raw);
    this.#hand(request, flow, via, transaction, link, dialog, true, cseq);
  }

  #newDialog(
    request: SipMessage,
    flow: Flow,
    transaction: ServerTransaction,
    link: ClientLink,
    callId: string,
    fromTag: string,
    cseq: number,
  ): Dialog {
    const dialog = new Dialog(dialogId(callId, fromTag), 'uas', callId, transaction.localTag, {
      local: withTag(request.get('to') ?? '', transaction.localTag),
      remote: request.get('from') ?? '',
      remoteTag: fromTag,
      remoteTarget: contactUri(request) ?? '',
      localCseq: 1,
      flow,
      owner: link,
    });
    dialog.routeSet = recordedRoutes(request, 'uas');
    dialog.remoteCseq = cseq;
    dialog.incomingInvite = transaction;
    this.room.dialogs.add(dialog);
    return dialog;
  }

  #inDialog(request: SipMessage, flow: Flow, via: StampedVia, key: string, cseq: number, dialog: Dialog): void {
    const { method } = request;
    if (cseq <= dialog.remoteCseq && dialog.remoteCseq > 0) {
      // Out of order (RFC 3261 §12.2.2).
      this.#tell(request, via, 500, 'Retry-After: 1\r\n');
      return;
    }
    dialog.remoteCseq = cseq;
    if (method === 'BYE') {
      this.#bye(request, flow, via, key, cseq, dialog);
      return;
    }
    if (dialog.state === 'ending' || dialog.owner === undefined) {
      this.#tell(request, via, 481);
      return;
    }
    if (method === 'INVITE') {
      // One offer at a time, either way (RFC 3261 §14.2).
      if (dialog.outgoingInvite?.pending) {
        this.#tell(request, via, 491);
        return;
      }
      if (dialog.incomingInvite !== undefined || dialog.answer !== undefined) {
        this.#tell(request, via, 500, 'Retry-After: 1\r\n');
        return;
      }
    }
    // One offer at a time by UPDATE too (RFC 3311 §5.2).
    const offers = method === 'UPDATE' && request.body !== '';
    if (offers && dialog.incomingUpdate?.pending) {
      this.#tell(request, via, 500, 'Retry-After: 1\r\n');
      return;
    }
    if (
      offers &&
      (dialog.outgoingUpdate?.pending || (dialog.state === 'confirmed' && dialog.outgoingInvite?.pending))
    ) {
      this.#tell(request, via, 491);
      return;
    }
    // The same host by another port or connection is the peer; another host is, once the application has agreed to it.
    if (flow.address === dialog.flow.address) dialog.moveTo(flow);
    if (method === 'PRACK') {
      this.#prack(request, flow, via, key, dialog, dialog.owner);
      return;
    }
    const transaction = this.#transaction(request, flow, via, key, dialog.localTag);
    transaction.onFinal = () => this.room.desk.kept(transaction);
    if (offers) dialog.incomingUpdate = transaction;
    if (method === 'INVITE') {
      dialog.incomingInvite = transaction;
      transaction.onEnded = () => {
        if (dialog.incomingInvite === transaction) dialog.incomingInvite = undefined;
      };
    }
    this.#hand(request, flow, via, transaction, dialog.owner, dialog, false, cseq);
  }

  /** The server answers a PRACK itself, and the application learns that its response has been heard (RFC 3262 §3). */
  #prack(request: SipMessage, flow: Flow, via: StampedVia, key: string, dialog: Dialog, owner: ClientLink): void {
    const [rseq, cseq, method] = (request.get('rack') ?? '').trim().split(/\s+/);
    const invite = dialog.incomingInvite && this.room.incoming.get(dialog.incomingInvite.id);
    const isOurs = method === 'INVITE' && Number(cseq) === invite?.cseq;
    if (!isOurs || !dialog.reliables.acknowledged(Number(rseq))) {
      this.#tell(request, via, 481);
      return;
    }
    this.#answer(this.#transaction(request, flow, via, key, dialog.localTag), 200);
    this.#report(owner, request, via, flow, randomUUID(), dialog.id);
  }

  #bye(request: SipMessage, flow: Flow, via: StampedVia, key: string, cseq: number, dialog: Dialog): void {
    const transaction = this.#transaction(request, flow, via, key, dialog.localTag);
    const invite = dialog.incomingInvite && this.room.incoming.get(dialog.incomingInvite.id);
    const wasEarly = dialog.state === 'early';
    if (invite !== undefined) this.endings.refuse(invite, 487);
    // Our own BYE may still be on its way: its answer then finds the dialog gone, which is all that it would do.
    const byEngine = dialog.engineBye !== undefined;
    if (!wasEarly && !byEngine) this.room.calls.stop('network', 'normal-release', request.raw);
    this.room.dialogs.remove(dialog);
    if (dialog.owner === undefined || byEngine || wasEarly) {
      this.#answer(transaction, 200);
      if (wasEarly && invite !== undefined) this.#reportAsCancel(invite, request, via, flow);
      return;
    }
    this.#hand(request, flow, via, transaction, dialog.owner, dialog, false, cseq);
  }

  /** A BYE before the answer is a CANCEL by another name, and that is how an application understands it. */
  #reportAsCancel(invite: IncomingRequest, request: SipMessage, via: StampedVia, flow: Flow): void {
    const text = printWithVia(request, via.stamped)
      .replace(/^BYE /, 'CANCEL ')
      .replace(/^(CSeq\s*:\s*\d+\s+)BYE/im, '$1CANCEL');
    const time = this.room.clock.timeOfDay();
    const id = invite.dialog?.id ?? '';
    invite.owner.send(fromNetwork(text, flow.transport, flow, time, invite.transaction.id, id));
  }

  #transaction(request: SipMessage, flow: Flow, via: StampedVia, key: string, tag: string): ServerTransaction {
    const back =
      flow.transport === 'udp' ? via.back : { ...flow, returnPort: via.via.port ?? defaultPort(flow.transport) };
    return new ServerTransaction(this.room, key, request.method, back, frameOf(request, via.lines), tag);
  }

  #answer(transaction: ServerTransaction, status: number, more = ''): void {
    const { frame, localTag } = transaction;
    transaction.respond(status, ownResponse(status, reasonPhrase(status), frame, localTag, more));
  }

  /** Refuses without keeping anything: a repetition gets the same again (RFC 3261 §8.2.7). */
  #refuse(request: SipMessage, flow: Flow, via: StampedVia, status: number, more = ''): void {
    if (this.room.desk.mayAnswer(flow.address)) this.#tell(request, via, status, more);
  }

  #tell(request: SipMessage, via: StampedVia, status: number, more = ''): void {
    answerStateless(this.room, via.back, request, via.lines, status, reasonPhrase(status), more);
  }

  /** Nobody handles the verb; but nobody is left waiting either. */
  #refuseUnrouted(request: SipMessage, flow: Flow, via: StampedVia): void {
    if (!KNOWN.has(request.method)) this.#refuse(request, flow, via, 501);
    else if (!this.room.hub.hasApplication) this.#refuse(request, flow, via, 503, RETRY_LATER);
    else {
      const allow = this.room.hub.routedVerbs().join(', ');
      this.#refuse(request, flow, via, 405, allow === '' ? '' : `Allow: ${allow}\r\n`);
    }
  }

  /** Tells the application of a request, and sees to it that it is answered some day. */
  #hand(
    request: SipMessage,
    flow: Flow,
    via: StampedVia,
    transaction: ServerTransaction,
    owner: ClientLink,
    dialog: Dialog | undefined,
    initial: boolean,
    cseq: number,
  ): void {
    const { method } = request;
    if (method === 'INVITE') {
      transaction.trying(ownResponse(100, reasonPhrase(100), transaction.frame, ''));
    }
    const refreshes = method === 'INVITE' || method === 'UPDATE';
    const incoming: IncomingRequest = {
      transaction,
      request,
      owner,
      dialog,
      initial,
      cseq,
      target: refreshes ? contactUri(request) : undefined,
      ...(refreshes ? sessionOf(request) : NO_SESSION),
      patience: undefined,
    };
    this.room.incoming.set(transaction.id, incoming);
    const before = transaction.onEnded;
    transaction.onEnded = () => {
      this.room.incoming.delete(transaction.id);
      this.room.desk.ended(transaction);
      before?.();
    };
    incoming.patience = this.#watch(incoming);
    this.#report(owner, request, via, flow, transaction.id, initial ? '' : (dialog?.id ?? ''), initial);
  }

  #watch(incoming: IncomingRequest): QueuedTimer {
    const { method } = incoming.transaction;
    const { t1Ms } = this.room.values;
    if (method === 'INVITE') {
      return this.room.timers.start(
        INVITE_PATIENCE_MS,
        { onTimer: () => this.endings.refuse(incoming, 480) },
        'patience',
      );
    }
    // A BYE is obeyed, with or without the application's consent.
    const status = method === 'BYE' ? 200 : 503;
    const ms = method === 'BYE' ? 4 * t1Ms : 32 * t1Ms;
    return this.room.timers.start(ms, { onTimer: () => this.endings.refuse(incoming, status) }, 'patience');
  }

  #report(
    owner: ClientLink,
    request: SipMessage,
    via: StampedVia,
    flow: Flow,
    transactionId: string,
    dialog: string,
    initial = false,
  ): void {
    const text = printWithVia(request, via.stamped);
    const { address, port } = flow.listener;
    const time = this.room.clock.timeOfDay();
    const local = initial ? { address, port } : undefined;
    owner.send(fromNetwork(text, flow.transport, flow, time, transactionId, dialog, local));
  }
}
