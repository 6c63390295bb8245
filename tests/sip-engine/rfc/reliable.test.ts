/** RFC 3262: provisional responses that are acknowledged; RFC 3311: UPDATE. */
import t from 'tap';
import { dialogById, openPeer, QUICK, request, SDP, startRig } from '../rig.js';
import { bridge, placeCall } from '../two-legs.js';
import { answerTo, headerOf, isRequest, isResponse } from '../udp-peer.js';

const RELIABLE = { headers: { Require: '100rel' }, body: SDP };

t.test(
  'a reliable provisional response is repeated until its PRACK, which the server answers and the application hears of',
  async (test) => {
    let acknowledged: (rack: string) => void = () => undefined;
    const prack = new Promise<string>((resolve) => {
      acknowledged = resolve;
    });
    const { port } = await startRig(
      test,
      (srf) => {
        srf.invite((_req, res) => {
          const told = (req: { get(name: string): string }): void => acknowledged(req.get('RAck'));
          (res.send as (...args: unknown[]) => void).call(res, 183, RELIABLE, undefined, told);
        });
      },
      { timers: QUICK },
    );
    const caller = await openPeer(test);
    caller.send(request('INVITE', caller, port, { body: SDP, more: ['Supported: 100rel'] }), port);
    const first = await caller.next(isResponse(183));
    test.match(headerOf(first, 'RSeq'), /^\d+$/);
    test.match(headerOf(first, 'Contact'), /^<sip:/, 'the PRACK needs a target');
    test.equal(await caller.next(isResponse(183)), first, 'it is repeated');
    const to = headerOf(first, 'To');
    const wrong = request('PRACK', caller, port, { to, cseq: 2, more: ['RAck: 77 1 INVITE'] });
    caller.send(wrong, port);
    await caller.next(isResponse(481, 'PRACK'));
    const right = [`RAck: ${headerOf(first, 'RSeq')} 1 INVITE`];
    caller.send(request('PRACK', caller, port, { to, cseq: 3, more: right }), port);
    await caller.next(isResponse(200, 'PRACK'));
    test.equal(await prack, `${headerOf(first, 'RSeq')} 1 INVITE`);
    const count = caller.received.filter(isResponse(183)).length;
    // Longer than the longest gap of its repetitions by then.
    await caller.next(isResponse(183), 400).catch(() => undefined);
    test.ok(caller.received.filter(isResponse(183)).length <= count + 1, 'and repeated no more');
  },
);

t.test(
  'without a PRACK for 64·T1 the INVITE is refused with 504, and the application learns of its end',
  async (test) => {
    let cancelled: () => void = () => undefined;
    const heard = new Promise<void>((resolve) => {
      cancelled = resolve;
    });
    const { port, engine } = await startRig(
      test,
      (srf) => {
        srf.invite((req, res) => {
          req.on('cancel', () => cancelled());
          res.send(183, RELIABLE);
        });
      },
      { timers: QUICK },
    );
    const caller = await openPeer(test);
    caller.send(request('INVITE', caller, port, { body: SDP, more: ['Supported: 100rel'] }), port);
    await caller.next(isResponse(504, 'INVITE'));
    await heard;
    test.equal(engine.status().dialogs, 0);
  },
);

t.test('the second reliable response waits for the PRACK of the first', async (test) => {
  const { port } = await startRig(test, (srf) => {
    srf.invite((_req, res) => {
      res.send(183, RELIABLE);
      res.send(180, RELIABLE);
    });
  });
  const caller = await openPeer(test);
  caller.send(request('INVITE', caller, port, { body: SDP, more: ['Supported: 100rel'] }), port);
  const first = await caller.next(isResponse(183));
  const to = headerOf(first, 'To');
  const rseq = Number(headerOf(first, 'RSeq'));
  await caller.next(isResponse(183));
  test.notOk(caller.received.some(isResponse(180)));
  caller.send(request('PRACK', caller, port, { to, cseq: 2, more: [`RAck: ${rseq} 1 INVITE`] }), port);
  const second = await caller.next(isResponse(180));
  test.equal(Number(headerOf(second, 'RSeq')), rseq + 1);
});

t.test('as caller: each reliable response gets one PRACK, however often it is repeated', async (test) => {
  const { srf, port } = await startRig(test, (app) => app.invite(() => undefined));
  const callee = await openPeer(test);
  const calling = srf.createUAC(`sip:x@127.0.0.1:${callee.port}`, { localSdp: SDP, headers: { Supported: '100rel' } });
  const invite = await callee.next(isRequest('INVITE'));
  const contact = `Contact: <sip:x@127.0.0.1:${callee.port}>`;
  const ringing = answerTo(invite, '180 Ringing', [contact, 'Require: 100rel', 'RSeq: 41']);
  callee.send(ringing, port);
  const prack = await callee.next(isRequest('PRACK'));
  test.equal(headerOf(prack, 'RAck'), `41 ${headerOf(invite, 'CSeq')}`);
  callee.send(ringing, port);
  callee.send(answerTo(prack, '200 OK'), port);
  callee.send(answerTo(invite, '183 Session Progress', [contact, 'Require: 100rel', 'RSeq: 42']), port);
  const second = await callee.next(isRequest('PRACK'));
  test.equal(headerOf(second, 'RAck'), `42 ${headerOf(invite, 'CSeq')}`);
  callee.send(answerTo(second, '200 OK'), port);
  callee.send(answerTo(invite, '200 OK', [contact, 'Content-Type: application/sdp'], 'callee', SDP), port);
  const dialog = await calling;
  test.equal(callee.received.filter(isRequest('PRACK')).length, 2);
  const ending = dialog.destroy();
  callee.send(answerTo(await callee.next(isRequest('BYE')), '200 OK'), port);
  await ending;
});

t.test('an UPDATE moves the target of the dialog, and two offers that cross are refused', async (test) => {
  const callee = await openPeer(test);
  const caller = await openPeer(test);
  const elsewhere = await openPeer(test);
  const updates: { answer(): void }[] = [];
  let asked: () => void = () => undefined;
  const first = new Promise<void>((resolve) => {
    asked = resolve;
  });
  let legs: {
    uas?: {
      request(opts: object): Promise<unknown>;
      on(event: string, told: (req: unknown, res: { send(status: number): void }) => void): void;
    };
  } = {};
  const rig = await startRig(test, (srf) => {
    srf.invite((req, res) => {
      srf.createB2BUA(req, res, `sip:x@127.0.0.1:${callee.port}`, { localSdpB: req.body }).then(
        (both) => {
          legs = both as unknown as typeof legs;
          legs.uas?.on('update', (_req, updated) => {
            updates.push({ answer: () => updated.send(200) });
            asked();
          });
        },
        () => undefined,
      );
    });
  });
  const call = await placeCall(rig, caller, callee);
  const inDialog = { callId: call.callId, to: call.to, fromTag: /from-tag=(.*)$/.exec(call.callerDialog)?.[1] ?? '' };
  const moved = request('UPDATE', caller, rig.port, { ...inDialog, cseq: 2, body: SDP });
  caller.send(moved.replace(/Contact: .*/, `Contact: <sip:caller@127.0.0.1:${elsewhere.port}>`), rig.port);
  await first;
  caller.send(request('UPDATE', caller, rig.port, { ...inDialog, cseq: 3, body: SDP }), rig.port);
  const crossed = await caller.next(isResponse(500, 'UPDATE'));
  test.match(headerOf(crossed, 'Retry-After'), /^\d/, 'a second offer before the first is answered');
  updates[0]?.answer();
  await caller.next(isResponse(200, 'UPDATE'));
  const ours = legs.uas?.request({ method: 'UPDATE', body: SDP });
  const update = await elsewhere.next(isRequest('UPDATE'));
  test.match(
    update,
    new RegExp(`^UPDATE sip:caller@127.0.0.1:${elsewhere.port} `),
    'our requests go to the new target',
  );
  caller.send(request('UPDATE', caller, rig.port, { ...inDialog, cseq: 4, body: SDP }), rig.port);
  await caller.next(isResponse(491, 'UPDATE'));
  elsewhere.send(answerTo(update, '200 OK'), rig.port);
  await ours;
  await rig.disconnect();
  for (const peer of [elsewhere, callee]) peer.send(answerTo(await peer.next(isRequest('BYE')), '200 OK'), rig.port);
});

t.test('an INVITE of the peer while ours is open is 491, and one while its own is open is 500', async (test) => {
  const callee = await openPeer(test);
  const caller = await openPeer(test);
  const rig = await startRig(test, (srf) => bridge(srf, () => callee.port));
  const call = await placeCall(rig, caller, callee);
  const reinvite = dialogById(rig.srf, call.calleeDialog).modify(SDP);
  reinvite.catch(() => undefined);
  const ours = await callee.next((text) => isRequest('INVITE')(text) && headerOf(text, 'To').includes(';tag='));
  const theirs = request('INVITE', callee, rig.port, {
    callId: headerOf(ours, 'Call-ID'),
    fromTag: /;tag=([^;]+)/.exec(headerOf(ours, 'To'))?.[1] ?? '',
    to: headerOf(ours, 'From'),
    body: SDP,
  });
  callee.send(theirs, rig.port);
  await callee.next(isResponse(491, 'INVITE'));
  callee.send(answerTo(ours, '200 OK', [`Contact: <sip:x@127.0.0.1:${callee.port}>`], 'x', SDP), rig.port);
  await reinvite;
  await rig.disconnect();
  for (const peer of [caller, callee]) peer.send(answerTo(await peer.next(isRequest('BYE')), '200 OK'), rig.port);
});
