import t from 'tap';
import { openPeer, QUICK, request, SDP, startRig } from './rig.js';
import { bridge, placeCall } from './two-legs.js';
import { answerTo, headerOf, isRequest, isResponse } from './udp-peer.js';

t.test('when the application is lost, both legs of its call get BYE at once', async (test) => {
  const callee = await openPeer(test);
  const caller = await openPeer(test);
  const rig = await startRig(test, (srf) => bridge(srf, () => callee.port));
  await placeCall(rig, caller, callee);
  await rig.disconnect();
  const byes = await Promise.all([caller.next(isRequest('BYE')), callee.next(isRequest('BYE'))]);
  test.match(headerOf(byes[0], 'Reason'), /application lost/);
  caller.send(answerTo(byes[0], '200 OK'), rig.port);
  callee.send(answerTo(byes[1], '200 OK'), rig.port);
});

t.test('a leg that does not answer its BYE is told again and again, and the other is none the worse', async (test) => {
  const callee = await openPeer(test);
  const caller = await openPeer(test);
  const rig = await startRig(test, (srf) => bridge(srf, () => callee.port), { timers: QUICK });
  await placeCall(rig, caller, callee);
  await rig.disconnect();
  callee.send(answerTo(await callee.next(isRequest('BYE')), '200 OK'), rig.port);
  const first = await caller.next(isRequest('BYE'));
  test.equal(await caller.next(isRequest('BYE')), first, 'the same BYE again');
  test.equal(await caller.next(isRequest('BYE')), first, 'and again');
  test.equal(callee.received.filter(isRequest('BYE')).length, 1);
  caller.send(answerTo(first, '200 OK'), rig.port);
});

t.test(
  'when the application is lost while it rings, the caller is refused and the callee gets CANCEL',
  async (test) => {
    const callee = await openPeer(test);
    const caller = await openPeer(test);
    const rig = await startRig(test, (srf) => bridge(srf, () => callee.port));
    caller.send(request('INVITE', caller, rig.port, { body: SDP }), rig.port);
    const invite = await callee.next(isRequest('INVITE'));
    callee.send(answerTo(invite, '180 Ringing'), rig.port);
    await caller.next(isResponse(180));
    await rig.disconnect();
    await caller.next(isResponse(503, 'INVITE'));
    const cancel = await callee.next(isRequest('CANCEL'));
    test.equal(headerOf(cancel, 'Via'), headerOf(invite, 'Via'), 'the branch of its INVITE');
    callee.send(answerTo(cancel, '200 OK'), rig.port);
    callee.send(answerTo(invite, '487 Request Terminated'), rig.port);
    await callee.next(isRequest('ACK'));
  },
);

t.test('a callee that answers although the application is lost gets ACK and BYE', async (test) => {
  const callee = await openPeer(test);
  const caller = await openPeer(test);
  const rig = await startRig(test, (srf) => bridge(srf, () => callee.port));
  caller.send(request('INVITE', caller, rig.port, { body: SDP }), rig.port);
  const invite = await callee.next(isRequest('INVITE'));
  await rig.disconnect();
  await caller.next(isResponse(503, 'INVITE'));
  callee.send(answerTo(invite, '200 OK', [`Contact: <sip:x@127.0.0.1:${callee.port}>`], 'late', SDP), rig.port);
  await callee.next(isRequest('ACK'));
  callee.send(answerTo(await callee.next(isRequest('BYE')), '200 OK'), rig.port);
});

t.test(
  'when the application is lost before the caller has acknowledged, the caller gets BYE all the same',
  async (test) => {
    const caller = await openPeer(test);
    const rig = await startRig(test, (srf) => {
      srf.invite((req, res) => {
        srf.createUAS(req, res, { localSdp: SDP }).catch(() => undefined);
      });
    });
    caller.send(request('INVITE', caller, rig.port, { body: SDP }), rig.port);
    await caller.next(isResponse(200, 'INVITE'));
    await rig.disconnect();
    caller.send(answerTo(await caller.next(isRequest('BYE')), '200 OK'), rig.port);
  },
);

t.test('the loss of one application leaves the calls of another alone', async (test) => {
  const callee = await openPeer(test);
  const caller = await openPeer(test);
  const rig = await startRig(test, (srf) => bridge(srf, () => callee.port));
  await placeCall(rig, caller, callee);
  const { default: Srf } = await import('drachtio-srf');
  const other = new Srf();
  other.connect({ host: '127.0.0.1', port: rig.engine.client.port, secret: 'a secret of the test' });
  await new Promise<void>((resolve) => other.once('connect', () => resolve()));
  other.disconnect();
  const status = (): number => rig.engine.status().dialogs ?? 0;
  while ((rig.engine.status().applications ?? 0) > 1) await new Promise<void>((resolve) => setImmediate(resolve));
  test.equal(status(), 2, 'both dialogs stand');
  await rig.disconnect();
  for (const peer of [caller, callee]) peer.send(answerTo(await peer.next(isRequest('BYE')), '200 OK'), rig.port);
});

t.test('an engine that closes ends its calls first', async (test) => {
  const callee = await openPeer(test);
  const caller = await openPeer(test);
  const rig = await startRig(test, (srf) => bridge(srf, () => callee.port));
  await placeCall(rig, caller, callee);
  const closed = rig.engine.close();
  for (const peer of [caller, callee]) peer.send(answerTo(await peer.next(isRequest('BYE')), '200 OK'), rig.port);
  await closed;
  test.equal(rig.engine.status().dialogs, 0);
});
