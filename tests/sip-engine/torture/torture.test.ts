/**
 * The torture tests of RFC 4475 and RFC 5118, on a running engine with a real application: what must be refused is refused
 * with the status that the RFC gives, what is valid reaches the application, what is for nobody is told to nobody.
 */
import t, { type Test } from 'tap';
import { openPeer, request, route, SDP, startRig } from '../rig.js';
import { answerTo, headerOf, isRequest, isResponse } from '../udp-peer.js';
import { INVALID, SEMANTICS } from './rfc4475-invalid.js';
import { VALID } from './rfc4475-valid.js';
import { IPV6 } from './rfc5118.js';
import type { TortureMessage } from './torture-message.js';

/** An application that handles everything, and keeps what it was told of. */
async function listener(test: Test) {
  const seen: string[] = [];
  const rig = await startRig(test, (srf) => {
    srf.use((req, res, next) => {
      // What the rig itself sends to see that the routes are known.
      if (req.get('Call-ID').startsWith('known-')) return next();
      seen.push(`${req.method} ${req.get('Call-ID')}`);
      res.send(req.method === 'INVITE' ? 486 : 200);
    });
    for (const verb of ['register', 'message', 'invite', 'subscribe', 'publish', 'notify', 'refer', 'info']) {
      route(srf, verb, () => undefined);
    }
    route(srf, 'options', (_req, res) => res.send(200));
  });
  return { ...rig, seen };
}

function tortured(name: string, messages: readonly TortureMessage[]): void {
  t.test(name, async (test) => {
    const rig = await listener(test);
    for (const { clause, about, text, verdict } of messages) {
      const peer = await openPeer(test);
      const from = rig.seen.length;
      peer.send(text, rig.port);
      if (verdict === 'discarded') {
        peer.send(request('OPTIONS', peer, rig.port, { callId: `behind ${clause}`.replaceAll(' ', '-') }), rig.port);
        await peer.next(isResponse(200, 'OPTIONS'));
        test.equal(peer.received.length, 1, `${clause}: ${about}: nobody is told`);
      } else if ('refused' in verdict) {
        const answer = await peer.next((got) => got.startsWith('SIP/2.0') && !got.startsWith('SIP/2.0 100'));
        test.match(answer, new RegExp(`^SIP/2.0 ${verdict.refused} `), `${clause}: ${about}: ${verdict.refused}`);
        test.equal(rig.seen.length, from, `${clause}: the application hears nothing of it`);
      } else {
        const answer = await peer.next((got) => /^SIP\/2.0 [2-6]/.test(got));
        test.match(answer, /^SIP\/2.0 (200|486) /, `${clause}: ${about}: it is answered by the application`);
        test.equal(rig.seen[from]?.split(' ', 1)[0], verdict.reaches, `${clause}: the application sees its method`);
        test.equal(rig.seen.length, from + 1, `${clause}: and sees it once`);
      }
    }
  });
}

tortured('RFC 4475 §3.1.1: valid messages reach the application, however strange', VALID);
tortured('RFC 4475 §3.1.2: invalid messages are refused or discarded', INVALID);
tortured('RFC 4475 §3.2 to §3.4: messages that are not to be taken at their word', SEMANTICS);
tortured('RFC 5118: addresses of version 6', IPV6);

t.test('RFC 4475 §3.1.1.12 and 13: a reason phrase may be anything, or nothing', async (test) => {
  const { srf, port } = await listener(test);
  const callee = await openPeer(test);
  for (const reason of ['= 2**3 * 5**2 \xd0\xbd\xd0\xbe \xd1\x81\xd1\x82\xd0\xbe', '']) {
    const calling = srf.createUAC(`sip:x@127.0.0.1:${callee.port}`, { localSdp: SDP });
    const invite = await callee.next(isRequest('INVITE'));
    const contact = [`Contact: <sip:x@127.0.0.1:${callee.port}>`];
    callee.send(answerTo(invite, `200 ${reason}`, contact, 'strange', SDP), port);
    const dialog = await calling;
    const ending = dialog.destroy();
    callee.send(answerTo(await callee.next(isRequest('BYE')), '200 OK'), port);
    await ending;
  }
});

t.test('RFC 4475 §3.2.1: two requests whose branch is nothing but the cookie are two transactions', async (test) => {
  const rig = await listener(test);
  const peer = await openPeer(test);
  for (const callId of ['first', 'second']) {
    peer.send(request('OPTIONS', peer, rig.port, { branch: 'z9hG4bK', callId }), rig.port);
    test.equal(headerOf(await peer.next(isResponse(200)), 'Call-ID'), callId);
  }
  test.same(rig.seen, ['OPTIONS first', 'OPTIONS second']);
});

t.test('RFC 4475 §3.3.5: a 420 says which extensions are unknown', async (test) => {
  const { port } = await listener(test);
  const peer = await openPeer(test);
  peer.send(request('OPTIONS', peer, port, { more: ['Require: timer, nothingSupportsThis'] }), port);
  test.equal(headerOf(await peer.next(isResponse(420)), 'Unsupported'), 'nothingSupportsThis');
});

t.test('a header whose name is an escaped one reaches no application under either name', async (test) => {
  let names: string[] = [];
  const { port } = await startRig(test, (srf) =>
    route(srf, 'message', (req, res) => {
      names = Object.keys((req as unknown as { msg: { headers: object } }).msg.headers);
      test.match(req.get('From'), /caller@127/);
      res.send(200);
    }),
  );
  const peer = await openPeer(test);
  const more = [
    'Fr%6Fm: <sip:somebody.else@example.com>;tag=1',
    'P-Asserted-Identit%79: <sip:somebody.else@example.com>',
  ];
  const text = request('MESSAGE', peer, port, { more });
  // In front of the real one, where an application that undoes the escape would find it first.
  peer.send(text.replace('From: ', `${more[0]}\r\nFrom: `), port);
  await peer.next(isResponse(200, 'MESSAGE'));
  test.notOk(names.some((name) => name.includes('%') || name.toLowerCase().startsWith('p-asserted')));
});

t.test(
  'a bare carriage return in a header is refused: a reader that takes it for a line end sees another message',
  async (test) => {
    const { port } = await listener(test);
    const peer = await openPeer(test);
    peer.send(request('OPTIONS', peer, port, { more: ['Subject: a\rFrom: <sip:b@c>'] }), port);
    const answer = await peer.next(isResponse(400));
    test.notMatch(answer, /\r(?!\n)/, 'and the answer holds none');
  },
);
