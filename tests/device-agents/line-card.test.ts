/** The line-card agent on a real pty, with a simulated card at its far end that can misbehave on purpose. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { type LineCardOptions, SimulatedLineCard } from '../../scripts/simulators/line-card.js';
import { SerialWire } from '../../scripts/simulators/serial-wire.js';
import { needs } from '../peers/needs.js';
import { AgentBench, nowMs, until } from './harness.js';

const opts = () => needs('socat');
t.jobs = 4;

class CardBench extends AgentBench {
  readonly wire = new SerialWire();
  readonly card: SimulatedLineCard;

  constructor(options: LineCardOptions = {}) {
    super('line-card');
    this.card = new SimulatedLineCard(options);
  }

  override async start(t: Test): Promise<void> {
    await this.wire.start(this.card.stream);
    t.teardown(() => {
      this.card.close();
      return this.wire.close();
    });
    await super.start(t);
  }

  cardConfig(lines = [0, 7]) {
    this.know(lines.map((line) => `h${line}`));
    return {
      agent: 'modbus-1',
      bus: this.access,
      transport: { kind: 'serial', path: this.wire.path, baud: 115_200 },
      card: { id: 'c1', model: 'LC32', lines: lines.map((line) => ({ handset: `h${line}`, line })) },
    };
  }

  errors() {
    return this.health === 'gone' ? undefined : this.health?.boards[0]?.errors;
  }

  why(): string | undefined {
    return this.health === 'gone' ? undefined : this.health?.boards[0]?.why;
  }

  show(handset: string, show: Record<string, unknown>): void {
    this.bus.publish(`bus/line/${handset}/show`, JSON.stringify(show));
  }
}

/** An agent with a card in use. */
async function inUse(t: Test, options: LineCardOptions = {}): Promise<CardBench> {
  const bench = new CardBench(options);
  await bench.start(t);
  await bench.agent(bench.cardConfig());
  await until('the card is in use', () => bench.boardIs('ok'));
  return bench;
}

/** The same, with line 7 connected. */
async function connected(t: Test): Promise<CardBench> {
  const bench = await inUse(t);
  bench.keepLeased('h7');
  await until('the state says connected', () => bench.states.get('h7')?.relay === 'connected');
  return bench;
}

t.test('hooks, relays, cases, keys, lamp and text: what a card with keypads is for', opts(), async (t) => {
  const b = await inUse(t);
  t.match(b.states.get('h7'), { hook: 'on', relay: 'open', tamper: false });
  b.keepLeased('h7');
  await until('the relay is closed, and read back', () => b.card.relay(7) && b.states.get('h7')?.relay === 'connected');
  t.equal(b.card.relay(0), false);
  b.card.hook(7, true);
  await until('the hook is off', () => b.states.get('h7')?.hook === 'off');
  for (const key of '0612*#') b.card.key(7, key);
  await until('the keys have come', () => b.keys.length === 6);
  t.same(b.keys, ['h7 0', 'h7 6', 'h7 1', 'h7 2', 'h7 *', 'h7 #'], 'in their order');
  b.card.tamper(7, true);
  await until('the open case is told', () => b.states.get('h7')?.tamper === true);
  b.show('h7', { lamp: 'green', text: 'Appelez « Zoé »' });
  await until('it is shown', () => b.card.lines[7]?.text !== '');
  t.match(b.card.lines[7], { lamp: 'GREEN', text: 'Appelez ? Zoe ?' }, 'as far as a display of ASCII can');
  b.stopLeasing('h7');
  const order = JSON.parse(b.lease('h7', 0, { confirm: true })) as { sentNs: string };
  await until(
    'a cut is confirmed by the card',
    () => b.states.get('h7')?.leaseNs === order.sentNs && b.states.get('h7')?.relay === 'open',
  );
  t.equal(b.card.relay(7), false);
});

t.test(
  'the card opens a relay by itself when its lease runs out, though nobody is there to say so',
  opts(),
  async (t) => {
    const b = await connected(t);
    let openedMs = 0;
    let by = '';
    b.card.onRelay = (_line, _closed, who) => {
      openedMs = nowMs();
      by = who;
    };
    const fromMs = nowMs();
    await b.kill('SIGKILL');
    await until('the relay is open', () => !b.card.relay(7), 6_000);
    t.equal(by, 'lease-end');
    t.ok(openedMs - fromMs <= 5_000, `${Math.round(openedMs - fromMs)} ms after kill -9 of the agent`);
  },
);

t.test('a lease that ends at the agent opens the relay at once, whatever the card was told', opts(), async (t) => {
  const b = await connected(t);
  b.stopLeasing('h7');
  const fromMs = nowMs();
  b.lease('h7', 700);
  await until('the relay is open', () => !b.card.relay(7), 3_000);
  t.ok(nowMs() - fromMs >= 690);
  await until('it is read back', () => b.states.get('h7')?.relay === 'open');
});

t.test('SIGTERM opens every relay before the agent is gone', opts(), async (t) => {
  const b = await connected(t);
  const by: string[] = [];
  b.card.onRelay = (_line, _closed, who) => by.push(who);
  await b.kill('SIGTERM');
  t.same(by, ['order']);
});

t.test('noise is dropped and counted; what it spoilt is said again, by either side', opts(), async (t) => {
  const b = await inUse(t);
  b.card.noise(2);
  b.card.hook(7, true);
  await until('the hook came all the same', () => b.states.get('h7')?.hook === 'off');
  b.wire.fault({ kind: 'silence' }, 2);
  b.keepLeased('h7');
  await until('the relay is closed all the same', () => b.states.get('h7')?.relay === 'connected');
  await until('all is counted', () => (b.errors()?.crc ?? 0) >= 2 && (b.errors()?.timeout ?? 0) >= 1);
  t.ok(b.boardIs('ok'));
});

t.test('a key that is said twice because its answer was lost is one key', opts(), async (t) => {
  const b = await inUse(t);
  b.card.twice(2);
  b.card.key(7, '4');
  b.card.key(7, '2');
  b.card.hook(7, true);
  await until('what came after the keys is there', () => b.states.get('h7')?.hook === 'off');
  t.same(b.keys, ['h7 4', 'h7 2']);
});

t.test('an order that the card obeyed and did not acknowledge is said again, and does no harm', opts(), async (t) => {
  const b = await inUse(t);
  b.card.noAck(2);
  b.keepLeased('h7');
  await until('the relay is closed', () => b.states.get('h7')?.relay === 'connected');
  b.stopLeasing('h7');
  b.card.noAck(2);
  const order = JSON.parse(b.lease('h7', 0, { confirm: true })) as { sentNs: string };
  await until('the cut is confirmed', () => b.states.get('h7')?.leaseNs === order.sentNs);
  t.equal(b.card.relay(7), false);
  t.ok(b.boardIs('ok'));
});

t.test(
  'a card that does not answer after three repetitions is lost, and taken again when it does',
  opts(),
  async (t) => {
    const b = await connected(t);
    b.card.deaf(true);
    b.show('h7', { lamp: 'red' });
    await until('it is lost', () => b.boardIs('lost'));
    t.match(b.why(), /no answer to (LAMP|LEASE) after 3 repetitions/);
    t.match(b.states.get('h7'), { hook: 'unknown', relay: 'unknown' });
    await until('its relay has opened by its own lease', () => !b.card.relay(7), 6_000);
    b.card.deaf(false);
    await until('the pair is connected again', () => b.states.get('h7')?.relay === 'connected');
  },
);

t.test('a card that says nothing for three seconds is lost', opts(), async (t) => {
  const b = await inUse(t);
  b.card.mute(true);
  await until('it is lost', () => b.boardIs('lost'));
  t.match(b.why(), /nothing heard for 3 s|no answer/);
  b.card.mute(false);
  await until('it is taken again', () => b.boardIs('ok'));
});

t.test('a card that was started anew is opened, asked for its state, and leased afresh', opts(), async (t) => {
  const b = await connected(t);
  const from = b.card.obeyed.length;
  const seen: string[] = [];
  b.onState.push((handset, state) => void (handset === 'h7' && seen.push(state.relay)));
  b.card.restart();
  await until('the pair is connected again', () => seen.at(-1) === 'connected');
  t.equal(b.card.obeyed[from], 'OPEN ALL', 'before anything else');
  t.ok(seen.includes('unknown'), 'what happened in between is not hidden');
});

t.test('a relay that is welded is reported closed, and a cut is not confirmed', opts(), async (t) => {
  const b = await connected(t);
  b.card.weld(7, true);
  b.stopLeasing('h7');
  const order = JSON.parse(b.lease('h7', 0, { confirm: true })) as { sentNs: string };
  await until('the order was obeyed', () => b.states.get('h7')?.leaseNs === order.sentNs);
  t.equal(b.states.get('h7')?.relay, 'connected', 'what the contact says, and not what it was told');
});

t.test('garbage of any length opens nothing, closes nothing and hides nothing', opts(), async (t) => {
  const b = await connected(t);
  const openings: number[] = [];
  b.card.onRelay = (line) => openings.push(line);
  b.card.garbage(`${'x'.repeat(5_000)}\r\n`);
  b.card.garbage('<KEY 07 9 #11*0000\r\n<HOOK 99 OFF #12*FFFF\r\n\r\n*\r\n<\r\n>LEASE 00 5000 #01*0000\r\n');
  b.card.garbage('\u0000\u00ff\u0001half of a line');
  b.card.garbage('\r\n');
  await until('it is counted', () => (b.errors()?.crc ?? 0) >= 8);
  b.card.hook(7, true);
  await until('what is well formed still counts', () => b.states.get('h7')?.hook === 'off');
  t.same([openings, b.keys], [[], []]);
});

for (const [what, options, why] of [
  ['another kind', { model: 'LC16' }, /it is a LC16 and not a LC32/],
  ['too few lines', { lines: 4 }, /it has 4 lines, and line 7 is wired/],
  ['leases that are too long', { longestMs: 60_000 }, /it takes leases of 60000 ms/],
] as readonly [string, LineCardOptions, RegExp][]) {
  t.test(`a card with ${what} is refused, and gets no lease`, opts(), async (t) => {
    const b = new CardBench(options);
    await b.start(t);
    await b.agent(b.cardConfig());
    await until('it is refused', () => b.boardIs('refused'));
    t.match(b.why(), why);
    b.lease('h7', 5_000);
    const from = b.wire.bytes.out;
    await until('it is asked again', () => b.wire.bytes.out > from + 20);
    t.same(b.card.obeyed, []);
  });
}

t.test('--check asks the card who it is and how it stands, and changes nothing', opts(), async (t) => {
  const b = new CardBench();
  await b.start(t);
  b.card.hook(7, true);
  const child = spawn(process.execPath, [b.program, '--check'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  child.stdin.write(`${JSON.stringify(b.cardConfig())}\n`);
  const out = await text(child.stdout);
  const [code] = await exited;
  t.equal(code, 0, out);
  t.match(out, /card c1: a LC32 with 32 lines, leases up to 5000 ms/);
  t.match(out, /h7 +line 07: hook off, relay open, case closed/);
  t.same(b.card.obeyed, []);
});

t.test('the simulated card is a program too, for whoever has no card', opts(), async (t) => {
  const script = new URL('../../scripts/simulators/line-card.js', import.meta.url).pathname;
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout });
  const [path] = (await once(lines, 'line')) as [string];
  t.match(execFileSync('stty', ['-F', path, '-a']).toString(), /speed/, 'a serial port to talk to');
  const help = once(lines, 'line');
  child.stdin.write('what?\n');
  t.match((await help)[0], /hook <line> off\|on/);
  const exited = once(child, 'exit');
  child.stdin.end();
  await exited;
});
