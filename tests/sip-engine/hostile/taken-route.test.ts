/** Whoever has read the tags of a call can write requests in it. The way to the peer is not theirs to move. */
import t, { type Test } from 'tap';
import { openPeer, request, startRig } from '../rig.js';
import { connectPeer } from '../stream-peer.js';
import { placeCall } from '../two-legs.js';
import { headerOf, isRequest, isResponse } from '../udp-peer.js';

/** A call from a UDP peer that is up, and an INFO in it from another host over TCP, which the application answers so. */
async function stranger(t: Test, verdict: number) {
  const [caller, callee] = await Promise.all([openPeer(t), openPeer(t)]);
  const rig = await startRig(t, (srf) => {
    srf.invite((req, res) => {
      srf.createB2BUA(req, res, `sip:x@127.0.0.1:${callee.port}`, { localSdpB: req.body }).then(
        ({ uas }) => uas.on('info', (_info, answer) => answer.send(verdict)),
        () => undefined,
      );
    });
  });
  const call = await placeCall(rig, caller, callee);
  const other = await connectPeer(t, rig.port, '127.0.9.9');
  const fromTag = call.callerDialog.split('from-tag=')[1] ?? '';
  const info = request('INFO', other, rig.port, { callId: call.callId, fromTag, to: call.to, cseq: 2 });
  other.send(info.replaceAll('SIP/2.0/UDP', 'SIP/2.0/TCP'));
  await other.next(isResponse(verdict));
  return { rig, caller, other, call };
}

t.test('a stranger whose request is refused does not get the BYE: the peer does', async (t) => {
  const { rig, caller, other, call } = await stranger(t, 403);
  await rig.disconnect();
  const bye = await caller.next(isRequest('BYE'));
  t.equal(headerOf(bye, 'Call-ID'), call.callId);
  t.notOk(other.received.some(isRequest('BYE')));
});

t.test('a peer whose request from another host is accepted is reached there from then on', async (t) => {
  const { rig, other, call } = await stranger(t, 200);
  await rig.disconnect();
  t.equal(headerOf(await other.next(isRequest('BYE')), 'Call-ID'), call.callId);
});
