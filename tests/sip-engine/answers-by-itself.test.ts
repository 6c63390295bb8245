import type { Socket } from 'node:net';
import t from 'tap';
import { createEngine } from '../../gateway/sip-engine/engine.js';
import { openPeer, QUICK, request, route, SDP, SECRET, startRig } from './rig.js';
import { answerTo, headerOf, isRequest, isResponse, strayAnswer } from './udp-peer.js';

t.test('an INVITE is answered 100 at once, before the application has said anything', async (test) => {
  const { port } = await startRig(test, (srf) => srf.invite(() => undefined));
  const caller = await openPeer(test);
  caller.send(request('INVITE', caller, port, { body: SDP }), port);
  const trying = await caller.next(isResponse(100, 'INVITE'));
  test.notMatch(headerOf(trying, 'To'), /tag=/, 'a 100 has no tag of ours');
});

t.test('a verb that nobody handles is refused at once: 405 with what is handled', async (test) => {
  const { port } = await startRig(test, (srf) => srf.invite(() => undefined));
  const peer = await openPeer(test);
  peer.send(request('MESSAGE', peer, port), port);
  const answer = await peer.next(isResponse(405));
  test.match(headerOf(answer, 'Allow'), /INVITE/);
});

t.test('a Request-URI with letters, digits or white space beyond ASCII is refused: 400', async (test) => {
  const { port } = await startRig(test, (srf) => srf.invite((_req, res) => res.send(486)));
  const peer = await openPeer(test);
  for (const user of ['a\u00a0b', '＋４４２０', 'é', 'x\u3000y']) {
    const text = request('INVITE', peer, port, {
      user: 'USER',
      callId: `uri-${Buffer.from(user).toString('hex')}`,
      body: SDP,
    });
    peer.send(text.replace(/^INVITE sip:USER@/, `INVITE sip:${Buffer.from(user, 'utf8').toString('latin1')}@`), port);
    await peer.next(isResponse(400));
  }
});

t.test('a method that SIP does not have is refused: 501', async (test) => {
  const { port } = await startRig(test, (srf) => srf.invite(() => undefined));
  const peer = await openPeer(test);
  peer.send(request('DANCE', peer, port), port);
  await peer.next(isResponse(501));
});

t.test('while no application is there, requests are refused 503', async (test) => {
  const engine = await createEngine({
    listeners: [{ name: 'cell', address: '127.0.0.1', port: 0, transports: ['udp'] }],
    client: { address: '127.0.0.1', port: 0, secret: SECRET },
  });
  test.teardown(() => engine.close());
  const port = engine.listeners[0]?.port ?? 0;
  const peer = await openPeer(test);
  peer.send(request('INVITE', peer, port, { body: SDP }), port);
  await peer.next(isResponse(503, 'INVITE'));
});

t.test('requests of unknown dialogs, and CANCEL of no INVITE, are 481', async (test) => {
  const { port } = await startRig(test, (srf) => srf.invite(() => undefined));
  const peer = await openPeer(test);
  for (const method of ['BYE', 'INFO', 'UPDATE', 'INVITE', 'REFER']) {
    const to = '<sip:x@127.0.0.1>;tag=nobody';
    peer.send(request(method, peer, port, { to, callId: `unknown-${method}` }), port);
    await peer.next(isResponse(481, method));
  }
  peer.send(request('CANCEL', peer, port, { callId: 'unknown-cancel' }), port);
  await peer.next(isResponse(481, 'CANCEL'));
  peer.send(request('BYE', peer, port, { callId: 'no tag at all' }).replace('no tag at all', 'no-tag'), port);
  await peer.next(isResponse(481, 'BYE'));
});

t.test('CSeq of another method is 400, another version 505, no Contact in an INVITE 400', async (test) => {
  const { port } = await startRig(test, (srf) => srf.invite(() => undefined));
  const peer = await openPeer(test);
  peer.send(request('OPTIONS', peer, port, { cseqMethod: 'INVITE' }), port);
  await peer.next(isResponse(400));
  peer.send(request('OPTIONS', peer, port, { version: 'SIP/3.0' }), port);
  await peer.next(isResponse(505));
  peer.send(request('INVITE', peer, port, { body: SDP }).replace(/Contact: [^\r]*\r\n/, ''), port);
  await peer.next(isResponse(400));
});

t.test('Max-Forwards is a number from 0 to 255, or the request is 400', async (test) => {
  const { port } = await startRig(test, (srf) => route(srf, 'options', (_req, res) => res.send(200)));
  const peer = await openPeer(test);
  for (const [hops, status] of [
    ['0', 200],
    ['255', 200],
    ['256', 400],
    ['300', 400],
    ['-1', 400],
    ['many', 400],
    ['1e1', 400],
  ] as const) {
    peer.send(
      request('OPTIONS', peer, port, { callId: `hops-${hops}` }).replace('Forwards: 70', `Forwards: ${hops}`),
      port,
    );
    await peer.next((text) => isResponse(status)(text) && headerOf(text, 'Call-ID') === `hops-${hops}`);
  }
});

t.test('noise, bare line ends and a message without Via are met with silence', async (test) => {
  const { port, engine } = await startRig(test, (srf) => srf.invite(() => undefined));
  const peer = await openPeer(test);
  for (const noise of [
    '\r\n\r\n',
    '',
    'hello',
    '\0\0\0\0',
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    '#'.repeat(70_000).slice(0, 60_000),
  ]) {
    peer.send(noise, port);
  }
  peer.send(request('OPTIONS', peer, port).replace(/Via: [^\r]*\r\n/, ''), port);
  peer.send(request('MESSAGE', peer, port), port);
  await peer.next(isResponse(405));
  test.equal(peer.received.length, 1, 'the one proper request is the only one that is answered');
  test.ok((engine.status().parseErrors ?? 0) >= 4);
});

t.test('a CANCEL is answered 200, its INVITE 487, and the application hears of it', async (test) => {
  let cancelled: () => void = () => undefined;
  const heard = new Promise<void>((resolve) => {
    cancelled = resolve;
  });
  const { port } = await startRig(test, (srf) =>
    srf.invite((req, res) => {
      req.on('cancel', () => cancelled());
      res.send(180);
    }),
  );
  const caller = await openPeer(test);
  const invite = { branch: 'z9hG4bKcancelled', body: SDP };
  caller.send(request('INVITE', caller, port, invite), port);
  await caller.next(isResponse(180));
  caller.send(request('CANCEL', caller, port, { branch: invite.branch }), port);
  await caller.next(isResponse(200, 'CANCEL'));
  const refused = await caller.next(isResponse(487, 'INVITE'));
  caller.send(request('ACK', caller, port, { branch: invite.branch, to: headerOf(refused, 'To') }), port);
  await heard;
});

t.test('an INVITE whose callee is not there is 503 within milliseconds', async (test) => {
  const { srf } = await startRig(test, (app) => app.invite(() => undefined));
  const nobody = await openPeer(test);
  nobody.socket.close();
  nobody.close = () => undefined;
  const failed = await srf.createUAC(`sip:x@127.0.0.1:${nobody.port}`, { localSdp: SDP }).then(
    () => undefined,
    (error: { status?: number }) => error,
  );
  test.equal(failed?.status, 503);
});

t.test('an INVITE that nobody answers is 408 after 64·T1', async (test) => {
  const { srf } = await startRig(test, (app) => app.invite(() => undefined), { timers: QUICK });
  const mute = await openPeer(test);
  const failed = await srf.createUAC(`sip:x@127.0.0.1:${mute.port}`, { localSdp: SDP }).then(
    () => undefined,
    (error: { status?: number }) => error,
  );
  test.equal(failed?.status, 408);
  // Seven times at T1 doubled each time; the last lies 20 ms before the end, and on a busy machine behind it.
  test.ok([6, 7].includes(mute.received.filter(isRequest('INVITE')).length), 'it was repeated all the while');
});

t.test('a 2xx to an INVITE that is no more gets ACK and BYE: no call lives unwatched', async (test) => {
  const { port } = await startRig(test, (srf) => srf.invite(() => undefined));
  const callee = await openPeer(test);
  callee.send(strayAnswer(port, [`Contact: <sip:callee@127.0.0.1:${callee.port}>`]), port);
  const ack = await callee.next(isRequest('ACK'));
  test.equal(headerOf(ack, 'CSeq'), '7 ACK');
  const bye = await callee.next(isRequest('BYE'));
  test.equal(headerOf(bye, 'CSeq'), '8 BYE');
  test.equal(headerOf(bye, 'To'), '<sip:callee@127.0.0.1>;tag=theirs');
  callee.send(answerTo(bye, '200 OK'), port);
});

t.test('of two callees that answer one INVITE the first has the call and the second is released', async (test) => {
  const { srf, port } = await startRig(test, (app) => app.invite(() => undefined));
  const callee = await openPeer(test);
  const calling = srf.createUAC(`sip:x@127.0.0.1:${callee.port}`, { localSdp: SDP });
  const invite = await callee.next(isRequest('INVITE'));
  const contact = [`Contact: <sip:x@127.0.0.1:${callee.port}>`, 'Content-Type: application/sdp'];
  callee.send(answerTo(invite, '200 OK', contact, 'first', SDP), port);
  const dialog = await calling;
  await callee.next((text) => isRequest('ACK')(text) && headerOf(text, 'To').endsWith('tag=first'));
  callee.send(answerTo(invite, '200 OK', contact, 'second', SDP), port);
  await callee.next((text) => isRequest('ACK')(text) && headerOf(text, 'To').endsWith('tag=second'));
  const bye = await callee.next(isRequest('BYE'));
  test.match(headerOf(bye, 'To'), /tag=second$/);
  callee.send(answerTo(bye, '200 OK'), port);
  callee.send(answerTo(invite, '200 OK', contact, 'first', SDP), port);
  await callee.next((text) => isRequest('ACK')(text) && headerOf(text, 'To').endsWith('tag=first'));
  const ending = dialog.destroy();
  callee.send(answerTo(await callee.next(isRequest('BYE')), '200 OK'), port);
  await ending;
});

t.test('a request beyond the limit of its address is refused, and one from elsewhere is not', async (test) => {
  const { port, engine } = await startRig(test, (srf) => srf.invite(() => undefined), {
    limits: { openPerAddress: 5 },
  });
  const peer = await openPeer(test);
  for (let call = 0; call < 6; call++) {
    peer.send(request('INVITE', peer, port, { callId: `flood-${call}`, fromTag: `f${call}`, body: SDP }), port);
  }
  await peer.next(isResponse(503, 'INVITE'));
  test.equal(engine.status().refusedByLimit, 1);
});

t.test('a BYE that the application never answers is answered 200 in its place', async (test) => {
  let hang: () => void = () => undefined;
  const hung = new Promise<void>((resolve) => {
    hang = resolve;
  });
  const { port } = await startRig(
    test,
    (srf) => {
      srf.invite((req, res) => {
        srf.createUAS(req, res, { localSdp: SDP }).then(
          // A hung application: it reads nothing any more.
          () => {
            (req as unknown as { socket: Socket }).socket.pause();
            hang();
          },
          () => undefined,
        );
      });
    },
    { timers: QUICK },
  );
  const caller = await openPeer(test);
  caller.send(request('INVITE', caller, port, { body: SDP }), port);
  const answer = await caller.next(isResponse(200, 'INVITE'));
  const to = headerOf(answer, 'To');
  await hung;
  caller.send(request('ACK', caller, port, { to }), port);
  caller.send(request('BYE', caller, port, { to, cseq: 2 }), port);
  await caller.next(isResponse(200, 'BYE'));
});
