/** What the console's pages work out, without a browser. */
import fc from 'fast-check';
import t from 'tap';
import { Temporal } from 'temporal-polyfill';
import type { HandsetView } from '../../gateway/console/api/handsets.js';
import { EventStreamText } from '../../gateway/console/web/event-stream.js';
import { secondsLeft, stateOf } from '../../gateway/console/web/handset-state.js';
import { afterEvent } from '../../gateway/console/web/live-site.js';
import { overlap, type Span, weekRows } from '../../gateway/console/web/week/spans.js';
import { daysAfter, mondayOf, startOfDate } from '../../gateway/console/web/week/zone-time.js';
import { SITE, week } from './web-sample.js';

const IDLE: HandsetView = {
  handset: 'a-101',
  wing: 'a',
  phase: 'idle',
  hook: 'on',
  relay: 'connected',
  registered: true,
  disabled: false,
};

t.test('a stream of events reads the same in whatever pieces it comes, and with whatever line ends', async () => {
  const lines = [
    ': hello',
    'event: view',
    'data: {"a":1}',
    '',
    ': still there',
    '',
    'data: x',
    'data: y',
    '',
    'event: bye',
  ];
  const expected = [
    { name: 'view', data: '{"a":1}' },
    { name: 'message', data: 'x\ny' },
  ];
  fc.assert(
    fc.property(
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.array(fc.integer({ min: 0, max: 90 }), { maxLength: 12 }),
      (lineEnd, cuts) => {
        const text = lines.join(lineEnd);
        const reader = new EventStreamText();
        const at = [0, ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b), text.length];
        const found = at.slice(1).flatMap((end, n) => reader.take(text.slice(at[n], end)));
        return JSON.stringify(found) === JSON.stringify(expected);
      },
    ),
  );
});

t.test('a date begins in every zone where Temporal says that it does, on the days of clock changes too', async () => {
  const zones = [
    'Europe/Brussels',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Beirut',
    'America/Sao_Paulo',
    'Pacific/Apia',
    'Asia/Kathmandu',
  ];
  const dates = fc.integer({ min: 0, max: 366 * 8 }).map((day) => daysAfter('2018-01-01', day));
  fc.assert(
    fc.property(fc.constantFrom(...zones), dates, (zone, date) => {
      const said = Temporal.PlainDate.from(date).toZonedDateTime(zone).epochMilliseconds;
      return startOfDate(date, zone) === said;
    }),
    {
      numRuns: 400,
      examples: [
        ['America/Sao_Paulo', '2018-11-04'],
        ['Asia/Beirut', '2024-03-31'],
        ['Europe/Brussels', '2026-10-25'],
      ],
    },
  );
});

t.test('a week begins on its Monday', async (t) => {
  t.equal(mondayOf('2026-11-23'), '2026-11-23');
  t.equal(mondayOf('2026-11-29'), '2026-11-23');
  t.equal(mondayOf('2027-01-01'), '2026-12-28');
});

t.test('what is open in both is open in each, and nothing that is open in both is left out', async () => {
  const spans = fc
    .array(fc.tuple(fc.nat(100), fc.nat(30)), { maxLength: 8 })
    .map((all) => all.map(([fromMs, length]): Span => ({ fromMs, untilMs: fromMs + length })));
  const holds = (all: readonly Span[], at: number) => all.some(({ fromMs, untilMs }) => at >= fromMs && at < untilMs);
  fc.assert(
    fc.property(spans, spans, fc.nat(140), (one, other, at) => {
      return holds(overlap(one, other), at) === (holds(one, at) && holds(other, at));
    }),
  );
});

t.test('the last row of a week knows what is open there on the day after', async (t) => {
  // Sunday evening at the site is Monday morning in Auckland.
  const there = {
    date: '2026-11-30',
    siteWindows: [],
    zoneWindows: [{ from: '2026-11-29T20:00:00Z', until: '2026-11-30T04:00:00Z' }],
  };
  const rows = weekRows('2026-11-23', 'Europe/Brussels', [there]);
  t.equal(rows.length, 7);
  t.same(rows[6]?.there, [{ fromMs: Date.parse('2026-11-29T20:00:00Z'), untilMs: Date.parse('2026-11-29T23:00:00Z') }]);
});

t.test('a call may be where both windows are, by the hours of the site', async (t) => {
  const { siteZone, days } = week('Europe/Istanbul', '2026-11-22');
  const monday = weekRows('2026-11-23', siteZone, days)[0];
  const hours = monday?.both.map(({ fromMs, untilMs }) =>
    [fromMs, untilMs].map((ms) => new Date(ms).toISOString().slice(11, 16)),
  );
  t.same(hours, [
    ['07:00', '10:00'],
    ['11:35', '15:25'],
  ]);
});

t.test('a call that is up is never hidden behind what else is true of its handset', async (t) => {
  const cut = { kind: 'site', since: '2026-11-23T09:00:00Z', reason: 'drill' } as const;
  const all = { cut, fault: 'lost', disabled: true, registered: false, rule: 'window.site' };
  for (const phase of ['talking', 'ringing', 'calling'] as const) t.equal(stateOf({ ...IDLE, ...all, phase }), phase);
  t.equal(stateOf({ ...IDLE, ...all }), 'cut');
  t.equal(stateOf({ ...IDLE, fault: 'lost', disabled: true }), 'fault');
  t.equal(stateOf({ ...IDLE, rule: 'window.site', registered: false }), 'refused');
  t.equal(stateOf({ ...IDLE, registered: false }), 'away');
  t.equal(stateOf({ ...IDLE, hook: 'off' }), 'off-hook');
  t.equal(stateOf(IDLE), 'on-hook');
});

t.test('time left begins at what the gateway said, never rises, and ends at nothing', async () => {
  const small = fc.nat(10_000_000);
  fc.assert(
    fc.property(fc.nat(7200), small, small, small, (leftS, heardMs, passedMs, moreMs) => {
      const view: HandsetView = { ...IDLE, phase: 'talking', leftS };
      const left = (ms: number) => secondsLeft(view, heardMs, heardMs + ms) ?? Number.NaN;
      return left(0) === leftS && left(passedMs + moreMs) <= left(passedMs) && left(leftS * 1000) === 0;
    }),
  );
});

t.test('events change what they name and nothing else; one that this page does not know changes nothing', async (t) => {
  const site = afterEvent(undefined, 'view', SITE, 5);
  t.equal(afterEvent(undefined, 'handset', IDLE, 5), undefined, 'nothing is known before the first view');
  if (site === undefined) throw new Error('no site after a view');
  const after = afterEvent(site, 'handset', { ...IDLE, hook: 'off' }, 9);
  t.equal(after?.handsets.find(({ handset }) => handset === 'a-101')?.hook, 'off');
  t.equal(after?.handsets.length, site.handsets.length);
  t.equal(after?.heardMs['a-101'], 9);
  t.equal(after?.heardMs['a-102'], 5);
  const alarms = Array.from({ length: 60 }, (_, n) => ({ at: SITE.at, code: `alarm-${n}`, detail: '' }));
  const full = alarms.reduce((now, alarm) => afterEvent(now, 'alarm', alarm, 9) ?? now, site);
  t.equal(full.alarms.length, 50);
  t.equal(full.alarms[0]?.code, 'alarm-59', 'the newest first');
  t.equal(afterEvent(site, 'weather', { rain: true }, 9), site);
});
