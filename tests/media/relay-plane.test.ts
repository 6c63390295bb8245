import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { type MediaRules, PLAIN_RULES } from '../../gateway/media/media-rules.js';
import { RelayPlane } from '../../gateway/media/relay-plane.js';
import type { RelayPlaneOptions } from '../../gateway/media/relay-plane-options.js';
import { CALL, connected, deadlineIn, Ear, HANDSET, orderOf as order, portIn, sdpOf } from './plane-ear.js';
import { clock, startRelay } from './relay-process.js';
import { RtpParty } from './rtp-party.js';
import { decoded, shareAt } from './tone.js';

function planeFor(t: Test, options: Partial<RelayPlaneOptions> = {}) {
  const ear = new Ear();
  const plane = new RelayPlane({ clock, log: pino({ level: 'silent' }), sink: ear, ...options });
  t.teardown(() => plane.detach());
  return { ear, plane };
}

async function parties(t: Test) {
  const handset = await RtpParty.at('127.0.0.1', 1);
  const trunk = await RtpParty.at('127.0.0.1', 2);
  t.teardown(() => {
    handset.close();
    trunk.close();
  });
  return { handset, trunk };
}

t.test('one call, from its offer to its release', async (t) => {
  const { socket } = await startRelay(t);
  const { ear, plane } = planeFor(t, { networks: { cell: ['127.0.0.0/8'], carrier: ['127.0.0.0/8'] } });
  await plane.attach(socket);
  const { handset, trunk } = await parties(t);

  plane.open(CALL, order(handset));
  t.same(ear.events, [], 'an order answers later, never at once');
  const { trunkOffer } = await ear.heard('media-opened');
  t.notMatch(trunkOffer, /cell/);

  plane.connect(CALL, sdpOf(trunk, 'carrier'), false);
  plane.connect(CALL, '', true);
  const { handsetAnswer } = await ear.heard('media-connected');
  t.notMatch(handsetAnswer, /carrier/);
  t.not(/o=balise (\d+)/.exec(handsetAnswer)?.[1], /o=balise (\d+)/.exec(trunkOffer)?.[1]);

  plane.arm(CALL, deadlineIn(400), [60, 10]);
  t.equal((await ear.heard('armed')).plane, 'media');
  const handsetSide = { address: '127.0.0.1', port: portIn(handsetAnswer) };
  const trunkSide = { address: '127.0.0.1', port: portIn(trunkOffer) };
  const there = await handset.send(handsetSide);
  await trunk.got((packet) => packet.equals(there));
  const back = await trunk.send(trunkSide);
  await handset.got((packet) => packet.equals(back));

  t.same(await ear.heard('deadline-passed'), { type: 'deadline-passed', by: 'media' });
  plane.close(CALL);
  const released = await ear.heard('released');
  t.match(released, { plane: 'media', stats: { handsetPackets: 1, trunkPackets: 1, dropped: 0, lost: 0 } });
  t.equal(ear.events.filter(({ type }) => type === 'deadline-passed').length, 1);
  t.same(ear.lost, []);
});

t.test('what a leg on hold does not want is not forwarded, until it is resumed', async (t) => {
  const { socket } = await startRelay(t);
  const { ear, plane } = planeFor(t);
  await plane.attach(socket);
  const { handset, trunk } = await parties(t);
  plane.open(CALL, order(handset));
  const { trunkSide, handsetSide } = await connected(plane, ear, trunk);
  plane.arm(CALL, deadlineIn(60_000), []);
  await ear.heard('armed');

  /** An order may overtake a packet that was sent before it: the next one waits until the relay has dropped so many. */
  const dropped = async (count: number): Promise<void> => {
    while (((await plane.measure(CALL))?.dropped ?? 0) < count);
  };
  plane.hold(CALL, 'handset', 'sendonly');
  t.match(await plane.measure(CALL), { trunkPackets: 0 }, 'the relay has heard of it');
  const music = await handset.send(handsetSide);
  await trunk.got((packet) => packet.equals(music));
  const unheard = await trunk.send(trunkSide);
  await dropped(1);
  plane.hold(CALL, 'trunk', 'inactive');
  plane.hold(CALL, 'handset', 'sendrecv');
  await plane.measure(CALL);
  const unheardToo = await trunk.send(trunkSide);
  await dropped(2);
  plane.hold(CALL, 'trunk', 'sendrecv');
  await plane.measure(CALL);
  const heard = await trunk.send(trunkSide);
  await handset.got((packet) => packet.equals(heard));
  t.notOk(handset.has(unheard) || handset.has(unheardToo));
});

for (const [codec, format, map] of [
  ['G.711 A-law', 8, ''],
  ['G.711 µ-law', 0, ''],
  ['G.722', 9, ''],
  ['Opus', 111, 'a=rtpmap:111 opus/48000/2\r\n'],
] as const) {
  t.test(`${codec} passes both ways as it came, where both ends share it, and nothing else does`, async (t) => {
    const { socket } = await startRelay(t);
    const rulesOf = (): MediaRules => ({ ...PLAIN_RULES, codecs: ['opus', 'g722', 'pcma', 'pcmu'] });
    const { ear, plane } = planeFor(t, { rulesOf });
    await plane.attach(socket);
    const { handset, trunk } = await parties(t);
    const described = (party: RtpParty, formats: string): string =>
      `${sdpOf(party).replace('RTP/AVP 8 101', `RTP/AVP ${formats}`)}${map}`;
    const offer = described(handset, `${format} 18 13`);
    plane.open(CALL, { ...order(handset), handsetOffer: offer });
    const { trunkOffer } = await ear.heard('media-opened');
    t.match(trunkOffer, new RegExp(`RTP/AVP ${format}\\r`), 'G.729 and comfort noise are not offered');
    plane.connect(CALL, described(trunk, String(format)), true);
    const { handsetAnswer } = await ear.heard('media-connected');
    plane.arm(CALL, deadlineIn(60_000), []);
    await ear.heard('armed');
    const handsetSide = { address: '127.0.0.1', port: portIn(handsetAnswer) };
    const trunkSide = { address: '127.0.0.1', port: portIn(trunkOffer) };
    const payload = randomBytes(80);
    const foreign = await handset.send(handsetSide, { payloadType: 18, payload });
    const there = await handset.send(handsetSide, { payloadType: format, payload });
    await trunk.got((packet) => packet.equals(there));
    const back = await trunk.send(trunkSide, { payloadType: format, payload });
    await handset.got((packet) => packet.equals(back));
    t.notOk(trunk.has(foreign));
  });
}

t.test('an offer that cannot be used fails with its code, and needs no relay for that', async (t) => {
  const { ear, plane } = planeFor(t);
  const handsetOffer = 'v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 9\r\n';
  plane.open(CALL, { handset: HANDSET, handsetOffer, earlyMedia: false, digitsAllowed: '' });
  t.equal((await ear.heard('media-failed')).code, 'media.no-codec');
});

t.test('a handset whose media address is in no wing gets no media', async (t) => {
  const { socket } = await startRelay(t);
  const { ear, plane } = planeFor(t, { networks: { cell: ['10.0.0.0/8'], carrier: [] } });
  await plane.attach(socket);
  const { handset } = await parties(t);
  plane.open(CALL, order(handset));
  t.equal((await ear.heard('media-failed')).code, 'media.bad-address');
});

t.test('an early SDP that cannot be used is no end, a final one is', async (t) => {
  const { socket } = await startRelay(t);
  const { ear, plane } = planeFor(t);
  await plane.attach(socket);
  const { handset } = await parties(t);
  plane.open(CALL, order(handset));
  await ear.heard('media-opened');
  plane.connect(CALL, 'v=0\r\nrubbish', false);
  plane.connect(CALL, 'v=0\r\nrubbish', true);
  t.equal((await ear.heard('media-failed')).code, 'media.bad-sdp');
  t.equal(ear.events.length, 2);
});

t.test('an early SDP is answered for the 183, as the final one is for the 200', async (t) => {
  const { socket } = await startRelay(t);
  const { ear, plane } = planeFor(t);
  await plane.attach(socket);
  const { handset, trunk } = await parties(t);
  plane.open(CALL, { ...order(handset), earlyMedia: true });
  await ear.heard('media-opened');
  plane.connect(CALL, sdpOf(trunk), false);
  const { answer } = await ear.heard('announcing');
  plane.connect(CALL, sdpOf(trunk), true);
  t.equal((await ear.heard('media-connected')).handsetAnswer, answer);
});

t.test('a handset that cannot ring back by itself hears ours until the trunk is connected', async (t) => {
  const { socket } = await startRelay(t);
  const { ear, plane } = planeFor(t);
  await plane.attach(socket);
  const { handset, trunk } = await parties(t);
  plane.open(CALL, { ...order(handset), ringsBack: true });
  const { answer } = await ear.heard('announcing');
  t.match(answer, /m=audio \d+ RTP\/AVP 8\r\n[\s\S]*a=sendonly/);
  await handset.got(() => handset.received.length > 10);
  const sound = decoded(Buffer.concat(handset.received.map((packet) => packet.subarray(12))), 'pcma');
  t.ok(shareAt(sound, 425) > 0.9, 'ITU-T E.180: 425 Hz');
  plane.connect(CALL, sdpOf(trunk), true);
  await ear.heard('media-connected');
  const then = handset.received.length;
  plane.arm(CALL, deadlineIn(60_000), []);
  await ear.heard('armed');
  for (let i = 0; i < 10; i++) {
    const speech = await trunk.send({
      address: '127.0.0.1',
      port: portIn((await ear.heard('media-opened')).trunkOffer),
    });
    await handset.got((packet) => packet.equals(speech));
  }
  t.ok(handset.received.length <= then + 11, 'and then the callee alone');
});

t.test('a call closed while it is being opened is released, and never said to be open', async (t) => {
  const { socket } = await startRelay(t);
  const { ear, plane } = planeFor(t);
  await plane.attach(socket);
  const { handset } = await parties(t);
  plane.open(CALL, order(handset));
  plane.close(CALL);
  await ear.heard('released');
  // Whatever the relay has not answered yet is settled by this.
  plane.detach();
  await new Promise((resolve) => setImmediate(resolve));
  t.same(
    ear.events.map(({ type }) => type),
    ['released'],
  );
});

t.test(
  'the relay killed in mid-call: lost once, told to whoever respawns it, every later order answered',
  async (t) => {
    const { socket, child, exited } = await startRelay(t);
    const { ear, plane } = planeFor(t);
    const toRespawn: string[] = [];
    plane.onLost((why) => toRespawn.push(why));
    await plane.attach(socket);
    const { handset, trunk } = await parties(t);
    plane.open(CALL, order(handset));
    await connected(plane, ear, trunk);
    plane.arm(CALL, deadlineIn(60_000), []);
    await ear.heard('armed');

    child.kill('SIGKILL');
    plane.close(CALL);
    await ear.heardLoss();
    await exited;
    t.same(await ear.heard('released'), { type: 'released', plane: 'media' }, 'no statistics, and no waiting');
    plane.arm(CALL, deadlineIn(60_000), []);
    t.match(await ear.heard('arm-failed'), { plane: 'media', why: /media\.lost/ });
    plane.open(CALL, order(handset));
    t.equal((await ear.heard('media-failed')).code, 'media.lost');
    t.equal(ear.lost.length, 1);
    t.equal(toRespawn.length, 1);
    t.notOk(plane.attached);

    const next = await startRelay(t);
    await plane.attach(next.socket);
    ear.events.length = 0;
    plane.open(CALL, order(handset));
    await ear.heard('media-opened');
  },
);

t.test('a relay that is stopped and not dead is lost within 2.5 s, and its orders fail', async (t) => {
  const { socket, child } = await startRelay(t);
  const { ear, plane } = planeFor(t);
  await plane.attach(socket);
  const { handset } = await parties(t);
  const from = clock.monotonicNs();
  child.kill('SIGSTOP');
  plane.open(CALL, order(handset));
  await ear.heardLoss();
  const afterMs = Number(clock.monotonicNs() - from) / 1e6;
  t.ok(afterMs <= 2_500, `lost after ${afterMs} ms`);
  t.match(await ear.heard('media-failed'), { code: /^media\.(lost|timeout)$/ });
});

t.test('detaching on purpose is no loss', async (t) => {
  const { socket, child, exited } = await startRelay(t);
  const { ear, plane } = planeFor(t);
  await plane.attach(socket);
  plane.detach();
  child.kill('SIGTERM');
  await exited;
  t.same(ear.lost, []);
});

t.test('a relay that cannot be reached, or is none, rejects the attaching and reports no loss', async (t) => {
  const { ear, plane } = planeFor(t);
  const folder = mkdtempSync(join(tmpdir(), 'balise-media-'));
  const socket = join(folder, 'other.sock');
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  await t.rejects(plane.attach(socket), { code: 'ENOENT' });
  const other = createServer((client) => client.end('good day\n'));
  await new Promise<void>((resolve) => other.listen(socket, resolve));
  t.teardown(() => other.close());
  await t.rejects(plane.attach(socket), /did not say hello/);
  t.same(ear.lost, []);
});
