/** Addresses that nobody can be reached at: whoever names one loses a message, and the engine nothing. */
import t from 'tap';
import { openPeer, request, SDP, startRig } from '../rig.js';
import { bridge, placeCall } from '../two-legs.js';
import { answerTo, headerOf, isRequest, isResponse } from '../udp-peer.js';

t.test('an INVITE whose Contact has port 0 is refused: no request of ours could ever reach it', async (t) => {
  const rig = await startRig(t, (srf) => bridge(srf, () => 9));
  const caller = await openPeer(t);
  const hostile = request('INVITE', caller, rig.port, { callId: 'port-0', body: SDP });
  caller.send(hostile.replace(/^Contact: .*$/m, 'Contact: <sip:a@127.0.0.1:0>'), rig.port);
  t.match(await caller.next(isResponse(400)), /^SIP\/2\.0 400 .*Contact/);
});

t.test('a callee that answers with port 0 in its Contact ends its own call and no other', async (t) => {
  const [caller, callee] = await Promise.all([openPeer(t), openPeer(t)]);
  const rig = await startRig(t, (srf) => bridge(srf, () => callee.port));
  caller.send(request('INVITE', caller, rig.port, { callId: 'answer-0', fromTag: 'a', body: SDP }), rig.port);
  const invite = await callee.next(isRequest('INVITE'));
  const contact = ['Contact: <sip:x@127.0.0.1:0>', 'Content-Type: application/sdp'];
  callee.send(answerTo(invite, '200 OK', contact, 'c', SDP), rig.port);
  const up = await caller.next((text) => isResponse(200, 'INVITE')(text) || /^SIP\/2\.0 [3-6]/.test(text));
  const to = headerOf(up, 'To');
  caller.send(request('ACK', caller, rig.port, { callId: 'answer-0', fromTag: 'a', to }), rig.port);
  caller.send(request('BYE', caller, rig.port, { callId: 'answer-0', fromTag: 'a', to, cseq: 2 }), rig.port);
  await caller.next((text) => /^CSeq: 2 BYE/m.test(text) && text.startsWith('SIP/2.0 '));
  t.ok(await placeCall(rig, caller, callee), 'the next call is served');
});

t.test('a re-INVITE that moves its Contact to port 0 is refused, and the call stays where it was', async (t) => {
  const [caller, callee] = await Promise.all([openPeer(t), openPeer(t)]);
  const rig = await startRig(t, (srf) => bridge(srf, () => callee.port));
  const call = await placeCall(rig, caller, callee);
  const fromTag = call.callerDialog.split('from-tag=')[1] ?? '';
  const moved = request('INVITE', caller, rig.port, {
    callId: call.callId,
    fromTag,
    to: call.to,
    cseq: 2,
    body: SDP,
  }).replace(/^Contact: .*$/m, 'Contact: <sip:a@127.0.0.1:0>');
  caller.send(moved, rig.port);
  await caller.next((text) => isResponse(400)(text) && /^CSeq: 2 INVITE/m.test(text));
  t.equal(rig.engine.status().dialogs, 2, 'both legs stand');
});

t.test('a Route of port 0 costs the request that has it, and nothing more', async (t) => {
  const [caller, callee] = await Promise.all([openPeer(t), openPeer(t)]);
  const rig = await startRig(t, (srf) => bridge(srf, () => callee.port));
  const recorded = request('INVITE', caller, rig.port, {
    callId: 'route-0',
    fromTag: 'a',
    body: SDP,
    more: ['Record-Route: <sip:127.0.0.1:0;lr>'],
  });
  caller.send(recorded, rig.port);
  const invite = await callee.next(isRequest('INVITE'));
  const contact = [`Contact: <sip:x@127.0.0.1:${callee.port}>`, 'Content-Type: application/sdp'];
  callee.send(answerTo(invite, '200 OK', contact, 'c', SDP), rig.port);
  const up = await caller.next(isResponse(200, 'INVITE'));
  caller.send(request('ACK', caller, rig.port, { callId: 'route-0', fromTag: 'a', to: headerOf(up, 'To') }), rig.port);
  await callee.next(isRequest('ACK'));
  // The BYE towards the caller would go by that route.
  await rig.disconnect();
  await callee.next(isRequest('BYE'));
  t.ok(rig.engine.status(), 'the engine lives');
});
