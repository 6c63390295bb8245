/** The rtpengine driver against Debian's daemon: the same promises as the relay's, heard at the far ends. */
import t from 'tap';
import type { MediaStats } from '../../gateway/calls/record.js';
import type { Clock } from '../../gateway/clock/clock.js';
import { needs } from '../peers/needs.js';
import { CALL, connected, deadlineIn, HANDSET, orderOf, portIn, sdpOf } from './plane-ear.js';
import { clock, stream } from './relay-process.js';
import { RtpParty, stampedPayload } from './rtp-party.js';
import { callOn, clipOf, heardBy, parties, planeOn, sharedDaemon, silentAfter, startDaemon } from './rtpengine-call.js';
import { decoded, shareAt } from './tone.js';

const opts = needs('rtpengine-daemon');
const SIDE_BY_SIDE = { buffered: true } as const;
/** Between the process that sends and the one that relays, on a busy machine. */
const ROOM_MS = 60;

t.test('a call: nothing before it is armed, both ways after, and silence from its deadline on', opts, async (t) => {
  const on = await planeOn(t, await sharedDaemon());
  const { ear, plane } = on;
  const { handset, trunk, handsetSide, handsetAnswer, trunkOffer } = await callOn(t, on);
  t.match(trunkOffer, /^o=balise /m, 'the SDP is our own on both sides');
  t.match(handsetAnswer, /^o=balise /m);
  for (let i = 0; i < 10; i++) await handset.send(handsetSide);
  t.match(await plane.measure(CALL), { handsetPackets: Number }, 'the daemon has them');
  t.equal(trunk.received.length + handset.received.length, 0);

  const deadline = deadlineIn(1_500);
  plane.arm(CALL, deadline, [1]);
  await ear.heard('armed');
  await trunk.got(() => trunk.received.length > 5);
  await handset.got(() => handset.received.length > 5);
  const event = Buffer.from([5, 0x0a, 0, 160]);
  await handset.send(handsetSide, { payloadType: 101, payload: event });
  t.same(await ear.heard('deadline-passed'), { type: 'deadline-passed', by: 'media' });
  const lateMs = await silentAfter([handset, trunk], deadline.monotonicNs);
  t.ok(lateMs <= ROOM_MS, `the last packet was sent ${lateMs.toFixed(1)} ms after the deadline`);
  t.notOk(
    trunk.received.some((packet) => ((packet[1] ?? 0) & 0x7f) === 101),
    'no digit arrived',
  );
  const beeping = handset.received.filter((packet) => shareAt(decoded(packet.subarray(12), 'pcma'), 1_000) > 0.6);
  t.ok(beeping.length >= 8, `${beeping.length} packets of warning`);
  plane.close(CALL);
  t.match(await ear.heard('released'), { plane: 'media' });
});

/** A sender's report (RFC 3550 §6.4.1) about itself, and of what it hears: `lost` packets, `jitter` in steps of its clock. */
function senderReport(from: RtpParty, of: RtpParty, heard: { lost: number; jitter: number }): Buffer {
  const report = Buffer.alloc(52);
  const nowMs = Date.now();
  const last = from.reports.at(-1);
  report.set([0x81, 200, 0, 12]);
  report.writeUInt32BE(from.ssrc, 4);
  report.writeUInt32BE(Math.floor(nowMs / 1_000) + 2_208_988_800, 8);
  report.writeUInt32BE(Math.floor(((nowMs % 1_000) / 1_000) * 2 ** 32), 12);
  report.writeUInt32BE(from.timestamp, 16);
  report.writeUInt32BE(of.ssrc, 28);
  report[32] = 12;
  report.writeUIntBE(heard.lost, 33, 3);
  report.writeUInt32BE(heard.jitter, 40);
  // The other side's last report, by the middle of its time stamp, and next to no time since then: to the daemon, none is no report.
  report.writeUInt32BE(last?.readUInt32BE(10) ?? 0, 44);
  report.writeUInt32BE(1, 48);
  return report;
}

t.test(
  'what the far ends report of what they hear is in the record: loss, jitter, round trip, opinion',
  opts,
  async (t) => {
    const on = await planeOn(t, await sharedDaemon());
    const { handset, trunk, handsetSide, trunkSide } = await callOn(t, on);
    on.plane.arm(CALL, deadlineIn(60_000), []);
    await on.ear.heard('armed');
    await trunk.got(() => trunk.received.length > 5);
    const silent = await on.plane.measure(CALL);
    t.match(silent, { handset: undefined, trunk: undefined, lost: 0 }, 'nothing is made up before they report');
    for (;;) {
      await handset.sendReport(handsetSide, senderReport(handset, trunk, { lost: 40, jitter: 80 }));
      const heard = handset.received.length;
      await handset.got(() => handset.received.length > heard + 5);
      await trunk.sendReport(trunkSide, senderReport(trunk, handset, { lost: 9, jitter: 160 }));
      await handset.got(() => handset.received.length > heard + 10);
      const stats = await on.plane.measure(CALL);
      if (stats?.handset?.mos !== undefined && stats.trunk?.mos !== undefined) break;
    }
    on.plane.close(CALL);
    const { stats } = (await on.ear.heard('released')) as { stats?: MediaStats };
    t.match(stats?.handset, { jitterMs: 20, roundTripMs: Number, mos: Number }, 'the handset’s, as the trunk hears it');
    t.match(stats?.trunk, { jitterMs: 10, roundTripMs: Number, mos: Number });
    t.same([stats?.handset?.lost, stats?.trunk?.lost, stats?.lost], [9, 40, 49]);
    t.equal(stats?.jitterMs, 10);
    t.ok((stats?.handset?.packets ?? 0) > 5 && (stats?.handset?.mos ?? 0) > 1 && (stats?.handset?.mos ?? 9) <= 4.5);
  },
);

t.test('a daemon that forgot a call is told of as a plane that is lost to it', opts, async (t) => {
  const daemon = await sharedDaemon();
  const on = await planeOn(t, daemon, { owner: 'forgotten' });
  await callOn(t, on);
  on.plane.arm(CALL, deadlineIn(60_000), []);
  await on.ear.heard('armed');
  await daemon.ng.ask('delete', { 'call-id': `forgotten/${CALL}`, 'delete delay': 0 });
  t.match(await on.ear.heard('plane-lost'), { plane: 'media' });
});

t.test('a sentence that no language has is no announcement', opts, async (t) => {
  const on = await planeOn(t, await sharedDaemon());
  const { handset } = await parties(t);
  on.plane.announce(CALL, HANDSET, sdpOf(handset), { language: 'xx', pieces: ['refused.blocked'] });
  t.equal((await on.ear.heard('media-failed')).code, 'media.no-prompt');
});

t.test('early media reaches the handset, and nothing the trunk before the answer', opts, async (t) => {
  const on = await planeOn(t, await sharedDaemon());
  const { handset, trunk } = await parties(t);
  on.plane.open(CALL, { ...orderOf(handset), earlyMedia: true });
  const { trunkOffer } = await on.ear.heard('media-opened');
  on.plane.connect(CALL, sdpOf(trunk), false);
  const talk = stream(20, () => trunk.send({ address: '127.0.0.1', port: portIn(trunkOffer) }));
  t.teardown(() => talk.stop());
  await handset.got(() => handset.received.length > 5);
  on.plane.connect(CALL, '', true);
  const { handsetAnswer } = await on.ear.heard('media-connected');
  for (let i = 0; i < 10; i++) await handset.send({ address: '127.0.0.1', port: portIn(handsetAnswer) });
  await on.plane.measure(CALL);
  t.equal(trunk.received.length, 0);
});

t.test(
  'a key in an INFO goes to the trunk as an event where every key may pass, and nowhere where one may not',
  opts,
  async (t) => {
    const daemon = await sharedDaemon();
    for (const [digitsAllowed, passes] of [
      ['0123456789*#', true],
      ['5#', false],
    ] as const) {
      const on = await planeOn(t, daemon);
      const { handset, trunk, handsetSide } = await callOn(t, on, { digitsAllowed });
      on.plane.keyed(CALL, '5');
      on.plane.arm(CALL, deadlineIn(60_000), []);
      await on.ear.heard('armed');
      await trunk.got(() => trunk.received.length > 5);
      for (const key of ['5', '#', '']) on.plane.keyed(CALL, key);
      const isEvent = (packet: Buffer): boolean => ((packet[1] ?? 0) & 0x7f) === 101;
      const isLast = (packet: Buffer): boolean =>
        isEvent(packet) && packet[12] === 11 && ((packet[13] ?? 0) & 0x80) !== 0;
      if (passes) await trunk.got(isLast);
      const spoken = await handset.send(handsetSide, { payload: stampedPayload() });
      const isSpoken = (packet: Buffer): boolean => packet.subarray(12).equals(spoken.subarray(12));
      if (!passes) await trunk.got(isSpoken);
      const events = trunk.received.filter(isEvent);
      const keys = new Map(events.map((packet) => [packet.readUInt32BE(4), packet[12]]));
      t.same([...keys.values()], passes ? [5, 11] : [], `of ${digitsAllowed}: RFC 4733, 5 and #, once each`);
      t.match(await on.plane.measure(CALL), { digitsDropped: passes ? 2 : 4 }, 'the others are counted');
      on.plane.close(CALL);
      await on.ear.heard('released');
      on.plane.detach();
    }
  },
);

t.test(
  'a handset that has answered hears ring-back of ours until the far end does, and then the far end',
  opts,
  async (t) => {
    const on = await planeOn(t, await sharedDaemon());
    const { handset, trunk } = await parties(t);
    on.plane.open(CALL, { ...orderOf(handset), ringsBack: true });
    const { answer } = await on.ear.heard('announcing');
    t.match(answer, /^a=sendonly/m, 'we speak, and do not listen');
    const isRinging = (packet: Buffer): boolean => shareAt(decoded(packet.subarray(12), 'pcma'), 425) > 0.6;
    await handset.got(() => handset.received.filter(isRinging).length > 10);
    const { handsetSide, trunkSide } = await connected(on.plane, on.ear, trunk);
    on.plane.arm(CALL, deadlineIn(60_000), []);
    await on.ear.heard('armed');
    const talk = stream(10, async () => {
      await handset.send(handsetSide);
      await trunk.send(trunkSide);
    });
    t.teardown(() => talk.stop());
    const isFar = (packet: Buffer): boolean => packet.readUInt32BE(8) === trunk.ssrc;
    const first = await handset.got(isFar);
    await handset.got(() => handset.received.filter(isFar).length > 20);
    await trunk.got((packet) => packet.readUInt32BE(8) === handset.ssrc);
    t.notOk(handset.received.slice(handset.received.indexOf(first) + 1).some(isRinging), 'which it rings over no more');
  },
);

t.test('what a leg on hold does not want is not forwarded, until it is resumed', opts, async (t) => {
  const on = await planeOn(t, await sharedDaemon());
  const { handset, trunk } = await callOn(t, on);
  on.plane.arm(CALL, deadlineIn(60_000), []);
  await on.ear.heard('armed');
  await handset.got(() => handset.received.length > 5);
  on.plane.hold(CALL, 'handset', 'sendonly');
  let heard = -1;
  // The order is on its way: from some instant on, ten packets of the one come and none of the other.
  while (handset.received.length !== heard) {
    heard = handset.received.length;
    const passed = trunk.received.length;
    await trunk.got(() => trunk.received.length > passed + 10);
  }
  on.plane.hold(CALL, 'handset', 'sendrecv');
  await handset.got(() => handset.received.length > heard + 5);
});

t.test('what takes the daemon seconds, at once', { ...opts, jobs: 6 }, async (t) => {
  t.test(
    'with the gateway gone, the daemon itself ends the call, long before its deadline',
    SIDE_BY_SIDE,
    async (t) => {
      // A gateway whose timers never come: nothing of ours ends this call, and nothing renews it.
      let isGone = false;
      const dying: Clock = { ...clock, after: (ms, run) => clock.after(ms, () => isGone || run()) };
      const on = await planeOn(t, await sharedDaemon(), { clock: dying });
      const { handset, trunk } = await callOn(t, on);
      on.plane.arm(CALL, deadlineIn(60_000), []);
      await on.ear.heard('armed');
      isGone = true;
      const goneNs = clock.monotonicNs();
      await trunk.got(() => trunk.received.length > 5);
      const afterMs = await silentAfter([handset, trunk], goneNs);
      t.ok(afterMs > 500 && afterMs < 4_500, `silent ${afterMs.toFixed(0)} ms after its last word`);
    },
  );

  t.test('the daemon ends a call by itself past its deadline, however long its lease', SIDE_BY_SIDE, async (t) => {
    let isGone = false;
    const dying: Clock = { ...clock, after: (ms, run) => clock.after(ms, () => isGone || run()) };
    // The lease covers what is said to the callee, and six seconds more.
    const rules = { announcement: true, calleeLanguage: 'fr' } as const;
    const on = await planeOn(t, await sharedDaemon(), { clock: dying, rules });
    const { handset } = await callOn(t, on);
    const deadline = deadlineIn(1_500);
    on.plane.arm(CALL, deadline, []);
    await on.ear.heard('armed');
    isGone = true;
    await handset.got(() => handset.received.length > 5);
    const lateMs = await silentAfter([handset], deadline.monotonicNs);
    t.ok(lateMs > 0 && lateMs < 4_000, `silent ${lateMs.toFixed(0)} ms past the deadline`);
  });

  t.test('a refused caller is told why to the end of the sentence, and hears nobody', SIDE_BY_SIDE, async (t) => {
    const on = await planeOn(t, await sharedDaemon());
    const { handset } = await parties(t);
    on.plane.announce(CALL, HANDSET, sdpOf(handset), { language: 'nl', pieces: ['work.signed-off', 'next'] });
    const { answer } = await on.ear.heard('announcing');
    t.match(answer, /^a=sendonly/m, 'we speak, and do not listen');
    t.notMatch(answer, /telephone-event/);
    const side = { address: '127.0.0.1', port: portIn(answer) };
    const talk = stream(20, () => handset.send(side));
    t.teardown(() => talk.stop());
    await on.ear.heard('announced');
    const heard = heardBy(handset);
    for (const piece of ['work.signed-off', 'next'])
      t.ok(heard.includes(clipOf('nl', piece).subarray(400, 1_600)), piece);
    on.plane.close(CALL);
    t.match(await on.ear.heard('released'), { plane: 'media' });
  });

  t.test('the callee hears the announcement before it hears the caller', SIDE_BY_SIDE, async (t) => {
    const on = await planeOn(t, await sharedDaemon(), { rules: { announcement: true, calleeLanguage: 'fr' } });
    const { handset, trunk } = await callOn(t, on);
    on.plane.arm(CALL, deadlineIn(60_000), []);
    await on.ear.heard('armed');
    const clip = clipOf('fr', 'announcement.callee');
    const isCaller = (packet: Buffer): boolean => packet.readUInt32BE(8) === handset.ssrc;
    const signal = AbortSignal.timeout(15_000);
    while (!trunk.received.some(isCaller) && !signal.aborted)
      await new Promise((resolve) => clock.after(50, () => resolve(undefined)));
    const first = trunk.received.findIndex(isCaller);
    const before = Buffer.concat(trunk.received.slice(0, first).map((packet) => packet.subarray(12)));
    t.ok(before.includes(clip.subarray(400, clip.length - 400)), 'all of it came first');
  });

  t.test(
    'a call outlives its lease as it is renewed, and a stranger’s packets go nowhere once a side is known',
    SIDE_BY_SIDE,
    async (t) => {
      const on = await planeOn(t, await sharedDaemon());
      const { trunk, handsetSide } = await callOn(t, on);
      on.plane.arm(CALL, deadlineIn(60_000), []);
      await on.ear.heard('armed');
      // The daemon learns for some seconds, and believes only what it has learned from then on.
      await new Promise((resolve) => clock.after(4_500, () => resolve(undefined)));
      const stranger = await RtpParty.at('127.0.0.2', 0x6666);
      t.teardown(() => stranger.close());
      for (let i = 0; i < 20; i++) await stranger.send(handsetSide);
      const count = trunk.received.length;
      await trunk.got(() => trunk.received.length > count + 5);
      t.notOk(trunk.received.some((packet) => packet.readUInt32BE(8) === stranger.ssrc));
    },
  );

  t.test('a daemon that dies is lost, told once, and reached again when it is back', SIDE_BY_SIDE, async (t) => {
    const daemon = await startDaemon(t);
    const { ear, plane } = await planeOn(t, daemon);
    const lost: string[] = [];
    plane.onLost((why) => lost.push(why));
    process.kill(daemon.pid, 'SIGKILL');
    await ear.heardLoss();
    t.equal(ear.lost.length, 1);
    t.equal(lost.length, 1);
    t.notOk(plane.attached);
    const handset = await RtpParty.at('127.0.0.1', 9);
    t.teardown(() => handset.close());
    plane.open(CALL, orderOf(handset));
    t.equal((await ear.heard('media-failed')).code, 'media.lost');
    await t.rejects(plane.attach('127.0.0.1', daemon.ngPort), /does not answer/);
  });
});

t.test('a second arming ends the call earlier and never later', opts, async (t) => {
  const on = await planeOn(t, await sharedDaemon());
  const { handset, trunk } = await callOn(t, on);
  on.plane.arm(CALL, deadlineIn(60_000), []);
  await on.ear.heard('armed');
  const sooner = deadlineIn(700);
  on.plane.arm(CALL, sooner, []);
  on.plane.arm(CALL, deadlineIn(90_000), []);
  await on.ear.heard('deadline-passed');
  t.ok((await silentAfter([handset, trunk], sooner.monotonicNs)) <= ROOM_MS);
});

t.test('sessions of a life before are deleted before the first call, and nobody else’s are', opts, async (t) => {
  const daemon = await sharedDaemon();
  const stranger = await planeOn(t, daemon, { owner: 'other' });
  const others = await callOn(t, stranger);
  stranger.plane.arm(CALL, deadlineIn(60_000), []);
  await stranger.ear.heard('armed');
  const before = await planeOn(t, daemon, { owner: 'gw' });
  await callOn(t, before);
  before.plane.arm(CALL, deadlineIn(60_000), []);
  await before.ear.heard('armed');

  const after = await planeOn(t, daemon, { owner: 'gw' });
  t.equal(await after.plane.measure(CALL), undefined, 'ours is gone');
  const count = others.trunk.received.length;
  await others.trunk.got(() => others.trunk.received.length > count + 5);
});
