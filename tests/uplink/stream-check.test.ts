import fc from 'fast-check';
import t from 'tap';
import type { EventEnvelope } from '../../config/schema/types.generated.js';
import { type ChainEnd, chained, GENESIS, hashOf } from '../../gateway/store/chain.js';
import { StreamCheck } from '../../scripts/headquarters/stream-check.js';

/** A gateway's events 1 to `count`; every tenth is an alarm. */
function chain(count: number): readonly EventEnvelope[] {
  let end: ChainEnd = { sequence: 0, hash: GENESIS };
  return Array.from({ length: count }, (_, index) => {
    const kind = (index + 1) % 10 === 0 ? 'alarm' : 'event';
    const draft = { kind, type: 'balise.test', data: { index } } as const;
    const event = chained(draft, end, { gatewayId: 'demo/gw-1', bootId: 'b' }, 0);
    end = event;
    return JSON.parse(event.body) as EventEnvelope;
  });
}

const EVENTS = chain(60);
const at = (sequence: number): EventEnvelope => {
  const event = EVENTS[sequence - 1];
  if (event === undefined) throw new Error(`no event ${sequence}`);
  return event;
};

t.test('an alarm that overtakes is no gap, and an event that skips a number is one', (t) => {
  const stream = new StreamCheck();
  t.same(stream.take(at(1)), { isNew: true, faults: [] });
  t.same(stream.take(at(10)), { isNew: true, faults: [] });
  t.same(stream.take(at(2)), { isNew: true, faults: [] });
  t.same(stream.take(at(5)), { isNew: true, faults: [{ fault: 'gap', from: 3, to: 4 }] });
  t.same(stream.take(at(12)), {
    isNew: true,
    faults: [
      { fault: 'gap', from: 6, to: 9 },
      { fault: 'gap', from: 11, to: 11 },
    ],
  });
  t.same(stream.gaps, [
    { from: 3, to: 4 },
    { from: 6, to: 9 },
    { from: 11, to: 11 },
  ]);
  t.same(stream.take(at(3)), { isNew: true, faults: [] }, 'what comes late is taken');
  t.equal(stream.lacking, 6);
  t.end();
});

t.test('what was before the first event that is heard is not missed', (t) => {
  const stream = new StreamCheck();
  t.same(stream.take(at(30)).faults, []);
  t.same(stream.take(at(25)), { isNew: true, faults: [] });
  t.same(stream.gaps, []);
  t.end();
});

t.test('changed content, a false link and a second event under one number are told apart', (t) => {
  const stream = new StreamCheck();
  const changed = { ...at(2), data: { index: 99 } };
  const relinked = { ...at(2), prevhash: 'f'.repeat(64) };
  stream.take(at(1));
  t.same(stream.take(changed), { isNew: false, faults: [{ fault: 'content', sequence: 2 }] });
  t.same(stream.take({ ...relinked, hash: hashOf({ ...relinked }) }).faults, [{ fault: 'link', sequence: 2 }]);
  t.same(stream.take(at(2)), { isNew: false, faults: [{ fault: 'fork', sequence: 2 }] });
  t.end();
});

t.test('in whatever order and however often events come, each is new once and nothing stays missing', (t) => {
  const times = fc.shuffledSubarray(
    EVENTS.flatMap((event) => [event, event]),
    { minLength: 120 },
  );
  fc.assert(
    fc.property(times, (events) => {
      const stream = new StreamCheck();
      const verdicts = events.map((event) => stream.take(event));
      const fresh = verdicts.filter(({ isNew }) => isNew).length;
      const isGapOnly = verdicts.every(({ faults }) => faults.every(({ fault }) => fault === 'gap'));
      return fresh === EVENTS.length && isGapOnly && stream.lacking === 0;
    }),
  );
  t.end();
});
