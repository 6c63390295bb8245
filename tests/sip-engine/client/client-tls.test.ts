/** The applications' port by TLS, as drachtio-srf's `tls` option asks for it. */
import { type EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import Srf from 'drachtio-srf';
import t, { type Test } from 'tap';
import { createEngine, type Engine, type EngineConfig } from '../../../gateway/sip-engine/engine.js';
import { openPeer, request, route, SECRET } from '../rig.js';
import { Authority } from '../transport/certificates.js';
import { headerOf, isResponse } from '../udp-peer.js';

async function engineOf(test: Test, tls: EngineConfig['client']['tls']): Promise<Engine> {
  const engine = await createEngine({
    listeners: [{ name: 'cell', address: '127.0.0.1', port: 0, transports: ['udp'] }],
    client: { address: '127.0.0.1', port: 0, secret: SECRET, ...(tls && { tls }) },
  });
  test.teardown(() => engine.close());
  return engine;
}

t.test('a drachtio application connects by TLS, and its orders and requests go through it', async (test) => {
  const authority = new Authority(test);
  const { certFile, keyFile } = authority.issue('admin', 'IP:127.0.0.1');
  const engine = await engineOf(test, { cert: certFile, key: keyFile });
  const srf = new Srf();
  srf.on('error', (error: Error) => test.fail(error.message));
  route(srf, 'options', (_req, res) => res.send(200, { headers: { 'X-By': 'TLS' } }));
  const connected = once(srf as unknown as EventEmitter, 'connect');
  const place = { host: '127.0.0.1', port: engine.client.port, secret: SECRET };
  srf.connect({ ...place, tls: { ca: authority.ca } } as unknown as Srf.SrfConfig);
  await connected;
  const peer = await openPeer(test);
  const port = engine.listeners[0]?.port ?? 0;
  for (let at = 0; ; at++) {
    peer.send(request('OPTIONS', peer, port, { callId: `tls-${at}` }), port);
    const answer = await peer.next((text) => text.startsWith('SIP/2.0 '));
    if (!isResponse(200)(answer)) continue;
    test.equal(headerOf(answer, 'X-By'), 'TLS');
    break;
  }
  engine.reload();
  test.equal(engine.status().applications, 1, 'new certificates disturb nobody who is there');
  srf.disconnect();
});

/** What the port says to these bytes, or to a handshake, before it hangs up. */
const hungUp = (socket: NodeJS.EventEmitter): Promise<void> =>
  new Promise((resolve) => void socket.on('error', () => undefined).once('close', () => resolve()));

t.test('who speaks plainly to a TLS port, or TLS to a plain one, is hung up on at once', async (test) => {
  const authority = new Authority(test);
  const { certFile, keyFile } = authority.issue('admin', 'IP:127.0.0.1');
  const [secret, plain] = await Promise.all([
    engineOf(test, { cert: certFile, key: keyFile }),
    engineOf(test, undefined),
  ]);
  const bare = connect(secret.client.port, '127.0.0.1');
  bare.write(`${'1|authenticate|x'.length}#1|authenticate|x`);
  await hungUp(bare);
  await hungUp(connectTls({ port: plain.client.port, host: '127.0.0.1', ca: authority.ca }));
  test.equal(secret.status().applications, 0);
});

t.test('with mutual TLS an application without a certificate does not even get to say the secret', async (test) => {
  const authority = new Authority(test);
  const { certFile, keyFile, cert, key } = authority.issue('admin', 'IP:127.0.0.1');
  const engine = await engineOf(test, { cert: certFile, key: keyFile, ca: authority.caFile, mutual: true });
  const place = { port: engine.client.port, host: '127.0.0.1', ca: authority.ca };
  await hungUp(connectTls(place));
  const known = connectTls({ ...place, cert, key });
  known.write(`${`1|authenticate|${SECRET}|`.length}#1|authenticate|${SECRET}|`);
  const [said] = (await once(known, 'data')) as [Buffer];
  test.match(said.toString(), /response\|1\|OK/);
  known.destroy();
});
