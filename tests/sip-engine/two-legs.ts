import type Srf from 'drachtio-srf';
import { type Rig, request, SDP } from './rig.js';
import { answerTo, headerOf, isRequest, isResponse, type UdpPeer } from './udp-peer.js';

/** A call through `createB2BUA` that is up: the dialogs as each peer knows them. */
export interface TwoLegs {
  /** drachtio's id of the caller's dialog, and of the callee's. */
  readonly callerDialog: string;
  readonly calleeDialog: string;
  /** The caller's dialog: its Call-ID, and To with our tag. */
  readonly callId: string;
  readonly to: string;
  /** The INVITE as the callee got it. */
  readonly invite: string;
}

/** Joins every INVITE to the callee. */
export function bridge(
  srf: Srf,
  calleePort: () => number,
  onDialogs: (ids: [string, string]) => void = () => undefined,
  transport: 'udp' | 'tcp' = 'udp',
): void {
  srf.invite((req, res) => {
    const target = `sip:x@127.0.0.1:${calleePort()}${transport === 'udp' ? '' : `;transport=${transport}`}`;
    srf.createB2BUA(req, res, target, { localSdpB: req.body }).then(
      ({ uas, uac }) => {
        const idOf = (dialog: Srf.Dialog): string => (dialog as Srf.Dialog & { readonly id: string }).id;
        onDialogs([idOf(uas), idOf(uac)]);
        const end = (dialog: Srf.Dialog): void => {
          Promise.resolve(dialog.destroy()).catch(() => undefined);
        };
        uas.on('destroy', () => end(uac));
        uac.on('destroy', () => end(uas));
      },
      () => undefined,
    );
  });
}

let calls = 0;

/** Places a call from one peer to another through an application that bridges, up to the ACK of both. */
export async function placeCall(rig: Rig, caller: UdpPeer, callee: UdpPeer): Promise<TwoLegs> {
  const callId = `two-legs-${++calls}`;
  const fromTag = `tag-${calls}`;
  caller.send(request('INVITE', caller, rig.port, { callId, fromTag, body: SDP }), rig.port);
  const invite = await callee.next(isRequest('INVITE'));
  const contact = [`Contact: <sip:x@127.0.0.1:${callee.port}>`, 'Content-Type: application/sdp'];
  callee.send(answerTo(invite, '200 OK', contact, `callee-${calls}`, SDP), rig.port);
  const ofThisCall = (text: string): boolean => headerOf(text, 'Call-ID') === callId;
  const answer = await caller.next((text) => isResponse(200, 'INVITE')(text) && ofThisCall(text));
  const to = headerOf(answer, 'To');
  caller.send(request('ACK', caller, rig.port, { callId, fromTag, to }), rig.port);
  await callee.next(isRequest('ACK'));
  const tag = /;tag=([^;]+)/.exec(headerOf(invite, 'From'))?.[1];
  return {
    callerDialog: `${callId};from-tag=${fromTag}`,
    calleeDialog: `${headerOf(invite, 'Call-ID')};from-tag=${tag}`,
    callId,
    to,
    invite,
  };
}
