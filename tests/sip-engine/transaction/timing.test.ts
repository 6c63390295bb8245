import fc from 'fast-check';
import t from 'tap';
import { DEFAULT_LIMITS } from '../../../gateway/sip-engine/config.js';
import { SipMessage } from '../../../gateway/sip-engine/message/message.js';
import { ClientTransaction, type ClientUser } from '../../../gateway/sip-engine/transaction/client-transaction.js';
import { ServerTransaction } from '../../../gateway/sip-engine/transaction/server-transaction.js';
import { RFC_TIMERS } from '../../../gateway/sip-engine/transaction/timer-values.js';
import { type TimerOwner, TimerQueues } from '../../../gateway/sip-engine/transaction/timers.js';
import type { Flow } from '../../../gateway/sip-engine/transport/flow.js';
import { Listener } from '../../../gateway/sip-engine/transport/listener.js';
import { VirtualClock } from '../virtual-clock.js';

const listener = new Listener({ name: 'test', address: '127.0.0.1', port: 5060, transports: ['udp'] }, DEFAULT_LIMITS, {
  datagram: () => undefined,
  connection: () => undefined,
  handshake: () => true,
  handshakeFailed: () => undefined,
  sendError: () => undefined,
});

/** A bench for one transaction: a clock that obeys, and a wire that keeps the time of all that is sent. */
function bench(transport: 'udp' | 'tcp') {
  const clock = new VirtualClock();
  const sentAtMs: number[] = [];
  const told: string[] = [];
  const flow: Flow = { listener, transport, address: '127.0.0.1', port: 5070 };
  let fail: () => void = () => undefined;
  const room = {
    timers: new TimerQueues(clock),
    values: RFC_TIMERS,
    transports: {
      send: () => void sentAtMs.push(clock.nowMs()),
      sendRequest: (_flow: Flow, _text: string, onError: () => void) => {
        sentAtMs.push(clock.nowMs());
        fail = onError;
      },
      forget: () => undefined,
    },
    clientTransactions: new Map<string, ClientTransaction>(),
    outgoing: new Map<string, ClientTransaction>(),
    serverTransactions: new Map<string, ServerTransaction>(),
  };
  const user: ClientUser = {
    onResponse: (_transaction, response) => void told.push(`${response.status} at ${clock.nowMs()}`),
    onFailed: (_transaction, status) => void told.push(`made up ${status} at ${clock.nowMs()}`),
  };
  const client = (method: string): ClientTransaction => {
    const sent = {
      method,
      uri: 'sip:callee@127.0.0.1',
      via: 'SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKtest',
      branch: 'z9hG4bKtest',
      routes: [],
      from: '<sip:caller@127.0.0.1>;tag=a',
      to: '<sip:callee@127.0.0.1>',
      callId: 'call',
      cseq: 1,
      text: `${method} sip:callee@127.0.0.1 SIP/2.0\r\n\r\n`,
    };
    const transaction = new ClientTransaction(room, sent, flow, user);
    transaction.start();
    return transaction;
  };
  const server = (method: string): ServerTransaction => {
    const frame = { vias: '', from: '', to: '', callId: '', cseq: '', recordRoutes: '' };
    return new ServerTransaction(room, 'key', method, flow, frame, 'tag');
  };
  const answer = (transaction: ClientTransaction, status: number): void => {
    const response = new SipMessage();
    response.status = status;
    transaction.receive(response, flow);
  };
  return { clock, sentAtMs, told, room, client, server, answer, failToSend: () => fail() };
}

t.test('an INVITE over UDP is repeated at T1 doubled each time, and given up after 64·T1', (test) => {
  const { clock, sentAtMs, told, room, client } = bench('udp');
  const invite = client('INVITE');
  clock.advance(31_999);
  test.same(sentAtMs, [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
  test.same(told, []);
  clock.advance(1);
  test.same(told, ['made up 408 at 32000']);
  test.ok(invite.terminated);
  test.equal(room.clientTransactions.size, 0);
  test.equal(clock.waiting, 0, 'no timer is left behind');
  test.end();
});

t.test('an INVITE over TCP is sent once, and given up after 64·T1 all the same', (test) => {
  const { clock, sentAtMs, told, client } = bench('tcp');
  client('INVITE');
  clock.advance(40_000);
  test.same(sentAtMs, [0]);
  test.same(told, ['made up 408 at 32000']);
  test.end();
});

t.test('an INVITE that rings is repeated no more and waits as long as it takes', (test) => {
  const { clock, sentAtMs, told, client, answer } = bench('udp');
  const invite = client('INVITE');
  clock.advance(600);
  answer(invite, 180);
  clock.advance(600_000);
  test.same(sentAtMs, [0, 500]);
  test.same(told, ['180 at 600']);
  test.equal(invite.state, 'proceeding');
  test.end();
});

t.test('a refused INVITE acknowledges every repetition of the refusal for 32 s, and tells it once', (test) => {
  const { clock, sentAtMs, told, client, answer } = bench('udp');
  const invite = client('INVITE');
  answer(invite, 486);
  clock.advance(500);
  answer(invite, 486);
  test.same(sentAtMs, [0, 0, 500], 'the INVITE and two ACKs');
  test.same(told, ['486 at 0']);
  clock.advance(32_000);
  test.ok(invite.terminated);
  test.end();
});

t.test('an answered INVITE passes every 2xx up for 64·T1 (RFC 6026)', (test) => {
  const { clock, told, client, answer } = bench('udp');
  const invite = client('INVITE');
  answer(invite, 200);
  clock.advance(4_000);
  answer(invite, 200);
  test.same(told, ['200 at 0', '200 at 4000']);
  test.equal(invite.state, 'accepted');
  clock.advance(28_000);
  test.ok(invite.terminated);
  test.end();
});

t.test('a CANCEL waits for the first provisional answer, and for the final one no longer than 64·T1', (test) => {
  const { clock, told, client, answer } = bench('udp');
  const invite = client('INVITE');
  let cancelledAtMs = -1;
  invite.whenCancellable(() => {
    cancelledAtMs = clock.nowMs();
  });
  clock.advance(700);
  test.equal(cancelledAtMs, -1, 'nobody has answered, so nothing may be cancelled');
  answer(invite, 100);
  test.equal(cancelledAtMs, 700);
  clock.advance(32_000);
  test.same(told, ['100 at 700', 'made up 408 at 32700']);
  test.end();
});

t.test('a BYE over UDP is repeated at T1 doubled up to T2, and given up after 64·T1', (test) => {
  const { clock, sentAtMs, told, client } = bench('udp');
  client('BYE');
  clock.advance(40_000);
  test.same(sentAtMs, [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
  test.same(told, ['made up 408 at 32000']);
  test.end();
});

t.test('a request that is answered provisionally is repeated every T2', (test) => {
  const { clock, sentAtMs, client, answer } = bench('udp');
  const request = client('OPTIONS');
  answer(request, 100);
  clock.advance(9_000);
  test.same(sentAtMs, [0, 500, 4_500, 8_500]);
  test.end();
});

t.test('an answered request absorbs repetitions for T4 over UDP, and is done at once over TCP', (test) => {
  for (const [transport, lingersMs] of [
    ['udp', 5_000],
    ['tcp', 0],
  ] as const) {
    const { clock, told, room, client, answer } = bench(transport);
    const request = client('OPTIONS');
    answer(request, 200);
    answer(request, 200);
    test.same(told, ['200 at 0']);
    if (lingersMs > 0) {
      clock.advance(lingersMs - 1);
      test.equal(room.clientTransactions.size, 1);
    }
    clock.advance(1);
    test.equal(room.clientTransactions.size, 0);
  }
  test.end();
});

t.test('a request that cannot be delivered is a 503', (test) => {
  const { told, room, client, failToSend } = bench('udp');
  client('INVITE');
  failToSend();
  test.same(told, ['made up 503 at 0']);
  test.equal(room.clientTransactions.size, 0);
  test.end();
});

t.test('a refusal of ours is repeated at T1 doubled up to T2 until its ACK', (test) => {
  const { clock, sentAtMs, server } = bench('udp');
  const invite = server('INVITE');
  invite.respond(486, 'busy');
  clock.advance(8_000);
  test.same(sentAtMs, [0, 500, 1_500, 3_500, 7_500]);
  invite.handle('ack');
  clock.advance(4_999);
  test.equal(invite.state, 'confirmed');
  clock.advance(1);
  test.ok(invite.terminated);
  test.same(sentAtMs, [0, 500, 1_500, 3_500, 7_500]);
  test.end();
});

t.test('a refusal of ours without an ACK is given up after 64·T1', (test) => {
  const { clock, server } = bench('udp');
  const invite = server('INVITE');
  invite.respond(486, 'busy');
  clock.advance(31_999);
  test.notOk(invite.terminated);
  clock.advance(1);
  test.ok(invite.terminated);
  test.end();
});

t.test('a repeated request gets the last response; an answered INVITE is silent about repetitions', (test) => {
  const { clock, sentAtMs, server } = bench('udp');
  const invite = server('INVITE');
  invite.trying('100');
  invite.handle('request');
  test.equal(sentAtMs.length, 2);
  invite.respond(200, 'ok');
  invite.handle('request');
  test.equal(sentAtMs.length, 3, 'the dialog repeats a 2xx, not the transaction');
  clock.advance(32_000);
  test.ok(invite.terminated);
  test.end();
});

t.test('a request that waits for its answer absorbs repetitions, and repeats the answer for 64·T1', (test) => {
  const { clock, sentAtMs, server } = bench('udp');
  const options = server('OPTIONS');
  options.handle('request');
  test.same(sentAtMs, []);
  options.respond(200, 'ok');
  clock.advance(31_999);
  options.handle('request');
  test.same(sentAtMs, [0, 31_999]);
  clock.advance(1);
  test.ok(options.terminated);
  test.end();
});

t.test('timers run out in the order of their instants, at their instants, and never when cancelled', (test) => {
  const lengths = fc.constantFrom(0, 10, 500, 1_000, 4_000, 32_000);
  const plan = fc.array(fc.record({ ms: lengths, gapMs: fc.nat(2_000), cancel: fc.boolean() }), { maxLength: 60 });
  fc.assert(
    fc.property(plan, (timers) => {
      const clock = new VirtualClock();
      const queues = new TimerQueues(clock);
      const ran: [number, number][] = [];
      const dueMs: number[] = [];
      timers.forEach(({ ms, gapMs, cancel }, at) => {
        clock.advance(gapMs);
        dueMs.push(clock.nowMs() + ms);
        const owner: TimerOwner = { onTimer: () => void ran.push([at, clock.nowMs()]) };
        const timer = queues.start(ms, owner, 'x');
        if (cancel) timer.cancel();
      });
      clock.advance(100_000);
      const expected = timers.flatMap((one, at) => (one.cancel ? [] : [at])).length;
      const onTime = ran.every(([at, ranMs]) => ranMs === dueMs[at] && timers[at]?.cancel === false);
      return onTime && ran.length === expected && clock.waiting === 0;
    }),
  );
  test.end();
});
