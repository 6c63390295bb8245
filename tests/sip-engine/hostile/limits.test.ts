/** What an attacker may cost, and that it is counted. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createConnection, createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { engineClock } from '../../../gateway/sip-engine/clock.js';
import { DEFAULT_LIMITS, type Limits } from '../../../gateway/sip-engine/config.js';
import { EngineControl } from '../../../gateway/sip-engine/control/client.js';
import { type Counters, newCounters } from '../../../gateway/sip-engine/counters.js';
import type { EngineConfig, EngineOptions } from '../../../gateway/sip-engine/engine.js';
import { TimerQueues } from '../../../gateway/sip-engine/transaction/timers.js';
import type { Listener } from '../../../gateway/sip-engine/transport/listener.js';
import { TcpConnection } from '../../../gateway/sip-engine/transport/tcp-connection.js';
import { TcpFramer } from '../../../gateway/sip-engine/transport/tcp-framer.js';
import { openPeer, request, route, SDP, SECRET, startRig } from '../rig.js';
import { connectPeer } from '../stream-peer.js';
import { bridge, placeCall } from '../two-legs.js';
import { answerTo, headerOf, isRequest, isResponse, UdpPeer } from '../udp-peer.js';
import { VirtualClock } from '../virtual-clock.js';

/** For tests that keep their own process busy, the engine included. */
const LATE_IS_FINE = { limits: { lagMs: 60_000 } };

/** An engine whose application answers OPTIONS and never answers an INVITE. */
const answering = (test: Test, limits: EngineConfig['limits'] = {}, options: EngineOptions = {}) =>
  startRig(
    test,
    (srf) => {
      srf.invite(() => undefined);
      route(srf, 'options', (_req, res) => res.send(200));
    },
    { limits },
    options,
  );

/** While no time goes by, no share of anybody grows and nothing is late, however busy the machine is. */
const outOfTime = (): EngineOptions => ({ clock: new VirtualClock() });

/** Sends OPTIONS until `counter` has moved; what is counted is counted after the fact. */
async function counted(rig: Awaited<ReturnType<typeof answering>>, counter: string): Promise<number> {
  for (;;) {
    const count = rig.engine.status()[counter] ?? 0;
    if (count > 0) return count;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

t.test(
  'requests over the rate of their address get 503 with Retry-After, then silence; others are served',
  async (test) => {
    const rig = await answering(test, { otherRatePerAddress: 20, refusalsPerAddress: 10 }, outOfTime());
    const flooder = await openPeer(test);
    for (let at = 0; at < 100; at++)
      flooder.send(request('OPTIONS', flooder, rig.port, { callId: `flood-${at}` }), rig.port);
    const refusal = await flooder.next(isResponse(503));
    test.match(headerOf(refusal, 'Retry-After'), /^[1-9]/);
    await counted(rig, 'refusedByRate');
    const other = await connectPeer(test, rig.port, '127.0.0.2');
    other.send(request('OPTIONS', other, rig.port).replaceAll('SIP/2.0/UDP', 'SIP/2.0/TCP'));
    await other.next(isResponse(200));
    const status = rig.engine.status();
    test.ok((status.refusedByRate ?? 0) >= 70, `${status.refusedByRate} were refused`);
    test.ok(flooder.received.filter(isResponse(503)).length <= 12, 'not every refusal is an answer');
  },
);

t.test('a flood of junk is answered for a while and then no more, and costs no memory', async (test) => {
  const rig = await answering(test, { refusalsPerAddress: 10 }, outOfTime());
  const flooder = await openPeer(test);
  const junk = request('OPTIONS', flooder, rig.port, { cseqMethod: 'INVITE' });
  for (let at = 0; at < 100; at++) flooder.send(junk, rig.port);
  await flooder.next(isResponse(400));
  await counted(rig, 'droppedByLimit');
  test.ok((rig.engine.status().serverTransactions ?? 0) <= 1, 'none but that of the rig');
  test.ok(flooder.received.length <= 12);
});

t.test('requests of no dialog, of no method and of no transaction leave nothing behind', async (test) => {
  const rig = await answering(test, { refusalsPerAddress: 1_000 });
  const peer = await openPeer(test);
  const before = rig.engine.status().serverTransactions;
  for (const method of ['BYE', 'CANCEL', 'DANCE', 'UPDATE', 'PRACK', 'MESSAGE']) {
    peer.send(request(method, peer, rig.port, { callId: `nothing-${method}` }), rig.port);
    await peer.next((text) => /^SIP\/2.0 (481|501|405) /.test(text));
  }
  test.equal(rig.engine.status().serverTransactions, before);
});

t.test('answered requests are kept for their repetitions, and not without end', async (test) => {
  const rig = await answering(test, { finishedPerAddress: 10 }, outOfTime());
  const peer = await openPeer(test);
  for (let at = 0; at < 50; at++) {
    peer.send(request('OPTIONS', peer, rig.port, { callId: `kept-${at}` }), rig.port);
    await peer.next(isResponse(200));
  }
  test.equal(rig.engine.status().serverTransactions, 10);
  test.ok((rig.engine.status().forgottenEarly ?? 0) >= 40);
});

t.test(
  'ten thousand INVITEs that nobody answers: the limit of their address holds, and a call beside them goes through',
  async (test) => {
    const callee = await openPeer(test);
    const rig = await startRig(
      test,
      (srf) => {
        srf.use((req, _res, next) => {
          if (!req.get('Call-ID').startsWith('half-')) next();
        });
        bridge(srf, () => callee.port);
      },
      LATE_IS_FINE,
    );
    const flooder = await connectPeer(test, rig.port, '127.0.0.2');
    for (let at = 0; at < 10_000; at++) {
      const invite = request('INVITE', flooder, rig.port, { callId: `half-${at}`, fromTag: `h${at}`, body: SDP });
      flooder.send(invite.replaceAll('SIP/2.0/UDP', 'SIP/2.0/TCP'));
    }
    await flooder.next(isResponse(503, 'INVITE'));
    const caller = await openPeer(test);
    await placeCall(rig, caller, callee);
    const { serverTransactions = 0, refusedByLimit = 0 } = rig.engine.status();
    test.ok(serverTransactions <= DEFAULT_LIMITS.openPerAddress + 10, `${serverTransactions} transactions`);
    test.ok(refusedByLimit > 0);
    await rig.disconnect();
    for (const peer of [caller, callee]) peer.send(answerTo(await peer.next(isRequest('BYE')), '200 OK'), rig.port);
  },
);

t.test('requests that nobody answers are limited for one address, and for all together', async (test) => {
  const rig = await answering(test, { openPerAddress: 3, openInAll: 5 });
  const invite = (peer: { readonly port: number }, at: number): string =>
    request('INVITE', peer, rig.port, { callId: `open-${peer.port}-${at}`, fromTag: `o${at}`, body: SDP });
  const first = await openPeer(test);
  for (let at = 0; at < 4; at++) first.send(invite(first, at), rig.port);
  test.match(headerOf(await first.next(isResponse(503, 'INVITE')), 'Retry-After'), /^[1-9]/);
  test.equal(await counted(rig, 'refusedByOpenOfAddress'), 1);
  const second = await connectPeer(test, rig.port, '127.0.0.2');
  for (let at = 0; at < 3; at++) second.send(invite(second, at).replaceAll('SIP/2.0/UDP', 'SIP/2.0/TCP'));
  await second.next(isResponse(503, 'INVITE'));
  test.equal(await counted(rig, 'refusedByOpen'), 1, 'three of the one and two of the other are open');
});

t.test('what is kept of answered requests is limited for all addresses together', async (test) => {
  const rig = await answering(test, { finishedInAll: 10 }, outOfTime());
  const other = await UdpPeer.open('127.0.0.2');
  test.teardown(() => other.close());
  for (const peer of [await openPeer(test), other]) {
    for (let at = 0; at < 20; at++) {
      peer.send(request('OPTIONS', peer, rig.port, { callId: `kept-${peer.port}-${at}` }), rig.port);
      await peer.next(isResponse(200));
    }
  }
  test.ok((rig.engine.status().serverTransactions ?? 0) <= 10);
  test.ok((rig.engine.status().forgottenEarly ?? 0) >= 25);
});

t.test('a peer that asks and never reads is hung up on, when too much waits for it', async (test) => {
  const body = 'x'.repeat(40_000);
  let waiting = 0;
  const rig = await startRig(
    test,
    (srf) =>
      route(srf, 'options', (_req, res) => {
        waiting++;
        (res.send as (status: number, options: object, told: () => void) => void).call(res, 200, { body }, () => {
          waiting--;
        });
      }),
    { limits: { ...LATE_IS_FINE.limits, tcpUnsentBytes: 65_536, otherRatePerAddress: 100_000, openPerAddress: 5_000 } },
  );
  const deaf = createConnection({ port: rig.port, host: '127.0.0.1', localAddress: '127.0.0.2' });
  deaf.on('error', () => undefined);
  test.teardown(() => deaf.destroy());
  for (let at = 0; at < 1_000; at++) {
    deaf.write(request('OPTIONS', { port: 9 }, rig.port, { callId: `deaf-${at}` }).replaceAll('0/UDP', '0/TCP'));
  }
  test.equal(await counted(rig, 'tcpUnread'), 1);
  const other = await openPeer(test);
  other.send(request('OPTIONS', other, rig.port), rig.port);
  await other.next(isResponse(200));
  // drachtio-srf throws where it is disconnected in the middle of a frame: it is to have heard of all that it sent.
  while (waiting > 0) await new Promise<void>((resolve) => setImmediate(resolve));
});

t.test('pings of a peer that reads nothing are not answered into memory', async (test) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const peer = createConnection((server.address() as AddressInfo).port, '127.0.0.1').pause();
  const [socket] = await accepted;
  test.teardown(() => {
    for (const end of [peer, socket]) end.destroy();
    server.close();
  });
  const timers = new TimerQueues(engineClock());
  test.teardown(() => timers.close());
  let heard: () => void = () => undefined;
  const message = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const events = { message: () => heard(), closed: () => undefined };
  // Of its listener a connection asks nothing until it is to be found.
  new TcpConnection({} as Listener, socket, '127.0.0.1', 1, DEFAULT_LIMITS, timers, newCounters(), events);
  socket.write('x'.repeat(16_000_000));
  const unsent = socket.writableLength;
  test.ok(unsent > 0);
  for (let at = 0; at < 100; at++) peer.write('\r\n\r\n');
  peer.write(request('OPTIONS', { port: 1 }, 2));
  await message;
  test.ok(socket.writableLength <= unsent);
});

t.test('a stream on which one message follows the other is busy, and not slow', async (test) => {
  const clock = new VirtualClock();
  const counters = newCounters();
  const socket = new Socket();
  test.teardown(() => socket.destroy());
  const events = { message: () => undefined, closed: () => undefined };
  const { tcpMessageMs } = DEFAULT_LIMITS;
  new TcpConnection({} as Listener, socket, '127.0.0.1', 1, DEFAULT_LIMITS, new TimerQueues(clock), counters, events);
  // Each piece ends one message and begins the next, as those of a carrier do that has much to say.
  const text = request('OPTIONS', { port: 1 }, 2);
  socket.emit('data', Buffer.from(text.slice(0, 50)));
  for (let piece = 0; piece < 10; piece++) {
    clock.advance(tcpMessageMs / 2);
    socket.emit('data', Buffer.from(text.slice(50) + text.slice(0, 50)));
  }
  test.notOk(socket.destroyed);
  clock.advance(tcpMessageMs);
  test.ok(socket.destroyed, 'until the last one never becomes whole');
  test.equal(counters.tcpSlow, 1);
});

t.test('whoever has said a wrong secret may not guess on, and order at once, on the same connection', async (test) => {
  const rig = await answering(test);
  const peer = await openPeer(test);
  const socket = createConnection({ port: rig.engine.client.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  const ended = once(socket.resume(), 'end');
  const frame = (payload: string): string => `${payload.length}#${payload}`;
  const guesses = ['guess', 'again', SECRET].map((secret, at) => frame(`${at}|authenticate|${secret}`));
  const order = `9|sip||\r\n${request('OPTIONS', { port: rig.port }, peer.port)}`;
  socket.write(guesses.join('') + frame(order));
  await ended;
  socket.destroy();
  peer.send(request('OPTIONS', peer, rig.port), rig.port);
  await peer.next(isResponse(200));
  test.same(peer.received.filter(isRequest('OPTIONS')), [], 'nothing was sent for it');
});

t.test('a frame over the limit ends its application’s connection', async (test) => {
  const rig = await answering(test, { clientFrameBytes: 1_000 });
  const socket = createConnection(rig.engine.client.port, '127.0.0.1');
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  socket.write('1001#1|authenticate|');
  await closed;
  test.equal(rig.engine.status().applications, 1, 'that of the rig');
  test.equal(await counted(rig, 'framesRefused'), 1);
});

t.test('a process that is late takes on nothing new, and what is in progress goes on', async (test) => {
  const callee = await openPeer(test);
  const rig = await startRig(test, (srf) => bridge(srf, () => callee.port), { limits: { lagMs: 0.001 } });
  const caller = await openPeer(test);
  const late = (): boolean => (rig.engine.status().refusedByLag ?? 0) > 0;
  // The first look at the clock comes 100 ms after the start; until then calls are taken.
  const legs = await placeCall(rig, caller, callee);
  for (let at = 0; !late(); at++) {
    caller.send(request('INVITE', caller, rig.port, { callId: `late-${at}`, fromTag: `l${at}`, body: SDP }), rig.port);
    await caller.next((text) => headerOf(text, 'Call-ID') === `late-${at}`);
  }
  test.ok(caller.received.some(isResponse(503, 'INVITE')));
  const bye = {
    callId: legs.callId,
    to: legs.to,
    cseq: 2,
    fromTag: /from-tag=(.*)$/.exec(legs.callerDialog)?.[1] ?? '',
  };
  caller.send(request('BYE', caller, rig.port, bye), rig.port);
  await caller.next(isResponse(200, 'BYE'));
});

/** What counts that a limit has refused, ended or turned something. A limit without one does not compile. */
const COUNTER_OF: Readonly<Record<keyof Limits, keyof Counters>> = {
  message: 'refusedByMessage',
  openPerAddress: 'refusedByOpenOfAddress',
  openInAll: 'refusedByOpen',
  ratePerAddress: 'refusedByRate',
  otherRatePerAddress: 'refusedByRate',
  refusalsPerAddress: 'droppedByLimit',
  finishedPerAddress: 'forgottenEarly',
  finishedInAll: 'forgottenEarly',
  lagMs: 'refusedByLag',
  tcpIdleMs: 'tcpIdle',
  tcpMessageMs: 'tcpSlow',
  tcpConnections: 'tcpRefused',
  tcpConnectionsPerAddress: 'tcpRefused',
  tcpUnsentBytes: 'tcpUnread',
  clientFrameBytes: 'framesRefused',
  udpRequestBytes: 'sentByTcp',
  minSessionS: 'refusedBySession',
};

t.test('each limit has a count, and the control socket’s status tells it', async (test) => {
  const folder = mkdtempSync(join(tmpdir(), 'balise-engine-'));
  test.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const socket = join(folder, 'engine.sock');
  await startRig(test, (srf) => srf.invite(() => undefined), { control: { socket, secret: 'control' } });
  const control = await EngineControl.connect(socket, 'control', { observer: true });
  test.teardown(() => control.close());
  const status = (await control.status()) ?? {};
  for (const limit of Object.keys(DEFAULT_LIMITS) as (keyof Limits)[]) test.equal(status[COUNTER_OF[limit]], 0, limit);
});

t.test('a message, a header and a number of headers over the limit are refused', async (test) => {
  const rig = await answering(test, { message: { messageBytes: 4_000, headers: 40, headerBytes: 500 } });
  const peer = await openPeer(test);
  peer.send(request('OPTIONS', peer, rig.port, { body: 'x'.repeat(5_000) }), rig.port);
  await peer.next(isResponse(513));
  peer.send(request('OPTIONS', peer, rig.port, { more: [`Subject: ${'x'.repeat(600)}`] }), rig.port);
  await peer.next(isResponse(400));
  peer.send(request('OPTIONS', peer, rig.port, { more: Array(50).fill('X-A: b') }), rig.port);
  await peer.next(isResponse(400));
  peer.send(request('OPTIONS', peer, rig.port), rig.port);
  await peer.next(isResponse(200));
  test.equal(await counted(rig, 'refusedByMessage'), 3);
});

t.test('a header of a megabyte ends its connection, as does a body that is announced too large', async (test) => {
  const rig = await answering(test);
  const loud = await connectPeer(test, rig.port);
  loud.send(`OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nSubject: ${'x'.repeat(1_000_000)}`);
  await loud.closed;
  const announced = await connectPeer(test, rig.port);
  announced.send(request('OPTIONS', announced, rig.port).replace('Content-Length: 0', 'Content-Length: 999999'));
  await announced.next(isResponse(513));
  await announced.closed;
  test.equal(await counted(rig, 'tcpBroken'), 2);
});

t.test('a slow-loris connection is closed when its message does not become whole in time', async (test) => {
  const rig = await answering(test, { tcpMessageMs: 50 });
  const slow = await connectPeer(test, rig.port);
  slow.send('OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: ');
  await slow.closed;
  test.equal(await counted(rig, 'tcpSlow'), 1);
});

t.test('a connection without traffic is closed, and one that carries a call is not', async (test) => {
  const rig = await startRig(test, (srf) => srf.invite((req, res) => void srf.createUAS(req, res, { localSdp: SDP })), {
    limits: { tcpIdleMs: 100 },
  });
  const caller = await connectPeer(test, rig.port);
  const tcp = (text: string): string => text.replaceAll('SIP/2.0/UDP', 'SIP/2.0/TCP');
  caller.send(tcp(request('INVITE', caller, rig.port, { body: SDP })));
  const to = headerOf(await caller.next(isResponse(200, 'INVITE')), 'To');
  caller.send(tcp(request('ACK', caller, rig.port, { to })));
  const idle = await connectPeer(test, rig.port);
  await idle.closed;
  test.ok((await counted(rig, 'tcpIdle')) >= 1);
  caller.send(tcp(request('BYE', caller, rig.port, { to, cseq: 2 })));
  await caller.next(isResponse(200, 'BYE'));
});

t.test('more connections than the limit, in all or of one address, are closed at once', async (test) => {
  const rig = await answering(test, { tcpConnections: 5, tcpConnectionsPerAddress: 3 });
  for (let at = 0; at < 3; at++) await connectPeer(test, rig.port);
  const fourth = createConnection({ port: rig.port, host: '127.0.0.1' });
  await new Promise<void>((resolve) => fourth.once('close', () => resolve()).on('error', () => undefined));
  const other = await connectPeer(test, rig.port, '127.0.0.3');
  other.send(request('OPTIONS', other, rig.port).replaceAll('SIP/2.0/UDP', 'SIP/2.0/TCP'));
  await other.next(isResponse(200));
  test.equal(rig.engine.status().tcpRefused, 1);
});

t.test('two lengths for one message end the stream: nobody can tell where the next one begins', async (test) => {
  const rig = await answering(test);
  const peer = await connectPeer(test, rig.port);
  const smuggled = request('OPTIONS', peer, rig.port, { callId: 'smuggled' });
  const text = request('OPTIONS', peer, rig.port).replace(
    'Content-Length: 0',
    `Content-Length: 0\r\nl: ${smuggled.length}`,
  );
  peer.send(text + smuggled);
  await peer.next(isResponse(400));
  await peer.closed;
  test.notOk(peer.received.some((answer) => headerOf(answer, 'Call-ID') === 'smuggled'));
});

t.test('a stream gives the same messages wherever it is cut', async (test) => {
  const limits = DEFAULT_LIMITS.message;
  const folded = request('OPTIONS', { port: 1 }, 2, { body: 'x'.repeat(30) }).replace(
    'Content-Length: 30',
    'l\t:\r\n 30',
  );
  const stream = `\r\n\r\n${folded}\r\n${request('MESSAGE', { port: 1 }, 2, { body: 'abc' })}\r\n\r\n\r\n\r\n`;
  const whole = new TcpFramer(limits).take(stream);
  test.equal(whole.messages.length, 2);
  test.equal(whole.pings, 3);
  for (let size = 1; size < 40; size++) {
    const framer = new TcpFramer(limits);
    const messages: string[] = [];
    let pings = 0;
    for (let at = 0; at < stream.length; at += size) {
      const taken = framer.take(stream.slice(at, at + size));
      messages.push(...taken.messages);
      pings += taken.pings;
    }
    test.same([messages, pings], [whole.messages, whole.pings], `in pieces of ${size}`);
  }
});
