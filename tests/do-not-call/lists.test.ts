import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { ListCompiler } from '../../gateway/do-not-call/compile-list.js';
import { readList } from '../../gateway/do-not-call/list-file.js';
import { ListShelf } from '../../gateway/do-not-call/shelf.js';
import type { DoNotCallLists } from '../../gateway/policy/request.js';
import { ask, NOON, policyOf } from '../policy/sample-policy.js';

function aFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'balise-dnc-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function compile(file: string, numbers: Iterable<number>, madeMs = 0) {
  const compiler = new ListCompiler(file);
  for (const number of numbers) compiler.add(number);
  return compiler.finish(madeMs);
}

t.test('a list has exactly what was put in it, in whatever order and however often', async (t) => {
  const file = join(aFolder(t), 'one.dnc');
  const near = fc.integer({ min: 0, max: 200_000 }).map((n) => 442_000_000_000 + n);
  const number = fc.oneof(near, fc.integer({ min: 100, max: 999_999_999_999_999 }));
  fc.assert(
    fc.property(fc.array(number, { maxLength: 300 }), fc.array(number, { maxLength: 50 }), (numbers, others) => {
      const { numbers: count, doubled } = compile(file, numbers, 5);
      const { set, madeMs } = readList(file);
      const wanted = new Set(numbers);
      if (count !== wanted.size || doubled !== numbers.length - wanted.size || set.size !== count || madeMs !== 5) {
        throw new Error('counted wrongly');
      }
      for (const one of [...numbers, ...numbers.map((n) => n + 1), ...others]) {
        if (set.has(`+${one}`) !== wanted.has(one)) throw new Error(String(one));
      }
    }),
    { numRuns: 60 },
  );
});

t.test('more numbers than fit a run are sorted on disk and merged, and nothing is left behind', async (t) => {
  const folder = aFolder(t);
  const file = join(folder, 'big.dnc');
  const count = 2_100_000;
  function* shuffled() {
    for (let n = 0; n < count; n += 1) yield 32_400_000_000 + ((n * 7_919) % count) * 3;
    yield 32_400_000_000;
  }
  t.match(compile(file, shuffled()), { numbers: count, doubled: 1 });
  const { set, bytes } = readList(file);
  t.equal(set.size, count);
  t.ok(bytes / count < 2.1, `${(bytes / count).toFixed(2)} bytes a number`);
  for (let n = 0; n < count; n += 997) {
    if (!set.has(`+${32_400_000_000 + n * 3}`)) t.fail(`${n} is missing`);
    if (set.has(`+${32_400_000_000 + n * 3 + 1}`)) t.fail(`${n} is too many`);
  }
  t.same(readdirSync(folder), ['big.dnc']);
});

t.test('a list that is damaged, cut short, or none is refused, byte by byte', async (t) => {
  const folder = aFolder(t);
  const file = join(folder, 'one.dnc');
  compile(file, [32_470_123_456, 32_470_123_457, 32_480_000_000], 7);
  const good = readFileSync(file);
  t.equal(readList(file).set.size, 3);
  for (let at = 0; at < good.length; at += 1) {
    const bad = Buffer.from(good);
    bad[at] = (bad[at] ?? 0) ^ 1;
    writeFileSync(file, bad);
    t.throws(() => readList(file), { name: 'ListFault' }, `byte ${at}`);
    writeFileSync(file, good.subarray(0, at));
    t.throws(() => readList(file), { name: 'ListFault' }, `cut at ${at}`);
  }
});

t.test('a list is swapped while calls run, and a damaged one changes nothing', async (t) => {
  const folder = join(aFolder(t), 'lists');
  const faults: string[] = [];
  const shelf = new ListShelf(folder, (list, why) => faults.push(`${list}: ${why}`));
  t.match(shelf.list('tps'), { isThere: false, why: 'it was never imported' });
  mkdirSync(folder, { recursive: true });
  const has = (number: string) => {
    const list = shelf.list('tps');
    return list.isThere && list.has(number);
  };
  /** Waits for the watcher to have seen what `change` does. */
  const seen = (change: () => void) =>
    new Promise<void>((settle) => {
      shelf.watch(settle);
      change();
    }).finally(() => shelf.close());
  await seen(() => compile(join(folder, 'tps.dnc'), [442_079_460_001]));
  t.ok(has('+442079460001'));
  await seen(() => compile(join(folder, 'tps.dnc'), [442_079_460_002]));
  t.notOk(has('+442079460001'));
  t.ok(has('+442079460002'));
  writeFileSync(join(folder, 'tps.dnc'), 'nonsense');
  shelf.refresh();
  t.ok(has('+442079460002'), 'the list of before stays in force');
  t.match(faults.at(-1), /^tps: it is no compiled list/);
});

const MADE = NOON.subtract({ hours: 24 }).epochMilliseconds;
const lists = (madeMs = MADE): DoNotCallLists => ({
  list: (name) =>
    name === 'tps'
      ? { isThere: true, madeMs, has: (number) => number === '+442079460002' }
      : { isThere: false, why: 'it was never imported' },
});
const tps = policyOf({ profile: { doNotCall: [{ list: 'tps', mostAgeH: 24 }] } });

t.test('a number on a list is refused, and every other is not', async (t) => {
  const facts = { doNotCall: lists() };
  t.equal(ask(tps, NOON, { facts }).outcome, 'grant');
  t.match(ask(tps, NOON, { facts, dialled: '02079460002' }), {
    rule: 'dnc.listed',
    sipStatus: 403,
    fact: 'the number is on the do-not-call list tps',
  });
});

t.test('a list that is too old, or not there, refuses every call', async (t) => {
  t.equal(ask(tps, NOON, { facts: { doNotCall: lists(MADE) } }).outcome, 'grant', 'old enough to the millisecond');
  t.match(ask(tps, NOON, { facts: { doNotCall: lists(MADE - 1) } }), {
    rule: 'dnc.stale',
    fact: 'the do-not-call list tps is of 2026-03-03 11:59, and may be 24 hours old at most',
  });
  t.match(ask(tps, NOON), { rule: 'dnc.stale', sipStatus: 503 });
  const two = policyOf({
    profile: {
      doNotCall: [
        { list: 'be', mostAgeH: 24, countries: ['BE'] },
        { list: 'tps', mostAgeH: 24, countries: ['GB'] },
      ],
    },
  });
  t.equal(ask(two, NOON, { facts: { doNotCall: lists() } }).outcome, 'grant', 'another country’s list is not asked');
});
