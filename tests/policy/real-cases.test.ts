/** Places where a calling window goes wrong: each row is a number, an instant, and what must be said of it. */
import t from 'tap';
import { Temporal } from 'temporal-polyfill';
import { COUNTRIES, PREFIXES, realPolicy } from './real-policy.js';
import { ask, hoursOf, WORKDAYS, window } from './sample-policy.js';

const policy = realPolicy();
const local = (wall: string, zone: string) => Temporal.PlainDateTime.from(wall).toZonedDateTime(zone).toInstant();

interface Row {
  readonly what: string;
  readonly number: string;
  readonly zones: readonly string[] | number;
  readonly at: readonly [wall: string, zone: string];
  readonly says: string;
}

const ROWS: readonly Row[] = [
  {
    what: 'Istanbul, which keeps summer time all year',
    number: '+902121234567',
    zones: ['Europe/Istanbul'],
    at: ['2026-12-15T20:00', 'Europe/Istanbul'],
    says: 'in Istanbul it is 20:00; calls from 2026-12-16 10:00',
  },
  {
    what: 'Istanbul, on the last day of Ramazan Bayramı',
    number: '+902121234567',
    zones: ['Europe/Istanbul'],
    at: ['2026-05-29T11:00', 'Europe/Istanbul'],
    says: 'in Istanbul it is 11:00, a holiday; calls from 2026-06-01 10:00',
  },
  {
    what: 'Tirana',
    number: '+35542345678',
    zones: ['Europe/Tirane'],
    at: ['2026-03-04T13:00', 'Europe/Tirane'],
    says: 'in Tirane it is 13:00; calls from 14:00',
  },
  {
    what: 'Moscow, a geographic number',
    number: '+74951234567',
    zones: ['Europe/Moscow'],
    at: ['2026-03-04T09:59', 'Europe/Moscow'],
    says: 'in Moscow it is 09:59; calls from 10:00',
  },
  {
    what: 'Vladivostok, seven hours on',
    number: '+74232345678',
    zones: ['Asia/Vladivostok'],
    at: ['2026-03-04T13:00', 'Europe/Moscow'],
    says: 'in Vladivostok it is 20:00; calls from 2026-03-05 10:00',
  },
  {
    what: 'a Russian mobile, which may be anywhere from Kaliningrad to Kamchatka, ten hours apart',
    number: '+79991234567',
    zones: COUNTRIES.RU?.length ?? 0,
    at: ['2026-03-04T10:00', 'Europe/Moscow'],
    says: 'in Omsk it is 13:00',
  },
  {
    what: 'Almaty, which went an hour back in 2024',
    number: '+77272345678',
    zones: ['Asia/Almaty'],
    at: ['2026-03-04T05:00', 'UTC'],
    says: 'granted',
  },
  {
    what: 'Almaty, an hour earlier',
    number: '+77272345678',
    zones: ['Asia/Almaty'],
    at: ['2026-03-04T04:59', 'UTC'],
    says: 'in Almaty it is 09:59; calls from 10:00',
  },
  {
    what: 'a satellite',
    number: '+881612345678',
    zones: 0,
    at: ['2026-03-04T12:00', 'UTC'],
    says: 'satellite and global networks are not sanctioned',
  },
];

for (const { what, number, zones, at, says } of ROWS) {
  t.test(what, async (t) => {
    const decision = ask(policy, local(...at), { dialled: number });
    t.match(decision.outcome === 'grant' ? 'granted' : decision.fact, says);
    const read = policy.numbers.read(number);
    const found = read.ok ? (policy.callee.placeOf(read)?.zones ?? []) : [];
    if (typeof zones === 'number') t.equal(found.length, zones);
    else t.same(found, zones);
  });
}

/** Hours of a working day in a country, under the program's own zones. */
const workingDay = (country: string, from: string, to: string, days = WORKDAYS) =>
  realPolicy({ callingHours: [hoursOf(country, [window(from, to, days)])] });
const opensAt = (one: ReturnType<typeof realPolicy>, when: Temporal.Instant, dialled: string, calleeZone?: string) => {
  const decision = ask(one, when, { dialled, ...(calleeZone && { calleeZone }) });
  return decision.outcome === 'grant' ? 'open' : decision.nextAllowed?.toString();
};

t.test('St John’s is half an hour off, and its numbers may be in Puerto Rico’s exchange too', async (t) => {
  const canada = workingDay('CA', '09:00', '20:00');
  const place = (number: string) => {
    const read = canada.numbers.read(number);
    return read.ok ? canada.callee.placeOf(read)?.zones : undefined;
  };
  t.ok((place('+17095550100') ?? []).includes('America/St_Johns'));
  const when = local('2026-03-04T19:00', 'America/St_Johns');
  t.equal(opensAt(canada, when, '+17095550100', 'America/St_Johns'), 'open');
  t.equal(
    opensAt(canada, local('2026-03-04T20:00', 'America/St_Johns'), '+17095550100', 'America/St_Johns'),
    '2026-03-05T12:30:00Z',
  );
});

t.test('Lord Howe sets its clocks by half an hour', async (t) => {
  const australia = workingDay('AU', '01:45', '05:00', ['sun'] as never);
  const zone = 'Australia/Lord_Howe';
  // 5 April 2026: 02:00 becomes 01:30 at 15:00Z of the 4th; 01:45 is at 14:45Z and again at 15:15Z.
  t.equal(
    opensAt(australia, Temporal.Instant.from('2026-04-04T14:00:00Z'), '+61255501234', zone),
    '2026-04-04T15:15:00Z',
  );
  // 4 October 2026: 02:00 becomes 02:30 at 15:30Z of the 3rd.
  const gap = workingDay('AU', '02:10', '05:00', ['sun'] as never);
  t.equal(opensAt(gap, Temporal.Instant.from('2026-10-03T14:00:00Z'), '+61255501234', zone), '2026-10-03T15:30:00Z');
});

t.test('Casablanca suspends its summer time for Ramadan', async (t) => {
  const morocco = workingDay('MA', '09:00', '20:00');
  const opens = (date: string) => opensAt(morocco, Temporal.Instant.from(`${date}T00:00:00Z`), '+212522345678');
  t.equal(opens('2026-02-13'), '2026-02-13T08:00:00Z', 'before it, an hour ahead of Greenwich');
  t.equal(opens('2026-02-20'), '2026-02-20T09:00:00Z', 'in Ramadan, with Greenwich');
  t.equal(opens('2026-03-25'), '2026-03-25T08:00:00Z', 'after it');
});

t.test('Apia had no 30th of December in 2011', async (t) => {
  const samoa = workingDay('WS', '09:00', '17:00');
  // Thursday the 29th ends at 03:00Z of the 30th; the next working day is Monday the 2nd, fourteen hours ahead.
  t.equal(opensAt(samoa, Temporal.Instant.from('2011-12-30T02:59:59Z'), '+68522123'), 'open');
  t.equal(opensAt(samoa, Temporal.Instant.from('2011-12-30T03:00:00Z'), '+68522123'), '2012-01-01T19:00:00Z');
});

t.test('a call to a Russian mobile must be inside the window in all of its zones', async (t) => {
  const when = local('2026-03-04T08:00', 'Europe/Moscow');
  t.equal(opensAt(policy, when, '+79991234567'), undefined, 'under the strictest hours there is no such instant');
  const long = workingDay('RU', '08:00', '21:00');
  t.equal(opensAt(long, when, '+79991234567'), local('2026-03-04T08:00', 'Europe/Kaliningrad').toString());
  const granted = ask(long, local('2026-03-05T08:30', 'Europe/Kaliningrad'), { dialled: '+79991234567' });
  t.match(granted, { outcome: 'grant', notAfterBy: 'window.callee' });
  if (granted.outcome !== 'grant') return;
  t.equal(granted.notAfter.toString(), local('2026-03-05T21:00', 'Asia/Kamchatka').toString());
});

t.test('a contact’s own zone takes the place of every zone that its number may be in', async (t) => {
  const when = local('2026-03-04T11:00', 'Europe/Moscow');
  t.match(ask(policy, when, { dialled: '+79991234567' }), { rule: 'window.callee' });
  const own = ask(policy, when, { dialled: '+79991234567', calleeZone: 'Europe/Moscow' });
  t.match(own, { outcome: 'grant', calleeZones: ['Europe/Moscow'] });
});

t.test('a number of no country that is known is refused', async (t) => {
  const nowhere = realPolicy({ zonesOf: { GB: ['Europe/London'] } });
  t.match(ask(nowhere, local('2026-03-04T12:00', 'UTC'), { dialled: '+355691234567' }), {
    rule: 'window.callee',
    fact: 'it is not known where the callee is',
  });
});

t.test('the prefix table is Google’s, and says which', async (t) => {
  t.match(PREFIXES.source, /libphonenumber.* \d+\.\d+\.\d+$/);
  t.ok(Object.keys(PREFIXES.prefixes).length > 3_000);
  for (const set of Object.values(PREFIXES.prefixes)) t.ok((PREFIXES.zones[set]?.length ?? 0) > 0);
});
