import t from 'tap';
import type { Temporal } from 'temporal-polyfill';
import type { Window } from '../../config/schema/types.generated.js';
import { opensFrom, together } from '../../gateway/policy/hours.js';
import { type Calendar, PLAIN_CALENDAR, Schedule } from '../../gateway/policy/schedule.js';
import { DAY_MS } from '../../gateway/policy/zone-clock.js';
import { ALL_DAY, at, WORKDAYS, window } from './sample-policy.js';

const isOpen = (schedule: Schedule, when: Temporal.Instant) => schedule.stretchAt(when.epochMilliseconds).isOpen;

/** Checks, at the minute and a millisecond before it, that hours open or close there. */
function edges(t: Tap, schedule: Schedule, zone: string, what: 'opens' | 'closes', ...walls: readonly string[]): void {
  for (const wall of walls) {
    const ms = at(wall, zone).epochMilliseconds;
    t.equal(schedule.stretchAt(ms).isOpen, what === 'opens', `${what} at ${wall}`);
    t.equal(schedule.stretchAt(ms - 1).isOpen, what !== 'opens', `${what} no sooner than ${wall}`);
  }
}
type Tap = { equal(found: unknown, wanted: unknown, message: string): unknown };

t.test('a split day has its pause, to the instant', async (t) => {
  const day = new Schedule('Europe/Brussels', [window('07:00', '11:50'), window('12:35', '16:25')]);
  edges(t, day, 'Europe/Brussels', 'opens', '2026-03-04T07:00', '2026-03-04T12:35');
  edges(t, day, 'Europe/Brussels', 'closes', '2026-03-04T11:50', '2026-03-04T16:25');
});

t.test('a window over midnight belongs to the day on which it opens', async (t) => {
  const friday = new Schedule('Europe/Brussels', [window('22:00', '02:00', ['fri'])]);
  edges(t, friday, 'Europe/Brussels', 'opens', '2026-03-06T22:00');
  edges(t, friday, 'Europe/Brussels', 'closes', '2026-03-07T02:00');
  t.notOk(isOpen(friday, at('2026-03-06T01:00', 'Europe/Brussels')), 'the small hours of Friday are Thursday night');
});

t.test('the same time twice is the whole day round, and 24:00 is the end of the day', async (t) => {
  const round = new Schedule('Europe/Brussels', [window('09:00', '09:00', ['wed'])]);
  edges(t, round, 'Europe/Brussels', 'opens', '2026-03-04T09:00');
  edges(t, round, 'Europe/Brussels', 'closes', '2026-03-05T09:00');
  const evening = new Schedule('Europe/Brussels', [window('20:00', '24:00', ['wed'])]);
  edges(t, evening, 'Europe/Brussels', 'closes', '2026-03-05T00:00');
});

t.test('half-hour zones and those of three quarters open at their own minute', async (t) => {
  const nine = [window('09:00', '20:00')];
  for (const [zone, utc] of [
    ['Asia/Kolkata', '03:30'],
    ['Asia/Kathmandu', '03:15'],
    ['America/St_Johns', '12:30'],
    ['Australia/Eucla', '00:15'],
    ['Pacific/Chatham', '19:15'],
  ] as const) {
    const schedule = new Schedule(zone, nine);
    const opens = at(`2026-03-03T${utc}`, 'UTC').epochMilliseconds;
    t.ok(schedule.stretchAt(opens).isOpen, zone);
    t.notOk(schedule.stretchAt(opens - 1).isOpen, `${zone}, a millisecond before`);
  }
});

const night = (from: string, to: string) => new Schedule('Europe/Brussels', [window(from, to)]);
const utc = (wall: string) => at(wall, 'UTC').epochMilliseconds;

t.test('on the night on which the clocks go forward, what does not exist ends at the gap', async (t) => {
  // Brussels, 29 March 2026: 02:00 becomes 03:00 at 01:00Z.
  const gap = utc('2026-03-29T01:00');
  t.equal(opensFrom(night('02:30', '05:00'), gap - 1), gap, 'an opening in the gap opens at its instant');
  t.equal(night('00:30', '02:30').stretchAt(gap - 1).to, gap, 'a closing in the gap closes at its instant');
  t.notOk(night('02:10', '02:50').stretchAt(gap).isOpen, 'a window wholly in the gap is not that night');
  t.equal(opensFrom(night('02:10', '02:50'), gap), utc('2026-03-30T00:10'));
});

t.test(
  'on the night on which they go back, what exists twice opens at the later and closes at the earlier',
  async (t) => {
    // Brussels, 25 October 2026: 03:00 becomes 02:00 at 01:00Z; 02:30 is at 00:30Z and again at 01:30Z.
    t.equal(opensFrom(night('02:30', '05:00'), utc('2026-10-25T00:00')), utc('2026-10-25T01:30'));
    t.equal(night('00:00', '02:30').stretchAt(utc('2026-10-24T23:00')).to, utc('2026-10-25T00:30'));
    t.equal(
      opensFrom(night('02:10', '02:50'), utc('2026-10-25T00:00')),
      utc('2026-10-26T01:10'),
      'not at all that night',
    );
    t.equal(
      night('00:00', '03:00').stretchAt(utc('2026-10-24T23:00')).to,
      utc('2026-10-25T02:00'),
      '03:00 is but once',
    );
  },
);

/** The instants of 2026 at which the zone's clocks change. */
function changesOf(zone: string): readonly number[] {
  const found: number[] = [];
  for (
    let next = at('2026-01-01T00:00', zone).toZonedDateTimeISO(zone).getTimeZoneTransition('next');
    next?.year === 2026;
  ) {
    found.push(next.epochMilliseconds);
    next = next.getTimeZoneTransition('next');
  }
  return found;
}

t.test('hours that touch have no seam, on whatever night', async (t) => {
  const seam = [window('00:00', '02:30'), window('02:30', '24:00')];
  for (const zone of ['Europe/Brussels', 'America/Havana', 'Asia/Beirut', 'America/Santiago', 'Australia/Lord_Howe']) {
    for (const windows of [seam, [ALL_DAY], [window('17:00', '17:00')]]) {
      const always = new Schedule(zone, windows);
      for (const change of changesOf(zone)) {
        for (let ms = change - 2 * DAY_MS; ms < change + 2 * DAY_MS; ms += 900_000) {
          if (!always.stretchAt(ms).isOpen) t.fail(`${zone} ${new Date(ms).toISOString()}`);
        }
      }
    }
  }
});

t.test('a day that a zone left out is no day, and its neighbours keep their hours', async (t) => {
  // Samoa went from Thursday 29 December 2011 to Saturday the 31st.
  const days = new Schedule('Pacific/Apia', [window('09:00', '17:00', ['thu', 'fri', 'sat'])]);
  t.equal(days.stretchAt(utc('2011-12-29T20:00')).to, utc('2011-12-30T03:00'), 'Thursday, ten hours behind');
  t.equal(opensFrom(days, utc('2011-12-30T04:00')), utc('2011-12-30T19:00'), 'Saturday, fourteen ahead');
  const friday = new Schedule('Pacific/Apia', [window('09:00', '17:00', ['fri'])]);
  t.equal(opensFrom(friday, utc('2011-12-28T00:00')), utc('2012-01-05T19:00'), 'the next Friday that there was');
});

const calendarOf = (holidays: readonly string[], exceptions: Record<string, readonly Window[]> = {}): Calendar => {
  const date = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 10);
  return { isHoliday: (day) => holidays.includes(date(day)), exception: (day) => exceptions[date(day)] };
};
const never = (one: Window): Window => ({ ...one, holidays: 'never' });

t.test('a window that is never on holidays ends at the midnight that begins one', async (t) => {
  const hours = new Schedule('Europe/Brussels', [never(window('22:00', '02:00'))], calendarOf(['2026-05-01']));
  edges(t, hours, 'Europe/Brussels', 'opens', '2026-04-30T22:00', '2026-05-02T22:00');
  edges(t, hours, 'Europe/Brussels', 'closes', '2026-05-01T00:00', '2026-05-03T02:00');
  t.notOk(isOpen(hours, at('2026-05-01T23:00', 'Europe/Brussels')), 'nor does it open on the holiday');
  t.notOk(isOpen(hours, at('2026-05-02T01:00', 'Europe/Brussels')), 'so nothing runs on from it');
});

t.test('a window that is always on holidays opens on them, whatever the weekday', async (t) => {
  const sunday: Window = { ...window('10:00', '12:00', ['sun']), holidays: 'always' };
  const hours = new Schedule(
    'Europe/Brussels',
    [never(window('08:00', '20:00', WORKDAYS)), sunday],
    calendarOf(['2026-05-01']),
  );
  edges(t, hours, 'Europe/Brussels', 'opens', '2026-05-01T10:00', '2026-05-03T10:00', '2026-05-04T08:00');
  edges(t, hours, 'Europe/Brussels', 'closes', '2026-05-01T12:00', '2026-04-30T20:00');
});

t.test('a date with hours of its own has those alone, and never more than the week gives', async (t) => {
  const own = { '2026-12-24': [window('00:00', '18:30')], '2026-12-25': [], '2026-12-27': [window('00:00', '24:00')] };
  const hours = new Schedule('Europe/Amsterdam', [window('09:00', '01:00', WORKDAYS)], calendarOf([], own));
  edges(t, hours, 'Europe/Amsterdam', 'closes', '2026-12-24T01:00', '2026-12-24T18:30');
  edges(t, hours, 'Europe/Amsterdam', 'opens', '2026-12-24T09:00', '2026-12-28T09:00');
  t.notOk(isOpen(hours, at('2026-12-25T12:00', 'Europe/Amsterdam')), 'a date with no hours is closed');
  t.notOk(isOpen(hours, at('2026-12-27T12:00', 'Europe/Amsterdam')), 'Sunday stays closed');
});

t.test('a window that runs over midnight into a date with hours of its own keeps what that date has', async (t) => {
  const own = { '2026-12-24': [window('00:30', '18:00')] };
  const hours = new Schedule('Europe/Amsterdam', [window('22:00', '02:00')], calendarOf([], own));
  edges(t, hours, 'Europe/Amsterdam', 'closes', '2026-12-24T00:00', '2026-12-24T02:00');
  edges(t, hours, 'Europe/Amsterdam', 'opens', '2026-12-23T22:00', '2026-12-24T00:30', '2026-12-25T22:00');
});

t.test('hours that are never open together are found out, and not searched for ever', async (t) => {
  const morning = new Schedule('Europe/Brussels', [window('08:00', '12:00')], PLAIN_CALENDAR);
  const evening = new Schedule('Europe/Brussels', [window('18:00', '22:00')], PLAIN_CALENDAR);
  t.equal(opensFrom(together([morning, evening]), utc('2026-01-01T00:00')), undefined);
});

t.test('hours that never meet are looked through once, and in one zone not at all', async (t) => {
  let days = 0;
  const counting: Calendar = {
    exception: () => undefined,
    isHoliday: () => {
      days += 1;
      return false;
    },
  };
  const always = (from: string, to: string): Window[] => [{ ...window(from, to), holidays: 'always' }];
  const from = utc('2026-01-01T00:00');
  const here = together(['08:00', '18:00'].map((at) => scheduled('Europe/Brussels', at)));
  function scheduled(zone: string, at: string): Schedule {
    return new Schedule(zone, always(at, `${at.slice(0, 2)}:30`), counting);
  }
  t.equal(opensFrom(here, from), undefined);
  t.equal(days, 0, 'the weeks have nothing in common');
  const apart = together([scheduled('Europe/Brussels', '08:00'), scheduled('America/Chicago', '10:00')]);
  t.equal(opensFrom(apart, from), undefined);
  const searched = days;
  t.ok(searched < 2 * 2 * 460, `${searched} days of two schedules are laid out for 400 days ahead`);
  for (let minute = 1; minute <= 24 * 60; minute += 1) opensFrom(apart, from + minute * 60_000);
  t.ok(days - searched <= 2 * 110, `${days - searched} more for a day on which each minute asks`);
  const year = Array.from({ length: 365 }, (_, day) => opensFrom(apart, from + day * DAY_MS));
  t.ok(year.every((opens) => opens === undefined));
  t.ok(days < 2 * 2 * 900, `${days} for a year`);
});

t.test('what was closed for as long as anybody looked is looked at again when that time has come', async (t) => {
  const zone = 'Europe/Brussels';
  const years = Object.fromEntries(
    Array.from({ length: 800 }, (_, n) => [
      new Date(utc('2026-01-01T00:00') + n * DAY_MS).toISOString().slice(0, 10),
      [],
    ]),
  );
  const late = new Schedule(zone, [ALL_DAY], calendarOf([], years));
  const hours = together([late, new Schedule(zone, [window('08:00', '20:00')])]);
  t.notOk(hours.stretchAt(utc('2026-01-01T12:00')).isOpen);
  t.equal(opensFrom(hours, utc('2026-01-01T12:00')), undefined, 'further away than anybody waits');
  t.ok(hours.stretchAt(utc('2028-06-01T12:00')).isOpen);
  t.equal(opensFrom(hours, utc('2028-01-01T12:00')), at('2028-03-11T08:00', zone).epochMilliseconds);
});
