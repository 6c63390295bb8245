/**
 * The lease's promise, walked at random through the agent's whole driver in virtual time: leases late, doubled, reordered
 * and lost; answers late, spoilt and lost; boards that are reset; contact that breaks.
 */
import fc from 'fast-check';
import t from 'tap';
import { MS } from '../../device-agents/clock.js';
import type { Lease } from '../../device-agents/lease-keeper.js';
import { BOOT, VirtualAgent } from './virtual-agent.js';
import type { Exchange } from './virtual-line.js';

/** A write of other relays and its read-back that were under way, each answered within 30 ms; the gaps; and a step of this walk. */
const OPEN_MS = 100;
/** The board's own watchdog, and what it takes to find out that it is needed: a second of failures, and one more try to open. */
const WATCHDOG_MS = 3_000 + 1_300;

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
  const world = new VirtualAgent();
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
