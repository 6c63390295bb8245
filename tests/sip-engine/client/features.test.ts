/** What drachtio-srf offers, unmodified, on this engine. */
import { type EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import Srf from 'drachtio-srf';
import t, { type Test } from 'tap';
import { FrameReader } from '../../../gateway/sip-engine/client/frame-reader.js';
import { createEngine, type Engine } from '../../../gateway/sip-engine/engine.js';
import { dialogById, openPeer, request, route, SDP, SECRET, sendRequest, startRig, whenDestroyed } from '../rig.js';
import { bridge, placeCall } from '../two-legs.js';
import { answerTo, headerOf, isRequest, isResponse } from '../udp-peer.js';

const nobody = (): undefined => undefined;

type InDialog = { request(options: object): Promise<{ status: number; get(name: string): string }> };
type Heard = { on(event: string, told: (req: Srf.SrfRequest, res: Srf.SrfResponse) => void): void };

async function application(test: Test, engine: Engine, routes: (srf: Srf) => void, tags: string[] = []): Promise<Srf> {
  const srf = new Srf(tags as never);
  srf.on('error', nobody);
  routes(srf);
  const connected = once(srf as unknown as EventEmitter, 'connect');
  srf.connect({ host: '127.0.0.1', port: engine.client.port, secret: SECRET });
  await connected;
  test.teardown(() => {
    if (engine.status().applications) srf.disconnect();
  });
  return srf;
}

async function bareEngine(test: Test, clientPort = 0): Promise<Engine> {
  const engine = await createEngine({
    listeners: [{ name: 'cell', address: '127.0.0.1', port: 0, transports: ['udp', 'tcp'] }],
    client: { address: '127.0.0.1', port: clientPort, secret: SECRET },
  });
  test.teardown(() => engine.close());
  return engine;
}

/** Repeats a request until an application has taken its method. */
async function until(send: () => Promise<string>, isDone: (answer: string) => boolean): Promise<string> {
  for (;;) {
    const answer = await send();
    if (isDone(answer)) return answer;
  }
}

t.test('INFO, NOTIFY, REFER, OPTIONS and MESSAGE go both ways in a dialog, with their answers', async (test) => {
  const [callee, caller] = await Promise.all([openPeer(test), openPeer(test)]);
  const rig = await startRig(test, (srf) => bridge(srf, () => callee.port));
  const call = await placeCall(rig, caller, callee);
  const dialog = dialogById(rig.srf, call.calleeDialog);
  let cseq = Number(headerOf(call.invite, 'CSeq').split(' ')[0]);
  for (const method of ['INFO', 'NOTIFY', 'REFER', 'OPTIONS', 'MESSAGE']) {
    const headers = { 'X-Test': method, ...(method === 'REFER' && { 'Refer-To': '<sip:a@b>' }) };
    const sent = (dialog as unknown as InDialog).request({ method, headers, body: 'text' });
    const got = await callee.next(isRequest(method));
    test.equal(headerOf(got, 'CSeq'), `${++cseq} ${method}`, 'in order');
    test.equal(headerOf(got, 'X-Test'), method);
    callee.send(answerTo(got, '202 Accepted', ['X-Back: yes']), rig.port);
    const answer = await sent;
    test.equal(answer.status, 202);
    test.equal(answer.get('X-Back'), 'yes');
    (dialog as unknown as Heard).on(method.toLowerCase(), (req, res) => {
      test.equal(req.get('X-From'), 'callee');
      res.send(method === 'REFER' ? 603 : 200, { headers: { 'X-Told': method } });
    });
    const theirs = request(method, callee, rig.port, {
      callId: headerOf(got, 'Call-ID'),
      fromTag: /;tag=([^;]+)/.exec(headerOf(got, 'To'))?.[1] ?? '',
      to: headerOf(got, 'From'),
      cseq,
      more: ['X-From: callee', 'Refer-To: <sip:a@b>'],
    });
    callee.send(theirs, rig.port);
    const told = await callee.next((text) => isResponse(method === 'REFER' ? 603 : 200, method)(text));
    test.equal(headerOf(told, 'X-Told'), method);
  }
  await rig.disconnect();
  for (const peer of [caller, callee]) peer.send(answerTo(await peer.next(isRequest('BYE')), '200 OK'), rig.port);
});

t.test('modify: hold and unhold by re-INVITE, from us and from the peer', async (test) => {
  const caller = await openPeer(test);
  let mine: ((dialog: Srf.Dialog) => void) | undefined;
  const answered = new Promise<Srf.Dialog>((resolve) => {
    mine = resolve;
  });
  const local = `${SDP}a=sendrecv\r\n`;
  const { port } = await startRig(test, (srf) =>
    srf.invite(
      (req, res) => void srf.createUAS(req, res, { localSdp: local }).then((dialog) => mine?.(dialog), nobody),
    ),
  );
  caller.send(request('INVITE', caller, port, { body: SDP }), port);
  const to = headerOf(await caller.next(isResponse(200, 'INVITE')), 'To');
  caller.send(request('ACK', caller, port, { to }), port);
  const dialog = await answered;
  const holding = dialog.modify('hold');
  const held = await caller.next(isRequest('INVITE'));
  test.match(held, /a=inactive/);
  caller.send(answerTo(held, '200 OK', [`Contact: <sip:x@127.0.0.1:${caller.port}>`], 'x', SDP), port);
  await holding;
  await caller.next(isRequest('ACK'));
  caller.send(request('INVITE', caller, port, { to, cseq: 2, body: SDP.replace('7000', '7002') }), port);
  await caller.next(isResponse(200, 'INVITE'));
  caller.send(request('ACK', caller, port, { to, cseq: 2 }), port);
  const ended = new Promise<string>((resolve) => whenDestroyed(dialog, resolve));
  caller.send(request('BYE', caller, port, { to, cseq: 3 }), port);
  await caller.next(isResponse(200, 'BYE'));
  await ended;
});

t.test('createB2BUA answers a challenge of the callee, on INVITE and on BYE', async (test) => {
  const [callee, caller] = await Promise.all([openPeer(test), openPeer(test)]);
  let up: ((dialogs: { uac: Srf.Dialog }) => void) | undefined;
  const both = new Promise<{ uac: Srf.Dialog }>((resolve) => {
    up = resolve;
  });
  const { port } = await startRig(test, (srf) =>
    srf.invite((req, res) => {
      const options = { localSdpB: req.body, auth: { username: 'trunk', password: 'secret' } };
      srf.createB2BUA(req, res, `sip:x@127.0.0.1:${callee.port}`, options).then((dialogs) => up?.(dialogs), nobody);
    }),
  );
  caller.send(request('INVITE', caller, port, { body: SDP }), port);
  const challenge = ['Proxy-Authenticate: Digest realm="trunk", nonce="abc", qop="auth"'];
  callee.send(answerTo(await callee.next(isRequest('INVITE')), '407 Proxy Authentication Required', challenge), port);
  await callee.next(isRequest('ACK'));
  const again = await callee.next(isRequest('INVITE'));
  test.match(headerOf(again, 'Proxy-Authorization'), /^Digest username="trunk"/);
  callee.send(answerTo(again, '200 OK', [`Contact: <sip:x@127.0.0.1:${callee.port}>`], 'callee', SDP), port);
  const to = headerOf(await caller.next(isResponse(200, 'INVITE')), 'To');
  caller.send(request('ACK', caller, port, { to }), port);
  const { uac } = await both;
  const ending = Promise.resolve(uac.destroy());
  callee.send(
    answerTo(await callee.next(isRequest('BYE')), '401 Unauthorized', [
      'WWW-Authenticate: Digest realm="trunk", nonce="def"',
    ]),
    port,
  );
  const bye = await callee.next(isRequest('BYE'));
  test.match(headerOf(bye, 'Authorization'), /^Digest username="trunk"/);
  callee.send(answerTo(bye, '200 OK'), port);
  await ending;
});

t.test('an INVITE without an offer is answered with one, and its ACK brings the answer', async (test) => {
  const { srf, port } = await startRig(test, (app) => app.invite(nobody));
  const callee = await openPeer(test);
  const calling = srf.createUAC(`sip:x@127.0.0.1:${callee.port}`, { noAck: true } as never) as unknown as Promise<{
    sdp: string;
    ack(sdp: string): Promise<Srf.Dialog>;
  }>;
  const invite = await callee.next(isRequest('INVITE'));
  test.equal(headerOf(invite, 'Content-Length'), '0');
  callee.send(answerTo(invite, '200 OK', [`Contact: <sip:x@127.0.0.1:${callee.port}>`], 'callee', SDP), port);
  const { sdp, ack } = await calling;
  test.equal(sdp, SDP);
  const dialog = await ack(SDP.replace('7000', '7010'));
  test.match(await callee.next(isRequest('ACK')), /m=audio 7010/);
  const ending = dialog.destroy();
  callee.send(answerTo(await callee.next(isRequest('BYE')), '200 OK'), port);
  await ending;
});

t.test('cdr events tell of attempt, start and stop, of both legs and with their reasons', async (test) => {
  const [callee, caller] = await Promise.all([openPeer(test), openPeer(test)]);
  const told: string[] = [];
  const rig = await startRig(test, (srf) => {
    bridge(srf, () => callee.port);
    const events = srf as unknown as { on(event: string, listener: (...facts: string[]) => void): void };
    events.on('cdr:attempt', (source) => void told.push(`attempt ${source}`));
    events.on('cdr:start', (source, _time, role) => void told.push(`start ${source} ${role}`));
    events.on('cdr:stop', (source, _time, reason) => void told.push(`stop ${source} ${reason}`));
  });
  const call = await placeCall(rig, caller, callee);
  const fromTag = /from-tag=(.*)$/.exec(call.callerDialog)?.[1] ?? '';
  caller.send(request('BYE', caller, rig.port, { callId: call.callId, to: call.to, fromTag, cseq: 2 }), rig.port);
  await caller.next(isResponse(200, 'BYE'));
  callee.send(answerTo(await callee.next(isRequest('BYE')), '200 OK'), rig.port);
  caller.send(request('INVITE', caller, rig.port, { callId: 'refused', fromTag: 'r', body: SDP }), rig.port);
  const invite = await callee.next(isRequest('INVITE'));
  callee.send(answerTo(invite, '486 Busy Here'), rig.port);
  await caller.next(isResponse(486, 'INVITE'));
  // Frames keep their order: when this is answered, all that came before has been told.
  await until(
    async () => {
      caller.send(request('OPTIONS', caller, rig.port, { callId: 'last' }), rig.port);
      return caller.next((text) => headerOf(text, 'Call-ID') === 'last');
    },
    () => told.filter((one) => one.startsWith('stop')).length === 4,
  );
  test.same(told, [
    'attempt network',
    'attempt application',
    'start network uac',
    'start application uas',
    'stop network normal-release',
    'stop application normal-release',
    'attempt network',
    'attempt application',
    'stop network call-rejected',
    'stop application call-rejected',
  ]);
});

t.test('what is left out is refused in so many words', async (test) => {
  const caller = await openPeer(test);
  const why: string[] = [];
  const { srf, port } = await startRig(test, (app) =>
    app.invite((req) => {
      const proxy = app as unknown as { proxyRequest(req: unknown, to: string, opts: object): Promise<never> };
      const note = (reason: unknown): void => void why.push(String(reason));
      proxy.proxyRequest(req, 'sip:x@127.0.0.1:9', { remainInDialog: true }).catch(note);
      proxy.proxyRequest(req, 'sip:x@127.0.0.1:9', { followRedirects: true }).catch((reason) => {
        note(reason);
        (req as unknown as { res: Srf.SrfResponse }).res.send(480);
      });
    }),
  );
  caller.send(request('INVITE', caller, port, { body: SDP }), port);
  await caller.next(isResponse(480, 'INVITE'));
  test.match(why[0], /remainInDialog/);
  test.match(why[1], /followRedirects/);
  const subscribing = srf.createUAC('sip:x@127.0.0.1:9', { method: 'SUBSCRIBE' } as never).then(nobody, String);
  test.match(await subscribing, /no subscriptions/);
});

t.test(
  'an application that would accept a SUBSCRIBE is told that there are no subscriptions, and the peer 489',
  async (test) => {
    let told: (why: string) => void = nobody;
    const why = new Promise<string>((resolve) => {
      told = resolve;
    });
    const { port } = await startRig(test, (srf) =>
      route(srf, 'subscribe', (req, res) => {
        srf.createUAS(req, res, { headers: { Expires: '60' } } as never).then(nobody, (reason) => told(String(reason)));
      }),
    );
    const peer = await openPeer(test);
    peer.send(request('SUBSCRIBE', peer, port, { more: ['Event: presence', 'Expires: 60'] }), port);
    await peer.next(isResponse(489, 'SUBSCRIBE'));
    test.match(await why, /no subscriptions/);
  },
);

t.test('two applications: each gets the methods that it handles, and those of both in turn', async (test) => {
  const engine = await bareEngine(test);
  const port = engine.listeners[0]?.port ?? 0;
  const answering =
    (who: string, ...verbs: string[]) =>
    (srf: Srf) => {
      for (const verb of verbs) route(srf, verb, (_req, res) => void res.send(200, { headers: { 'X-By': who } }));
    };
  const one = await application(test, engine, answering('one', 'options', 'message'), ['blue', 'green']);
  await application(test, engine, answering('two', 'options', 'publish'));
  const peer = await openPeer(test);
  let number = 0;
  const ask = (method: string) => async (): Promise<string> => {
    const callId = `ask-${++number}`;
    peer.send(request(method, peer, port, { callId }), port);
    return peer.next((text) => headerOf(text, 'Call-ID') === callId);
  };
  const taken = (text: string): boolean => text.startsWith('SIP/2.0 200');
  test.equal(headerOf(await until(ask('MESSAGE'), taken), 'X-By'), 'one');
  test.equal(headerOf(await until(ask('PUBLISH'), taken), 'X-By'), 'two');
  const turns = await Promise.resolve([await ask('OPTIONS')(), await ask('OPTIONS')(), await ask('OPTIONS')()]);
  const by = turns.map((text) => headerOf(text, 'X-By'));
  test.equal(new Set(by.slice(0, 2)).size, 2, by.join(', '));
  test.equal(by[2], by[0]);
  (one as unknown as { unregisterForMessages(verb: string): void }).unregisterForMessages('message');
  await until(ask('MESSAGE'), (text) => text.startsWith('SIP/2.0 405'));
});

t.test('an application that reconnects after the engine has come back handles calls again', async (test) => {
  const first = await bareEngine(test);
  const srf = await application(test, first, (app) => route(app, 'options', (_req, res) => res.send(200)));
  const again = once(srf as unknown as EventEmitter, 'connect');
  await first.close();
  const second = await bareEngine(test, first.client.port);
  await again;
  const peer = await openPeer(test);
  const port = second.listeners[0]?.port ?? 0;
  let number = 0;
  await until(
    async () => {
      const callId = `again-${++number}`;
      peer.send(request('OPTIONS', peer, port, { callId }), port);
      return peer.next((text) => headerOf(text, 'Call-ID') === callId);
    },
    (text) => text.startsWith('SIP/2.0 200'),
  );
  srf.disconnect();
});

t.test(
  'on the client port: ping is answered, an unknown command and an order before the secret are refused',
  async (test) => {
    const engine = await bareEngine(test);
    const frames: string[] = [];
    let wake: () => void = nobody;
    const socket = connect(engine.client.port, '127.0.0.1');
    test.teardown(() => socket.destroy());
    const reader = new FrameReader(100_000);
    socket.on('data', (chunk: Buffer) => {
      reader.take(chunk, (payload) => frames.push(payload.slice(37)));
      wake();
    });
    const say = (payload: string): void => void socket.write(`${payload.length}#${payload}`);
    const hear = async (): Promise<string> => {
      while (frames.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return frames.shift() ?? '';
    };
    say(`1|authenticate|${SECRET}|a,b`);
    test.match(await hear(), /^response\|1\|OK\|tcp\/127.0.0.1:\d+,udp\/127.0.0.1:\d+\|0\.9\.\d+\|/);
    say('2|ping');
    test.equal(await hear(), 'response|2|OK');
    say('3|dance');
    test.equal(await hear(), "response|3|NOK|this server does not know 'dance'");
    say('4|sip||nobody;from-tag=x\r\nBYE sip:placeholder SIP/2.0\r\nContent-Length: 0\r\n\r\n');
    test.match(await hear(), /^response\|4\|NOK\|.*unable to find dialog/);
    const stranger = connect(engine.client.port, '127.0.0.1');
    stranger.write('6#1|ping');
    const said = await new Promise<string>((resolve) => {
      let text = '';
      stranger.on('data', (chunk) => {
        text += chunk.toString();
      });
      stranger.on('close', () => resolve(text));
    });
    test.match(said, /NOK\|not authenticated/);
  },
);

t.test('request outside of a dialog: the answer comes back, from REGISTER to PUBLISH', async (test) => {
  const { srf, port } = await startRig(test, (app) => app.invite(nobody));
  const peer = await openPeer(test);
  for (const method of ['REGISTER', 'OPTIONS', 'MESSAGE', 'PUBLISH', 'INFO', 'NOTIFY']) {
    const sent = await sendRequest(srf, `sip:x@127.0.0.1:${peer.port}`, {
      method,
      headers: { From: '<sip:me@localhost>' },
    });
    const answered = once(sent, 'response');
    const got = await peer.next(isRequest(method));
    test.match(headerOf(got, 'From'), new RegExp(`^<sip:me@127.0.0.1:${port}>;tag=`));
    peer.send(answerTo(got, '200 OK'), port);
    test.equal(((await answered) as [{ status: number }])[0].status, 200);
  }
});
