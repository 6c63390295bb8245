/** Where requests go: route sets (RFC 3261 §12.2.1.1, §16.12), names (RFC 3263), large requests (§18.1.1), other schemes, IPv6. */
import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { inOrder } from '../../../gateway/sip-engine/transport/resolver.js';
import { openPeer, request, route, SDP, sendRequest, startRig } from '../rig.js';
import { accepted, connectPeer } from '../stream-peer.js';
import { answerTo, headerOf, isRequest, isResponse, UdpPeer } from '../udp-peer.js';
import { nameServer } from './name-server.js';

const nobody = (): undefined => undefined;
const plain = (test: Test, config: Parameters<typeof startRig>[2] = {}) =>
  startRig(test, (srf) => srf.invite(nobody), config);
const contactOf = (peer: { readonly port: number }): string[] => [
  `Contact: <sip:x@127.0.0.1:${peer.port}>`,
  'Content-Type: application/sdp',
];

async function tcpServer(test: Test, port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
  test.teardown(() => server.close());
  const place = server.address();
  return { server, port: typeof place === 'object' && place !== null ? place.port : 0 };
}

t.test(
  'as caller: Record-Route is the route set, reversed; a loose router gets our target in the Request-URI',
  async (test) => {
    const { srf, port } = await plain(test);
    const [callee, near, far] = await Promise.all([openPeer(test), openPeer(test), openPeer(test)]);
    const calling = srf.createUAC(`sip:x@127.0.0.1:${callee.port}`, { localSdp: SDP });
    const invite = await callee.next(isRequest('INVITE'));
    // One of them in a line with the other, one folded, one in another form of the name.
    const recorded = [`record-route: <sip:127.0.0.1:${far.port};lr>,\r\n  <sip:127.0.0.1:${near.port};lr>`];
    callee.send(answerTo(invite, '200 OK', [...recorded, ...contactOf(callee)], 'callee', SDP), port);
    const dialog = await calling;
    const ack = await near.next(isRequest('ACK'));
    test.match(ack, new RegExp(`^ACK sip:x@127.0.0.1:${callee.port} `));
    test.equal(headerOf(ack, 'Route'), `<sip:127.0.0.1:${near.port};lr>, <sip:127.0.0.1:${far.port};lr>`);
    const ending = dialog.destroy();
    const bye = await near.next(isRequest('BYE'));
    near.send(answerTo(bye, '200 OK'), port);
    await ending;
  },
);

t.test(
  'as caller: a strict router gets its own URI in the Request-URI, and our target at the end of the route',
  async (test) => {
    const { srf, port } = await plain(test);
    const [callee, strict, far] = await Promise.all([openPeer(test), openPeer(test), openPeer(test)]);
    const calling = srf.createUAC(`sip:x@127.0.0.1:${callee.port}`, { localSdp: SDP });
    const invite = await callee.next(isRequest('INVITE'));
    const recorded = [`Record-Route: <sip:127.0.0.1:${far.port};lr>`, `Record-Route: <sip:127.0.0.1:${strict.port}>`];
    callee.send(answerTo(invite, '200 OK', [...recorded, ...contactOf(callee)], 'callee', SDP), port);
    const dialog = await calling;
    const ack = await strict.next(isRequest('ACK'));
    test.match(ack, new RegExp(`^ACK sip:127.0.0.1:${strict.port} `));
    test.equal(headerOf(ack, 'Route'), `<sip:127.0.0.1:${far.port};lr>, <sip:x@127.0.0.1:${callee.port}>`);
    const ending = dialog.destroy();
    strict.send(answerTo(await strict.next(isRequest('BYE')), '200 OK'), port);
    await ending;
  },
);

t.test('as callee: Record-Route is repeated in the answer, and is the route set as it stands', async (test) => {
  const { port } = await startRig(test, (srf) =>
    srf.invite(
      (req, res) => void srf.createUAS(req, res, { localSdp: SDP }).then((dialog) => dialog.destroy(), nobody),
    ),
  );
  const [caller, proxy] = await Promise.all([openPeer(test), openPeer(test)]);
  const more = [`Record-Route: <sip:127.0.0.1:${proxy.port};lr>`, 'Record-Route: <sip:127.0.0.1:9;lr>'];
  caller.send(request('INVITE', caller, port, { body: SDP, more }), port);
  const answer = await caller.next(isResponse(200, 'INVITE'));
  test.match(answer, /Record-Route: <sip:127.0.0.1:\d+;lr>\r\nRecord-Route: <sip:127.0.0.1:9;lr>\r\n/);
  const bye = await proxy.next(isRequest('BYE'));
  test.match(bye, new RegExp(`^BYE sip:caller@127.0.0.1:${caller.port} `));
  test.equal(headerOf(bye, 'Route'), `<sip:127.0.0.1:${proxy.port};lr>, <sip:127.0.0.1:9;lr>`);
  proxy.send(answerTo(bye, '200 OK'), port);
});

t.test(
  "an application's Route header, its proxy option and the configured next hop lead the way, in this order",
  async (test) => {
    const [byRoute, byProxy, byConfig, target] = await Promise.all([1, 2, 3, 4].map(() => openPeer(test)));
    if (!byRoute || !byProxy || !byConfig || !target) throw new Error('peers');
    const { srf, port } = await plain(test, { nextHop: `sip:127.0.0.1:${byConfig.port}` });
    const uri = `sip:x@127.0.0.1:${target.port}`;
    const send = (opts: object): void => void sendRequest(srf, uri, { method: 'OPTIONS', ...opts }).catch(nobody);
    send({});
    const configured = await byConfig.next(isRequest('OPTIONS'));
    test.ok(configured.startsWith(`OPTIONS ${uri} `), 'the target stays the target');
    send({ headers: { Route: `<sip:127.0.0.1:${byRoute.port};lr>` } });
    const routed = await byRoute.next(isRequest('OPTIONS'));
    test.equal(headerOf(routed, 'Route'), `<sip:127.0.0.1:${byRoute.port};lr>`);
    send({ proxy: `127.0.0.1:${byProxy.port}`, headers: { Route: `<sip:127.0.0.1:${byRoute.port};lr>` } });
    await byProxy.next(isRequest('OPTIONS'));
    test.equal(target.received.length, 0);
    for (const peer of [byRoute, byProxy, byConfig]) peer.send(answerTo(peer.received[0] ?? '', '200 OK'), port);
  },
);

t.test('a tel URI is sent where the application says, and without that refused in so many words', async (test) => {
  const { srf, port } = await plain(test);
  const carrier = await openPeer(test);
  const refusal = await srf
    .createUAC('tel:+12015550100', { localSdp: SDP })
    .then(nobody, (error: Error) => error.message);
  test.match(refusal, /cannot send to tel:\+12015550100/);
  const calling = srf.createUAC('tel:+12015550100', { localSdp: SDP, proxy: `sip:127.0.0.1:${carrier.port}` });
  const invite = await carrier.next(isRequest('INVITE'));
  test.match(invite, /^INVITE tel:\+12015550100 /);
  carrier.send(answerTo(invite, '404 Not Found'), port);
  await calling.catch(nobody);
});

t.test('a request to a tel URI reaches the application', async (test) => {
  let uri = '';
  const { port } = await startRig(test, (srf) =>
    srf.invite((req, res) => {
      uri = req.uri;
      res.send(404);
    }),
  );
  const caller = await openPeer(test);
  caller.send(
    request('INVITE', caller, port, { body: SDP }).replace(/^INVITE \S+/, 'INVITE tel:+1-201-555-0100;phone-context=x'),
    port,
  );
  await caller.next(isResponse(404));
  test.equal(uri, 'tel:+1-201-555-0100;phone-context=x');
});

t.test('compact forms and several values in a header are told to the application in full', async (test) => {
  let seen: string[] = [];
  const { port } = await startRig(test, (srf) =>
    route(srf, 'refer', (req, res) => {
      seen = ['Refer-To', 'Referred-By', 'Event', 'Session-Expires', 'Supported'].map((name) => req.get(name));
      res.send(202);
    }),
  );
  const peer = await openPeer(test);
  const more = ['r: <sip:a@b>', 'b: <sip:c@d>', 'o: refer', 'x: 1800;refresher=uac', 'k: timer', 'k: 100rel'];
  peer.send(request('REFER', peer, port, { more }), port);
  await peer.next(isResponse(202));
  test.same(seen, ['<sip:a@b>', '<sip:c@d>', 'refer', '1800;refresher=uac', 'timer,100rel']);
});

t.test('a request too large for a datagram goes by TCP, and by UDP where nobody takes it by TCP', async (test) => {
  const { srf, port, engine } = await plain(test);
  const { server, port: both } = await tcpServer(test);
  const connection = accepted(server);
  const headers = { Subject: 'x'.repeat(1_500) };
  const answered = (sent: Promise<NodeJS.EventEmitter>): Promise<unknown> =>
    sent.then((req) => new Promise((resolve) => req.on('response', resolve)));
  const first = answered(sendRequest(srf, `sip:x@127.0.0.1:${both}`, { method: 'OPTIONS', headers }));
  const stream = await connection;
  const byTcp = await stream.next(isRequest('OPTIONS'));
  test.match(headerOf(byTcp, 'Via'), /^SIP\/2.0\/TCP /);
  stream.send(answerTo(byTcp, '200 OK'));
  await first;
  const peer = await openPeer(test);
  const second = answered(sendRequest(srf, `sip:x@127.0.0.1:${peer.port}`, { method: 'OPTIONS', headers }));
  const byUdp = await peer.next(isRequest('OPTIONS'));
  test.match(headerOf(byUdp, 'Via'), /^SIP\/2.0\/UDP /);
  peer.send(answerTo(byUdp, '200 OK'), port);
  await second;
  test.equal(engine.status().sentByTcp, 2, 'each is tried by TCP, and counted');
});

t.test(
  'a name without a port is looked up as a service: the second target takes what the first does not',
  async (test) => {
    const [dead, alive] = await Promise.all([openPeer(test), openPeer(test)]);
    const dns = await nameServer(test, {
      'SRV _sip._udp.carrier.example': [
        { priority: 10, weight: 1, port: dead.port, target: 'one.carrier.example' },
        { priority: 20, weight: 1, port: alive.port, target: 'two.carrier.example' },
      ],
      'A one.carrier.example': ['127.0.0.1'],
      'A two.carrier.example': ['127.0.0.1'],
      'A carrier.example': ['127.0.0.9'],
    });
    const { srf, port } = await plain(test, { dns: [dns.address] });
    const calling = srf.createUAC('sip:x@carrier.example', { localSdp: SDP });
    const refused = await dead.next(isRequest('INVITE'));
    dead.send(answerTo(refused, '503 Service Unavailable'), port);
    await dead.next(isRequest('ACK'));
    const invite = await alive.next(isRequest('INVITE'));
    test.not(headerOf(invite, 'Via'), headerOf(refused, 'Via'), 'another transaction');
    test.equal(headerOf(invite, 'Call-ID'), headerOf(refused, 'Call-ID'), 'of the same request');
    alive.send(answerTo(invite, '200 OK', contactOf(alive), 'callee', SDP), port);
    const dialog = await calling;
    const ending = dialog.destroy();
    alive.send(answerTo(await alive.next(isRequest('BYE')), '200 OK'), port);
    await ending;
    const asked = dns.asked().length;
    srf.createUAC('sip:x@carrier.example', { localSdp: SDP }).catch(nobody);
    dead.send(answerTo(await dead.next((text) => isRequest('INVITE')(text)), '486 Busy Here'), port);
    await dead.next(isRequest('ACK'));
    test.equal(dns.asked().length, asked, 'what is known is not asked for again');
  },
);

t.test('of a name with services without end only so many are looked up', async (test) => {
  const peer = await openPeer(test);
  const services = Array.from({ length: 30 }, (_, at) => ({
    priority: at,
    weight: 1,
    port: peer.port,
    target: `t${at}.example`,
  }));
  const dns = await nameServer(test, { 'SRV _sip._udp.many.example': services });
  const { srf } = await plain(test, { dns: [dns.address] });
  const refusal = await srf
    .createUAC('sip:x@many.example;transport=udp', { localSdp: SDP })
    .then(nobody, (error: Error) => error.message);
  test.match(refusal, /cannot resolve many.example/);
  test.ok(dns.asked().filter((name) => /^A t\d+\.example$/.test(name)).length <= 8, dns.asked().join(' '));
});

t.test(
  'a name with a port, or without a service, is looked up as an address; one that nobody knows is refused',
  async (test) => {
    const peer = await openPeer(test);
    const dns = await nameServer(test, { 'A host.example': ['127.0.0.1'] });
    const { srf, port } = await plain(test, { dns: [dns.address] });
    sendRequest(srf, `sip:x@host.example:${peer.port}`, { method: 'OPTIONS' }).catch(nobody);
    peer.send(answerTo(await peer.next(isRequest('OPTIONS')), '200 OK'), port);
    test.same(dns.asked(), ['A host.example'], 'a port that is given is meant');
    const refusal = await srf
      .createUAC('sip:x@nobody.example', { localSdp: SDP })
      .then(nobody, (error: Error) => error.message);
    test.match(refusal, /cannot resolve nobody.example/);
  },
);

t.test(
  'SRV records are tried by priority, and within one priority in proportion to their weights (RFC 2782)',
  (test) => {
    const record = fc.record({ priority: fc.nat(3), weight: fc.nat(10), port: fc.constant(5060), name: fc.string() });
    fc.assert(
      fc.property(
        fc.array(record),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
        (records, dice) => {
          const ordered = inOrder(records, () => dice.next().value ?? 0);
          const sorted = ordered.every((one, at) => at === 0 || (ordered[at - 1]?.priority ?? 0) <= one.priority);
          return sorted && ordered.length === records.length && records.every((one) => ordered.includes(one));
        },
      ),
    );
    let first = 0;
    const pair = [
      { priority: 1, weight: 90, port: 1, name: 'heavy' },
      { priority: 1, weight: 10, port: 1, name: 'light' },
    ];
    for (let at = 0; at < 1_000; at++) if (inOrder(pair, () => (at + 0.5) / 1_000)[0]?.name === 'heavy') first++;
    test.equal(first, 900);
    test.end();
  },
);

t.test('an answer goes to where its request came from (RFC 3581), whatever the Via says', async (test) => {
  const { port } = await startRig(test, (srf) => route(srf, 'options', (_req, res) => res.send(200)));
  const peer = await openPeer(test);
  peer.send(request('OPTIONS', peer, port).replace(`127.0.0.1:${peer.port};branch`, '192.0.2.1:5999;branch'), port);
  const answer = await peer.next(isResponse(200));
  test.match(
    headerOf(answer, 'Via'),
    new RegExp(`^SIP/2.0/UDP 192.0.2.1:5999;.*;rport=${peer.port};received=127.0.0.1$`),
  );
});

t.test('a peer that sends from one port and listens at another is answered there (RFC 3261 §18.2.2)', async (test) => {
  const { port } = await startRig(test, (srf) => route(srf, 'options', (_req, res) => res.send(200)));
  const [sender, listener] = [await openPeer(test), await openPeer(test)];
  for (const [method, status] of [
    ['OPTIONS', 200],
    ['BYE', 481],
    ['DANCE', 501],
  ] as const) {
    sender.send(request(method, listener, port).replace(';rport', ''), port);
    await listener.next(isResponse(status));
  }
  sender.send(request('OPTIONS', listener, port), port);
  await sender.next(isResponse(200));
  test.equal(sender.received.length, 1, 'but one that asks for rport is answered where it sent from (RFC 3581)');
});

t.test('an answer whose connection is gone goes to the port of the Via (RFC 3261 §18.2.2)', async (test) => {
  let answer: () => void = nobody;
  let asked: () => void = nobody;
  const got = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const { port, engine } = await startRig(test, (srf) =>
    route(srf, 'message', (_req, res) => {
      answer = () => res.send(200);
      asked();
    }),
  );
  const { server, port: listening } = await tcpServer(test);
  const again = accepted(server);
  const peer = await connectPeer(test, port);
  peer.send(request('MESSAGE', { port: listening }, port).replaceAll('SIP/2.0/UDP', 'SIP/2.0/TCP'));
  await got;
  peer.socket.destroy();
  while (engine.status().tcpConnections !== 0) await new Promise<void>((resolve) => setImmediate(resolve));
  answer();
  await (await again).next(isResponse(200, 'MESSAGE'));
});

t.test('calls go over IPv6 as they do over IPv4', async (test) => {
  const socket = createSocket('udp6');
  const bound = await new Promise<boolean>((resolve) => {
    socket.once('error', () => resolve(false));
    socket.bind(0, '::1', () => resolve(true));
  });
  socket.close();
  if (!bound) {
    test.comment('skipped: this machine has no IPv6');
    return;
  }
  const rig = await startRig(test, (srf) => srf.invite((req, res) => void srf.createUAS(req, res, { localSdp: SDP })), {
    listeners: [{ name: 'cell', address: '::1', port: 0, transports: ['udp', 'tcp'] }],
  });
  const caller = await UdpPeer.open('::1');
  test.teardown(() => caller.close());
  const six = (text: string): string => {
    const head = text.indexOf('\r\n\r\n');
    return text.slice(0, head).replaceAll('127.0.0.1', '[::1]') + text.slice(head);
  };
  caller.send(six(request('INVITE', caller, rig.port, { body: SDP })), rig.port);
  const answer = await caller.next(isResponse(200, 'INVITE'));
  test.equal(headerOf(answer, 'Contact'), `<sip:[::1]:${rig.port}>`);
  test.notMatch(headerOf(answer, 'Via'), /received/, 'the address is the one of the Via');
  const to = headerOf(answer, 'To');
  caller.send(six(request('ACK', caller, rig.port, { to })), rig.port);
  caller.send(six(request('BYE', caller, rig.port, { to, cseq: 2 })), rig.port);
  await caller.next(isResponse(200, 'BYE'));
  const calling = rig.srf.createUAC(`sip:x@[::1]:${caller.port}`, { localSdp: SDP });
  const invite = await caller.next(isRequest('INVITE'));
  test.match(headerOf(invite, 'Via'), new RegExp(`^SIP/2.0/UDP \\[::1\\]:${rig.port};`));
  caller.send(answerTo(invite, '486 Busy Here'), rig.port);
  test.equal(await calling.then(nobody, (error: { status: number }) => error.status), 486);
});
