/**
 * 2,000 REGISTER and 2,000 junk datagrams a second from one address, for 20 s, at the limits that the engine has by default; and
 * ten calls a second from others, all of which must come about. The set-up time is measured and printed; the bench has the
 * sharp figure.
 */
import { type EventEmitter, once } from 'node:events';
import { Worker } from 'node:worker_threads';
import Srf from 'drachtio-srf';
import t from 'tap';
import { EngineProcess } from '../engine-process.js';
import { openPeer, request, route, SDP } from '../rig.js';
import { bridge } from '../two-legs.js';
import { answerTo, headerOf, isRequest, UdpPeer } from '../udp-peer.js';

const SECONDS = 20;
const CALLS_PER_S = 10;
const FLOODER = '127.0.0.66';

t.test('calls come about while one address floods', { timeout: 90_000 }, async (test) => {
  const engine = await EngineProcess.start(test, [
    '--contact',
    'sip:127.0.0.1:0;transport=udp',
    '--admin',
    '127.0.0.1:0',
  ]);
  const callee = await openPeer(test);
  callee.socket.on('message', (data) => {
    const text = data.toString('latin1');
    const contact = [`Contact: <sip:x@127.0.0.1:${callee.port}>`, 'Content-Type: application/sdp'];
    if (isRequest('INVITE')(text)) callee.send(answerTo(text, '200 OK', contact, 'callee', SDP), engine.port);
    else if (isRequest('BYE')(text)) callee.send(answerTo(text, '200 OK'), engine.port);
  });
  const srf = new Srf();
  srf.on('error', () => undefined);
  bridge(srf, () => callee.port);
  let registers = 0;
  // What a registrar does with a stranger.
  route(srf, 'register', (_req, res) => {
    registers++;
    res.send(401, {
      headers: { 'WWW-Authenticate': `Digest realm="r", nonce="${registers}", algorithm=SHA-256, qop="auth"` },
    });
  });
  const connected = once(srf as unknown as EventEmitter, 'connect');
  srf.connect({ host: '127.0.0.1', port: engine.ready.client.port, secret: 'cymru' });
  await connected;

  const worker = new Worker(new URL('./flooder.js', import.meta.url), {
    workerData: { from: FLOODER, port: engine.port, registersPerS: 2_000, junkPerS: 2_000 },
  });
  test.teardown(() => worker.terminate());
  const callers = await Promise.all(['127.0.0.2', '127.0.0.3', '127.0.0.4'].map((address) => UdpPeer.open(address)));
  for (const caller of callers) test.teardown(() => caller.close());

  /** One call, from INVITE to the answer of its BYE; a request that was lost in the flood is repeated, as a phone repeats it. */
  const setUpMs: number[] = [];
  let repeated = 0;
  async function call(number: number): Promise<void> {
    const caller = callers[number % callers.length];
    if (caller === undefined) return;
    const callId = `call-${number}`;
    const ofCall = (method: string) => (text: string) =>
      text.startsWith('SIP/2.0 200') && headerOf(text, 'Call-ID') === callId && headerOf(text, 'CSeq').endsWith(method);
    const persist = async (text: string, method: string): Promise<string> => {
      const answer = caller.waitFor(ofCall(method), 30_000);
      caller.send(text, engine.port);
      for (let ms = 500; ; ms *= 2) {
        const got = await Promise.race([
          answer,
          new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), ms)),
        ]);
        if (got !== undefined) return got;
        repeated++;
        caller.send(text, engine.port);
      }
    };
    const fromMs = performance.now();
    const answer = await persist(
      request('INVITE', caller, engine.port, { callId, body: SDP, user: 'callee' }),
      'INVITE',
    );
    setUpMs.push(performance.now() - fromMs);
    const to = headerOf(answer, 'To');
    caller.send(request('ACK', caller, engine.port, { callId, to }), engine.port);
    await persist(request('BYE', caller, engine.port, { callId, to, cseq: 2 }), 'BYE');
  }

  const calls: Promise<void>[] = [];
  await new Promise<void>((resolve) => {
    const beat = setInterval(() => {
      calls.push(call(calls.length));
      if (calls.length < SECONDS * CALLS_PER_S) return;
      clearInterval(beat);
      resolve();
    }, 1000 / CALLS_PER_S);
  });
  await Promise.all(calls);
  worker.postMessage('enough');
  const [sent] = (await once(worker, 'message')) as [number];
  setUpMs.sort((a, b) => a - b);
  const at = (part: number): string => (setUpMs[Math.floor(setUpMs.length * part)] ?? 0).toFixed(1);
  test.comment(
    `${sent} datagrams of the flood, ${registers} reached the application; ${setUpMs.length} calls, set-up p50 ${at(0.5)}, ` +
      `p99 ${at(0.99)} ms, ${repeated} requests repeated`,
  );
  test.equal(setUpMs.length, SECONDS * CALLS_PER_S, 'every call came about');
  test.ok(sent > 2_000 * SECONDS, 'while there was a flood');
  srf.disconnect();
  engine.child.kill('SIGTERM');
  await engine.exited;
  const stopped = JSON.parse(engine.lines.findLast((line) => line.includes('engine.stopped')) ?? '{}') as Record<
    string,
    number
  >;
  test.ok((stopped.parseErrors ?? 0) > 1_000, `${stopped.parseErrors} junk datagrams are counted`);
  test.ok((stopped.refusedByRate ?? 0) > 1_000, `${stopped.refusedByRate} requests over the rate are counted`);
});
