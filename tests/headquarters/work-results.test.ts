/** What came of the work, as headquarters counts it. */
import t from 'tap';
import type { CheckedEvent } from '../../scripts/headquarters/records/checked-event.js';
import { storeBatch } from '../../scripts/headquarters/records/ingest.js';
import { workResults } from '../../scripts/headquarters/records/work-results.js';
import { aDatabase, HandStream } from './world.js';

const AT = '2026-03-04T12:10:00Z';
const outcome = (disposition: string, more: object = {}) => ({
  type: 'balise.work.contact',
  data: {
    ...{ session: '00000000-0000-7000-8000-000000000001', person: 'p-1', campaign: 'survey', language: 'nl' },
    ...{ contact: 'token-of-a-contact', disposition, at: AT },
    ...more,
  },
});
const score = (call: string, points: number) => ({
  type: 'balise.work.score',
  data: {
    ...{ call: `00000000-0000-7000-8000-0000000000${call}`, campaign: 'survey', person: 'p-1', by: 'supervision' },
    ...{ scores: [{ criterion: 'script', points }], at: AT, jws: 'a.b.c' },
  },
});

t.test('each outcome is counted once, however often it comes; those who try the work are counted apart', async (t) => {
  const db = await aDatabase(t);
  const stream = new HandStream('a/gw-1');
  const checked = (draft: { type: string; data: object }): CheckedEvent => {
    const { body } = stream.next(draft as never);
    return { gateway: 'a/gw-1', event: JSON.parse(body) as CheckedEvent['event'], body };
  };
  const events = [
    outcome('completed'),
    outcome('completed'),
    outcome('refused', { language: 'fr' }),
    outcome('completed', { mystery: true }),
    outcome('no such outcome'),
    score('01', 2),
    score('02', 5),
    score('01', 4),
  ].map(checked);
  const nowMs = Date.now();
  await storeBatch(db, events.slice(3), [], nowMs);
  await storeBatch(db, [...events, ...events], [], nowMs);
  await storeBatch(db, events, [], nowMs);
  const hour = new Date(events[0]?.event.time ?? '').getUTCHours();
  const { outcomes, scores } = await workResults(db, nowMs - 3_600_000, 'UTC');
  const nl = { campaign: 'survey', language: 'nl', outcome: 'completed', hour };
  t.same(outcomes, [
    { ...nl, language: 'fr', outcome: 'refused', isMystery: false, calls: 1 },
    { ...nl, isMystery: false, calls: 2 },
    { ...nl, isMystery: true, calls: 1 },
  ]);
  t.same(
    scores,
    [{ campaign: 'survey', criterion: 'script', calls: 2, mean: 4.5 }],
    'the later score of a call counts',
  );
  const there = (await workResults(db, nowMs - 3_600_000, 'Asia/Tokyo')).outcomes.map((one) => one.hour);
  t.ok(
    there.every((one) => one === (hour + 9) % 24),
    'by the clock of the zone that is asked for',
  );
});
