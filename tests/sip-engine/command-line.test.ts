/** The engine as a program of its own, as anyone starts it to try a drachtio application. */
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Srf from 'drachtio-srf';
import t from 'tap';
import { readCommandLine, USAGE } from '../../gateway/sip-engine/command-line.js';
import { EngineProcess } from './engine-process.js';
import { openPeer, request, SDP } from './rig.js';
import { connectTlsPeer } from './stream-peer.js';
import { Authority } from './transport/certificates.js';
import { answerTo, headerOf, isRequest, isResponse } from './udp-peer.js';

const MAIN = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'gateway', 'sip-engine', 'main.js');

/** No second attempt to connect: the engine of a test does not come back. */
const ONCE = { reconnect: { maxAttempts: 1 } };

t.test('--help says all that there is to say', (test) => {
  const said = spawnSync(process.execPath, [MAIN, '--help'], { encoding: 'utf8' });
  test.equal(said.status, 0);
  test.equal(said.stdout, USAGE);
  test.end();
});

t.test('arguments that cannot be run are refused with status 78 and what is wrong', (test) => {
  for (const [args, why] of [
    [['--dance'], /--dance/],
    [['--admin', '127.0.0.1:9022'], /--contact: at least one is needed/],
    [['--contact', 'http://x'], /--contact: expected a sip URI, found http/],
    [['--contact', 'sip:127.0.0.1;transport=sctp'], /expected transport udp, tcp or tls, found sctp/],
    [['--contact', 'sips:127.0.0.1:5061'], /\/listeners\/0\/tls\/cert: expected a non-empty string/],
    [['--contact', 'sip:127.0.0.1', '--admin-tls'], /\/client\/tls\/cert: expected a non-empty string/],
    [['--contact', 'sip:127.0.0.1:5060;transport=udp,tls'], /tls wants a port of its own/],
    [['--contact', 'sip:127.0.0.1', '--admin', 'a:b:c'], /--admin: expected host:port/],
    [['--contact', 'sip:127.0.0.1', '--next-hop', 'tel:1'], /\/nextHop: expected a sip URI/],
    [['--config', '/nowhere.json'], /nowhere/],
  ] as const) {
    const said = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
    test.equal(said.status, 78, args.join(' '));
    test.match(said.stdout, why);
  }
  test.end();
});

t.test("drachtio's own arguments are understood, several contacts and transports of one too", (test) => {
  const line = readCommandLine([
    '--contact',
    'sip:127.0.0.1:5060;transport=udp,tcp',
    '--contact',
    'sip:[::1];transport=udp',
  ]);
  test.equal(line.kind, 'config');
  if (line.kind !== 'config') return test.end();
  test.match(line.config.listeners, [
    { name: 'cell', address: '127.0.0.1', port: 5060, transports: ['udp', 'tcp'] },
    { name: 'carrier', address: '::1', port: 5060, transports: ['udp'] },
  ]);
  test.match(line.config.client, { address: '127.0.0.1', port: 9022, secret: 'cymru' });
  return test.end();
});

t.test('a drachtio application runs on it; SIGTERM ends its call on both sides and then the server', async (test) => {
  const engine = await EngineProcess.start(test, [
    ...['--contact', 'sip:127.0.0.1:0;transport=udp,tcp', '--admin', '127.0.0.1:0', '--secret', 'open sesame'],
  ]);
  const srf = new Srf();
  srf.on('error', () => undefined);
  const caller = await openPeer(test);
  srf.invite((req, res) => void srf.createUAS(req, res, { localSdp: SDP }).catch(() => undefined));
  await srf.connect({ host: '127.0.0.1', port: engine.ready.client.port, secret: 'open sesame', ...ONCE });
  let to = '';
  // Until the application's route is known, an INVITE is refused.
  for (let call = 1; to === ''; call++) {
    caller.send(request('INVITE', caller, engine.port, { callId: `call-${call}`, body: SDP }), engine.port);
    const answer = await caller.next((text) => /^SIP\/2.0 [2-6]/.test(text));
    if (!isResponse(200, 'INVITE')(answer)) continue;
    to = headerOf(answer, 'To');
    caller.send(request('ACK', caller, engine.port, { callId: `call-${call}`, to }), engine.port);
  }
  engine.child.kill('SIGTERM');
  const bye = await caller.next(isRequest('BYE'));
  test.match(headerOf(bye, 'Reason'), /server stops/);
  caller.send(answerTo(bye, '200 OK'), engine.port);
  test.equal(await engine.exited, 0);
  test.match(engine.lines.at(-1), /engine.stopped/);
});

t.test(
  'SIGHUP reads the certificates anew, and says so; with half of a pair it says what is wrong and goes on',
  async (test) => {
    const authority = new Authority(test);
    const own = authority.issue('engine', 'IP:127.0.0.1');
    const files = ['--cert-file', own.certFile, '--key-file', own.keyFile, '--ca-file', authority.caFile];
    const engine = await EngineProcess.start(test, [
      '--contact',
      'sips:127.0.0.1:0',
      '--admin',
      '127.0.0.1:0',
      ...files,
    ]);
    const said = async (event: string): Promise<void> => {
      while (!engine.lines.some((line) => line.includes(event)))
        await new Promise<void>((resolve) => setTimeout(resolve, 10));
    };
    const renewed = authority.issue('renewed', 'IP:127.0.0.1');
    copyFileSync(renewed.certFile, own.certFile);
    engine.child.kill('SIGHUP');
    await said('engine.reload-failed');
    copyFileSync(renewed.keyFile, own.keyFile);
    engine.child.kill('SIGHUP');
    await said('engine.reloaded');
    const peer = await connectTlsPeer(test, engine.port, { ca: authority.ca });
    test.ok(peer.port > 0);
    engine.child.kill('SIGTERM');
    test.equal(await engine.exited, 0);
  },
);
