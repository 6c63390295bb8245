import fc from 'fast-check';
import t from 'tap';
import { OutboxDrain, type OutboxEntry } from '../../gateway/uplink/drain.js';

/** An outbox in memory, as the store's behaves. */
class Outbox {
  readonly entries: OutboxEntry[] = [];
  readonly confirmed = new Set<number>();
  failing = false;

  append(kind: OutboxEntry['kind']): void {
    const sequence = this.entries.length + 1;
    this.entries.push({ sequence, kind, body: String(sequence) });
  }

  pending(after: { alarm: number; event: number }, limit: number): readonly OutboxEntry[] {
    if (this.failing) throw new Error('the disk is gone');
    const waiting = this.entries.filter(
      ({ sequence, kind }) => sequence > after[kind] && !this.confirmed.has(sequence),
    );
    return [...waiting.filter((e) => e.kind === 'alarm'), ...waiting.filter((e) => e.kind === 'event')].slice(0, limit);
  }

  acknowledge(sequences: readonly number[]): void {
    if (this.failing) throw new Error('the disk is gone');
    for (const sequence of sequences) this.confirmed.add(sequence);
  }
}

/** A drain whose steps run when told to, and a broker that remembers what came. */
function world() {
  const outbox = new Outbox();
  const steps: (() => void)[] = [];
  const sent: number[] = [];
  const faults: unknown[] = [];
  const drain = new OutboxDrain({
    outbox,
    publish: ({ sequence }) => sent.push(sequence),
    later: (step) => steps.push(step),
    onFault: (fault) => faults.push(fault),
  });
  const run = () => {
    for (let step = steps.shift(); step !== undefined; step = steps.shift()) step();
  };
  return { outbox, drain, sent, faults, run };
}

t.test('no more than the window is in flight, and each confirmation makes room for the next in order', (t) => {
  const { outbox, drain, sent, run } = world();
  for (let n = 0; n < 10; n += 1) outbox.append('event');
  drain.up(3);
  run();
  t.same(sent, [1, 2, 3]);
  drain.confirmed(1);
  drain.confirmed(2);
  run();
  t.same(sent, [1, 2, 3, 4, 5]);
  t.same([...outbox.confirmed], [1, 2]);
  t.end();
});

t.test('an alarm overtakes the events that wait', (t) => {
  const { outbox, drain, sent, run } = world();
  for (let n = 0; n < 4; n += 1) outbox.append('event');
  drain.up(2);
  run();
  outbox.append('alarm');
  drain.wake();
  drain.confirmed(1);
  run();
  t.same(sent, [1, 2, 5]);
  t.end();
});

t.test('after a lost connection it begins with the oldest unconfirmed entry', (t) => {
  const { outbox, drain, sent, run } = world();
  for (let n = 0; n < 5; n += 1) outbox.append('event');
  drain.up(3);
  run();
  drain.confirmed(2);
  drain.down();
  t.same([...outbox.confirmed], [2], 'what was confirmed is written down at once');
  drain.confirmed(1);
  drain.up(3);
  run();
  t.same(sent, [1, 2, 3, 1, 3, 4], 'a late confirmation of the old connection is none');
  t.end();
});

t.test('with no connection nothing is read and nothing is sent', (t) => {
  const { outbox, drain, sent, run } = world();
  outbox.append('event');
  drain.wake();
  run();
  t.same(sent, []);
  t.end();
});

t.test('a range that is asked for again goes out beside what is in flight, which does not go out twice', (t) => {
  const { outbox, drain, sent, run } = world();
  for (let n = 0; n < 6; n += 1) outbox.append('event');
  drain.up(4);
  run();
  for (const n of [1, 2]) drain.confirmed(n);
  run();
  t.same(sent, [1, 2, 3, 4, 5, 6]);
  outbox.confirmed.delete(1);
  drain.rewind();
  run();
  t.same(sent, [1, 2, 3, 4, 5, 6], 'the window is full');
  drain.confirmed(3);
  run();
  t.same(sent, [1, 2, 3, 4, 5, 6, 1]);
  t.end();
});

t.test('a fault of the disk is told, loses no confirmation, and is over with the next wake', (t) => {
  const { outbox, drain, sent, faults, run } = world();
  for (let n = 0; n < 3; n += 1) outbox.append('event');
  drain.up(2);
  run();
  outbox.failing = true;
  drain.confirmed(1);
  run();
  t.equal(faults.length, 1);
  outbox.failing = false;
  drain.wake();
  run();
  t.same([...outbox.confirmed], [1]);
  t.same(sent, [1, 2, 3]);
  t.end();
});

t.test(
  'whatever happens in whatever order, everything arrives, in order, and nothing is confirmed that did not',
  (t) => {
    const act = fc.constantFrom(
      'event',
      'alarm',
      'up',
      'down',
      'confirm',
      'confirm-last',
      'lose',
      'run',
      'resend',
      'disk',
    );
    fc.assert(
      fc.property(fc.array(act, { maxLength: 120 }), fc.integer({ min: 1, max: 5 }), (acts, window) => {
        const { outbox, drain, sent, run } = world();
        const arrived = new Set<number>();
        let flying: number[] = [];
        let isUp = false;
        let seen = 0;
        const look = () => {
          for (; seen < sent.length; seen += 1) flying.push(sent[seen] ?? 0);
          if (flying.length > window) throw new Error('more in flight than the window');
          if (new Set(flying).size !== flying.length) throw new Error('an entry is in flight twice');
          for (const kind of ['event', 'alarm']) {
            // Within a connection and without a resend, each kind goes up in order.
            const own = flying.filter((sequence) => outbox.entries[sequence - 1]?.kind === kind);
            if (!resent && own.some((sequence, index) => index > 0 && sequence < (own[index - 1] ?? 0))) {
              throw new Error('out of order');
            }
          }
          for (const sequence of outbox.confirmed)
            if (!arrived.has(sequence)) throw new Error('confirmed, not arrived');
        };
        let resent = false;
        const confirm = (sequence: number | undefined) => {
          if (sequence === undefined) return;
          flying = flying.filter((other) => other !== sequence);
          arrived.add(sequence);
          drain.confirmed(sequence);
        };
        const down = () => {
          if (isUp) drain.down();
          isUp = false;
          flying = [];
        };
        const up = () => {
          down();
          resent = false;
          drain.up(window);
          isUp = true;
        };
        for (const what of acts) {
          if (what === 'event' || what === 'alarm') {
            outbox.append(what);
            drain.wake();
          } else if (what === 'up') up();
          else if (what === 'down') down();
          else if (what === 'confirm') confirm(flying[0]);
          else if (what === 'confirm-last') confirm(flying.at(-1));
          else if (what === 'lose' && flying[0] !== undefined) arrived.add(flying[0]);
          else if (what === 'disk') outbox.failing = !outbox.failing;
          else if (what === 'resend' && !outbox.failing) {
            for (const sequence of [...outbox.confirmed].slice(0, 3)) outbox.confirmed.delete(sequence);
            resent = true;
            drain.rewind();
          } else run();
          look();
        }
        outbox.failing = false;
        up();
        for (run(), look(); flying.length > 0; run(), look()) confirm(flying[0]);
        return outbox.confirmed.size === outbox.entries.length;
      }),
      { numRuns: 2_000 },
    );
    t.end();
  },
);
