/**
 * A call that is up, and then: its deadline, or the death or hang of a process. Measured at the far ends: the last packet
 * that each peer heard, the BYE that each peer saw, the relay of the board. The bounds are those of the design, generous.
 */
import t from 'tap';
import { endsWithin, endTimes } from '../peers/call-end.js';
import { callUp } from '../peers/call-up.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';

const opts = needs('sip-tester');

t.test('a call is warned, and ends at its deadline on all three planes', opts, async (t) => {
  const call = await callUp(t, { profile: { maxTalkS: 5, warningsS: [2] } });
  const { running, cellProbe } = call;
  const quiet = cellProbe.loudest;
  const answered = await call.far.saw(({ direction, kind }) => direction === 'received' && kind === 'ACK');
  const answeredNs = process.hrtime.bigint() - BigInt(Math.round((Date.now() - answered.atMs) * 1e6));
  const times = await endTimes(call, answeredNs + 5_000_000_000n);
  t.ok(cellProbe.loudest > quiet, 'the warning tone was heard');
  t.ok(Math.abs(times.trunkSilentMs) < 250, `the far end hears nothing after the deadline (${times.trunkSilentMs} ms)`);
  t.ok(times.handsetToldMs > -250 && times.handsetToldMs < 500, `BYE at the handset (${times.handsetToldMs} ms)`);
  t.ok(times.trunkToldMs > -250 && times.trunkToldMs < 500, `BYE at the far end (${times.trunkToldMs} ms)`);
  t.ok(times.relayOpenMs < 1_000, `the relay is open (${times.relayOpenMs} ms)`);
  t.notOk(times.isHeardAfter);
  t.match(await running.logged((line) => line.event === 'call.ended'), { cause: 'deadline' });
});

for (const [plane, bound] of [
  ['engine', { silentMs: 500, toldMs: 3_000, openMs: 1_000 }],
  ['relay', { silentMs: 100, toldMs: 1_000, openMs: 1_000 }],
  ['modbus-1', { silentMs: 1_000, toldMs: 1_500, openMs: 5_500 }],
] as const) {
  t.test(
    `kill -9 of the ${plane} in a call ends it on the other two planes, and the plane comes back`,
    opts,
    async (t) => {
      const call = await callUp(t);
      const { running } = call;
      const from = running.lines.length;
      const sinceNs = process.hrtime.bigint();
      process.kill(running.pidOf(plane), 'SIGKILL');
      const times = await endTimes(call, sinceNs);
      endsWithin(t, times, bound);
      await running.logged((line) => line.event === 'plane.ready' && line.plane === plane, from);
      const records = () => running.lines.filter((line) => line.event === 'call.ended');
      await running.logged((line) => line.event === 'call.ended');
      t.equal(records().length, 1, 'one record');
    },
  );
}

t.test(
  'kill -9 of the gateway in a call ends it on all three planes, and the next gateway records it once',
  opts,
  async (t) => {
    const call = await callUp(t);
    const sinceNs = process.hrtime.bigint();
    const gone = call.running.exited.then(() => Number(process.hrtime.bigint() - sinceNs) / 1e6);
    call.running.kill('SIGKILL');
    const times = await endTimes(call, sinceNs);
    // The planes hear of it when the kernel closes what the gateway held, for which a busy machine takes its time.
    const goneMs = await gone;
    endsWithin(t, times, { silentMs: goneMs + 100, toldMs: goneMs + 1_000, openMs: goneMs + 1_000 });
    t.ok(times.trunkSilentMs < 500, `the gateway was gone after ${goneMs} ms`);
    const again = await GatewayProcess.start(t, call.siteFolder);
    t.match(await again.logged((line) => line.event === 'calls.recovered'), { calls: 1 });
    await again.end();
    const third = await GatewayProcess.start(t, call.siteFolder);
    t.match(await third.logged((line) => line.event === 'calls.recovered'), { calls: 0 }, 'nothing is recorded twice');
  },
);

t.test('a gateway that hangs in a call loses it on all three planes', opts, async (t) => {
  const call = await callUp(t);
  const sinceNs = process.hrtime.bigint();
  call.running.kill('SIGSTOP');
  const times = await endTimes(call, sinceNs);
  endsWithin(t, times, { silentMs: 2_500, toldMs: 2_600, openMs: 5_100 });
  call.running.kill('SIGCONT');
  await call.running.logged((line) => line.event === 'call.ended');
  t.equal(call.running.lines.filter((line) => line.event === 'call.ended').length, 1, 'one record');
});
