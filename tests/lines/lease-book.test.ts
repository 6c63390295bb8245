import fc from 'fast-check';
import t from 'tap';
import { LeaseKeeper } from '../../device-agents/lease-keeper.js';
import { readLease } from '../../device-agents/lease-message.js';
import { LEASE_MS, LeaseBook, type LeaseOrder } from '../../gateway/lines/lease-book.js';
import { leaseText } from '../../gateway/lines/line-messages.js';
import { callId, handsetId } from '../../gateway/policy/ids.js';

const MS = 1_000_000n;
const BOOT = 'a-boot';
const handset = handsetId('h0');
const [callA, callB] = [callId('a'), callId('b')];

t.test('a standing lease is for five seconds from now', async (t) => {
  const order = new LeaseBook().next(handset, 1_000n * MS, true);
  t.same(order, { connected: true, forMs: LEASE_MS, sentNs: 1_000n * MS, untilNs: 6_000n * MS });
});

t.test('a handset that may not call gets none', async (t) => {
  t.equal(new LeaseBook().next(handset, 1n, false).connected, false);
});

t.test('in a call no lease reaches past the deadline, and arming again never moves it away', async (t) => {
  const book = new LeaseBook();
  book.arm(callA, handset, 3_000n * MS);
  t.equal(book.next(handset, 1_000n * MS, true).untilNs, 3_000n * MS);
  book.arm(callA, handset, 9_000n * MS);
  t.equal(book.next(handset, 2_000n * MS, true).forMs, 1_000);
  book.arm(callA, handset, 2_500n * MS);
  t.equal(book.next(handset, 2_100n * MS, true).untilNs, 2_500n * MS);
  t.equal(book.next(handset, 2_500n * MS, true).connected, false, 'the deadline itself is too late');
  t.equal(book.release(callA, handset), true);
  t.equal(book.next(handset, 3_000n * MS, true).connected, true, 'the standing lease goes on');
});

t.test('a hold is not ended by a shorter one, only by its time or by a person', async (t) => {
  const book = new LeaseBook();
  book.hold(handset, 10_000n * MS);
  book.hold(handset, 1n);
  t.equal(book.next(handset, 9_999n * MS, true).connected, false);
  t.equal(book.next(handset, 10_000n * MS, true).connected, true);
  book.hold(handset, 99_000n * MS);
  book.endHold(handset);
  t.equal(book.next(handset, 10_001n * MS, true).connected, true);
});

t.test('two leases of one instant differ, and the later one counts', async (t) => {
  const book = new LeaseBook();
  const keeper = new LeaseKeeper(['h0'], BOOT);
  const [first, second] = [book.next(handset, 7n * MS, true), book.next(handset, 7n * MS, false)];
  t.ok(second.sentNs > first.sentNs);
  const take = (order: LeaseOrder) => keeper.accept('h0', { ...order, boot: BOOT, confirm: false }, 8n * MS);
  t.equal(take(second), 'obeyed');
  t.equal(take(first), 'stale');
  t.equal(keeper.connected('h0', 8n * MS), false);
});

/** What may happen in the world of one wire. */
type Step =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'lease'; readonly may: boolean }
  | { readonly do: 'arm'; readonly call: 0 | 1; readonly inMs: number }
  | { readonly do: 'release'; readonly call: 0 | 1 }
  | { readonly do: 'hold'; readonly ms: number }
  /** Of all that was ever sent, this one comes (again). */
  | { readonly do: 'deliver'; readonly which: number }
  | { readonly do: 'contact-lost' };

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 6_000 }) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('lease' as const), may: fc.boolean() }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('deliver' as const), which: fc.nat() }) },
    fc.record({
      do: fc.constant('arm' as const),
      call: fc.constantFrom(0 as const, 1 as const),
      inMs: fc.integer({ min: -100, max: 8_000 }),
    }),
    fc.record({ do: fc.constant('release' as const), call: fc.constantFrom(0 as const, 1 as const) }),
    fc.record({ do: fc.constant('hold' as const), ms: fc.integer({ min: 0, max: 10_000 }) }),
    fc.constant({ do: 'contact-lost' as const }),
  ),
  { maxLength: 120, size: 'max' },
);

t.test(
  'whatever is late, lost, doubled or reordered: a relay is never closed past a lease that was given',
  async (t) => {
    fc.assert(
      fc.property(steps, (walk: readonly Step[]) => {
        const book = new LeaseBook();
        const keeper = new LeaseKeeper(['h0'], BOOT);
        const sent: { readonly text: string; readonly order: LeaseOrder; readonly boundNs: bigint | undefined }[] = [];
        const deadlines = new Map<number, bigint>();
        let nowNs = 1_000_000n * MS;
        let lastSentNs = 0n;
        let newestObeyed = -1;
        for (const step of walk) {
          switch (step.do) {
            case 'wait':
              nowNs += BigInt(step.ms) * MS;
              break;
            case 'lease': {
              const order = book.next(handset, nowNs, step.may);
              if (order.sentNs <= lastSentNs) throw new Error('sentNs did not grow');
              lastSentNs = order.sentNs;
              const bound = [...deadlines.values()].reduce<bigint | undefined>(
                (least, one) => (least === undefined || one < least ? one : least),
                undefined,
              );
              if (order.connected && !step.may) throw new Error('leased what may not be');
              if (order.connected && order.untilNs > nowNs + BigInt(LEASE_MS) * MS) throw new Error('too long a lease');
              if (order.connected && bound !== undefined && order.untilNs > bound) throw new Error('past the deadline');
              if (order.connected && book.isHeld(handset, nowNs)) throw new Error('leased while held');
              sent.push({ text: leaseText(order, BOOT, false), order, boundNs: bound });
              break;
            }
            case 'arm': {
              const endNs = nowNs + BigInt(step.inMs) * MS;
              book.arm(step.call === 0 ? callA : callB, handset, endNs);
              const before = deadlines.get(step.call);
              deadlines.set(step.call, before === undefined || endNs < before ? endNs : before);
              break;
            }
            case 'release':
              book.release(step.call === 0 ? callA : callB, handset);
              deadlines.delete(step.call);
              break;
            case 'hold':
              book.hold(handset, nowNs + BigInt(step.ms) * MS);
              break;
            case 'deliver': {
              if (sent.length === 0) break;
              const index = step.which % sent.length;
              const lease = readLease(Buffer.from(sent[index]?.text ?? ''));
              if (lease === undefined) throw new Error('the agent cannot read what the gateway writes');
              const before = keeper.connected('h0', nowNs);
              const verdict = keeper.accept('h0', lease, nowNs);
              if (verdict === 'obeyed') {
                if (index <= newestObeyed) throw new Error('an older or doubled message was obeyed');
                newestObeyed = index;
              } else if (keeper.connected('h0', nowNs) !== before)
                throw new Error('a refused message changed something');
              break;
            }
            case 'contact-lost':
              keeper.endAll();
              if (keeper.connected('h0', nowNs)) throw new Error('connected without contact');
              break;
          }
          if (!keeper.connected('h0', nowNs)) continue;
          const obeyed = sent[newestObeyed];
          if (obeyed === undefined || !obeyed.order.connected) throw new Error('connected without a lease');
          if (nowNs >= obeyed.order.untilNs) throw new Error('connected past the last lease obeyed');
          if (obeyed.boundNs !== undefined && nowNs >= obeyed.boundNs) throw new Error('connected past a deadline');
        }
        // And silence ends it.
        return !keeper.connected('h0', nowNs + BigInt(LEASE_MS) * MS);
      }),
      { numRuns: 1_500 },
    );
    t.pass();
  },
);
