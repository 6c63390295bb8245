import { checkMandatory } from '../message/check.js';
import { parseCSeq } from '../message/cseq.js';
import type { SipMessage } from '../message/message.js';
import { parseVia, topViaEnd } from '../message/via.js';
import { clientKey } from '../transaction/client-transaction.js';
import type { Flow } from '../transport/flow.js';
import type { Endings } from './endings.js';
import type { Room } from './room.js';

/** Takes a response from the network to its transaction (RFC 3261 §17.1.3, §18.1.2). */
export function takeResponse(room: Room, endings: Endings, response: SipMessage, flow: Flow): void {
  const top = response.get('via') ?? '';
  const via = parseVia(top);
  const cseq = parseCSeq(response.get('cseq') ?? '');
  const { listener } = flow;
  const ours = via?.host === listener.address && (via.port ?? 5060) === listener.port;
  if (via?.branch === undefined || cseq === undefined || !ours || checkMandatory(response) !== undefined) {
    room.counters.parseErrors++;
    return;
  }
  const transaction = room.clientTransactions.get(clientKey(via.branch, cseq.method));
  // A response with more Vias than ours was meant for somebody else (§8.1.3.3), unless the request was.
  const single = topViaEnd(top) === top.length && response.count('via') === 1;
  if (!single && transaction?.user.forwards !== true) {
    room.counters.parseErrors++;
    return;
  }
  room.transports.heard(flow);
  if (transaction !== undefined) {
    transaction.receive(response, flow);
    return;
  }
  if (cseq.method === 'INVITE' && response.status >= 200 && response.status < 300) {
    endings.releaseStray(response, flow);
  }
}
