/**
 * The lease's promise, walked at random through the agent's whole driver in virtual time: leases late, doubled, reordered
 * and lost; answers late, spoilt and lost; boards that are reset; contact that breaks.
 */
import fc from 'fast-check';
import pino from 'pino';
import t from 'tap';
import { MS } from '../../device-agents/clock.js';
import { type Lease, LeaseKeeper } from '../../device-agents/lease-keeper.js';
import { readConfig } from '../../device-agents/modbus-line/config.js';
import { LineLoop } from '../../device-agents/modbus-line/line-loop.js';
import { readDevice } from '../../gateway/lines/agent-plan.js';
import { type Exchange, VirtualAgentClock, VirtualBoard } from './virtual-line.js';

const BOOT = 'a-boot';
const WELL: Exchange = { ms: 3, fate: 'well' };
/** A write of other relays and its read-back that were under way, each answered within 30 ms; the gaps; and a step of this walk. */
const OPEN_MS = 100;
/** The board's own watchdog, and what it takes to find out that it is needed. */
const WATCHDOG_MS = 3_000;

const log = pino({ level: 'silent' });
const config = readConfig({
  agent: 'modbus-1',
  bus: { address: '127.0.0.1', port: 1, name: 'modbus-1', secret: 'not used in virtual time' },
  transport: { kind: 'serial', path: '/dev/null', baud: 115_200 },
  boards: [
    {
      id: 'b1',
      unit: 1,
      device: readDevice('generic-8r8i'),
      lines: ['h0', 'h1', 'h2'].map((handset, relay) => ({ handset, relay, hook: relay })),
    },
  ],
});
const HANDSETS = ['h0', 'h1', 'h2'] as const;

/** The agent's driver with a board, both in virtual time; every closing and opening is judged as it happens. */
class World {
  readonly clock = new VirtualAgentClock();
  readonly leases = new LeaseKeeper(HANDSETS, BOOT);
  readonly faults: string[] = [];
  readonly closed = new Set<number>();
  /** Until when each handset may be connected by what was delivered. */
  readonly endNs = new Map<number, bigint>();
  exchanges: Exchange[] = [];
  readonly board: VirtualBoard;
  readonly loop: LineLoop;

  constructor() {
    this.board = new VirtualBoard(
      this.clock,
      () => this.exchanges.shift() ?? WELL,
      (relay, closed) => {
        if (!closed) this.closed.delete(relay);
        else {
          this.closed.add(relay);
          if (this.clock.nowNs() >= (this.endNs.get(relay) ?? 0n)) this.faults.push(`relay ${relay} closed unleased`);
        }
      },
    );
    const host = {
      clock: this.clock,
      log,
      leases: this.leases,
      state: () => undefined,
      key: () => undefined,
      healthChanged: () => undefined,
    };
    this.loop = new LineLoop(config, host, async () => this.board);
    this.loop.start();
  }

  deliver(index: number, lease: Lease): void {
    const nowNs = this.clock.nowNs();
    if (this.leases.accept(HANDSETS[index] ?? '', lease, nowNs) === 'obeyed') {
      const byReceipt = nowNs + BigInt(lease.forMs) * MS;
      const endNs = lease.untilNs < byReceipt ? lease.untilNs : byReceipt;
      this.endNs.set(index, lease.connected ? endNs : nowNs);
    }
    this.loop.leasesChanged();
  }

  loseContact(): void {
    this.leases.endAll();
    for (const index of HANDSETS.keys()) {
      const endNs = this.endNs.get(index) ?? 0n;
      if (endNs > this.clock.nowNs()) this.endNs.set(index, this.clock.nowNs());
    }
    this.loop.leasesChanged();
  }

  /** Goes on in small steps; a relay that is closed later than `graceMs` after its lease's end is a fault. */
  async go(ms: number, graceMs: number): Promise<void> {
    for (let left = ms; left > 0; left -= 10) {
      await this.clock.go(Math.min(left, 10));
      for (const relay of this.closed) {
        const lateNs = this.clock.nowNs() - (this.endNs.get(relay) ?? 0n);
        if (lateNs > BigInt(graceMs) * MS) this.faults.push(`relay ${relay} closed ${lateNs / MS} ms past its lease`);
      }
      if (this.faults.length > 0) throw new Error(this.faults.join('; '));
    }
  }

  async end(): Promise<void> {
    this.leases.endAll();
    this.exchanges = [];
    const stopped = this.loop.stop(1_200);
    await this.clock.go(1_300);
    await stopped;
    this.board.close();
  }
}

type Step =
  | { readonly do: 'wait'; readonly ms: number }
  /** The gateway sends a lease; it does not come by itself. */
  | { readonly do: 'send'; readonly line: number; readonly forMs: number }
  /** Of all that was ever sent, this one comes (again). */
  | { readonly do: 'deliver'; readonly which: number }
  /** A lease that comes at once, as most do. */
  | { readonly do: 'renew'; readonly line: number; readonly forMs: number }
  | { readonly do: 'contact-lost' }
  | { readonly do: 'board-reset' }
  | { readonly do: 'exchanges'; readonly list: readonly Exchange[] };

const line = fc.nat({ max: 2 });
const forMs = fc.oneof(
  fc.constant(5_000),
  fc.constant(0),
  fc.integer({ min: 0, max: 5_000 }),
  // As short as an exchange: what was right when it was decided is wrong when it goes out.
  fc.integer({ min: 1, max: 60 }),
);

function steps(fates: readonly Exchange['fate'][]) {
  const exchange = fc.record({ ms: fc.integer({ min: 1, max: 30 }), fate: fc.constantFrom(...fates) });
  return fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 1_500 }) }) },
      { weight: 6, arbitrary: fc.record({ do: fc.constant('renew' as const), line, forMs }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('send' as const), line, forMs }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant('deliver' as const), which: fc.nat() }) },
      fc.constant({ do: 'contact-lost' as const }),
      fc.constant({ do: 'board-reset' as const }),
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constant('exchanges' as const),
          list: fc.array(exchange, { minLength: 1, maxLength: 12 }),
        }),
      },
    ),
    { minLength: 4, maxLength: 30, size: 'max' },
  );
}

async function walk(list: readonly Step[], graceMs: number): Promise<boolean> {
  const world = new World();
  const sent: { readonly line: number; readonly lease: Lease }[] = [];
  let sentNs = 0n;
  let everClosed = false;
  const send = (at: number, ms: number) => {
    const nowNs = world.clock.nowNs();
    sentNs = nowNs > sentNs ? nowNs : sentNs + 1n;
    const untilNs = nowNs + BigInt(ms) * MS;
    const one = { line: at, lease: { connected: ms > 0, forMs: ms, sentNs, untilNs, boot: BOOT, confirm: false } };
    sent.push(one);
    return one;
  };
  await world.go(100, graceMs);
  for (const step of list) {
    switch (step.do) {
      case 'wait':
        await world.go(step.ms, graceMs);
        break;
      case 'send':
        send(step.line, step.forMs);
        break;
      case 'renew':
        world.deliver(step.line, send(step.line, step.forMs).lease);
        break;
      case 'deliver': {
        const one = sent[step.which % Math.max(1, sent.length)];
        if (one !== undefined) world.deliver(one.line, one.lease);
        break;
      }
      case 'contact-lost':
        world.loseContact();
        break;
      case 'board-reset':
        world.board.reset();
        break;
      case 'exchanges':
        world.exchanges.push(...step.list);
        break;
    }
    everClosed ||= world.closed.size > 0;
  }
  // And silence ends it all.
  await world.go(5_000 + graceMs, graceMs);
  if (world.closed.size > 0) throw new Error('closed after five seconds of silence');
  await world.end();
  return everClosed;
}

t.test(
  'on a line without faults no relay is closed later than the step under way after its last lease, and none closes without one',
  async (t) => {
    let closings = 0;
    await fc.assert(
      fc.asyncProperty(steps(['well']), async (list) => {
        if (await walk(list, OPEN_MS)) closings += 1;
      }),
      { numRuns: 60 },
    );
    t.ok(closings > 15, `${closings} of 60 walks had a closed relay to watch`);
  },
);

/**
 * A closing write that was heard and whose read-back was lost, with its lease over by then: the board was once believed to
 * be open, and polled on.
 */
const FORGOTTEN: Step[] = [
  { do: 'exchanges', list: [{ ms: 1, fate: 'well' }] },
  {
    do: 'exchanges',
    list: [
      { ms: 1, fate: 'question-lost' },
      { ms: 1, fate: 'question-lost' },
      { ms: 1, fate: 'exception' },
    ],
  },
  { do: 'send', line: 0, forMs: 1 },
  { do: 'deliver', which: 0 },
  { do: 'wait', ms: 1 },
  {
    do: 'exchanges',
    list: [
      { ms: 1, fate: 'answer-lost' },
      { ms: 1, fate: 'answer-spoilt' },
      { ms: 1, fate: 'answer-lost' },
      { ms: 1, fate: 'question-lost' },
      { ms: 1, fate: 'question-lost' },
      { ms: 1, fate: 'exception' },
      { ms: 1, fate: 'well' },
    ],
  },
];

t.test('on a line with faults the board’s own watchdog is the bound, and none closes without a lease', async (t) => {
  let closings = 0;
  await fc.assert(
    fc.asyncProperty(steps(['well', 'question-lost', 'answer-lost', 'answer-spoilt', 'exception']), async (list) => {
      if (await walk(list, WATCHDOG_MS + OPEN_MS)) closings += 1;
    }),
    { numRuns: 60, examples: [[FORGOTTEN]] },
  );
  t.ok(closings > 15, `${closings} of 60 walks had a closed relay to watch`);
});
