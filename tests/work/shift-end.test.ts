/** What ends a call of a shift or the shift itself from outside: hours, a suspension, a limit, a crash; and what is said of it. */
import t from 'tap';
import { ALWAYS } from '../../gateway/policy/hours.js';
import { Schedule } from '../../gateway/policy/schedule.js';
import { at } from './samples.js';
import { CELL, change, OTHER, Shift, suspend } from './shift-world.js';

t.test('a call that outlives the hours by a second is ended by the desk', async (t) => {
  const shift = new Shift(t);
  await shift.prepare();
  await shift.signOn();
  shift.keys('1');
  shift.desk.answered(CELL, shift.call.token);
  shift.clock.go(at('2026-03-04T11:00:00Z') - shift.ms + 999);
  t.equal(shift.endCalls, 0);
  shift.clock.go(1);
  t.equal(shift.endCalls, 1);
});

const wednesday = (from: string, to: string) => new Schedule('Europe/Brussels', [{ days: ['wed'], from, to }]);

t.test(
  'hours that are narrowed in a call end it at their new edge; how it went is said then, and no more is done',
  async (t) => {
    const shift = new Shift(t);
    await shift.prepare();
    await shift.signOn();
    shift.keys('1');
    shift.desk.answered(CELL, shift.call.token);
    shift.hours = wednesday('08:00', '10:30');
    shift.desk.look();
    const edge = at('2026-03-04T09:30:00Z');
    t.equal(shift.listensToMs, edge + 60_000 + 15_000, 'the desk listens for the time of wrap-up, and no longer');
    shift.clock.go(edge - shift.ms + 999);
    t.equal(shift.endCalls, 0, 'its own deadline ends the call');
    shift.clock.go(1);
    t.equal(shift.endCalls, 1, 'and the desk does, where it has not');
    shift.desk.ended(CELL, shift.call.token, 'talked');
    t.equal(shift.desk.stateOf(CELL).at, 'wrap-up');
    shift.keys('1');
    t.match(shift.said.slice(-2), ['work.window-ended', 'work.signed-off']);
    t.match(shift.events('balise.work.contact'), [{ disposition: 'completed' }]);
  },
);

t.test('hours that are taken away in a call end it at once, and leave the time for wrap-up', async (t) => {
  const shift = new Shift(t);
  await shift.prepare();
  await shift.signOn();
  shift.keys('1');
  shift.desk.answered(CELL, shift.call.token);
  shift.hours = wednesday('06:00', '09:00');
  const now = shift.ms;
  shift.desk.look();
  shift.clock.go(1_000);
  t.equal(shift.endCalls, 1);
  t.equal(shift.listensToMs, now + 60_000 + 15_000);
  shift.desk.ended(CELL, shift.call.token, 'talked');
  shift.clock.go(60_000);
  t.equal(shift.desk.stateOf(CELL).at, 'barred');
  t.match(shift.events('balise.work.contact'), [{ disposition: 'undisposed' }], 'nobody said anything');
});

t.test('hours that are narrowed between contacts sign off at their new edge; wider ones change nothing', async (t) => {
  const shift = new Shift(t);
  await shift.prepare();
  await shift.signOn();
  shift.hours = wednesday('08:00', '14:00');
  shift.desk.look();
  t.equal(shift.listensToMs, at('2026-03-04T11:01:15Z'), 'what was leased at the sign-on is not extended');
  shift.hours = wednesday('08:00', '10:05');
  shift.desk.look();
  shift.clock.go(5 * 60_000 - 1);
  t.not(shift.desk.stateOf(CELL).at, 'barred');
  shift.clock.go(1);
  t.equal(shift.desk.stateOf(CELL).at, 'barred');
  t.match(shift.events('balise.work.activity').at(-1), { activity: 'signed-off', why: 'window-ended' });
});

t.test('a handset that is a person’s no longer ends the call there, and leaves the time for wrap-up', async (t) => {
  const shift = new Shift(t);
  await shift.prepare();
  await shift.signOn();
  shift.keys('1');
  shift.desk.answered(CELL, shift.call.token);
  const now = shift.ms;
  change(shift, { handsets: ['a-102'] });
  shift.clock.go(250);
  t.equal(shift.listensToMs, now + 250 + 60_000 + 15_000);
  shift.clock.go(1_000);
  t.equal(shift.endCalls, 1, 'the desk does, where the call’s own deadline has not');
  shift.desk.ended(CELL, shift.call.token, 'talked');
  t.match(shift.said.slice(-2), ['work.ended-order', 'work.disposition']);
  shift.keys('1');
  t.match(shift.said.slice(-2), ['work.not-here', 'work.signed-off']);
  t.match(shift.events('balise.work.contact'), [{ disposition: 'completed' }]);
  t.match(shift.events('balise.work.activity').at(-1), { activity: 'signed-off', why: 'handset-withdrawn' });
  shift.desk.hookOn(CELL);
  await shift.signOn();
  t.equal(shift.desk.stateOf(CELL).at, 'barred', 'nor does anybody come back to it');
  await shift.signOn('4817', OTHER);
  t.equal(shift.desk.stateOf(OTHER).at, 'menu', 'the other handset is still the person’s');
});

t.test('between contacts the same signs off at once, and so it does while the PIN is asked for again', async (t) => {
  for (const isAway of [false, true]) {
    const shift = new Shift(t);
    await shift.prepare();
    await shift.signOn();
    if (isAway) {
      shift.desk.hookOn(CELL);
      shift.desk.opened(CELL);
    }
    change(shift, { handsets: ['a-102'] });
    shift.desk.look();
    t.equal(shift.desk.stateOf(CELL).at, 'barred');
    t.match(shift.events('balise.work.activity').at(-1), { activity: 'signed-off', why: 'handset-withdrawn' });
  }
});

t.test('a handset that is given to a person beside the one in use changes nothing there', async (t) => {
  const shift = new Shift(t);
  await shift.prepare(1, {}, { handsets: ['a-101'] });
  await shift.signOn();
  change(shift, { handsets: ['a-101', 'a-102'] });
  shift.clock.go(250);
  t.equal(shift.desk.stateOf(CELL).at, 'menu');
});

t.test('hours of the handset that end in a call leave the time for wrap-up, as the person’s do', async (t) => {
  const shift = new Shift(t);
  await shift.prepare();
  shift.handsetHours = wednesday('08:00', '10:30');
  await shift.signOn();
  const edge = at('2026-03-04T09:30:00Z');
  t.equal(shift.listensToMs, edge + 75_000);
  t.same(shift.desk.wrapUpAt(CELL), { forMs: 75_000 }, 'nobody’s time is over yet');
  shift.keys('1');
  shift.desk.answered(CELL, shift.call.token);
  shift.clock.go(edge - shift.ms);
  shift.desk.ended(CELL, shift.call.token, 'talked', { cut: 'window' });
  t.same(shift.desk.wrapUpAt(CELL), { forMs: 75_000, untilMs: edge + 75_000 });
  shift.desk.hookOn(CELL);
  shift.clock.go(10_000);
  shift.desk.opened(CELL);
  t.match(
    shift.said.slice(-2),
    ['work.ended-window', 'work.disposition'],
    'whose line was opened by it may lift again',
  );
  shift.keys('1');
  t.match(shift.events('balise.work.contact'), [{ disposition: 'completed' }]);
  t.equal(shift.desk.wrapUpAt(CELL).untilMs, shift.ms + 15_000, 'for the last sentence');
  shift.desk.hookOn(CELL);
  t.equal(shift.desk.wrapUpAt(CELL).untilMs, undefined, 'and for nothing more');
});

t.test('who has not signed on when the handset’s hours end is not listened to after them', async (t) => {
  const shift = new Shift(t);
  await shift.prepare();
  shift.handsetHours = wednesday('08:00', '10:30');
  shift.clock.go(at('2026-03-04T09:30:00Z') - shift.ms - 3_000);
  shift.desk.opened(CELL);
  shift.keys('3051#');
  shift.clock.go(2_999);
  t.equal(shift.closed, 0);
  shift.clock.go(1);
  t.equal(shift.closed, 1);
});

t.test(
  'whose call the gateway ended hears why before being asked how it went, and needs not wait for it',
  async (t) => {
    const shift = new Shift(t);
    await shift.prepare();
    await shift.signOn();
    for (const [cut, said] of [
      ['limit', ['work.ended-limit', 'work.disposition']],
      ['window', ['work.ended-window', 'work.disposition']],
      ['order', ['work.ended-order', 'work.disposition']],
      ['fault', ['work.ended-fault', 'work.disposition']],
      [undefined, ['work.disposition']],
    ] as const) {
      shift.keys('1');
      shift.desk.answered(CELL, shift.call.token);
      const from = shift.said.length;
      shift.desk.ended(CELL, shift.call.token, 'talked', cut === undefined ? {} : { cut });
      t.same(shift.said.slice(from), said, cut ?? 'a side that hung up explains itself');
      shift.keys('2');
      t.equal(shift.desk.stateOf(CELL).at, 'menu');
    }
  },
);

t.test('whoever lifts again after a call that the gateway ended is told then, as often as it takes', async (t) => {
  const shift = new Shift(t);
  await shift.prepare();
  await shift.signOn();
  shift.keys('1');
  shift.desk.answered(CELL, shift.call.token);
  shift.desk.hookOn(CELL);
  const from = shift.said.length;
  shift.desk.ended(CELL, shift.call.token, 'talked', { cut: 'limit' });
  shift.desk.opened(CELL);
  shift.desk.hookOn(CELL);
  shift.desk.opened(CELL);
  const told = ['work.ended-limit', 'work.disposition'];
  t.same(shift.said.slice(from), [...told, ...told], 'the line may have been open before a word was heard');
  shift.keys('1');
  t.match(shift.events('balise.work.contact'), [{ disposition: 'completed' }]);
});

t.test('a suspension in a call ends both at once; nobody said what it was, so nobody calls there again', async (t) => {
  const shift = new Shift(t);
  await shift.prepare(1);
  await shift.signOn();
  shift.keys('1');
  shift.desk.answered(CELL, shift.call.token);
  suspend(shift);
  shift.clock.go(250);
  t.equal(shift.endCalls, 1);
  shift.desk.ended(CELL, shift.call.token, 'talked');
  t.equal(shift.desk.stateOf(CELL).at, 'barred');
  t.match(shift.said.slice(-2), ['work.suspended', 'work.signed-off']);
  t.match(shift.events('balise.work.contact'), [{ disposition: 'undisposed' }]);
  t.match(shift.events('balise.work.activity').at(-1), { activity: 'signed-off', why: 'suspended' });
});

t.test('after a crash in a call the session is closed, its contact is over, and the attempt counts', async (t) => {
  const shift = new Shift(t);
  await shift.prepare(1);
  await shift.signOn();
  shift.keys('1');
  shift.clock.go(5_000);
  const again = shift.newDesk('boot-2', ALWAYS as Schedule);
  again.start();
  t.match(shift.events('balise.work.contact'), [{ disposition: 'undisposed', attempts: 1 }]);
  t.match(shift.events('balise.work.activity').at(-1), { activity: 'signed-off', why: 'restarted' });
  t.same(shift.statement().open, []);
  t.same(shift.store.work.contacts(0, 10), []);
});
