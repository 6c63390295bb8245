import type { ClientLink } from '../client/client-link.js';
import { fromNetwork, unsolicited } from '../client/reports.js';
import type { Proof } from '../control/protocol.js';
import { Dialog } from '../dialog/dialog.js';
import { parseCSeq } from '../message/cseq.js';
import { SipMessage } from '../message/message.js';
import { tagOf } from '../message/name-addr.js';
import { reasonPhrase } from '../message/reason.js';
import { ClientTransaction, type ClientUser } from '../transaction/client-transaction.js';
import { hopRequest, type SentRequest } from '../transaction/sent-request.js';
import type { Flow } from '../transport/flow.js';
import { contactUri, recordedRoutes, routeInDialog } from './addressing.js';
import { stopReason } from './call-events.js';
import { type ByeDone, EngineBye } from './engine-bye.js';
import type { IncomingRequest } from './incoming-request.js';
import type { Room } from './room.js';
import { completeRequest, ownResponse } from './sketch.js';

/** So many answers to nothing are worked on at a time: whoever sends more is not a callee. */
const MOST_STRAYS = 50;

const NOTHING = new SipMessage();

const SILENT: ClientUser = { onResponse: () => undefined, onFailed: () => undefined };

function reasoned(why: string, proof?: Proof): SipMessage {
  const sketch = new SipMessage();
  const add = (header: string, value: string): void => {
    sketch.names.push(header.toLowerCase());
    sketch.written.push(header);
    sketch.values.push(value);
  };
  add('Reason', `SIP;cause=200;text="${why}"`);
  if (proof !== undefined) add(proof.header, proof.value);
  return sketch;
}

/** How the engine ends what it holds, without being asked: each leg by itself, whatever becomes of the other. */
export class Endings {
  #strays = 0;

  constructor(readonly room: Room) {}

  /**
   * Ends a dialog in the way that its state asks for: BYE; CANCEL to an INVITE of ours; a refusal of the peer's INVITE. The
   * application, while it is there, is told as of a BYE that the server sent by itself, or as of a CANCEL.
   */
  end(dialog: Dialog, why: string, refusal = 480): void {
    if (dialog.state === 'ending' || dialog.state === 'ended') return;
    this.room.counters.dialogsEndedByEngine++;
    if (dialog.state === 'confirmed') {
      this.bye(dialog, why);
      return;
    }
    dialog.doomed = true;
    if (dialog.role === 'uac') {
      if (dialog.outgoingInvite !== undefined) this.cancel(dialog.outgoingInvite);
      return;
    }
    const invite = dialog.incomingInvite;
    const incoming = invite && this.room.incoming.get(invite.id);
    if (incoming !== undefined) {
      this.refuse(incoming, refusal);
      this.#tellCancelled(incoming);
    }
    this.room.dialogs.remove(dialog);
  }

  /** An application learns as of a CANCEL that its incoming INVITE is no more. */
  #tellCancelled(incoming: IncomingRequest): void {
    const { frame, flow, id } = incoming.transaction;
    const text =
      `CANCEL sip:${flow.listener.hostPort} SIP/2.0\r\n${frame.vias}Max-Forwards: 70\r\nFrom: ${frame.from}\r\n` +
      `To: ${frame.to}\r\nCall-ID: ${frame.callId}\r\nCSeq: ${incoming.cseq} CANCEL\r\nContent-Length: 0\r\n\r\n`;
    const time = this.room.clock.timeOfDay();
    incoming.owner.send(fromNetwork(text, flow.transport, flow, time, id, incoming.dialog?.id ?? ''));
  }

  /** Refuses, in the application's place, a request that it has not answered. */
  refuse(incoming: IncomingRequest, status: number): void {
    const { transaction } = incoming;
    if (!transaction.pending) return;
    incoming.patience?.cancel();
    const text = ownResponse(status, reasonPhrase(status), transaction.frame, transaction.localTag);
    transaction.respond(status, text);
    incoming.request = undefined;
    incoming.onRefused?.();
    if (incoming.initial && transaction.isInvite) {
      this.room.calls.stop('network', status === 487 ? 'call-canceled' : 'call-rejected', text);
    }
    if (incoming.initial && incoming.dialog !== undefined) this.room.dialogs.remove(incoming.dialog);
  }

  /** Sends CANCEL, as soon as that may be done; `onStatus` is told the final answer to the CANCEL itself. */
  cancel(invite: ClientTransaction, onStatus?: (status: number) => void): void {
    if (!invite.pending) return;
    const sent: SentRequest = {
      ...invite.sent,
      method: 'CANCEL',
      text: hopRequest(invite.sent, 'CANCEL', invite.sent.to),
    };
    const user: ClientUser =
      onStatus === undefined
        ? SILENT
        : {
            onResponse: (_transaction, response) => response.status >= 200 && onStatus(response.status),
            onFailed: (_transaction, status) => onStatus(status),
          };
    invite.whenCancellable(() => new ClientTransaction(this.room, sent, invite.flow, user).start());
  }

  /** Sends ACK (where one is owed) and BYE, with a proof where one was asked for. */
  bye(dialog: Dialog, why: string, onDone?: ByeDone, proof?: Proof): void {
    const invite = dialog.outgoingInvite;
    if (invite !== undefined && invite.state === 'accepted' && invite.ackText === '') this.acknowledge(dialog, NOTHING);
    dialog.state = 'ending';
    dialog.answer?.stop();
    const cseq = ++dialog.localCseq;
    routeInDialog(this.room, dialog, (flow, route) => {
      const { local: from, remote: to, callId } = dialog;
      const parts = { method: 'BYE', uri: route.uri, routes: route.routes, from, to, callId, cseq };
      const sent = completeRequest(parts, reasoned(why, proof), flow);
      const user = new EngineBye(this, dialog, onDone);
      const bye = new ClientTransaction(this.room, sent, flow, user);
      dialog.engineBye = bye;
      this.room.calls.stop('application', stopReason(why), sent.text);
      bye.start();
      const local = { address: flow.listener.address, port: flow.listener.port };
      const time = this.room.clock.timeOfDay();
      dialog.owner?.send(unsolicited(sent.text, flow.transport, local, time, dialog.id));
    });
  }

  /** Sends the ACK of a 2xx. `told` is given what was sent. */
  acknowledge(dialog: Dialog, sketch: SipMessage, told?: (text: string, flow: Flow) => void): void {
    const invite = dialog.outgoingInvite;
    if (invite === undefined) return;
    routeInDialog(this.room, dialog, (flow, route) => {
      const { local: from, remote: to, callId } = dialog;
      const cseq = invite.sent.cseq;
      const parts = { method: 'ACK', uri: route.uri, routes: route.routes, from, to, callId, cseq };
      const sent = completeRequest(parts, sketch, flow);
      invite.acknowledged(sent.text, flow);
      this.room.transports.send(flow, sent.text);
      told?.(sent.text, flow);
    });
  }

  /**
   * A 2xx that nobody waits for: of another branch of a fork, or of an INVITE that is no more. Whoever sent it believes in a
   * call; it gets its ACK, and a BYE (RFC 3261 §13.2.2.4).
   */
  releaseStray(answer: SipMessage, from: Flow): void {
    this.room.counters.strayAnswers++;
    const cseq = parseCSeq(answer.get('cseq') ?? '');
    const local = answer.get('from') ?? '';
    const remote = answer.get('to') ?? '';
    const remoteTag = tagOf(remote);
    if (cseq === undefined || remoteTag === undefined || this.#strays >= MOST_STRAYS) return;
    const target = contactUri(answer) ?? `sip:${from.address}:${from.port}`;
    const callId = answer.get('call-id') ?? '';
    const dialog = new Dialog('stray', 'uac', callId, tagOf(local) ?? '', {
      local,
      remote,
      remoteTag,
      remoteTarget: target,
      localCseq: cseq.number,
      flow: from,
      owner: undefined,
    });
    dialog.routeSet = recordedRoutes(answer, 'uac');
    dialog.state = 'confirmed';
    dialog.isStray = true;
    routeInDialog(this.room, dialog, (flow, route) => {
      const parts = { method: 'ACK', uri: route.uri, routes: route.routes, from: local, to: remote, callId };
      this.room.transports.send(flow, completeRequest({ ...parts, cseq: cseq.number }, NOTHING, flow).text);
    });
    this.#strays++;
    this.bye(dialog, 'no such call', () => void this.#strays--);
  }

  /** A BYE was challenged: the dialog stands for one with credentials, for as long as a transaction lasts, and then no more. */
  awaitProof(dialog: Dialog): void {
    const forget = { onTimer: () => this.room.dialogs.remove(dialog) };
    this.room.timers.start(64 * this.room.values.t1Ms, forget, 'challenged');
  }

  /** Ends every dialog of every application; says how many. */
  endAll(why: string): number {
    const dialogs = this.room.dialogs.all();
    for (const dialog of dialogs) this.end(dialog, why, 503);
    return dialogs.length;
  }

  /** The application is gone: nothing that it held may live on. Says how many dialogs that were. */
  lost(link: ClientLink): number {
    let count = 0;
    for (const dialog of this.room.dialogs.all()) {
      if (dialog.owner !== link) continue;
      count++;
      dialog.owner = undefined;
      this.end(dialog, 'application lost', 503);
    }
    for (const incoming of [...this.room.incoming.values()]) {
      if (incoming.owner === link) this.refuse(incoming, 503);
    }
    return count;
  }
}
