/** RFC 4028, with intervals of seconds instead of minutes. */
import type Srf from 'drachtio-srf';
import t, { type Test } from 'tap';
import { answerByes, openPeer, request, SDP, startRig, whenDestroyed } from '../rig.js';
import { answerTo, headerOf, isRequest, isResponse, type UdpPeer } from '../udp-peer.js';
import { VirtualClock } from '../virtual-clock.js';

const SHORT = { limits: { minSessionS: 1 } };

interface Answered {
  readonly port: number;
  readonly caller: UdpPeer;
  readonly answer: string;
  readonly to: string;
  /** Why the application's dialog ended, when it does. */
  readonly ended: Promise<string>;
  /** Ends the call from the caller's side. */
  hangUp(): Promise<unknown>;
  status(): Readonly<Record<string, number>>;
}

/** A caller's INVITE with these headers, answered by an application that knows nothing of session timers. */
async function answered(test: Test, more: readonly string[], headers: Record<string, string> = {}): Promise<Answered> {
  let end: (why: string) => void = () => undefined;
  const ended = new Promise<string>((resolve) => {
    end = resolve;
  });
  const rig = await startRig(
    test,
    (srf) => {
      srf.invite((req, res) => {
        srf.createUAS(req, res, { localSdp: SDP, headers }).then(
          (dialog) => whenDestroyed(dialog, end),
          () => undefined,
        );
      });
    },
    SHORT,
  );
  const caller = await openPeer(test);
  answerByes(caller, rig.port);
  caller.send(request('INVITE', caller, rig.port, { body: SDP, more }), rig.port);
  const answer = await caller.next(isResponse(200, 'INVITE'));
  const to = headerOf(answer, 'To');
  caller.send(request('ACK', caller, rig.port, { to }), rig.port);
  const hangUp = (): Promise<unknown> => {
    caller.send(request('BYE', caller, rig.port, { to, cseq: 50 }), rig.port);
    return caller.next(isResponse(200, 'BYE'));
  };
  return { port: rig.port, caller, answer, to, ended, hangUp, status: () => rig.engine.status() };
}

t.test('the peer refreshes, as it offered: when it no longer does, the call ends on both sides', async (test) => {
  const call = await answered(test, ['Supported: timer', 'Session-Expires: 2;refresher=uac']);
  test.equal(headerOf(call.answer, 'Session-Expires'), '2;refresher=uac');
  test.match(headerOf(call.answer, 'Require'), /timer/);
  call.caller.send(
    request('UPDATE', call.caller, call.port, {
      to: call.to,
      cseq: 2,
      more: ['Supported: timer', 'Session-Expires: 2;refresher=uac'],
    }),
    call.port,
  );
  const refreshed = await call.caller.next(isResponse(200, 'UPDATE'));
  test.equal(headerOf(refreshed, 'Session-Expires'), '2;refresher=uac', 'a refresh begins the interval anew');
  const bye = await call.caller.next(isRequest('BYE'));
  test.match(headerOf(bye, 'Reason'), /Session timer expired/);
  test.equal(await call.ended, 'Session timer expired', 'and the application is told why');
  test.equal(call.status().sessionsExpired, 1);
});

t.test('an offer that names no refresher gets us for one: UPDATE where the peer takes it', async (test) => {
  const call = await answered(test, ['Supported: timer', 'Session-Expires: 2', 'Allow: INVITE, ACK, BYE, UPDATE']);
  test.equal(headerOf(call.answer, 'Session-Expires'), '2;refresher=uas');
  for (let round = 0; round < 2; round++) {
    const refresh = await call.caller.next(isRequest('UPDATE'));
    test.equal(headerOf(refresh, 'Session-Expires'), '2;refresher=uac', 'of the refresh we are the client');
    test.equal(headerOf(refresh, 'Content-Length'), '0');
    call.caller.send(answerTo(refresh, '200 OK', ['Session-Expires: 2;refresher=uac']), call.port);
  }
  test.equal(call.status().dialogs, 1);
  await call.hangUp();
});

t.test('a peer without UPDATE is refreshed by INVITE with the same description, which gets its ACK', async (test) => {
  const call = await answered(test, ['Session-Expires: 2']);
  const refresh = await call.caller.next(isRequest('INVITE'));
  test.ok(refresh.endsWith(SDP), 'the description of the answer');
  const contact = [`Contact: <sip:caller@127.0.0.1:${call.caller.port}>`, 'Content-Type: application/sdp'];
  call.caller.send(answerTo(refresh, '200 OK', contact, 'x', SDP), call.port);
  const ack = await call.caller.next(isRequest('ACK'));
  test.equal(headerOf(ack, 'CSeq').split(' ')[0], headerOf(refresh, 'CSeq').split(' ')[0]);
  await call.hangUp();
});

t.test('a refresh that the peer answers 481 ends the call', async (test) => {
  const call = await answered(test, ['Session-Expires: 2', 'Allow: UPDATE']);
  const refresh = await call.caller.next(isRequest('UPDATE'));
  call.caller.send(answerTo(refresh, '481 Call Does Not Exist'), call.port);
  test.match(headerOf(await call.caller.next(isRequest('BYE')), 'Reason'), /refresh failed/);
  test.equal(await call.ended, 'Session refresh failed');
});

t.test('a refresh that is 422 is sent again with the interval that the peer asks for', async (test) => {
  const call = await answered(test, ['Session-Expires: 2', 'Allow: UPDATE']);
  const refresh = await call.caller.next(isRequest('UPDATE'));
  call.caller.send(answerTo(refresh, '422 Session Interval Too Small', ['Min-SE: 1800']), call.port);
  const again = await call.caller.next(isRequest('UPDATE'));
  test.equal(headerOf(again, 'Session-Expires'), '1800;refresher=uac');
  await call.hangUp();
});

t.test('a peer that finds every interval too short is asked for a longer one once, and not for ever', async (test) => {
  const call = await answered(test, ['Session-Expires: 2', 'Allow: UPDATE']);
  for (const leastS of [4, 6]) {
    const refresh = await call.caller.next(isRequest('UPDATE'));
    call.caller.send(answerTo(refresh, '422 Session Interval Too Small', [`Min-SE: ${leastS}`]), call.port);
  }
  await call.hangUp();
  test.equal(call.caller.received.filter(isRequest('UPDATE')).length, 2);
});

t.test('an interval below the least is 422 with Min-SE, for a peer that knows of session timers', async (test) => {
  const { engine, port } = await startRig(test, (srf) => srf.invite((_req, res) => void res.send(486)));
  const caller = await openPeer(test);
  caller.send(request('INVITE', caller, port, { body: SDP, more: ['Supported: timer', 'Session-Expires: 30'] }), port);
  test.equal(headerOf(await caller.next(isResponse(422, 'INVITE')), 'Min-SE'), '90');
  caller.send(request('INVITE', caller, port, { body: SDP, callId: 'other', more: ['Session-Expires: 30'] }), port);
  await caller.next(isResponse(486, 'INVITE'));
  test.equal(engine.status().refusedBySession, 1);
});

t.test("the application's own Session-Expires in the answer is kept, and watched over", async (test) => {
  const call = await answered(test, ['Supported: timer', 'Session-Expires: 90;refresher=uac'], {
    'Session-Expires': '2;refresher=uac',
    Require: 'timer',
  });
  test.equal(headerOf(call.answer, 'Session-Expires'), '2;refresher=uac');
  await call.caller.next(isRequest('BYE'));
});

t.test('as caller: who the answer names refreshes; where it names nobody, or says nothing, we do', async (test) => {
  const { srf, port } = await startRig(test, (app) => app.invite(() => undefined), SHORT);
  const cases = [
    [['Session-Expires: 2;refresher=uac', 'Allow: UPDATE'], true],
    [['Session-Expires: 2', 'Allow: UPDATE'], true],
    [['Allow: UPDATE'], true],
    [['Session-Expires: 2;refresher=uas', 'Allow: UPDATE'], false],
  ] as const;
  const refreshed = async ([given, byUs]: (typeof cases)[number]): Promise<void> => {
    const callee = await openPeer(test);
    answerByes(callee, port);
    const headers = { 'Session-Expires': '2', Supported: 'timer' };
    const calling = srf.createUAC(`sip:x@127.0.0.1:${callee.port}`, { localSdp: SDP, headers });
    const invite = await callee.next(isRequest('INVITE'));
    const more = [`Contact: <sip:x@127.0.0.1:${callee.port}>`, 'Content-Type: application/sdp', ...given];
    callee.send(answerTo(invite, '200 OK', more, 'callee', SDP), port);
    await calling;
    const next = await callee.next((text) => isRequest('UPDATE')(text) || isRequest('BYE')(text));
    test.equal(
      isRequest('UPDATE')(next),
      byUs,
      `${given[0]}: ${byUs ? 'we refresh' : 'the peer does not, and the call ends'}`,
    );
    if (!byUs) return;
    callee.send(answerTo(next, '481 Gone'), port);
    await callee.next(isRequest('BYE'));
  };
  await Promise.all(cases.map(refreshed));
});

t.test(
  'an application that refreshes by itself, to answer challenges, has what it agrees on kept by the engine',
  async (test) => {
    const { srf, port } = await startRig(test, (app) => app.invite(() => undefined), SHORT);
    const callee = await openPeer(test);
    answerByes(callee, port);
    const headers = { 'Session-Expires': '2', Supported: 'timer' };
    const calling = srf.createUAC(`sip:x@127.0.0.1:${callee.port}`, { localSdp: SDP, headers });
    const more = [`Contact: <sip:x@127.0.0.1:${callee.port}>`, 'Content-Type: application/sdp'];
    const agreed = ['Session-Expires: 2;refresher=uac', 'Allow: UPDATE'];
    callee.send(answerTo(await callee.next(isRequest('INVITE')), '200 OK', [...more, ...agreed], 'callee', SDP), port);
    const dialog = (await calling) as unknown as { request(options: object): Promise<{ status: number }> };
    const update = { method: 'UPDATE', headers: { 'Session-Expires': '2;refresher=uac', Supported: 'timer' } };
    const refused = dialog.request(update);
    const challenge = ['WWW-Authenticate: Digest realm="trunk", nonce="abc"'];
    callee.send(answerTo(await callee.next(isRequest('UPDATE')), '401 Unauthorized', challenge), port);
    test.equal((await refused).status, 401, 'the challenge is the application’s to answer');
    const believed = dialog.request({
      ...update,
      headers: { ...update.headers, Authorization: 'Digest username="me"' },
    });
    const proven = await callee.next((text) => isRequest('UPDATE')(text) && headerOf(text, 'Authorization') !== '');
    callee.send(answerTo(proven, '200 OK', ['Session-Expires: 3;refresher=uac']), port);
    test.equal((await believed).status, 200);
    const ours = await callee.next(isRequest('UPDATE'));
    test.equal(headerOf(ours, 'Session-Expires'), '3;refresher=uac', 'half of the new interval later, and not before');
    callee.send(answerTo(ours, '481 Gone'), port);
    await callee.next(isRequest('BYE'));
  },
);

/** A refresh of ours meets a request of the peer's: it goes again within these bounds, and not before. */
async function goesAgain(
  test: Test,
  clock: VirtualClock,
  peer: UdpPeer,
  port: number,
  [leastMs, mostMs]: readonly [number, number],
): Promise<void> {
  const refreshes = (): number =>
    new Set(peer.received.filter(isRequest('UPDATE')).map((text) => headerOf(text, 'CSeq'))).size;
  const heard = async (): Promise<void> => {
    peer.send(request('OPTIONS', peer, port), port);
    await peer.next((text) => headerOf(text, 'CSeq').endsWith(' OPTIONS'));
  };
  await heard();
  for (let round = 1; round <= 3; round++) {
    clock.advance(45_000);
    peer.send(answerTo(await peer.next(isRequest('UPDATE')), '491 Request Pending'), port);
    await heard();
    if (leastMs > 0) clock.advance(leastMs);
    await heard();
    const early = refreshes();
    clock.advance(mostMs - leastMs);
    const again = await peer.next(isRequest('UPDATE'));
    if (leastMs > 0) test.equal(early, 2 * round - 1, `not before ${leastMs} ms`);
    peer.send(answerTo(again, '200 OK', ['Session-Expires: 90;refresher=uac']), port);
    await heard();
  }
  clock.advance(60_001);
  await peer.next(isRequest('BYE'));
}

const answering = (srf: Srf): void => {
  srf.invite((req, res) => void srf.createUAS(req, res, { localSdp: SDP }).catch(() => undefined));
};

t.test('a refresh that met one of the peer’s (491) goes again: within 2 s as callee', async (test) => {
  const clock = new VirtualClock();
  const { port } = await startRig(test, answering, {}, { clock });
  const caller = await openPeer(test);
  answerByes(caller, port);
  caller.send(request('INVITE', caller, port, { body: SDP, more: ['Session-Expires: 90', 'Allow: UPDATE'] }), port);
  const to = headerOf(await caller.next(isResponse(200, 'INVITE')), 'To');
  caller.send(request('ACK', caller, port, { to }), port);
  await goesAgain(test, clock, caller, port, [0, 2_000]);
});

t.test('… and after 2.1 s to 4 s as caller, so that the two do not meet again (RFC 3261 §14.1)', async (test) => {
  const clock = new VirtualClock();
  const { srf, port } = await startRig(test, (app) => app.invite(() => undefined), {}, { clock });
  const callee = await openPeer(test);
  answerByes(callee, port);
  const headers = { 'Session-Expires': '90', Supported: 'timer' };
  const calling = srf.createUAC(`sip:x@127.0.0.1:${callee.port}`, { localSdp: SDP, headers });
  const more = [`Contact: <sip:x@127.0.0.1:${callee.port}>`, 'Content-Type: application/sdp', 'Allow: UPDATE'];
  callee.send(answerTo(await callee.next(isRequest('INVITE')), '200 OK', more, 'callee', SDP), port);
  await calling;
  await callee.next(isRequest('ACK'));
  await goesAgain(test, clock, callee, port, [2_099, 4_000]);
});
