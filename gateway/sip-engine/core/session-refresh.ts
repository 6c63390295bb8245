import type { Dialog } from '../dialog/dialog.js';
import { SipMessage } from '../message/message.js';
import { minSessionExpires } from '../message/session-expires.js';
import { ClientTransaction, type ClientUser } from '../transaction/client-transaction.js';
import { routeInDialog } from './addressing.js';
import type { Endings } from './endings.js';
import type { Room } from './room.js';
import { completeRequest } from './sketch.js';

/** What a refresh leads to. */
export interface RefreshEvents {
  /** The peer has agreed. */
  refreshed(dialog: Dialog, response: SipMessage): void;
  /** The peer bears with no interval shorter than this. */
  tooShort(dialog: Dialog, leastS: number): void;
  /** The peer is busy with a request of its own (491): once more, later. */
  later(dialog: Dialog): void;
  /** The peer knows no such call, or nothing of it is left (RFC 4028 §10). */
  dead(dialog: Dialog): void;
}

function add(sketch: SipMessage, name: string, value: string): void {
  sketch.names.push(name.toLowerCase());
  sketch.written.push(name);
  sketch.values.push(value);
}

/** A refresh that the engine sends by itself: UPDATE where the peer takes it, else an INVITE with the description of last time (RFC 4028 §7.4). */
export class SessionRefresh implements ClientUser {
  readonly #nothing = new SipMessage();

  constructor(
    readonly room: Room,
    readonly endings: Endings,
    readonly dialog: Dialog,
    readonly events: RefreshEvents,
  ) {}

  send(intervalS: number): void {
    const { dialog, room } = this;
    const method = dialog.peerTakesUpdate || dialog.localSdp === '' ? 'UPDATE' : 'INVITE';
    const sketch = new SipMessage();
    add(sketch, 'Session-Expires', `${intervalS};refresher=uac`);
    add(sketch, 'Supported', 'timer');
    if (method === 'INVITE') sketch.body = dialog.localSdp;
    const cseq = ++dialog.localCseq;
    room.counters.sessionRefreshes++;
    routeInDialog(room, dialog, (flow, { uri, routes }) => {
      const { local: from, remote: to, callId } = dialog;
      const sent = completeRequest({ method, uri, routes, from, to, callId, cseq }, sketch, flow);
      const transaction = new ClientTransaction(room, sent, flow, this);
      if (method === 'INVITE') dialog.outgoingInvite = transaction;
      transaction.start();
    });
  }

  onResponse(transaction: ClientTransaction, response: SipMessage): void {
    const { dialog } = this;
    const { status } = response;
    if (status < 200 || dialog.state !== 'confirmed') return;
    if (status < 300) {
      if (transaction.ackText !== '') {
        transaction.repeatAck();
        return;
      }
      if (transaction.isInvite) this.endings.acknowledge(dialog, this.#nothing);
      this.events.refreshed(dialog, response);
    } else if (status === 408 || status === 481) this.events.dead(dialog);
    else if (status === 422) this.events.tooShort(dialog, minSessionExpires(response) ?? 0);
    else if (status === 491) this.events.later(dialog);
  }

  onFailed(): void {
    if (this.dialog.state === 'confirmed') this.events.dead(this.dialog);
  }
}
