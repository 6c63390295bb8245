/** What a serial line and its boards can do wrong, on a real pty with pymodbus at the far end and a bad wire between. */
import { execFileSync } from 'node:child_process';
import t, { type Test } from 'tap';
import type { BoardErrors, BoardHealth } from '../../config/schema/types.generated.js';
import type { WireFault } from '../../scripts/simulators/serial-wire.js';
import { needs } from '../peers/needs.js';
import { AgentBench, until } from './harness.js';
import { SerialLine } from './serial-line.js';

const opts = () => needs('socat', 'python3-pymodbus', 'python3-serial-asyncio');
t.jobs = 4;

interface Place {
  readonly units?: readonly number[];
  readonly transport?: Record<string, unknown>;
  /** Changes of the device's file. */
  readonly device?: Record<string, unknown>;
}

class Bench extends AgentBench {
  readonly line = new SerialLine();

  static async start(t: Test, { units = [1], transport, device }: Place = {}): Promise<Bench> {
    const bench = new Bench();
    await bench.line.start(t, units);
    await AgentBench.prototype.start.call(bench, t);
    const serial = { kind: 'serial', path: bench.line.path, baud: 115_200, parity: 'none', stopBits: 1, ...transport };
    const config = bench.config(serial, { units: [...units], lines: units.length === 1 ? 2 : 1 });
    const boards = config.boards.map((board) => ({ ...board, device: { ...board.device, ...device } }));
    await bench.agent({ ...config, boards });
    return bench;
  }

  board(index = 0): BoardHealth | undefined {
    return this.health === 'gone' ? undefined : this.health?.boards[index];
  }

  async inUse(): Promise<void> {
    await until(
      'the boards are in use',
      () => this.health !== 'gone' && this.health?.boards.every(({ state }) => state === 'ok') === true,
    );
  }

  errors(kind: keyof BoardErrors): number {
    return this.board()?.errors[kind] ?? 0;
  }
}

for (const [what, fault, kind] of [
  ['answers with a wrong check sum', { kind: 'noise' }, 'crc'],
  ['answers of which half is missing', { kind: 'half' }, 'crc'],
  ['answers that never come', { kind: 'silence' }, 'timeout'],
  ['answers that come too late', { kind: 'slow', ms: 300 }, 'timeout'],
] as readonly [string, WireFault, keyof BoardErrors][]) {
  t.test(`${what} are tried again within the lease, counted, and open no relay that is leased`, opts(), async (t) => {
    const b = await Bench.start(t);
    await b.inUse();
    b.keepLeased('h0');
    await until('the pair is connected', () => b.line.relay(0));
    const from = b.line.seen.length;
    b.line.wire.fault(fault, 3);
    await until('they are counted', () => b.errors(kind) >= 3);
    await until('and the board is well again', () => b.line.wire.faultsLeft === 0 && b.boardIs('ok'));
    t.ok(
      b.line.seen.slice(from).every(({ coils }) => coils[0] === 1),
      'the leased pair stayed connected',
    );
    // What is spoilt now is the order itself: it is given again until it is read back.
    b.stopLeasing('h0');
    b.line.wire.fault(fault, 2);
    const order = JSON.parse(b.lease('h0', 0, { confirm: true })) as { sentNs: string };
    await until('the order is confirmed', () => b.states.get('h0')?.leaseNs === order.sentNs);
    t.equal(b.line.relay(0), false);
    t.equal(b.states.get('h0')?.relay, 'open');
  });
}

t.test('an answer in two pieces is one answer', opts(), async (t) => {
  const b = await Bench.start(t);
  await b.inUse();
  b.line.wire.standing({ kind: 'torn', ms: 15 });
  b.keepLeased('h0');
  await until('the state says connected', () => b.states.get('h0')?.relay === 'connected');
  const { polls = 0, errors } = b.board() ?? {};
  await until('most of its polls are well', () => (b.board()?.polls ?? 0) > polls + 20);
  // On a machine that is too busy a second piece may come after its time, and then it answers nothing; without that, none.
  const late = b.errors('timeout') - (errors?.timeout ?? 0);
  const strange = b.errors('answer') - (errors?.answer ?? 0);
  t.ok(strange <= late, `${strange} pieces were no answer to what was asked, ${late} were given up before they came`);
});

t.test('exceptions are counted as what they are, and the order is given again', opts(), async (t) => {
  const b = await Bench.start(t);
  await b.inUse();
  b.line.except(4);
  await until('they are counted', () => b.errors('exception') >= 3);
  b.keepLeased('h0');
  await until('the pair is connected all the same', () => b.line.relay(0));
  t.equal(b.errors('crc'), 0);
});

t.test(
  'a line on which everything is spoilt loses its board, the watchdog opens it, and it comes back',
  opts(),
  async (t) => {
    const b = await Bench.start(t);
    await b.inUse();
    b.keepLeased('h0');
    await until('the state says connected', () => b.states.get('h0')?.relay === 'connected');
    b.line.wire.standing({ kind: 'noise' });
    await until('the board is lost', () => b.boardIs('lost'));
    t.match(b.board()?.why, /crc|timeout/);
    t.ok(b.errors('crc') > 0, 'what was spoilt is counted as that');
    t.equal(b.states.get('h0')?.relay, 'unknown', 'nothing is said of what is not seen');
    b.line.wire.standing(undefined);
    await until('the line is back', () => b.states.get('h0')?.relay === 'connected');
  },
);

t.test('of two boards one is dead: the other keeps its rhythm and its leases', opts(), async (t) => {
  const b = await Bench.start(t, { units: [1, 2] });
  await b.inUse();
  b.keepLeased('h1-0');
  b.keepLeased('h2-0');
  await until('both pairs are connected', () => b.line.relay(0, 1) && b.line.relay(0, 2));
  const polls = () => b.board()?.polls ?? 0;
  /** Polls of the first board between two words of the agent's health, a second apart. */
  const rhythm = async () => {
    const healths = () => JSON.stringify(b.health);
    for (let seconds = 0; ; seconds++) {
      const [said, from, fromNs] = [healths(), polls(), process.hrtime.bigint()];
      await until('the next health', () => healths() !== said);
      const ms = Number(process.hrtime.bigint() - fromNs) / 1e6;
      // A change of health is told at once; only whole seconds are compared.
      if (ms > 700) return ((polls() - from) * 1_000) / ms;
      if (seconds > 20) throw new Error('health comes too often to count by it');
    }
  };
  const before = await rhythm();
  b.line.mute(true, 2);
  await until('the second is lost', () => b.boardIs('lost', 1));
  t.ok(b.boardIs('ok', 0));
  const after = await rhythm();
  t.ok(after > before / 2, `${before.toFixed(0)} polls/s with both, ${after.toFixed(0)} beside a dead one`);
  t.equal(b.states.get('h1-0')?.relay, 'connected');
  await until('the dead one has opened by its own watchdog', () => b.line.isAllOpen(2));
  b.line.mute(false, 2);
  await until('it is taken again', () => b.boardIs('ok', 1) && b.line.relay(0, 2));
});

t.test('a board that was reset is opened, armed again, and only then connected', opts(), async (t) => {
  const b = await Bench.start(t);
  await b.inUse();
  b.keepLeased('h0');
  await until('the pair is connected', () => b.line.relay(0));
  b.line.registers.delete('1/8');
  let armedBefore = false;
  b.line.onCoils = (_unit, coils) => {
    if (coils[0] === 1) armedBefore = b.line.registers.get('1/8') === 3;
  };
  b.line.reset();
  await until('the relays fell', () => b.line.isAllOpen());
  await until('the pair is connected again', () => b.line.relay(0));
  t.ok(armedBefore, 'the watchdog was written before the relay was closed');
});

t.test('the wrong board at a unit id is refused, and nothing is written to it', opts(), async (t) => {
  const b = await Bench.start(t, { device: { identity: { register: 20, expect: 0x1234 } } });
  b.keepLeased('h0');
  await until('it is refused', () => b.boardIs('refused'));
  t.match(b.board()?.why, /register 20 holds 0 and not 4660: another board/);
  t.equal(b.line.seen.length, 0, 'its coils were not touched');
  t.equal(b.line.registers.size, 0, 'nor its registers');
  b.line.poke(20, 0x1234);
  await until('the right one is taken', () => b.boardIs('ok') && b.line.relay(0));
});

const BAUDS = [1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200] as const;

t.test('every usual speed and parity is set on the port, and works', opts(), async (t) => {
  const line = new SerialLine();
  await line.start(t);
  for (const [index, baud] of BAUDS.entries()) {
    const parity = (['none', 'even', 'odd'] as const)[index % 3];
    const b = new AgentBench();
    await b.start(t);
    await b.agent(b.config({ kind: 'serial', path: line.path, baud, parity, stopBits: parity === 'none' ? 2 : 1 }));
    await until(`a board at ${baud} baud, parity ${parity}`, () => b.boardIs('ok'));
    const set = execFileSync('stty', ['-F', line.path, '-a']).toString();
    t.match(set, new RegExp(`speed ${baud} baud`));
    b.lease('h0', 5_000);
    await until('its relay follows', () => line.relay(0));
    await b.kill('SIGTERM');
    await until('and opens at the end', () => line.isAllOpen());
  }
});
