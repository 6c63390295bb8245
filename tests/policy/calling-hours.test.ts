/** The calling hours on file, at their edges: each country as its people's own clocks show it. */
import t from 'tap';
import { Temporal } from 'temporal-polyfill';
import { STRICTEST } from '../../gateway/policy/callee-hours.js';
import type { PolicyInput } from '../../gateway/policy/policy.js';
import { ledgerAt } from './ledger-oracle.js';
import { ON_FILE, realPolicy } from './real-policy.js';
import { ask, hoursOf, policyOf, WORKDAYS, window } from './sample-policy.js';

interface Country {
  readonly number: string;
  readonly zone: string;
  /** Whole stretches in which calls may be, [from, to), local; outside each, to the millisecond, they may not. */
  readonly open: readonly (readonly [string, string])[];
  /** Dates on which they may not be at all. */
  readonly closed: readonly string[];
}

const STRICT_DAY = (date: string) => [
  [`${date}T10:00`, `${date}T13:00`] as const,
  [`${date}T14:00`, `${date}T20:00`] as const,
];

// 2026-03-04 is a Wednesday, the 7th a Saturday, the 8th a Sunday.
const TABLE: Readonly<Record<string, Country>> = {
  FR: {
    number: '+33199000001',
    zone: 'Europe/Paris',
    open: STRICT_DAY('2026-03-04'),
    closed: ['2026-03-07', '2026-03-08', '2026-07-14', '2026-05-01', '2026-04-06'],
  },
  BE: {
    number: '+3223456789',
    zone: 'Europe/Brussels',
    open: STRICT_DAY('2026-03-04'),
    closed: ['2026-03-07', '2026-03-08', '2026-07-21'],
  },
  TR: {
    number: '+902121234567',
    zone: 'Europe/Istanbul',
    open: STRICT_DAY('2026-03-04'),
    closed: ['2026-03-07', '2026-10-29', '2026-05-27', '2026-05-28', '2026-05-29'],
  },
  AL: {
    number: '+35542345678',
    zone: 'Europe/Tirane',
    open: STRICT_DAY('2026-03-04'),
    closed: ['2026-03-07', '2026-05-01', '2026-01-01'],
  },
  RU: {
    number: '+74951234567',
    zone: 'Europe/Moscow',
    open: STRICT_DAY('2026-03-04'),
    closed: ['2026-03-07', '2026-05-01', '2026-01-02'],
  },
  NL: {
    number: '+31201234567',
    zone: 'Europe/Amsterdam',
    open: [
      ['2026-03-04T09:00', '2026-03-04T22:00'],
      ['2026-03-07T10:00', '2026-03-07T16:00'],
      ['2026-12-24T09:00', '2026-12-24T18:30'],
      ['2026-05-04T09:00', '2026-05-04T18:30'],
      // The 5th of December of 2026 is a Saturday: its own hours open nothing that the week does not.
      ['2026-12-05T10:00', '2026-12-05T16:00'],
      ['2028-12-05T09:00', '2028-12-05T18:30'],
    ],
    closed: ['2026-03-08', '2026-12-25', '2026-04-27'],
  },
  DE: {
    number: '+4930231250',
    zone: 'Europe/Berlin',
    open: [
      ['2026-03-04T08:00', '2026-03-04T20:00'],
      ['2026-03-07T09:00', '2026-03-07T18:00'],
    ],
    // Corpus Christi is a holiday in some of the regions, and a number does not tell which.
    closed: ['2026-03-08', '2026-10-03', '2026-06-04', '2026-12-25'],
  },
  GB: {
    number: '+442079460001',
    zone: 'Europe/London',
    open: [
      ['2026-03-04T08:00', '2026-03-04T21:00'],
      ['2026-03-07T09:00', '2026-03-07T21:00'],
      ['2026-03-08T09:00', '2026-03-08T21:00'],
    ],
    closed: [],
  },
  AU: {
    number: '+61255501234',
    zone: 'Australia/Sydney',
    open: [
      ['2026-03-04T09:00', '2026-03-04T20:00'],
      ['2026-03-07T09:00', '2026-03-07T17:00'],
    ],
    closed: ['2026-03-08', '2026-01-26', '2026-04-03'],
  },
};

const passes = (number: string, when: Temporal.Instant): boolean =>
  ask(realPolicy(), when, { dialled: number }).outcome === 'grant';
const local = (wall: string, zone: string) => Temporal.PlainDateTime.from(wall).toZonedDateTime(zone).toInstant();
const MS = { milliseconds: 1 };

for (const [country, { number, zone, open, closed }] of Object.entries(TABLE)) {
  t.test(`${country}: calls may be in the hours on file, to the millisecond`, async (t) => {
    for (const [from, to] of open) {
      const [opens, closes] = [local(from, zone), local(to, zone)];
      t.equal(passes(number, opens), true, `open at ${from}`);
      t.equal(passes(number, opens.subtract(MS)), false, `not before ${from}`);
      t.equal(passes(number, closes.subtract(MS)), true, `open until ${to}`);
      t.equal(passes(number, closes), false, `not at ${to}`);
    }
    for (const date of closed) {
      const hours = Array.from({ length: 24 }, (_, hour) =>
        local(`${date}T00:00`, zone).add({ hours: hour, minutes: 30 }),
      );
      t.notOk(
        hours.some((when) => passes(number, when)),
        `closed all of ${date}`,
      );
    }
  });
}

t.test('US: a number may be in any zone and any state, so all of them must be open', async (t) => {
  const number = '+12125550100';
  const closes = local('2026-03-04T20:00', 'America/New_York');
  const opens = local('2026-03-04T08:00', 'Pacific/Honolulu');
  t.ok(Temporal.Instant.compare(opens, closes) < 0);
  t.equal(passes(number, opens), true);
  t.equal(passes(number, opens.subtract(MS)), false, 'it is before eight in Honolulu');
  t.equal(passes(number, closes.subtract(MS)), true);
  t.equal(passes(number, closes), false, 'it is eight in the evening in Florida');
  t.equal(passes(number, local('2026-03-08T15:00', 'America/New_York')), false, 'a Sunday, of which Alabama has none');
  t.equal(passes(number, local('2026-02-17T15:00', 'America/New_York')), false, 'Mardi Gras, of Louisiana');
});

t.test('a holiday is told as one, with the next opening', async (t) => {
  const said = ask(realPolicy(), local('2026-07-14T11:00', 'Europe/Paris'), { dialled: '+33199000001' });
  t.match(said, {
    rule: 'holiday.callee',
    fact: 'in Paris it is 11:00, a holiday; calls from 2026-07-15 10:00',
  });
});

t.test('a country without a file has the strictest hours, its own holidays included', async (t) => {
  const portugal = '+351212345678';
  const zone = 'Europe/Lisbon';
  t.notOk(ON_FILE.some(({ country }) => country === 'PT'));
  t.equal(passes(portugal, local('2026-03-04T10:00', zone)), true);
  t.equal(passes(portugal, local('2026-03-04T13:30', zone)), false);
  t.equal(passes(portugal, local('2026-03-07T11:00', zone)), false);
  t.equal(passes(portugal, local('2026-06-10T11:00', zone)), false, 'Portugal Day');
});

t.test('a holiday of a region closes where the region is named, and nowhere else', async (t) => {
  const zone = 'Europe/Berlin';
  const bavaria = { ...hoursOf('DE', [window('08:00', '20:00', WORKDAYS)], true), holidayRegions: ['BY'] };
  const germany = hoursOf('DE', [window('08:00', '20:00', WORKDAYS)], true);
  const at = (wall: string, callingHours: PolicyInput['callingHours']) =>
    ask(policyOf({ callingHours, zonesOf: { DE: [zone] }, profile: { allow: ['+49*'] } }), local(wall, zone), {
      dialled: '+4930123456',
    });
  t.match(at('2026-01-06T12:00', [bavaria]), { rule: 'holiday.callee' }, 'Epiphany');
  t.match(at('2026-01-06T12:00', [germany]), { outcome: 'grant' });
  for (const hours of [bavaria, germany]) t.match(at('2026-01-01T12:00', [hours]), { rule: 'holiday.callee' });
  const both = { ...germany, holidayRegions: ['BE', 'BY'] };
  t.match(at('2026-03-09T12:00', [both]), { outcome: 'grant' }, 'a Monday in March');
  for (const day of ['2026-01-06T12:00', '2027-03-08T12:00']) t.match(at(day, [both]), { rule: 'holiday.callee' });
  const site = { zone, country: 'DE', windows: [{ ...window('08:00', '20:00'), holidays: 'never' as const }] };
  const own = (more: object) =>
    ask(policyOf({ site: { ...site, ...more } }), local('2026-01-06T12:00', zone), { dialled: '+442079460001' });
  t.match(own({ holidayRegion: 'BY' }), { rule: 'window.site' }, 'and so do the site’s own');
  t.match(own({}), { outcome: 'grant' });
});

t.test('the law’s limits count by the called number', async (t) => {
  const when = local('2026-03-04T11:00', 'Europe/Paris');
  const calls = [25, 20, 10, 5].map((days) => ({
    startedMs: when.subtract({ hours: 24 * days }).epochMilliseconds,
    talkMs: 0,
    answered: false,
    by: ['number' as const],
  }));
  const tried = (some: typeof calls) =>
    ask(realPolicy(), when, { dialled: '+33199000001', usage: ledgerAt(some, when.epochMilliseconds) });
  t.equal(tried(calls.slice(1)).outcome, 'grant');
  t.match(tried(calls), { rule: 'limit.attempts', fact: '4 of 4 attempts of this number in 30 days are used' });
});

t.test('every file says its source and its status, and none is wider than the day', async (t) => {
  t.same(
    ON_FILE.map(({ country }) => country).sort(),
    [...Object.keys(TABLE), 'US'].sort(),
    'each country on file has its test here',
  );
  for (const { source, status, windows } of ON_FILE) {
    t.ok(source.length > 10 && status.length > 10);
    for (const { from, to } of windows) t.ok(from >= '08:00' && to <= '22:00' && from < to);
  }
  for (const country of ['BE', 'TR', 'AL', 'RU']) {
    t.same(ON_FILE.find((one) => one.country === country)?.windows, STRICTEST.windows, country);
  }
});
