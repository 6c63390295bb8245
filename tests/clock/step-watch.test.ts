import fc from 'fast-check';
import t from 'tap';
import {
  afterAcknowledgement,
  afterReading,
  type Reading,
  STEP_LIMIT_MS,
  type StepState,
} from '../../gateway/clock/step-watch.js';

const MS = 1_000_000n;
const reading = (wallMs: number, monotonicMs: number): Reading => ({
  wallNs: BigInt(wallMs) * MS,
  monotonicNs: BigInt(monotonicMs) * MS,
});

/** Runs a history of [wall moved by ms, time passed in ms] and gives the state after it. */
function after(history: readonly (readonly [number, number])[]): StepState {
  let [wall, monotonic] = [1_000_000, 500];
  let state = afterReading(undefined, reading(wall, monotonic));
  for (const [moved, passed] of history) {
    monotonic += passed;
    wall += passed + moved;
    state = afterReading(state, reading(wall, monotonic));
  }
  return state;
}

const passed = fc.nat({ max: 86_400_000 });

t.test('a clock that nobody sets never shows a step, however long it runs', async (t) => {
  fc.assert(fc.property(fc.array(passed), (times) => after(times.map((time) => [0, time])).step === undefined));
  t.pass();
});

t.test('every step of more than 2 s is seen at the next reading, forward and back, by its size', async (t) => {
  const big = fc.integer({ min: STEP_LIMIT_MS + 1, max: 1e9 });
  fc.assert(
    fc.property(fc.array(passed), big, fc.boolean(), passed, (times, size, forward, then) => {
      const by = forward ? size : -size;
      const { step } = after([...times.map((time): [number, number] => [0, time]), [by, then]]);
      return step !== undefined && Math.round(step.byMs) === by;
    }),
  );
  t.pass();
});

t.test('small steps count together: what matters is the distance from the anchor', async (t) => {
  t.equal(after([[1_500, 60_000]]).step, undefined);
  t.match(
    after([
      [1_500, 60_000],
      [1_500, 60_000],
    ]).step,
    { byMs: 3_000 },
  );
  t.equal(
    after([
      [1_500, 60_000],
      [-1_500, 60_000],
    ]).step,
    undefined,
    'a leap second smeared and taken back is none',
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: -1_999, max: 1_999 }), passed), { minLength: 1 }), (history) => {
      let distance = 0;
      const far = history.some(([moved]) => {
        distance += moved;
        return Math.abs(distance) > STEP_LIMIT_MS;
      });
      return (after(history).step !== undefined) === far;
    }),
  );
});

t.test('a step is not forgotten when the clock steps back to where it was', async (t) => {
  t.match(
    after([
      [3_600_000, 1_000],
      [-3_600_000, 1_000],
    ]).step,
    { byMs: 3_600_000 },
  );
});

t.test('an acknowledgement makes the clock as it reads now the new anchor', async (t) => {
  const stepped = after([[-10_000, 1_000]]);
  t.ok(stepped.step);
  const settled = afterAcknowledgement(reading(2_000_000, 9_000));
  t.equal(afterReading(settled, reading(2_060_000, 69_000)).step, undefined);
  t.ok(afterReading(settled, reading(2_063_000, 69_000)).step);
});
