/** The small parts of work, each by itself. */
import fc from 'fast-check';
import t from 'tap';
import type { E164 } from '../../gateway/policy/ids.js';
import { CsvReader } from '../../gateway/work/csv.js';
import { fateOf, isNight, silenceAfter } from '../../gateway/work/dispositions.js';
import { Heap } from '../../gateway/work/heap.js';
import { afterFailure, isLocked, NO_FAILURES } from '../../gateway/work/lockout.js';
import { NumberSeal, SealBroken } from '../../gateway/work/number-seal.js';
import { hashPin, isPin, pinFault } from '../../gateway/work/pin.js';
import { afterKey, callBackTime } from '../../gateway/work/time-entry.js';
import { WaitingLine } from '../../gateway/work/waiting-line.js';
import { at } from './samples.js';

const NOON = at('2026-03-04T12:00:00Z');
const BRUSSELS = ['Europe/Brussels'];

function keyed(keys: string): string {
  let held = '';
  for (const key of keys) {
    const entry = afterKey(held, key);
    if (entry.is !== 'going-on') return entry.is === 'complete' ? entry.keys : 'malformed';
    held = entry.keys;
  }
  return `… ${held}`;
}

const when = (keys: string, zones = BRUSSELS, nowMs = NOON) => {
  const time = callBackTime(keys, zones, nowMs);
  return time.ok ? new Date(time.atMs).toISOString().slice(0, 16) : time.why;
};

t.test('a call-back is keyed as minutes, as a time there, or as days and a time', async (t) => {
  t.same(['30#', '1430#', '2*0915#', '1*#', '9999#', '12345#', '*430#', '1**45#'].map(keyed), [
    '30',
    '1430',
    '2*0915',
    'malformed',
    'malformed',
    'malformed',
    '430',
    '45',
  ]);
  t.equal(when('30'), '2026-03-04T12:30');
  t.equal(when('1430'), '2026-03-04T13:30');
  t.equal(when('1230'), '2026-03-05T11:30', 'it has been half past twelve there today');
  t.equal(when('2*0915'), '2026-03-06T08:15');
  t.equal(when('0*0915'), 'past');
  t.equal(when('2'), 'past', 'two minutes are no call-back');
});

t.test(
  'a time of the night on which the clocks change is the later one, and with several zones the last of them',
  async (t) => {
    t.equal(
      when('1*0230', BRUSSELS, at('2026-03-28T12:00:00Z')),
      '2026-03-29T01:00',
      'it does not exist: the end of the gap',
    );
    t.equal(when('1*0230', BRUSSELS, at('2026-10-24T12:00:00Z')), '2026-10-25T01:30', 'it comes twice');
    t.equal(when('1500', ['Europe/Moscow', 'Europe/Brussels']), '2026-03-05T12:00', 'it is three in Moscow tomorrow');
  },
);

t.test('a call-back is never in the past, whatever is keyed', async () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9*]{0,6}$/), fc.integer({ min: 0, max: 366 * 86_400_000 }), (keys, later) => {
      const time = callBackTime(keys, BRUSSELS, NOON + later);
      if (time.ok && time.atMs <= NOON + later) throw new Error(`${keys} is in the past`);
    }),
  );
});

t.test('whatever may have been a refusal ends a contact; nothing goes beyond its attempts', async (t) => {
  const facts = { attempts: 1, mostAttempts: 3, spacingMs: 1_000 };
  for (const how of [
    'completed',
    'refused',
    'do-not-call',
    'wrong-number',
    'wrong-language',
    'undisposed',
    'distress',
  ] as const)
    t.same(fateOf(how, facts, NOON), { is: 'over' }, how);
  for (const how of ['no-answer', 'busy', 'not-connected', 'answering-machine'] as const)
    t.same(fateOf(how, facts, NOON), { is: 'again', notBeforeMs: NOON + 1_000 }, how);
  for (const how of ['no-answer', 'call-back', 'night-here'] as const)
    t.same(
      fateOf(how, { ...facts, attempts: 3, callBackMs: NOON + 1, nightZones: BRUSSELS }, NOON),
      { is: 'over' },
      how,
    );
  t.same(fateOf('call-back', { ...facts, callBackMs: NOON + 9 }, NOON), { is: 'call-back', dueMs: NOON + 9 });
  t.match(fateOf('night-here', { ...facts, nightZones: BRUSSELS }, NOON), { is: 'again', zones: BRUSSELS });
  t.same(fateOf('night-here', facts, NOON), { is: 'over' }, 'where it may be is not known');
  t.equal(silenceAfter('do-not-call', 60), 'for-good');
  t.equal(silenceAfter('completed', 60), undefined);
  t.same([7 * 60, 12 * 60, 21 * 60].map(isNight), [true, false, true]);
});

t.test('the fifth failure locks, for twice as long each time, and for a day at the most', async (t) => {
  let failures = NO_FAILURES;
  const minutes: number[] = [];
  for (let n = 0; n < 14; n += 1) {
    const { locks, ...next } = afterFailure(failures, NOON);
    failures = next;
    minutes.push(locks ? (next.lockedUntilMs - NOON) / 60_000 : 0);
  }
  t.same(minutes, [0, 0, 0, 0, 15, 30, 60, 120, 240, 480, 960, 1_440, 1_440, 1_440]);
  t.ok(isLocked(failures, NOON));
  t.notOk(isLocked(failures, NOON + 86_400_000));
});

t.test('a sealed number opens for its own contact and key alone, and no bit of it can be changed', async (t) => {
  const seal = new NumberSeal(Buffer.alloc(32, 1));
  const number = '+442079460001' as E164;
  const sealed = seal.seal(number, 'contact');
  t.equal(seal.unseal(sealed, 'contact'), number);
  t.equal(sealed.length, seal.seal('+4420794600019' as E164, 'contact').length, 'its length tells nothing');
  t.notSame(seal.seal(number, 'contact'), sealed, 'nor does a second one');
  t.throws(() => seal.unseal(sealed, 'another'), SealBroken);
  t.throws(() => new NumberSeal(Buffer.alloc(32, 2)).unseal(sealed, 'contact'), SealBroken);
  t.throws(() => new NumberSeal(Buffer.alloc(32, 1), 'batch').unseal(sealed, 'contact'), SealBroken);
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    t.throws(() => seal.unseal(changed, 'contact'), SealBroken);
  }
  t.same(seal.names(number), seal.names(number));
  t.ok(Number.isSafeInteger(seal.names(number).callee));
  t.throws(() => new NumberSeal(Buffer.alloc(16)), /16 bytes, not 32/);
});

t.test('a PIN is checked against its hash, and none against nobody’s', async (t) => {
  const hash = await hashPin('4817');
  t.ok(await isPin('4817', hash));
  t.notOk(await isPin('4818', hash));
  t.notOk(await isPin('4817', undefined));
  t.notOk(await isPin('4817', 'scrypt$16384$$'));
  for (const pin of ['0000', '1234', '98', '12345678', '123x']) t.ok(pinFault(pin, '3051') !== undefined, pin);
  t.equal(pinFault('4817', '3051'), undefined);
});

t.test('CSV is read with any of its marks, with quotes, and with line breaks in them', async (t) => {
  const read = (text: string) => {
    const reader = new CsvReader();
    const records = text.split('\n').flatMap((line) => reader.take(line) ?? []);
    const last = reader.end();
    return last === undefined ? records : [...records, last];
  };
  t.same(read('\ufeffa;b\n1;"x;""y"""\n"two\nlines";3'), [
    { line: 1, cells: ['a', 'b'] },
    { line: 2, cells: ['1', 'x;"y"'] },
    { line: 3, cells: ['two\nlines', '3'] },
  ]);
  t.same(read('a\tb\n1\t')[1]?.cells, ['1', '']);
  t.match(read('a,b\n"never closed,1'), [{ line: 1 }, { line: 2, unclosedTo: 2 }]);
  t.same(read('a,b\r\n5" pipe,1\r\n6,2'.replaceAll('\r', '')), [
    { line: 1, cells: ['a', 'b'] },
    { line: 2, cells: ['5" pipe', '1'] },
    { line: 3, cells: ['6', '2'] },
  ]);
});

t.test('a quote that nobody closes swallows no line in silence', async (t) => {
  const reader = new CsvReader();
  const lines = ['number,name', '+442079460001,"Jan', ...Array.from({ length: 5_000 }, (_, n) => `+4420794600${n},x`)];
  const records = lines.flatMap((line) => reader.take(line) ?? []);
  const [, swallowed, next] = records;
  t.equal(swallowed?.line, 2);
  t.equal(next?.line, (swallowed?.unclosedTo ?? 0) + 1, 'it is said up to where, and what follows is read again');
  t.equal(records.at(-1)?.line, lines.length);
});

t.test('a heap gives its rows in order, and a line keeps its places', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000)), (rows) => {
      const heap = new Heap((a, b) => a < b);
      for (const row of rows) heap.push(row);
      const out: number[] = [];
      for (let row = heap.pop(); row !== undefined; row = heap.pop()) out.push(row);
      if (JSON.stringify(out) !== JSON.stringify([...rows].sort((a, b) => a - b))) throw new Error('out of order');
    }),
  );
  const line = new WaitingLine<string>();
  for (const who of ['a', 'b', 'a', 'c']) line.join(who);
  line.leave('b');
  t.same(line.all(), ['a', 'c']);
});
