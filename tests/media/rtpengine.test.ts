/** The rtpengine driver against Debian's daemon: the same promises as the relay's, heard at the far ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import fc from 'fast-check';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { Temporal } from 'temporal-polyfill';
import type { CallEvent, CallSink } from '../../gateway/calls/ports.js';
import type { Clock } from '../../gateway/clock/clock.js';
import { PLAIN_RULES } from '../../gateway/media/media-rules.js';
import { type Bencoded, bdecode, bencode } from '../../gateway/media/rtpengine/bencode.js';
import { RtpenginePlane } from '../../gateway/media/rtpengine/rtpengine-plane.js';
import { callId, handsetId } from '../../gateway/policy/ids.js';
import { needs } from '../peers/needs.js';
import { clock, stream } from './relay-process.js';
import { RtpParty, stampedPayload, stampOf } from './rtp-party.js';
import { decoded, shareAt } from './tone.js';

const opts = needs('rtpengine-daemon');
const CALL = callId('call-1');
const HANDSET = handsetId('a-101');
/** Between the process that sends and the one that relays, on a busy machine. */
const ROOM_MS = 60;

t.test('bencoding: what is written is read again, and nothing else is', async (t) => {
  const { value } = fc.letrec<{ value: Bencoded }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.integer(),
      fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) }),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.string({ unit: 'grapheme-ascii', maxLength: 8 }), tie('value'), {
        maxKeys: 4,
        noNullPrototype: true,
      }),
    ),
  }));
  fc.assert(
    fc.property(value, (said) => {
      t.same(bdecode(bencode(said)), said);
    }),
    { numRuns: 200 },
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        bdecode(text);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
      }
    }),
  );
});

interface Daemon {
  readonly child: ChildProcess;
  readonly port: number;
}

async function freePort(): Promise<number> {
  const probe = createSocket('udp4');
  probe.bind(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return port;
}

/** Starts a daemon of the test's own; it is answering when a plane can be attached to it. */
async function startDaemon(t: Test): Promise<Daemon> {
  const port = await freePort();
  const from = 42_000 + 2 * Math.floor(Math.random() * 4_000);
  const child = spawn(
    'rtpengine',
    [
      '--table=-1',
      '--interface=127.0.0.1',
      `--listen-ng=127.0.0.1:${port}`,
      `--port-min=${from}`,
      `--port-max=${from + 400}`,
      '--foreground',
      '--log-stderr',
      '--log-level=3',
    ],
    { stdio: 'ignore' },
  );
  const exited = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return { child, port };
}

class Ear implements CallSink {
  readonly events: CallEvent[] = [];
  readonly lost: string[] = [];
  readonly #news = new EventEmitter();

  request(): void {
    throw new Error('media asks for no call');
  }

  event(_call: string, event: CallEvent): void {
    this.events.push(event);
    this.#news.emit('news');
  }

  planeLost(plane: string, why: string): void {
    this.lost.push(`${plane}: ${why}`);
    this.#news.emit('news');
  }

  async heard<Type extends CallEvent['type']>(type: Type): Promise<Extract<CallEvent, { type: Type }>> {
    const signal = AbortSignal.timeout(8_000);
    for (;;) {
      const found = this.events.find((event) => event.type === type);
      if (found !== undefined) return found as Extract<CallEvent, { type: Type }>;
      await once(this.#news, 'news', { signal });
    }
  }

  async heardLoss(): Promise<void> {
    while (this.lost.length === 0) await once(this.#news, 'news', { signal: AbortSignal.timeout(8_000) });
  }
}

/** A plane on the daemon, tried until the daemon has come up. */
async function planeOn(t: Test, { port }: Daemon, more: { clock?: Clock; owner?: string } = {}) {
  const ear = new Ear();
  const rulesOf = () => PLAIN_RULES;
  const plane = new RtpenginePlane({ clock, log: pino({ level: 'silent' }), sink: ear, owner: 'gw', rulesOf, ...more });
  t.teardown(() => plane.detach());
  for (let tries = 0; ; tries++) {
    try {
      await plane.attach('127.0.0.1', port);
      return { ear, plane };
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}

const sdpOf = (party: RtpParty): string =>
  [
    'v=0',
    `o=- 1 1 IN IP4 ${party.address}`,
    's=-',
    `c=IN IP4 ${party.address}`,
    't=0 0',
    `m=audio ${party.port} RTP/AVP 8 101`,
    'a=rtpmap:101 telephone-event/8000',
    '',
  ].join('\r\n');
const portIn = (sdp: string): number => Number(/m=audio (\d+)/.exec(sdp)?.[1]);
const deadlineIn = (ms: number) => ({
  wall: Temporal.Now.instant().add({ milliseconds: Math.round(ms) }),
  monotonicNs: clock.monotonicNs() + BigInt(Math.round(ms * 1e6)),
  bootId: 'this',
});

/** A call that is connected and not armed, with both ends talking. */
async function callOn(t: Test, { ear, plane }: Awaited<ReturnType<typeof planeOn>>) {
  const handset = await RtpParty.at('127.0.0.1', 1);
  const trunk = await RtpParty.at('127.0.0.1', 2);
  plane.open(CALL, { handset: HANDSET, handsetOffer: sdpOf(handset), earlyMedia: false, digitsAllowed: '' });
  const { trunkOffer } = await ear.heard('media-opened');
  plane.connect(CALL, sdpOf(trunk), true);
  const { handsetAnswer } = await ear.heard('media-connected');
  const trunkSide = { address: '127.0.0.1', port: portIn(trunkOffer) };
  const handsetSide = { address: '127.0.0.1', port: portIn(handsetAnswer) };
  const talk = stream(10, async () => {
    await handset.send(handsetSide, { payload: stampedPayload() });
    await trunk.send(trunkSide, { payload: stampedPayload() });
  });
  t.teardown(() => {
    talk.stop();
    handset.close();
    trunk.close();
  });
  return { handset, trunk, handsetSide, trunkSide, trunkOffer, handsetAnswer };
}

/** When the last packet that came anywhere had been sent, once none has come for a while: milliseconds after `from`. */
async function silentAfter(parties: readonly RtpParty[], from: bigint): Promise<number> {
  const last = (): bigint =>
    parties
      .map(
        ({ received }) =>
          received
            .filter((packet) => packet.length === 172)
            .map(stampOf)
            .at(-1) ?? 0n,
      )
      .sort((a, b) => Number(b - a))[0] ?? 0n;
  for (;;) {
    if (clock.monotonicNs() - last() > 400_000_000n && clock.monotonicNs() > from) break;
    await new Promise((resolve) => clock.after(50, () => resolve(undefined)));
  }
  return Number(last() - from) / 1e6;
}

t.test('a call: nothing before it is armed, both ways after, and silence from its deadline on', opts, async (t) => {
  const on = await planeOn(t, await startDaemon(t));
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

t.test('with the gateway gone, the daemon itself ends the call just past the deadline', opts, async (t) => {
  // A gateway whose timers never come: nothing of ours ends this call. Orders are still answered.
  let isGone = false;
  const dying: Clock = { ...clock, after: (ms, run) => clock.after(ms, () => isGone || run()) };
  const on = await planeOn(t, await startDaemon(t), { clock: dying });
  const { handset, trunk } = await callOn(t, on);
  const deadline = deadlineIn(1_000);
  on.plane.arm(CALL, deadline, []);
  await on.ear.heard('armed');
  isGone = true;
  await trunk.got(() => trunk.received.length > 5);
  const lateMs = await silentAfter([handset, trunk], deadline.monotonicNs);
  t.ok(lateMs > 0, `never before it: ${lateMs.toFixed(0)} ms`);
  t.ok(lateMs < 3_500, `and soon after: ${lateMs.toFixed(0)} ms`);
});

t.test('a second arming ends the call earlier and never later', opts, async (t) => {
  const on = await planeOn(t, await startDaemon(t));
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
  const daemon = await startDaemon(t);
  const stranger = await planeOn(t, daemon, { owner: 'other' });
  const others = await callOn(t, stranger);
  stranger.plane.arm(CALL, deadlineIn(60_000), []);
  await stranger.ear.heard('armed');
  const before = await planeOn(t, daemon);
  await callOn(t, before);
  before.plane.arm(CALL, deadlineIn(60_000), []);
  await before.ear.heard('armed');

  const after = await planeOn(t, daemon);
  t.equal(await after.plane.measure(CALL), undefined, 'ours is gone');
  const count = others.trunk.received.length;
  await others.trunk.got(() => others.trunk.received.length > count + 5);
});

t.test('a daemon that dies is lost, told once, and reached again when it is back', opts, async (t) => {
  const daemon = await startDaemon(t);
  const { ear, plane } = await planeOn(t, daemon);
  const lost: string[] = [];
  plane.onLost((why) => lost.push(why));
  daemon.child.kill('SIGKILL');
  await ear.heardLoss();
  t.equal(ear.lost.length, 1);
  t.equal(lost.length, 1);
  t.notOk(plane.attached);
  const handset = await RtpParty.at('127.0.0.1', 9);
  t.teardown(() => handset.close());
  plane.open(CALL, { handset: HANDSET, handsetOffer: sdpOf(handset), earlyMedia: false, digitsAllowed: '' });
  t.equal((await ear.heard('media-failed')).code, 'media.lost');
  await t.rejects(plane.attach('127.0.0.1', daemon.port), /does not answer/);
});
