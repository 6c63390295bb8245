import type { ClientLink } from '../client/client-link.js';
import { fromNetwork, madeUp } from '../client/reports.js';
import type { Dialog } from '../dialog/dialog.js';
import type { SipMessage } from '../message/message.js';
import { tagOf } from '../message/name-addr.js';
import { printMessage } from '../message/print.js';
import { reasonPhrase } from '../message/reason.js';
import type { ClientTransaction, ClientUser } from '../transaction/client-transaction.js';
import type { Flow } from '../transport/flow.js';
import { contactUri, recordedRoutes } from './addressing.js';
import type { Endings } from './endings.js';
import type { Room } from './room.js';
import { madeUpResponse } from './sketch.js';

/** A request that the application sent: what its answers do to the dialog, and what the application hears of them. */
export class ApplicationRequest implements ClientUser {
  /** The tag of the callee whose 2xx was the first. */
  #answeredBy: string | undefined;
  /** RSeq of the reliable provisional response that was heard last, by the tag of its callee. */
  #heard: Map<string, number> | undefined;

  constructor(
    readonly room: Room,
    readonly endings: Endings,
    readonly link: ClientLink,
    readonly dialog: Dialog | undefined,
    /** It is the INVITE that begins the dialog. */
    readonly initial: boolean,
  ) {}

  onResponse(transaction: ClientTransaction, response: SipMessage, from: Flow): void {
    const { dialog } = this;
    if (dialog !== undefined) {
      if (from.connection !== undefined && dialog.state !== 'ended') dialog.moveTo(from);
      if (transaction.isInvite) {
        if (!this.#inviteAnswer(transaction, dialog, response, from)) return;
      } else if (transaction.sent.method === 'UPDATE' && response.status >= 200 && response.status < 300) {
        this.room.sessions.answered(dialog, response);
      } else if (transaction.sent.method === 'BYE' && response.status >= 200) {
        if (isChallenge(response.status)) this.endings.awaitProof(dialog);
        else this.room.dialogs.remove(dialog);
      }
    }
    if (!this.link.open) return;
    const text = response.clean ? response.raw : printMessage(response);
    const time = this.room.clock.timeOfDay();
    this.link.send(fromNetwork(text, from.transport, from, time, transaction.id, dialog?.id ?? ''));
  }

  onFailed(transaction: ClientTransaction, status: 408 | 503): void {
    const { dialog } = this;
    if (dialog !== undefined && (this.initial || transaction.sent.method === 'BYE')) this.room.dialogs.remove(dialog);
    const text = madeUpResponse(status, reasonPhrase(status), transaction.sent);
    if (dialog !== undefined && this.initial)
      this.room.calls.stop('network', 'system-error-initiated-termination', text);
    if (!this.link.open) return;
    const time = this.room.clock.timeOfDay();
    this.link.send(madeUp(text, transaction.flow.transport, time, transaction.id, dialog?.id ?? ''));
  }

  /** Says whether the application is to hear of it. */
  #inviteAnswer(invite: ClientTransaction, dialog: Dialog, response: SipMessage, from: Flow): boolean {
    const { status } = response;
    if (status >= 300) {
      if (this.initial) {
        this.room.calls.stop('network', status === 487 ? 'call-canceled' : 'call-rejected', response.raw);
        this.room.dialogs.remove(dialog);
      }
      return true;
    }
    const to = response.get('to') ?? '';
    const tag = tagOf(to);
    if (status < 200) {
      if (response.has('rseq') && !this.#isNews(response, tag ?? '')) return false;
      if (this.initial && tag !== undefined && dialog.state === 'early') this.#learn(dialog, response, to, tag);
      return true;
    }
    if (this.#answeredBy !== undefined) {
      // A 2xx again: its ACK was lost. Or a second callee, who must not be left believing in a call.
      if ((tag ?? '') === this.#answeredBy) invite.repeatAck();
      else this.endings.releaseStray(response, from);
      return false;
    }
    if (dialog.state === 'ended') {
      this.endings.releaseStray(response, from);
      return false;
    }
    this.#answeredBy = tag ?? '';
    const { state } = dialog;
    if (this.initial) {
      this.#learn(dialog, response, to, tag ?? '');
      dialog.withoutContact = contactUri(response) === undefined;
      dialog.state = 'confirmed';
      this.room.calls.start(dialog, 'network', response.raw);
    } else {
      const target = contactUri(response);
      if (target !== undefined) dialog.remoteTarget = target;
    }
    if (!dialog.doomed && state !== 'ending') this.room.sessions.answered(dialog, response);
    if (dialog.doomed || dialog.owner === undefined) {
      this.endings.bye(dialog, dialog.doomed ? 'ended before the answer' : 'application lost');
      return false;
    }
    return true;
  }

  /** A reliable provisional response is heard once, and in order; its repetitions are the PRACK's business (RFC 3262 §4). */
  #isNews(response: SipMessage, tag: string): boolean {
    const rseq = Number(response.get('rseq'));
    this.#heard ??= new Map();
    const last = this.#heard.get(tag);
    if (!Number.isInteger(rseq) || (last !== undefined && rseq !== last + 1)) return false;
    this.#heard.set(tag, rseq);
    return true;
  }

  #learn(dialog: Dialog, response: SipMessage, to: string, tag: string): void {
    dialog.remoteTag = tag;
    dialog.remote = to;
    dialog.routeSet = recordedRoutes(response, 'uac');
    const target = contactUri(response);
    if (target !== undefined) dialog.remoteTarget = target;
  }
}

/** Every other final answer to a BYE ends the dialog; a challenge is answered by another BYE. */
function isChallenge(status: number): boolean {
  return status === 401 || status === 407;
}
