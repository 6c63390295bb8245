/** Jobs by the hour, over nights when clocks change, machines that sleep, and clocks that are set. */

import { mock } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { Temporal } from 'temporal-polyfill';
import { cronMinutes } from '../../gateway/schedule/cron.js';
import { Schedule } from '../../gateway/schedule/schedule.js';

const MINUTE = 60_000;

/** A clock that is set by the test, and a schedule that is told of minutes by it. */
function world(start: string) {
  let nowMs = Temporal.Instant.from(start).epochMilliseconds;
  let tick = (): void => undefined;
  const faults: string[] = [];
  const schedule = new Schedule({
    clock: {
      wall: () => Temporal.Instant.fromEpochMilliseconds(nowMs),
      monotonicNs: () => 0n,
      trust: () => ({ trusted: true }),
      after: () => ({ cancel: () => undefined }),
    },
    minutes: (run) => {
      tick = run;
      return {
        cancel: () => {
          tick = () => undefined;
        },
      };
    },
    onFault: (job) => faults.push(job),
  });
  return {
    schedule,
    faults,
    set: (instant: string) => {
      nowMs = Temporal.Instant.from(instant).epochMilliseconds;
    },
    now: () => Temporal.Instant.fromEpochMilliseconds(nowMs).toString({ smallestUnit: 'minute' }),
    /** Minute by minute up to an instant. */
    until: (instant: string) => {
      for (const end = Temporal.Instant.from(instant).epochMilliseconds; nowMs < end; ) {
        nowMs += MINUTE;
        tick();
      }
    },
    tick: () => tick(),
  };
}

for (const [night, zone, time, from, until, runs] of [
  [
    'an ordinary night',
    'Europe/Brussels',
    '22:00',
    '2027-03-01T12:00Z',
    '2027-03-03T12:00Z',
    ['2027-03-01T21:00Z', '2027-03-02T21:00Z'],
  ],
  [
    'an hour that does not exist: when the gap has come',
    'Europe/Brussels',
    '02:30',
    '2027-03-27T12:00Z',
    '2027-03-29T12:00Z',
    ['2027-03-28T01:00Z', '2027-03-29T00:30Z'],
  ],
  [
    'an hour that comes twice: at the first',
    'Europe/Brussels',
    '02:30',
    '2027-10-30T12:00Z',
    '2027-11-01T12:00Z',
    ['2027-10-31T00:30Z', '2027-11-01T01:30Z'],
  ],
  [
    'half an hour of daylight saving',
    'Australia/Lord_Howe',
    '01:45',
    '2027-04-02T00:00Z',
    '2027-04-05T00:00Z',
    ['2027-04-02T14:45Z', '2027-04-03T14:45Z', '2027-04-04T15:15Z'],
  ],
  [
    'midnight that does not exist',
    'Africa/Cairo',
    '00:00',
    '2027-04-28T12:00Z',
    '2027-04-30T12:00Z',
    ['2027-04-28T22:00Z', '2027-04-29T22:00Z'],
  ],
] as const) {
  t.test(`${night} (${zone}, ${time})`, (t) => {
    const { schedule, now, until: go } = world(from);
    const ran: string[] = [];
    schedule.daily('curfew', time, zone, () => ran.push(now()));
    schedule.start();
    go(until);
    t.same(ran, runs);
    t.end();
  });
}

t.test('minutes that were missed are made up for once', (t) => {
  const { schedule, now, set, tick } = world('2026-03-04T21:00Z');
  const ran: string[] = [];
  schedule.daily('roll-up', '00:10', 'UTC', () => ran.push(now()));
  schedule.every('look', 10, () => ran.push('look'));
  schedule.start();
  set('2026-03-08T07:03Z');
  tick();
  tick();
  t.same(ran, ['2026-03-08T07:03Z', 'look']);
  t.end();
});

t.test('a clock that is set back does nothing twice, and one that was years ahead keeps nobody waiting', (t) => {
  const { schedule, set, until, now } = world('2026-03-04T21:00Z');
  const ran: string[] = [];
  schedule.daily('curfew', '22:00', 'UTC', () => ran.push(now()));
  schedule.start();
  until('2026-03-04T22:30Z');
  set('2026-03-04T21:30Z');
  until('2026-03-05T12:00Z');
  t.same(ran, ['2026-03-04T22:00Z'], 'once that evening');
  set('2031-01-01T12:00Z');
  until('2031-01-01T12:01Z');
  set('2026-03-05T12:00Z');
  until('2026-03-05T23:00Z');
  t.same(ran.slice(2), ['2026-03-05T22:00Z']);
  t.end();
});

t.test('a job that throws is reported, the others run, and it runs again', (t) => {
  const { schedule, faults, until } = world('2026-03-04T21:00Z');
  let others = 0;
  schedule.every('bad', 1, () => {
    throw new Error('no disk');
  });
  schedule.every('good', 1, () => {
    others += 1;
  });
  schedule.start();
  until('2026-03-04T21:03Z');
  t.same([faults.length, others], [3, 3]);
  schedule.stop();
  until('2026-03-04T21:09Z');
  t.equal(others, 3, 'after the stop nothing runs');
  t.end();
});

/** node-cron settles each run before it asks for the next: the loop turns between the seconds. */
async function goMinutes(count: number): Promise<void> {
  for (let second = 0; second < count * 60; second += 1) {
    mock.timers.tick(1_000);
    await setImmediate();
  }
}

t.test('node-cron is asked for each minute, and is let go', async (t) => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: Date.parse('2027-03-28T00:58:30Z') });
  t.teardown(() => mock.timers.reset());
  let minutes = 0;
  const timer = cronMinutes(() => {
    minutes += 1;
  });
  await goMinutes(5);
  t.equal(minutes, 5);
  timer.cancel();
  await goMinutes(5);
  t.equal(minutes, 5);
});
