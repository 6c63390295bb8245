/** Who may work at the desk, where and when; and what is raised of whoever may not. */
import t from 'tap';
import { CELL, OTHER, Shift, suspend } from './shift-world.js';

t.test('guessing a PIN locks the code and the handset, is counted on disk, and raises an alarm', async (t) => {
  const shift = new Shift(t);
  await shift.prepare();
  for (let n = 0; n < 5; n += 1) {
    await shift.signOn(`000${n}`);
    if (shift.desk.stateOf(CELL).at === 'barred') shift.desk.hookOn(CELL);
  }
  t.same(shift.alarms, ['work.locked', 'work.locked']);
  await shift.signOn();
  t.equal(shift.said.at(-1), 'work.locked', 'the right PIN too');
  await shift.signOn('4817', OTHER);
  t.equal(shift.said.at(-1), 'work.locked', 'and elsewhere');
  shift.clock.go(15 * 60_000);
  shift.desk.hookOn(CELL);
  await shift.signOn();
  t.equal(shift.desk.stateOf(CELL).at, 'menu');
});

t.test('one handset a person: a sign-on at a second one is refused and alarmed', async (t) => {
  const shift = new Shift(t);
  await shift.prepare();
  await shift.signOn();
  await shift.signOn('4817', OTHER);
  t.equal(shift.said.at(-1), 'work.elsewhere');
  t.same(shift.alarms, ['work.second-handset']);
  shift.keys('9');
  shift.desk.hookOn(OTHER);
  await shift.signOn('4817', OTHER);
  t.equal(shift.desk.stateOf(OTHER).at, 'menu');
});

t.test(
  'only handsets and hours that the person has; and a suspension ends a session within a quarter of a second',
  async (t) => {
    const shift = new Shift(t);
    await shift.prepare(6, {}, { handsets: ['a-102'] });
    await shift.signOn();
    t.equal(shift.said.at(-1), 'work.not-here');
    await shift.signOn('4817', OTHER);
    const person = shift.store.work.person('p-1');
    suspend(shift);
    shift.clock.go(250);
    t.equal(shift.desk.stateOf(OTHER).at, 'barred');
    if (person !== undefined) shift.store.work.putPerson(person);
    shift.desk.hookOn(OTHER);
    shift.clock.go(3 * 3_600_000);
    await shift.signOn('4817', OTHER);
    t.equal(shift.said.at(-1), 'work.not-now');
  },
);

t.test(
  'an order from headquarters that keeps a person from calling signs the person off, and lets nobody on',
  async (t) => {
    const shift = new Shift(t);
    await shift.prepare();
    await shift.signOn();
    shift.lockedOut.add('p-1');
    shift.desk.look();
    t.equal(shift.desk.stateOf(CELL).at, 'barred');
    shift.desk.hookOn(CELL);
    await shift.signOn();
    t.equal(shift.said.at(-1), 'work.suspended');
    t.same(shift.refused, ['suspended']);
  },
);

t.test(
  'as many digits as a number has, keyed at the desk, call nobody, are counted, and are an alarm once',
  async (t) => {
    const shift = new Shift(t);
    await shift.prepare();
    shift.desk.opened(CELL);
    shift.keys('00442079460073#');
    t.same([shift.alarms, shift.refused], [['work.number-keyed'], ['number-keyed']]);
    shift.keys('#');
    shift.desk.hookOn(CELL);
    await shift.signOn();
    shift.keys('0044');
    shift.clock.go(5_000);
    shift.keys('2079');
    t.equal(shift.alarms.length, 1, 'what is keyed at leisure is a menu’s');
    t.same(shift.dialled, []);
    t.notMatch(JSON.stringify(shift.alarms), /2079/);
  },
);
