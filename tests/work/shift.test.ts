/** A shift at the desk: keys and calls in, prompts and calls out, on a clock that the test moves; the store is the real one. */
import t from 'tap';
import { at } from './samples.js';
import { CELL, NUMBERS, Shift } from './shift-world.js';

t.test(
  'a shift: three contacts with three outcomes, a call-back that comes due, and the end of the hours in a call',
  async (t) => {
    const shift = new Shift(t);
    await shift.prepare();
    await shift.signOn();
    t.equal(shift.desk.stateOf(CELL).at, 'menu');

    shift.keys('1');
    shift.talk(120_000);
    shift.clock.go(10_000);
    shift.keys('1');
    shift.keys('1');
    shift.clock.go(20_000);
    shift.desk.ended(CELL, shift.call.token, 'no-answer');
    t.match(shift.said.slice(-2), ['work.no-answer', 'work.menu']);
    shift.keys('1');
    shift.talk(60_000);
    shift.keys('430#');
    const [calledBack] = shift.dialled.slice(-1);
    shift.clock.go(30 * 60_000);
    t.equal(shift.desk.stateOf(CELL).at, 'paused', 'three minutes without a key are a pause');
    shift.keys('1');
    shift.keys('1');
    t.equal(shift.call.token, calledBack?.token, 'the call-back goes first');
    shift.clock.go(1_000);
    shift.desk.answered(CELL, shift.call.token);
    const leftMs = at('2026-03-04T11:00:00Z') - shift.ms;
    shift.clock.go(leftMs);
    t.equal(shift.endCalls, 0, 'the hours end in the call, which its own deadline ends');
    shift.desk.ended(CELL, shift.call.token, 'talked');
    shift.keys('2');
    t.match(shift.said.slice(-2), ['work.window-ended', 'work.signed-off']);

    t.same(
      shift.events('balise.work.contact').map(({ disposition }) => disposition),
      ['completed', 'no-answer', 'call-back', 'refused'],
    );
    const { lines, open } = shift.statement();
    const ms = (activity: string) => lines.find((line) => line.activity === activity)?.ms;
    t.equal(ms('talking'), 120_000 + 60_000 + leftMs);
    t.equal(ms('ringing'), 5_000 + 20_000 + 5_000 + 1_000);
    t.equal(ms('wrap-up'), 10_000);
    t.equal(
      lines.reduce((sum, line) => sum + line.ms, 0),
      at('2026-03-04T11:00:00Z') - at('2026-03-04T09:00:00Z'),
    );
    t.same(open, []);
  },
);

t.test('no number reaches the seam, an event or a prompt: what is dialled is a token', async (t) => {
  const shift = new Shift(t);
  await shift.prepare();
  await shift.signOn();
  for (let n = 0; n < 4; n += 1) {
    shift.keys('1');
    shift.talk(1_000);
    shift.keys('3');
  }
  const events = shift.store.outbox.pending({ alarm: 0, event: 0 }, 1_000);
  const told = JSON.stringify([shift.dialled, shift.said, shift.alarms, events]);
  for (const number of NUMBERS) t.notOk(told.includes(number.slice(3)), 'in no form');
  const stored = shift.store.work.sealed(shift.call.ref);
  t.ok(
    NUMBERS.includes(shift.seal.unseal(stored?.sealed ?? Buffer.alloc(0), shift.call.token)),
    'the trunk leg alone opens it',
  );
});

t.test(
  'no disposition: the time for it ends, pay with it, and there is no next contact before it is given',
  async (t) => {
    const shift = new Shift(t);
    await shift.prepare();
    await shift.signOn();
    shift.keys('1');
    shift.talk(10_000);
    shift.clock.go(90_000);
    t.equal(shift.desk.stateOf(CELL).at, 'owing');
    shift.keys('0');
    t.equal(shift.dialled.length, 1);
    shift.keys('7');
    t.equal(shift.desk.stateOf(CELL).at, 'menu');
    shift.keys('9');
    const { lines } = shift.statement();
    t.match(
      lines.find(({ activity }) => activity === 'away'),
      { ms: 30_000, rate: undefined },
    );
    t.match(
      lines.find(({ activity }) => activity === 'wrap-up'),
      { ms: 60_000 },
    );
  },
);

t.test('who signs off without a disposition leaves the contact undisposed, and nobody calls it again', async (t) => {
  const shift = new Shift(t);
  await shift.prepare(1);
  await shift.signOn();
  shift.keys('1');
  shift.talk(10_000);
  shift.desk.hookOn(CELL);
  shift.clock.go(60_000 + 300_000);
  t.equal(shift.desk.stateOf(CELL).at, 'idle');
  t.match(shift.events('balise.work.contact'), [{ disposition: 'undisposed' }]);
  await shift.signOn();
  shift.keys('1');
  t.equal(shift.said.at(-1), 'work.none');
});

t.test('nothing can be called: it says until when, waits, and goes on by itself when there is something', async (t) => {
  const shift = new Shift(t);
  await shift.prepare(1, { attempts: { most: 3, perDay: 3, spacingS: 600 } });
  await shift.signOn();
  shift.keys('1');
  shift.desk.ended(CELL, shift.call.token, 'busy');
  shift.keys('1');
  t.equal(shift.said.at(-1), 'work.none-until');
  shift.clock.go(590_000);
  t.equal(shift.dialled.length, 1);
  shift.clock.go(30_000);
  t.equal(shift.dialled.length, 2);
});

t.test('a call-back that is due goes to whoever waits at its instant', async (t) => {
  const shift = new Shift(t);
  await shift.prepare(1);
  await shift.signOn();
  shift.keys('1');
  shift.talk(1_000);
  shift.keys('47#');
  shift.keys('1');
  shift.clock.go(7 * 60_000 - 1);
  t.equal(shift.dialled.length, 1);
  shift.clock.go(1);
  t.equal(shift.dialled.length, 2);
});

t.test(
  'a contact whose call policy refuses was not tried: it waits, and one that can never be called is over',
  async (t) => {
    const shift = new Shift(t);
    await shift.prepare(1, { attempts: { most: 1, perDay: 1, spacingS: 600 } });
    await shift.signOn();
    shift.keys('1');
    const nextAllowedMs = shift.ms + 20 * 60_000;
    shift.desk.ended(CELL, shift.call.token, 'not-called', { refusal: { rule: 'limit.gap', nextAllowedMs } });
    t.match(shift.events('balise.work.contact'), [{ disposition: 'not-called', attempts: 0 }]);
    t.match(shift.store.work.sealed(shift.call.ref), { attempts: 0 }, 'on disk too');
    shift.keys('1');
    t.equal(shift.dialled.length, 1, 'not at once');
    shift.clock.go(20 * 60_000);
    t.equal(shift.dialled.length, 2, 'and its one attempt is still to come');
    shift.desk.ended(CELL, shift.call.token, 'not-called', { refusal: { rule: 'dnc.listed' } });
    shift.keys('1');
    t.equal(shift.said.at(-1), 'work.none');
  },
);

t.test('distress alerts at once, and the callee is left in peace', async (t) => {
  const shift = new Shift(t);
  await shift.prepare(1);
  await shift.signOn();
  shift.keys('1');
  shift.desk.answered(CELL, shift.call.token);
  shift.keys('*9');
  t.same(shift.alarms, ['work.distress']);
  shift.desk.ended(CELL, shift.call.token, 'talked');
  t.match(shift.events('balise.work.contact'), [{ disposition: 'distress' }]);
  t.ok([...shift.store.work.silences()].length === 1);
});
