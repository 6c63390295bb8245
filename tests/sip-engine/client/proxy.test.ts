/** proxyRequest of unmodified drachtio-srf: the engine as a proxy that does not stay in the path (RFC 3261 §16). */
import t from 'tap';
import { openPeer, request, SDP, startRig } from '../rig.js';
import { answerTo, headerOf, isRequest, isResponse } from '../udp-peer.js';

const nobody = (): undefined => undefined;

t.test('proxyRequest tries one destination after the other, and the caller gets the best answer', async (test) => {
  const [caller, busy, free] = await Promise.all([openPeer(test), openPeer(test), openPeer(test)]);
  let results: ((results: { connected: boolean; responses: { msgs: { status: number }[] }[] }) => void) | undefined;
  const finished = new Promise<{ connected: boolean; responses: { msgs: { status: number }[] }[] }>((resolve) => {
    results = resolve;
  });
  const { port } = await startRig(test, (srf) =>
    srf.invite((req) => {
      const proxy = srf as unknown as { proxyRequest(req: unknown, to: string[], opts: object): Promise<never> };
      const to = [busy, free].map((peer) => `sip:x@127.0.0.1:${peer.port}`);
      proxy.proxyRequest(req, to, { headers: { 'X-Proxied': 'yes' } }).then((done) => results?.(done), nobody);
    }),
  );
  caller.send(request('INVITE', caller, port, { body: SDP, more: ['Subject: kept'] }), port);
  const first = await busy.next(isRequest('INVITE'));
  test.match(first, new RegExp(`^INVITE sip:x@127.0.0.1:${busy.port} `));
  test.equal(headerOf(first, 'Max-Forwards'), '69');
  test.equal(headerOf(first, 'X-Proxied'), 'yes');
  test.equal(headerOf(first, 'Subject'), 'kept');
  test.equal([...first.matchAll(/\r\nVia: /g)].length, 2, "ours and the caller's");
  test.notMatch(first, /Record-Route/);
  busy.send(answerTo(first, '486 Busy Here'), port);
  await busy.next(isRequest('ACK'));
  const second = await free.next(isRequest('INVITE'));
  free.send(answerTo(second, '180 Ringing'), port);
  const ringing = await caller.next(isResponse(180));
  test.equal([...ringing.matchAll(/\r\nVia: /g)].length, 1);
  free.send(answerTo(second, '200 OK', [`Contact: <sip:x@127.0.0.1:${free.port}>`], 'free', SDP), port);
  const answer = await caller.next(isResponse(200, 'INVITE'));
  test.equal(headerOf(answer, 'Contact'), `<sip:x@127.0.0.1:${free.port}>`, 'what follows goes past the proxy');
  const { connected, responses } = await finished;
  test.ok(connected);
  test.same(
    responses.flatMap((one) => one.msgs.map((msg) => msg.status)),
    [486, 180, 200],
  );
});

t.test('proxyRequest to all at once: the first answer wins, and the others are cancelled', async (test) => {
  const [caller, slow, quick] = await Promise.all([openPeer(test), openPeer(test), openPeer(test)]);
  const { port } = await startRig(test, (srf) =>
    srf.invite((req) => {
      const proxy = srf as unknown as { proxyRequest(req: unknown, to: string[], opts: object): Promise<never> };
      const to = [slow, quick].map((peer) => `sip:x@127.0.0.1:${peer.port}`);
      proxy.proxyRequest(req, to, { forking: 'simultaneous' }).catch(nobody);
    }),
  );
  caller.send(request('INVITE', caller, port, { body: SDP }), port);
  const [one, two] = await Promise.all([slow.next(isRequest('INVITE')), quick.next(isRequest('INVITE'))]);
  slow.send(answerTo(one, '180 Ringing'), port);
  await caller.next(isResponse(180));
  quick.send(answerTo(two, '200 OK', [`Contact: <sip:x@127.0.0.1:${quick.port}>`], 'quick', SDP), port);
  await caller.next(isResponse(200, 'INVITE'));
  const cancel = await slow.next(isRequest('CANCEL'));
  slow.send(answerTo(cancel, '200 OK'), port);
  slow.send(answerTo(one, '487 Request Terminated'), port);
  await slow.next(isRequest('ACK'));
});

t.test('a proxied INVITE is cancelled with its caller, and with the application', async (test) => {
  for (const end of ['caller', 'application'] as const) {
    const [caller, callee] = await Promise.all([openPeer(test), openPeer(test)]);
    const rig = await startRig(test, (srf) =>
      srf.invite((req) => {
        const proxy = srf as unknown as { proxyRequest(req: unknown, to: string): Promise<never> };
        proxy.proxyRequest(req, `sip:x@127.0.0.1:${callee.port}`).catch(nobody);
      }),
    );
    const invite = { branch: `z9hG4bKproxied-${end}`, body: SDP };
    caller.send(request('INVITE', caller, rig.port, invite), rig.port);
    const got = await callee.next(isRequest('INVITE'));
    callee.send(answerTo(got, '180 Ringing'), rig.port);
    await caller.next(isResponse(180));
    if (end === 'caller') caller.send(request('CANCEL', caller, rig.port, { branch: invite.branch }), rig.port);
    else await rig.disconnect();
    await caller.next(isResponse(end === 'caller' ? 487 : 503, 'INVITE'));
    const cancel = await callee.next(isRequest('CANCEL'));
    callee.send(answerTo(cancel, '200 OK'), rig.port);
    callee.send(answerTo(got, '487 Request Terminated'), rig.port);
    await callee.next(isRequest('ACK'));
  }
});
