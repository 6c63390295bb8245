/** SIP over TLS: who may connect, whom we believe, certificates that change, and connections that are lent (RFC 5923). */
import { copyFileSync } from 'node:fs';
import { createServer, type Server, type TlsOptions } from 'node:tls';
import t, { type Test } from 'tap';
import type { EngineClock } from '../../../gateway/sip-engine/clock.js';
import { ConfigFault, readConfig } from '../../../gateway/sip-engine/config.js';
import { createEngine, type EngineConfig } from '../../../gateway/sip-engine/engine.js';
import { request, SDP, sendRequest, startRig } from '../rig.js';
import { accepted, connectPeer, connectTlsPeer, type StreamPeer } from '../stream-peer.js';
import { answerTo, headerOf, isRequest, isResponse } from '../udp-peer.js';
import { VirtualClock } from '../virtual-clock.js';
import { Authority, type Pair } from './certificates.js';

const nobody = (): undefined => undefined;

async function secureRig(
  test: Test,
  authority: Authority,
  own: Pair,
  more: { mutual?: boolean; clock?: EngineClock } & Partial<EngineConfig> = {},
) {
  const { mutual = false, clock, ...config } = more;
  return startRig(
    test,
    (srf) => srf.invite((req, res) => void srf.createUAS(req, res, { localSdp: SDP }).catch(nobody)),
    {
      listeners: [
        { name: 'plain', address: '127.0.0.1', port: 0, transports: ['udp', 'tcp'] },
        {
          name: 'secure',
          address: '127.0.0.1',
          port: 0,
          transports: ['tls'],
          tls: { cert: own.certFile, key: own.keyFile, ca: authority.caFile, mutual },
        },
      ],
      ...config,
    },
    clock === undefined ? {} : { clock },
  );
}

const securePort = (rig: Awaited<ReturnType<typeof secureRig>>): number =>
  rig.engine.listeners.find((one) => one.transport === 'tls')?.port ?? 0;

/** A request of a peer on TLS whose Via and Contact name `port`. */
const secured = (method: string, port: number, to: number, options: Parameters<typeof request>[3] = {}): string =>
  request(method, { port }, to, options).replaceAll('SIP/2.0/UDP', 'SIP/2.0/TLS');

async function tlsServer(test: Test, pair: Pair, options: TlsOptions = {}): Promise<{ server: Server; port: number }> {
  const server = createServer({ cert: pair.cert, key: pair.key, ...options });
  server.on('tlsClientError', nobody);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  test.teardown(() => server.close());
  const place = server.address();
  return { server, port: typeof place === 'object' && place !== null ? place.port : 0 };
}

t.test('a whole call by TLS, in on the connection and out on it', async (test) => {
  const authority = new Authority(test);
  const rig = await secureRig(test, authority, authority.issue('engine', 'IP:127.0.0.1'));
  const port = securePort(rig);
  const caller = await connectTlsPeer(test, port, { ca: authority.ca });
  caller.send(secured('INVITE', caller.port, port, { body: SDP }));
  const answer = await caller.next(isResponse(200, 'INVITE'));
  test.equal(headerOf(answer, 'Contact'), `<sip:127.0.0.1:${port};transport=tls>`);
  const to = headerOf(answer, 'To');
  caller.send(secured('ACK', caller.port, port, { to }));
  await rig.disconnect();
  const bye = await caller.next(isRequest('BYE'));
  test.match(headerOf(bye, 'Via'), new RegExp(`^SIP/2.0/TLS 127.0.0.1:${port};`));
  caller.send(answerTo(bye, '200 OK'));
});

t.test(
  'with mutual TLS a peer without a certificate, or with one of another authority, is shown the door',
  async (test) => {
    const authority = new Authority(test);
    const rig = await secureRig(test, authority, authority.issue('engine', 'IP:127.0.0.1'), { mutual: true });
    const port = securePort(rig);
    const stranger = new Authority(test).issue('stranger', 'IP:127.0.0.1');
    for (const credentials of [{}, { cert: stranger.cert, key: stranger.key }]) {
      const peer = await connectTlsPeer(test, port, { ca: authority.ca, ...credentials }).catch(nobody);
      peer?.send(secured('OPTIONS', peer.port, port));
      await peer?.closed;
      test.same(peer?.received ?? [], []);
    }
    while ((rig.engine.status().tlsRefused ?? 0) < 2) await new Promise<void>((resolve) => setImmediate(resolve));
    const friend = authority.issue('friend', 'IP:127.0.0.1');
    const peer = await connectTlsPeer(test, port, { ca: authority.ca, cert: friend.cert, key: friend.key });
    peer.send(secured('INVITE', peer.port, port, { body: SDP }));
    await peer.next(isResponse(200, 'INVITE'));
  },
);

t.test('a handshake that is begun holds a place, and for no longer than a message may take', async (test) => {
  const authority = new Authority(test);
  const clock = new VirtualClock();
  const limits = { tcpConnections: 3, tcpConnectionsPerAddress: 2, tcpMessageMs: 4_000 };
  const rig = await secureRig(test, authority, authority.issue('engine', 'IP:127.0.0.1'), { limits, clock });
  const port = securePort(rig);
  const slow = [
    await connectPeer(test, port),
    await connectPeer(test, port),
    await connectPeer(test, port, '127.0.0.3'),
  ];
  slow[0]?.socket.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
  await (await connectPeer(test, port)).closed;
  await (await connectPeer(test, port, '127.0.0.4')).closed;
  test.match(rig.engine.status(), { tcpConnections: 3, tcpRefused: 2, tcpSlow: 0 });
  clock.advance(limits.tcpMessageMs);
  for (const { closed } of slow) await closed;
  const open = async (count: number): Promise<void> => {
    while (rig.engine.status().tcpConnections !== count) await new Promise<void>((resolve) => setImmediate(resolve));
  };
  await open(0);
  test.equal(rig.engine.status().tcpSlow, 3);
  const quick = async (): Promise<StreamPeer> => {
    const peer = await connectTlsPeer(test, port, { ca: authority.ca });
    peer.send(secured('OPTIONS', peer.port, port));
    await peer.next((text) => text.startsWith('SIP/2.0 '));
    return peer;
  };
  const first = await quick();
  await quick();
  clock.advance(limits.tcpMessageMs);
  test.match(rig.engine.status(), { tcpConnections: 2, tcpSlow: 3 }, 'one that was ended counts once, and lasts');
  first.socket.destroy();
  await open(1);
  await quick();
  const last = await connectPeer(test, port, '127.0.0.3');
  await rig.disconnect();
  await rig.engine.close();
  await last.closed;
});

t.test('as client we believe a certificate of our authority for that address, and no other', async (test) => {
  const authority = new Authority(test);
  const rig = await secureRig(test, authority, authority.issue('engine', 'IP:127.0.0.1'));
  const good = await tlsServer(test, authority.issue('good', 'IP:127.0.0.1'));
  const connection = accepted(good.server, 'secureConnection');
  const sent = sendRequest(rig.srf, `sip:x@127.0.0.1:${good.port};transport=tls`, { method: 'OPTIONS' });
  const peer = await connection;
  peer.send(answerTo(await peer.next(isRequest('OPTIONS')), '200 OK'));
  await sent;
  for (const [name, pair] of [
    ['of another name', authority.issue('other', 'DNS:other.example')],
    ['of another authority', new Authority(test).issue('stranger', 'IP:127.0.0.1')],
  ] as const) {
    const bad = await tlsServer(test, pair);
    const failed = await rig.srf
      .createUAC(`sips:x@127.0.0.1:${bad.port}`, { localSdp: SDP })
      .then(nobody, (error: { status?: number }) => error.status);
    test.equal(failed, 503, `a certificate ${name}`);
  }
});

t.test(
  'certificates that change on disk are taken up by a reload; such as cannot be used change nothing',
  async (test) => {
    const authority = new Authority(test);
    const own = authority.issue('engine', 'IP:127.0.0.1');
    const rig = await secureRig(test, authority, own);
    const port = securePort(rig);
    const serialOf = (peer: StreamPeer): string =>
      (peer.socket as unknown as { getPeerCertificate(): { serialNumber: string } }).getPeerCertificate().serialNumber;
    const before = await connectTlsPeer(test, port, { ca: authority.ca });
    const renewed = authority.issue('renewed', 'IP:127.0.0.1');
    copyFileSync(renewed.certFile, own.certFile);
    test.throws(() => rig.engine.reload(), /make no pair/, 'half of a change is none');
    const between = await connectTlsPeer(test, port, { ca: authority.ca });
    test.equal(serialOf(between), serialOf(before));
    copyFileSync(renewed.keyFile, own.keyFile);
    rig.engine.reload();
    const after = await connectTlsPeer(test, port, { ca: authority.ca });
    test.not(serialOf(after), serialOf(before));
    before.send(secured('INVITE', before.port, port, { body: SDP }));
    await before.next(isResponse(200, 'INVITE'));
  },
);

t.test(
  'an alias is granted to a peer with a certificate for its address: requests to its port use its connection',
  async (test) => {
    const authority = new Authority(test);
    const rig = await secureRig(test, authority, authority.issue('engine', 'IP:127.0.0.1'), { mutual: true });
    const port = securePort(rig);
    const friend = authority.issue('friend', 'IP:127.0.0.1');
    const peer = await connectTlsPeer(test, port, { ca: authority.ca, cert: friend.cert, key: friend.key });
    const advertised = 5999;
    peer.send(secured('OPTIONS', advertised, port).replace(';rport', ';rport;alias'));
    await peer.next((text) => text.startsWith('SIP/2.0 '));
    sendRequest(rig.srf, `sip:x@127.0.0.1:${advertised};transport=tls`, { method: 'OPTIONS' }).catch(nobody);
    const lent = await peer.next(isRequest('OPTIONS'));
    peer.send(answerTo(lent, '200 OK'));
    test.equal(rig.engine.status().aliasesRefused, 0);
  },
);

t.test('an alias is refused to whoever has shown no certificate, on TLS and on TCP', async (test) => {
  const authority = new Authority(test);
  const rig = await secureRig(test, authority, authority.issue('engine', 'IP:127.0.0.1'));
  const victim = await tlsServer(test, authority.issue('victim', 'IP:127.0.0.1'));
  const connection = accepted(victim.server, 'secureConnection');
  const thief = await connectTlsPeer(test, securePort(rig), { ca: authority.ca });
  thief.send(secured('OPTIONS', victim.port, securePort(rig)).replace(';rport', ';rport;alias'));
  await thief.next((text) => text.startsWith('SIP/2.0 '));
  sendRequest(rig.srf, `sip:x@127.0.0.1:${victim.port};transport=tls`, { method: 'OPTIONS' }).catch(nobody);
  const peer = await connection;
  peer.send(answerTo(await peer.next(isRequest('OPTIONS')), '200 OK'));
  const bare = await connectPeer(test, rig.port);
  const plain = request('OPTIONS', { port: 5999 }, rig.port).replaceAll('SIP/2.0/UDP', 'SIP/2.0/TCP');
  bare.send(plain.replace(';rport', ';rport;alias'));
  await bare.next((text) => text.startsWith('SIP/2.0 '));
  test.equal(rig.engine.status().aliasesRefused, 2);
  test.notOk(thief.received.some(isRequest('OPTIONS')), 'the thief gets nothing');
});

t.test('two line ends on a stream are answered with one (RFC 5626), and one is not', async (test) => {
  const rig = await startRig(test, (srf) => srf.invite(nobody));
  const peer = await connectPeer(test, rig.port);
  peer.send('\r\n\r\n');
  while (peer.lineEnds === '') await new Promise<void>((resolve) => setImmediate(resolve));
  peer.send(request('MESSAGE', peer, rig.port).replaceAll('SIP/2.0/UDP', 'SIP/2.0/TCP'));
  await peer.next(isResponse(405));
  test.equal(peer.lineEnds, '\r\n');
  peer.send(`\r\n${request('MESSAGE', peer, rig.port, { callId: 'again' }).replaceAll('SIP/2.0/UDP', 'SIP/2.0/TCP')}`);
  await peer.next(isResponse(405));
  test.equal(peer.lineEnds, '\r\n');
  test.equal(rig.engine.status().parseErrors, 0, 'neither is counted as noise');
});

t.test('a configuration of TLS that cannot be run is refused with what is wrong', async (test) => {
  const config = (listener: object): string =>
    JSON.stringify({
      listeners: [{ name: 'x', address: '127.0.0.1', port: 0, ...listener }],
      client: { address: '127.0.0.1', port: 0, secret: 's' },
    });
  const refused = (listener: object, why: RegExp): void => {
    test.throws(() => readConfig(config(listener)), ConfigFault);
    try {
      readConfig(config(listener));
    } catch (error) {
      test.match(String(error), why);
    }
  };
  refused({ transports: ['tls'] }, /\/listeners\/0\/tls: expected the files/);
  refused({ transports: ['tls', 'tcp'], tls: { cert: 'a', key: 'b' } }, /\["tls"\] by itself/);
  refused({ transports: ['udp'], tls: { cert: 'a', key: 'b' } }, /nothing without the transport tls/);
  refused(
    { transports: ['tls'], tls: { cert: 'a', key: 'b', mutual: true } },
    /\/listeners\/0\/tls\/ca: expected a file/,
  );
  await test.rejects(
    createEngine(readConfig(config({ transports: ['tls'], tls: { cert: '/nowhere.pem', key: '/nowhere.key' } }))),
    /the certificate cannot be read from \/nowhere.pem/,
  );
});
