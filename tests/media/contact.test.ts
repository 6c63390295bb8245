import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { RelayLink } from '../../gateway/media/relay-link.js';
import { callBetween, clock, linkTo, startRelay, stream } from './relay-process.js';
import { type RtpParty, stampedPayload, stampOf } from './rtp-party.js';

const FAR_MS = 60_000;
const msBetween = (from: bigint, to: bigint): number => Number(to - from) / 1e6;

/** Both ends talk; answers when the last packet that arrived anywhere had been sent, once none has arrived for a while. */
async function talkUntilSilent(call: Awaited<ReturnType<typeof callBetween>>, cut: () => Promise<bigint> | bigint) {
  const { handset, trunk, handsetSide, trunkSide } = call;
  const talk = stream(2, async () => {
    await handset.send(handsetSide, { payload: stampedPayload() });
    await trunk.send(trunkSide, { payload: stampedPayload() });
  });
  await trunk.got(() => trunk.received.length > 20);
  const cutAt = await cut();
  const lastOf = (party: RtpParty): bigint => party.received.map(stampOf).at(-1) ?? 0n;
  const last = (): bigint => [lastOf(handset), lastOf(trunk)].sort((a, b) => Number(b - a))[0] ?? 0n;
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (msBetween(last(), clock.monotonicNs()) > 300) resolve();
      else clock.after(20, look);
    };
    look();
  });
  talk.stop();
  return msBetween(cutAt, last());
}

t.test('a closed control connection is silence at once, and for good', async (t) => {
  const { socket } = await startRelay(t);
  const { link } = await linkTo(t, socket);
  const call = await callBetween(t, link, 'closed');
  await call.arm(FAR_MS);
  const silentMs = await talkUntilSilent(call, () => {
    link.close();
    return clock.monotonicNs();
  });
  t.ok(silentMs <= 100, `silent after ${silentMs} ms`);
  const again = await linkTo(t, socket);
  t.match(await again.link.order({ do: 'status' }), { calls: [] }, 'contact can be had again, the call cannot');
});

t.test('a gateway that is stopped and not dead: silence within 2.5 s of its last beat', async (t) => {
  const { socket } = await startRelay(t);
  // A connection that orders and never beats after its first orders.
  let beating = true;
  const mute = await RelayLink.connect(socket, {
    clock: { ...clock, after: (ms, run) => clock.after(ms, () => beating && run()) },
    onNotice: () => undefined,
    onLost: () => undefined,
  });
  t.teardown(() => mute.close());
  const call = await callBetween(t, mute, 'stalled');
  await call.arm(FAR_MS);
  const silentMs = await talkUntilSilent(call, () => {
    beating = false;
    return clock.monotonicNs();
  });
  t.ok(silentMs <= 2_500, `silent ${silentMs} ms after the stall`);
  t.ok(silentMs >= 1_400, 'and not before the beat was due');
});

t.test('the end of the life line is silence at once and the end of the process', async (t) => {
  const { socket, child, exited } = await startRelay(t);
  const { link, lost, news } = await linkTo(t, socket);
  const call = await callBetween(t, link, 'orphan');
  await call.arm(FAR_MS);
  const gone = once(news, 'lost');
  const silentMs = await talkUntilSilent(call, () => {
    child.stdin?.end();
    return clock.monotonicNs();
  });
  t.ok(silentMs <= 100, `silent after ${silentMs} ms`);
  t.same(await exited, [0, null]);
  await gone;
  t.equal(lost.length, 1);
});

t.test('SIGTERM ends what is held and the process, cleanly', async (t) => {
  const { socket, child, exited } = await startRelay(t);
  const { link } = await linkTo(t, socket);
  const call = await callBetween(t, link, 'term');
  await call.arm(FAR_MS);
  child.kill('SIGTERM');
  t.same(await exited, [0, null]);
});

t.test('a second client is turned away and harms no call', async (t) => {
  const { socket } = await startRelay(t);
  const { link } = await linkTo(t, socket);
  const call = await callBetween(t, link, 'second');
  await call.arm(FAR_MS);
  const second = connect(socket);
  second.on('error', () => undefined);
  await once(second, 'close');
  const spoken = await call.handset.send(call.handsetSide);
  await call.trunk.got((packet) => packet.equals(spoken));
});

t.test('lines that are no orders are answered or ignored, and never the end of the relay', async (t) => {
  const { socket } = await startRelay(t);
  const client = connect(socket);
  t.teardown(() => client.destroy());
  client.setEncoding('utf8');
  let said = '';
  client.on('data', (chunk: string) => {
    said += chunk;
  });
  client.write(
    'nonsense\n[]\nnull\n{"do":"fly","id":3}\n{"do":"arm","id":4,"call":"x","atNs":"soon","warningsS":[]}\n',
  );
  client.write('{"do":"status","id":5}\n');
  while (!said.includes('"id":5')) await once(client, 'data', { signal: AbortSignal.timeout(5_000) });
  const answers = said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.match(answers, [
    { event: 'failed', id: 3, code: 'media.bad-order' },
    { event: 'failed', id: 4, code: 'media.bad-order', why: '/atNs is not what it should be' },
    { event: 'status', id: 5 },
  ]);
  client.write('x'.repeat(70_000));
  await once(client, 'close');
  const { link } = await linkTo(t, socket);
  t.match(await link.order({ do: 'status' }), { event: 'status' });
});

t.test(
  'a range without a free pair of ports refuses the call with a code, and serves the next when one is free',
  async (t) => {
    const from = await freeRangeOf(4);
    const { socket } = await startRelay(t, { ports: { from, to: from + 3 } });
    const { link } = await linkTo(t, socket);
    const first = await callBetween(t, link, 'first');
    t.ok(first.handsetSide.port >= from && first.trunkSide.port <= from + 3);
    const handset = first.handset.peer();
    const open = (call: string) => link.order({ do: 'open', call, handset, earlyMedia: false, digitsAllowed: '' });
    t.match(await open('second'), { event: 'failed', code: 'media.ports-exhausted' });
    await first.close();
    t.match(await open('third'), { event: 'opened' });
  },
);

t.test('a retired relay takes no more calls, and ends with its last', async (t) => {
  const { socket, exited } = await startRelay(t);
  const { link } = await linkTo(t, socket);
  const call = await callBetween(t, link, 'last');
  t.match(await link.order({ do: 'retire' }), { event: 'retiring', calls: 1 });
  const handset = call.handset.peer();
  t.match(await link.order({ do: 'open', call: 'new', handset, earlyMedia: false, digitsAllowed: '' }), {
    code: 'media.retiring',
  });
  await call.close();
  t.same(await exited, [0, null]);
});

t.test('started by hand, it reads a file, needs no life line, and loses no call by its end', async (t) => {
  const { socket, child, exited } = await startRelay(t, {}, 'file');
  const { link } = await linkTo(t, socket);
  const call = await callBetween(t, link, 'by-hand');
  await call.arm(FAR_MS);
  child.stdin?.end();
  const spoken = await call.handset.send(call.handsetSide);
  await call.trunk.got((packet) => packet.equals(spoken));
  child.kill('SIGTERM');
  t.same(await exited, [0, null]);
});

t.test('a configuration that cannot work ends the process with 78', async (t) => {
  await t.rejects(startRelay(t, { cellAddress: 'localhost' }), { message: 'the relay ended with 78' });
  await t.rejects(startRelay(t, { ports: { from: 5, to: 5 } }), { message: 'the relay ended with 78' });
  // TEST-NET-1 is no address of this machine.
  await t.rejects(startRelay(t, { carrierAddress: '192.0.2.1' }), { message: 'the relay ended with 78' });
});

/** The first of `count` ports, even, that are free now, outside the range from which the kernel serves others. */
async function freeRangeOf(count: number): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const from = 10_000 + 2 * Math.floor(Math.random() * 10_000);
    const sockets = Array.from({ length: count }, () => createSocket('udp4'));
    const free = await Promise.all(
      sockets.map(
        (socket, index) =>
          new Promise<boolean>((resolve) => {
            socket.once('error', () => resolve(false));
            socket.bind(from + index, '127.0.0.1', () => resolve(true));
          }),
      ),
    );
    for (const socket of sockets) socket.close();
    if (free.every((it) => it)) return from;
  }
  throw new Error('no free ports for the test');
}
