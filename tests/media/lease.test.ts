import { once } from 'node:events';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { RelayCall } from '../../gateway/media/relay/call.js';
import { type RelayClock, relayClock } from '../../gateway/media/relay/clock.js';
import { Lease } from '../../gateway/media/relay/lease.js';
import { PortPairs } from '../../gateway/media/relay/port-pairs.js';
import { SoundLibrary } from '../../gateway/media/relay/sound-library.js';
import { ALAW } from './relay-process.js';
import { RtpParty } from './rtp-party.js';

const real = relayClock();
/** The event loop held up: no timer ever fires. */
const timeless: RelayClock = { ...real, after: () => ({ cancel: () => undefined }) };

async function armedCall(t: Test, clock: RelayClock, forMs: number, contactMs: number) {
  const lost: string[] = [];
  const deadlines: number[] = [];
  const pairs = new PortPairs('127.0.0.1', null, (error) => t.fail(error.message));
  const handset = await RtpParty.at('127.0.0.1', 1);
  const trunk = await RtpParty.at('127.0.0.1', 2);
  const [handsetPair, trunkPair] = [await pairs.open(), await pairs.open()];
  const call = new RelayCall({
    clock,
    contact: { untilMs: real.now() + contactMs, lose: (why) => lost.push(why) },
    handset: handsetPair,
    trunk: trunkPair,
    order: { do: 'open', call: 'x', handset: handset.peer(), earlyMedia: false, digitsAllowed: '' },
    sounds: new SoundLibrary(),
    tell: () => undefined,
    onDeadline: (lateMs) => deadlines.push(lateMs),
  });
  t.teardown(() => {
    call.end();
    handset.close();
    trunk.close();
  });
  call.connect({ do: 'connect', call: 'x', trunk: trunk.peer(), toTrunk: ALAW, toHandset: ALAW });
  call.arm(real.now() + forMs, { warningsS: [] });
  const side = { address: '127.0.0.1', port: handsetPair.port };
  return { call, handset, trunk, side, handsetPair, lost, deadlines };
}

t.test('the deadline holds packet by packet, though no timer ever fires', async (t) => {
  const { call, handset, trunk, side, handsetPair, deadlines } = await armedCall(t, timeless, 150, 60_000);
  const before = await handset.send(side);
  await trunk.got((packet) => packet.equals(before));
  await new Promise<void>((resolve) => real.after(150, resolve));
  t.same(deadlines, [], 'no timer told of it');
  const judged = once(handsetPair.rtp, 'message');
  await handset.send(side);
  await judged;
  t.equal(deadlines.length, 1, 'the packet did');
  const counters = call.end();
  t.match(counters, { handsetPackets: 1, droppedAfterDeadline: 1 });
  t.equal(trunk.received.length, 1);
});

t.test('loss of contact holds packet by packet too', async (t) => {
  const { call, handset, trunk, side, handsetPair, lost } = await armedCall(t, timeless, 60_000, 0);
  const judged = once(handsetPair.rtp, 'message');
  await handset.send(side);
  await judged;
  t.same(lost, ['no beat']);
  t.match(call.end(), { handsetPackets: 0, dropped: 1, droppedAfterDeadline: 0 });
  t.equal(trunk.received.length, 0);
});

t.test('a call that carries no packet is told of its deadline by the timer, never early', async (t) => {
  const told = await new Promise<number>((resolve) => {
    const lease = new Lease(real, { untilMs: Number.POSITIVE_INFINITY, lose: () => undefined }, resolve);
    lease.arm(real.now() + 20);
  });
  t.ok(told >= 0, `told ${told} ms late`);
});

t.test('a deadline a month away does not come at once', async (t) => {
  let ended = 0;
  const lease = new Lease(real, { untilMs: Number.POSITIVE_INFINITY, lose: () => undefined }, () => ended++);
  lease.arm(real.now() + 31 * 86_400_000);
  await new Promise<void>((resolve) => real.after(20, resolve));
  t.equal(ended, 0);
  t.ok(lease.holds(real.now()));
  lease.end();
});

t.test(
  'whatever the order of arming and packets, nothing passes at or after the nearest deadline, and it is told at most once',
  async () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.record({ armIn: fc.integer({ min: -50, max: 500 }) }),
            fc.record({ pass: fc.integer({ min: 0, max: 100 }) }),
          ),
        ),
        (steps) => {
          let nowMs = 0;
          let told = 0;
          const clock: RelayClock = { now: () => nowMs, fromNs: Number, after: () => ({ cancel: () => undefined }) };
          const contact = { untilMs: Number.POSITIVE_INFINITY, lose: () => undefined };
          const lease = new Lease(clock, contact, () => told++);
          let nearest = Number.POSITIVE_INFINITY;
          for (const step of steps) {
            if ('armIn' in step) {
              lease.arm(nowMs + step.armIn);
              nearest = Math.min(nearest, nowMs + step.armIn);
            } else {
              nowMs += step.pass;
              if (lease.holds(nowMs) !== nowMs < nearest) return false;
            }
          }
          return told <= 1;
        },
      ),
    );
  },
);

t.test('instants from other processes are read to a hundredth of a millisecond, and never late', async (t) => {
  for (let i = 0; i < 1_000; i++) {
    const before = real.now();
    const at = real.fromNs(process.hrtime.bigint());
    const after = real.now();
    t.ok(at >= before - 0.05 && at <= after, `${before} ${at} ${after}`);
  }
});
