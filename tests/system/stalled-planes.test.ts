/** A plane's process that hangs, and is not dead: its calls end on the other two planes, and it is started anew. */
import t from 'tap';
import { endsWithin, endTimes } from '../peers/call-end.js';
import { callUp } from '../peers/call-up.js';
import { needs } from '../peers/needs.js';

for (const [plane, bound] of [
  // Packets that wait at a stopped relay are not forwarded.
  ['relay', { silentMs: 100, toldMs: 3_500, openMs: 3_500 }],
  // Whoever is to say BYE hangs: it is killed, and its successor says it from the journal.
  ['engine', { silentMs: 3_000, toldMs: 8_000, openMs: 4_000 }],
] as const) {
  t.test(`a ${plane} that hangs in a call`, needs('sip-tester'), async (t) => {
    const call = await callUp(t);
    const { running } = call;
    const from = running.lines.length;
    const pid = running.pidOf(plane);
    const sinceNs = process.hrtime.bigint();
    process.kill(pid, 'SIGSTOP');
    const times = await endTimes(call, sinceNs);
    endsWithin(t, times, bound);
    const back = await running.logged((line) => line.event === 'plane.ready' && line.plane === plane, from);
    t.not(back.planePid, pid, 'another process is in its place');
    t.match(await running.logged((line) => line.event === 'call.ended'), { cause: /^fault\./ });
  });
}
