/**
 * The whole program with a relay board that is not ours: Debian's pymodbus at the far end of a serial line on ptys. What is
 * asserted of the relay is what the slave was written.
 */
import t, { type Test } from 'tap';
import type { BoardView } from '../../gateway/console/api/parts.js';
import { GatewayClient } from '../../scripts/cli/gateway-client.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { SerialLine } from '../device-agents/serial-line.js';
import { serialBoardPeer } from '../peers/board-peer.js';
import { endsWithin, endTimes } from '../peers/call-end.js';
import { ALLOWED, callUp } from '../peers/call-up.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { handsetPeer } from '../peers/scenario.js';
import { handset, makeSite, profile } from '../peers/site.js';

const opts = needs('sip-tester', 'socat', 'python3-pymodbus', 'python3-serial-asyncio');

t.test('a call over a serial board ends at its deadline, and the slave’s coil is open', opts, async (t) => {
  const call = await callUp(t, { board: serialBoardPeer, profile: { maxTalkS: 3, warningsS: [] } });
  const answered = await call.far.saw(({ direction, kind }) => direction === 'received' && kind === 'ACK');
  const answeredNs = process.hrtime.bigint() - BigInt(Math.round((Date.now() - answered.atMs) * 1e6));
  const times = await endTimes(call, answeredNs + 3_000_000_000n);
  t.ok(Math.abs(times.trunkSilentMs) < 250, `the far end hears nothing after the deadline (${times.trunkSilentMs} ms)`);
  t.ok(times.relayOpenMs < 1_000, `the coil is open (${times.relayOpenMs} ms)`);
  t.notOk(times.isHeardAfter);
  t.match(await call.running.logged((line) => line.event === 'call.ended'), { cause: 'deadline' });
});

t.test('the handset put down at the wire ends the call on both legs, whatever SIP says', opts, async (t) => {
  const call = await callUp(t, { board: serialBoardPeer });
  call.line.setHook(0, false);
  const bye = ({ direction, kind }: { direction: string; kind: string }) => direction === 'received' && kind === 'BYE';
  await Promise.all([call.near.saw(bye), call.far.saw(bye)]);
  t.match(await call.running.logged((line) => line.event === 'call.ended'), { cause: 'hook.on' });
});

for (const [what, kill] of [
  ['the gateway', (running: GatewayProcess) => running.kill('SIGKILL')],
  ['the agent', (running: GatewayProcess) => process.kill(running.pidOf('modbus-1'), 'SIGKILL')],
] as const) {
  t.test(`kill -9 of ${what} in a call opens the slave’s coil and ends the call`, opts, async (t) => {
    const call = await callUp(t, { board: serialBoardPeer });
    const sinceNs = process.hrtime.bigint();
    kill(call.running);
    const times = await endTimes(call, sinceNs);
    endsWithin(t, times, { silentMs: 1_000, toldMs: 1_500, openMs: 5_500 });
  });
}

t.test('a handset whose wire says on-hook is refused', opts, async (t) => {
  const line = await serialBoardPeer(t);
  const parts = {
    profiles: [profile({ hookRequired: true })],
    boards: line.boards,
    handsets: [handset('a-101', { line: line.line })],
  };
  const running = await GatewayProcess.start(t, makeSite(t, await freePort(), parts));
  await line.relayIs(0, true);
  const peer = { user: 'a101', dialled: ALLOWED, port: running.port('cell'), rtpPort: 9 };
  const near = await handsetPeer(t, { ...peer, scenario: 'handset-refused', status: 403 });
  t.equal((await near.exited).code, 0);
  const rule = 'line.not-off-hook';
  t.match(await running.logged((logged) => logged.event === 'call.ended'), { cause: 'refused', rule });
});

/** A gateway on a board of pymodbus behind a wire that can be spoilt, and what its console says of the board. */
async function looking(t: Test) {
  const line = new SerialLine();
  await line.start(t);
  const transport = { kind: 'serial', path: line.path, baud: 115_200, parity: 'none', stopBits: 1 };
  const board = { id: 'b1', device: 'generic-8r8i', unit: 1, agent: 'modbus-1', transport };
  const handsets = [handset('a-101', { line: { board: 'b1', relay: 0, hook: 0 } })];
  const site = makeSite(t, 9, { boards: [board], handsets });
  await GatewayProcess.start(t, site);
  const client = await GatewayClient.of(site);
  /** Asks until the board is as wanted: an agent tells its figures once a second. */
  const shows = async (wanted: (view: Partial<BoardView>) => boolean): Promise<Partial<BoardView>> => {
    for (;;) {
      const [view = {}] = (await client.ask<{ boards: readonly BoardView[] }>('GET', '/api/boards')).boards;
      if (wanted(view)) return view;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  return { line, shows };
}

t.test(
  'the console’s error figures of a board are the errors that the board and its line have made',
  needs('socat', 'python3-pymodbus', 'python3-serial-asyncio'),
  async (t) => {
    const { line, shows } = await looking(t);
    const of = ({ errors = {} }: Partial<BoardView>, kind: string): number => errors[kind] ?? 0;
    let before = await shows(({ state, polls = 0 }) => state === 'ok' && polls > 0);
    t.same([of(before, 'exception'), of(before, 'crc')], [0, 0]);

    /**
     * Makes errors of a kind until one is counted as that, and sees that all that were made are counted, and no more. On a busy
     * machine an answer may come after its time: that is a timeout, and then an answer to something else.
     */
    const counts = async (kind: string, made: number, make: () => void): Promise<void> => {
      const since = before;
      const more = (view: Partial<BoardView>, what: string): number => of(view, what) - of(since, what);
      let all = 0;
      while (all === 0 || more(before, kind) === 0) {
        all += made;
        make();
        before = await shows((now) => more(now, kind) + (kind === 'timeout' ? 0 : more(now, 'timeout')) >= all);
      }
      const late = more(before, 'timeout');
      if (kind !== 'timeout')
        t.ok(more(before, kind) <= all, `${all} of ${kind} are ${more(before, kind)}, ${late} late`);
      for (const other of ['exception', 'crc', 'port'].filter((one) => one !== kind))
        t.equal(more(before, other), 0, `none of ${other} is invented`);
      t.ok(more(before, 'answer') <= late, 'nothing else is answered but what came late');
    };
    await counts('exception', 5, () => line.except(5));
    await counts('crc', 4, () => line.wire.fault({ kind: 'noise' }, 4));
    await counts('timeout', 3, () => line.wire.fault({ kind: 'silence' }, 3));
    t.equal(line.wire.faultsLeft, 0);

    // Polls go on, and the errors do not: that is what the rate is of.
    const polls = before.polls ?? 0;
    const later = await shows((view) => (view.polls ?? 0) >= polls + 20 && view.state === 'ok');
    for (const kind of ['exception', 'crc']) t.equal(of(later, kind), of(before, kind));
    t.ok((later.polls ?? 0) > 20, `${later.polls} polls`);
  },
);
