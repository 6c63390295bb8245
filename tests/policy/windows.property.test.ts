/** Random hours of random zones and years against the minute-by-minute oracle; nights on which clocks change are asked oftenest. */
import fc from 'fast-check';
import t from 'tap';
import { Temporal } from 'temporal-polyfill';
import type { Window } from '../../config/schema/types.generated.js';
import { type Hours, NEVER, opensFrom, together } from '../../gateway/policy/hours.js';
import { type Calendar, Schedule } from '../../gateway/policy/schedule.js';
import { DAY_MS } from '../../gateway/policy/zone-clock.js';
import { EVERY } from './sample-policy.js';
import { firstClosed, firstOpen, isOpenAt, MINUTE, type WallRule } from './wall-oracle.js';

const ZONES = [
  'Europe/Brussels',
  'Europe/London',
  'Europe/Istanbul',
  'America/St_Johns',
  'America/Havana',
  'America/Santiago',
  'Asia/Beirut',
  'Asia/Kathmandu',
  'Asia/Vladivostok',
  'Africa/Casablanca',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Chatham',
  'UTC',
];

const two = (n: number) => String(n).padStart(2, '0');
/** Minutes of the day: those of the small hours, in which clocks change, oftenest. */
const minute = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 16 }).map((n) => n * 15) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 1_439 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1_439, 60, 120, 180) },
);
const clockTime = minute.map((n) => `${two(Math.floor(n / 60))}:${two(n % 60)}`);
const days = fc.subarray([...EVERY], { minLength: 1 });
const window = fc.record({
  days,
  from: clockTime,
  to: fc.oneof(clockTime, fc.constant('24:00')),
  holidays: fc.constantFrom(undefined, 'never' as const, 'always' as const),
});
const withoutHoles = ({ holidays, ...rest }: { holidays: Window['holidays'] | undefined } & Window): Window =>
  holidays === undefined ? rest : { ...rest, holidays };

/** An instant of the years 2005 to 2035 in a zone: near a change of its clocks, most times. */
const moment = (zone: string): fc.Arbitrary<number> => {
  const anywhere = fc.integer({ min: Date.UTC(2005, 0, 1) / MINUTE, max: Date.UTC(2035, 0, 1) / MINUTE });
  const nearChange = fc.tuple(anywhere, fc.integer({ min: -1_500, max: 1_500 })).map(([from, off]) => {
    const change = Temporal.Instant.fromEpochMilliseconds(from * MINUTE)
      .toZonedDateTimeISO(zone)
      .getTimeZoneTransition('next');
    return change === null ? from : change.epochMilliseconds / MINUTE + off;
  });
  return fc.oneof({ weight: 3, arbitrary: nearChange }, { weight: 1, arbitrary: anywhere }).map((n) => n * MINUTE);
};

interface Sample {
  readonly rule: WallRule;
  readonly ms: number;
}

const dateOf = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 10);

/** A few dates about the instant that are holidays, and a few that have hours of their own. */
const sample: fc.Arbitrary<Sample> = fc.constantFrom(...ZONES).chain((zone) =>
  moment(zone).chain((ms) => {
    const near = fc.integer({ min: -2, max: 6 }).map((off) => dateOf(Math.floor(ms / DAY_MS) + off));
    const part = fc.tuple(clockTime, fc.oneof(clockTime, fc.constant('24:00'))).map(([from, to]) => ({ from, to }));
    return fc
      .record({
        windows: fc.array(window.map(withoutHoles), { minLength: 1, maxLength: 3 }),
        holidays: fc.array(near, { maxLength: 2 }).map((dates) => new Set(dates)),
        exceptions: fc.dictionary(near, fc.array(part, { maxLength: 2 }), { maxKeys: 2 }),
      })
      .map((parts) => ({ ms, rule: { zone, ...parts } }));
  }),
);

function scheduleOf({ zone, windows, holidays, exceptions }: WallRule): Schedule {
  const calendar: Calendar = {
    isHoliday: (day) => holidays?.has(dateOf(day)) === true,
    exception: (day) => exceptions?.[dateOf(day)],
  };
  return new Schedule(zone, windows, calendar);
}

const AHEAD = 3 * DAY_MS;

/** The walk's answers are those of the oracle: open or not, when it opens, when it closes, and to the millisecond. */
function agrees(hours: Hours, rules: readonly WallRule[], ms: number): void {
  const said = (what: string) => new Error(`${what} ${new Date(ms).toISOString()} ${JSON.stringify(rules)}`);
  const isOpen = rules.every((rule) => isOpenAt(rule, ms));
  const stretch = hours.stretchAt(ms);
  if (stretch.isOpen !== isOpen) throw said(`open ${stretch.isOpen}, by the oracle ${isOpen}, at`);
  if (stretch.from > ms || stretch.to <= ms) throw said('a stretch that does not hold its instant');
  const opens = opensFrom(hours, ms);
  const first = firstOpen(rules, ms, ms + AHEAD);
  if (first === undefined ? opens !== undefined && opens < ms + AHEAD : opens !== first) {
    throw said(`opens ${opens}, by the oracle ${first}, from`);
  }
  if (opens !== undefined && opens > ms && hours.stretchAt(opens - 1).isOpen) throw said('open sooner than it says');
  if (!isOpen) return;
  const closed = firstClosed(rules, ms, ms + AHEAD);
  if (closed === undefined ? stretch.to < ms + AHEAD : stretch.to !== closed) {
    throw said(`closes ${stretch.to}, by the oracle ${closed}, from`);
  }
}

t.test('hours open and close when the wall clock says so, in the narrow reading', async () => {
  fc.assert(
    fc.property(sample, ({ rule, ms }) => agrees(scheduleOf(rule), [rule], ms)),
    { numRuns: 150 },
  );
});

t.test('hours of several zones are open together when each of them is', async () => {
  const many = sample.chain(({ rule, ms }) =>
    fc.record({
      ms: fc.constant(ms),
      rules: fc
        .array(
          fc.tuple(fc.constantFrom(...ZONES), fc.array(window.map(withoutHoles), { minLength: 1, maxLength: 2 })),
          {
            minLength: 1,
            maxLength: 2,
          },
        )
        .map((others) => [rule, ...others.map(([zone, windows]): WallRule => ({ zone, windows }))]),
    }),
  );
  fc.assert(
    fc.property(many, ({ rules, ms }) => agrees(together(rules.map(scheduleOf)), rules, ms)),
    { numRuns: 80 },
  );
});

t.test(
  'hours that are said never to meet are never open together, least of all on nights when clocks change',
  async (t) => {
    const short = fc
      .tuple(days, fc.integer({ min: 0, max: 1_380 }), fc.integer({ min: 15, max: 300 }))
      .map(([of, from, lasts]): Window => {
        const at = (n: number) => `${two(Math.floor(n / 60) % 24)}:${two(n % 60)}`;
        return { days: of, from: at(from), to: at(from + lasts) };
      });
    const pair = sample.chain(({ ms, rule: { zone, exceptions = {}, holidays = new Set<string>() } }) =>
      fc
        .tuple(fc.array(short, { minLength: 1, maxLength: 3 }), fc.array(short, { minLength: 1, maxLength: 3 }))
        .map((both) => ({ ms, rules: both.map((windows): WallRule => ({ zone, windows, exceptions, holidays })) })),
    );
    let never = 0;
    fc.assert(
      fc.property(pair, ({ ms, rules }) => {
        if (together(rules.map(scheduleOf)) !== NEVER) return;
        never += 1;
        const first = firstOpen(rules, ms - DAY_MS, ms + DAY_MS);
        if (first !== undefined) throw new Error(`open at ${new Date(first).toISOString()}: ${JSON.stringify(rules)}`);
      }),
      { numRuns: 200 },
    );
    t.ok(never > 20, `${never} pairs never meet`);
  },
);

t.test('what is remembered changes no answer, in whatever order it is asked', async () => {
  const asked = fc.array(fc.integer({ min: -60_000, max: 60_000 }), { minLength: 2, maxLength: 12 });
  const always: WallRule = { zone: 'Europe/Brussels', windows: [{ days: EVERY, from: '00:00', to: '24:00' }] };
  const other = fc.oneof(
    fc.constant(always),
    sample.map(({ rule }) => rule),
  );
  fc.assert(
    fc.property(sample, other, asked, (one, second, offs) => {
      const make = () => {
        const [a, b] = [scheduleOf(one.rule), scheduleOf(second)];
        return [a, b, together([a, b])];
      };
      const used = make();
      for (const off of offs) {
        const ms = one.ms + off * MINUTE;
        // What is laid out a week ahead is exact.
        const said = (hours: Hours) => {
          const { isOpen, to } = hours.stretchAt(ms);
          return [isOpen, isOpen && Math.min(to, ms + 7 * DAY_MS), opensFrom(hours, ms)].join();
        };
        if (used.map(said).join() !== make().map(said).join()) throw new Error(new Date(ms).toISOString());
      }
    }),
    { numRuns: 120 },
  );
});
