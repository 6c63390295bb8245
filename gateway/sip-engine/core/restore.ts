import type { Challenged, LostDialog, Proof } from '../control/protocol.js';
import { Dialog } from '../dialog/dialog.js';
import type { SipMessage } from '../message/message.js';
import { withTag } from '../message/name-addr.js';
import { ClientTransaction, type ClientUser } from '../transaction/client-transaction.js';
import type { SentRequest } from '../transaction/sent-request.js';
import { destinationOf } from '../transport/destination.js';
import { type Flow, viaTransport } from '../transport/flow.js';
import type { Endings } from './endings.js';
import type { Room } from './room.js';

/** Told the peer's final answer, 408 for none, and what it asks for; or why nothing could be sent. */
export type Restored = (result: number | { readonly why: string }, challenged?: Challenged) => void;

/** Pays what an engine before this one owed; a BYE with a proof, where the first one was challenged. */
export function restore(
  room: Room,
  endings: Endings,
  lost: LostDialog,
  proof: Proof | undefined,
  onDone: Restored,
): void {
  const { transport } = lost;
  const listener = room.transports.choose(transport, lost.listener) ?? room.transports.choose(transport, undefined);
  if (listener === undefined) {
    onDone({ why: `no listener speaks ${lost.transport}` });
    return;
  }
  const here = room.dialogs.get(lost.dialogId);
  if (here !== undefined) {
    // This engine holds the dialog itself: then it is ended like any other.
    if (here.state === 'confirmed' || proof !== undefined) endings.bye(here, 'restored', onDone, proof);
    else {
      endings.end(here, 'restored');
      onDone(200);
    }
    return;
  }
  const seen: Flow = { listener, transport, address: lost.address, port: lost.port };
  if (lost.state === 'confirmed') {
    endings.bye(dialogOf(lost, seen), 'gateway restarted', onDone, proof);
    return;
  }
  if (lost.branch === '') {
    onDone({ why: 'an INVITE of the peer that was not answered leaves nothing that could be sent' });
    return;
  }
  const to = destinationOf(lost.routeSet[0]?.replace(/^[^<]*<|>.*$/g, '') ?? lost.remoteTarget);
  if (lost.address !== '' || to === undefined) {
    cancelLost(room, endings, lost, seen, onDone);
    return;
  }
  room.resolve(
    { ...to, transport },
    listener.family,
    () => true,
    ([target]) => {
      if (target === undefined) onDone({ why: `cannot resolve ${to.host}` });
      else cancelLost(room, endings, lost, { listener, ...target }, onDone);
    },
  );
}

/**
 * The journal knows the CSeq of the call's beginning. What refreshed its session since then has counted on, and a BYE below
 * that would be answered 500 (RFC 3261 §12.2.2); a number may be skipped, and no call has so many refreshes.
 */
const REFRESHES = 10_000;

function bracketed(uri: string): string {
  return uri.includes('<') ? uri : `<${uri}>`;
}

function dialogOf(lost: LostDialog, flow: Flow): Dialog {
  const dialog = new Dialog(lost.dialogId, lost.branch === '' ? 'uas' : 'uac', lost.callId, lost.localTag, {
    local: withTag(bracketed(lost.localUri), lost.localTag),
    remote: withTag(bracketed(lost.remoteUri), lost.remoteTag),
    remoteTag: lost.remoteTag,
    remoteTarget: lost.remoteTarget,
    localCseq: lost.cseq + REFRESHES,
    flow,
    owner: undefined,
  });
  dialog.routeSet = lost.routeSet;
  dialog.state = 'confirmed';
  return dialog;
}

/** CANCEL with the branch of the lost INVITE, whose transaction is taken up so that its final answer is dealt with. */
function cancelLost(
  room: Room,
  endings: Endings,
  lost: LostDialog,
  flow: Flow,
  onDone: (result: number) => void,
): void {
  // The Request-URI of the INVITE was its To; the target may be a Contact of a provisional answer by now.
  const uri = lost.remoteUri.replace(/^[^<]*<|>.*$/g, '');
  const invite: SentRequest = {
    method: 'INVITE',
    uri,
    via: `SIP/2.0/${viaTransport(flow)} ${flow.listener.sentBy};rport;branch=${lost.branch}`,
    branch: lost.branch,
    routes: lost.routeSet,
    from: withTag(bracketed(lost.localUri), lost.localTag),
    to: bracketed(uri),
    callId: lost.callId,
    cseq: lost.cseq,
    text: '',
  };
  let told = false;
  const tell = (status: number): void => {
    if (!told) onDone(status);
    told = true;
  };
  const user: ClientUser = {
    onResponse: (_transaction, response: SipMessage, from: Flow) => {
      if (response.status < 200) return;
      // It was answered all the same: then it is a call, and ends as one.
      if (response.status < 300) endings.releaseStray(response, from);
      tell(response.status < 300 || response.status === 487 ? 200 : response.status);
    },
    onFailed: (_transaction, status) => tell(status),
  };
  const transaction = new ClientTransaction(room, invite, flow, user);
  transaction.resume();
  endings.cancel(transaction, (status) => {
    // 481: the callee knows no such INVITE, so there is nothing left to end.
    if (status === 481) tell(481);
  });
}
