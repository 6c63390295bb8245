/** How calls end when a peer does what it should not: challenges without end, forks, crossings, and answers to nothing. */
import t, { type Test } from 'tap';
import { openPeer, QUICK, request, route, SDP, startRig } from '../rig.js';
import { answerTo, headerOf, isRequest, isResponse, strayAnswer } from '../udp-peer.js';
import { nameServer } from './name-server.js';

/** Waits until the engine's status says so; each turn of the loop looks again. */
async function until(is: () => boolean): Promise<void> {
  while (!is()) await new Promise<void>((resolve) => setTimeout(resolve, 5));
}

t.test('an answer to no INVITE leads nobody elsewhere: ACK and BYE go back to where it came from', async (test) => {
  const dns = await nameServer(test, { 'A elsewhere.example': ['127.0.0.1'] });
  const { port, engine } = await startRig(test, (srf) => srf.invite(() => undefined), { dns: [dns.address] });
  const callee = await openPeer(test);
  const victim = await openPeer(test);
  for (const more of [
    [`Contact: <sip:x@127.0.0.1:${victim.port}>`],
    [`Contact: <sip:x@127.0.0.1>`, `Record-Route: <sip:127.0.0.1:${victim.port};lr>`],
    [`Contact: <sip:x@elsewhere.example:${victim.port}>`],
  ]) {
    callee.send(strayAnswer(port, more), port);
    await callee.next(isRequest('ACK'));
    const bye = await callee.next(isRequest('BYE'));
    test.equal(headerOf(bye, 'CSeq'), '8 BYE');
    callee.send(answerTo(bye, '200 OK'), port);
  }
  test.equal(engine.status().strayAnswers, 3);
  test.same(victim.received, [], 'the one who was named hears nothing');
  test.same(dns.asked(), [], 'and no name is looked up');
});

/** A call of the application, answered by a callee whose Contact is its own. */
async function called(test: Test) {
  const rig = await startRig(test, (app) => app.invite(() => undefined), { timers: QUICK });
  const callee = await openPeer(test);
  const calling = rig.srf.createUAC(`sip:x@127.0.0.1:${callee.port}`, { localSdp: SDP });
  const invite = await callee.next(isRequest('INVITE'));
  const contact = [`Contact: <sip:x@127.0.0.1:${callee.port}>`, 'Content-Type: application/sdp'];
  callee.send(answerTo(invite, '200 OK', contact, 'callee', SDP), rig.port);
  const dialog = await calling;
  await callee.next(isRequest('ACK'));
  return { ...rig, callee, dialog, invite };
}

t.test('a BYE of the application that is challenged and never proven leaves no dialog behind', async (test) => {
  const { engine, callee, dialog, port } = await called(test);
  dialog.destroy();
  const bye = await callee.next(isRequest('BYE'));
  callee.send(
    answerTo(bye, '407 Proxy Authentication Required', ['Proxy-Authenticate: Digest realm="x", nonce="y"']),
    port,
  );
  await until(() => engine.status().dialogs === 0);
  test.equal(engine.status().dialogs, 0);
});

t.test('a 2xx without a To tag is acknowledged, and again when it comes again (RFC 2543)', async (test) => {
  const { srf, port } = await startRig(test, (app) => app.invite(() => undefined));
  const callee = await openPeer(test);
  const calling = srf.createUAC(`sip:x@127.0.0.1:${callee.port}`, { localSdp: SDP });
  const invite = await callee.next(isRequest('INVITE'));
  const contact = [`Contact: <sip:x@127.0.0.1:${callee.port}>`, 'Content-Type: application/sdp'];
  const answer = answerTo(invite, '200 OK', contact, 'gone', SDP).replace(';tag=gone', '');
  callee.send(answer, port);
  await callee.next(isRequest('ACK'));
  await calling;
  callee.send(answer, port);
  await callee.next(isRequest('ACK'));
});

t.test('requests without end in one dialog are kept for their repetitions, and not without end', async (test) => {
  const { engine, port } = await startRig(
    test,
    (srf) => {
      srf.invite((req, res) => {
        srf.createUAS(req, res, { localSdp: SDP }).then(
          (dialog) => dialog.on('info', (_req, answer) => answer.send(200)),
          () => undefined,
        );
      });
      route(srf, 'info', (_req, res) => res.send(200));
    },
    { limits: { finishedPerAddress: 50 } },
  );
  const caller = await openPeer(test);
  caller.send(request('INVITE', caller, port, { body: SDP }), port);
  const to = headerOf(await caller.next(isResponse(200, 'INVITE')), 'To');
  caller.send(request('ACK', caller, port, { to }), port);
  for (let cseq = 2; cseq < 402; cseq++) {
    caller.send(request('INFO', caller, port, { to, cseq }), port);
    if (cseq % 50 === 1)
      await caller.next((text) => /^SIP\/2.0 [2-6]/.test(text) && headerOf(text, 'CSeq') === `${cseq} INFO`);
  }
  test.ok((engine.status().serverTransactions ?? 0) <= 60, `${engine.status().serverTransactions} are kept`);
  caller.send(request('BYE', caller, port, { to, cseq: 3_000 }), port);
  await caller.next(isResponse(200, 'BYE'));
});
