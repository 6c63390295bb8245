/** A shift at the desk: keys and calls in, prompts and calls out, on a clock that the test moves; the store is the real one. */

import t, { type Test } from 'tap';
import { Temporal } from 'temporal-polyfill';
import type { Campaign, Person } from '../../config/schema/types.generated.js';
import type { Clock, Timer } from '../../gateway/clock/clock.js';
import { ALWAYS } from '../../gateway/policy/hours.js';
import { type E164, type HandsetId, handsetId } from '../../gateway/policy/ids.js';
import { Schedule } from '../../gateway/policy/schedule.js';
import type { Store } from '../../gateway/store/store.js';
import { uuid7 } from '../../gateway/store/uuid7.js';
import { NumberSeal } from '../../gateway/work/number-seal.js';
import { hashPin } from '../../gateway/work/pin.js';
import { statementOf } from '../../gateway/work/statement.js';
import { WorkDesk } from '../../gateway/work/work-desk.js';
import type { ContactCall } from '../../gateway/work/work-seam.js';
import { aFolder, aStore } from '../store/folder.js';
import { silent } from '../store/samples.js';
import { aCampaign, at, BRUSSELS, contactHours } from './samples.js';

/** A clock that stands still until it is moved, and then runs what is due, in order. */
class MovedClock implements Clock {
  #timers: { readonly dueMs: number; readonly run: () => void }[] = [];
  constructor(public ms: number) {}
  wall(): Temporal.Instant {
    return Temporal.Instant.fromEpochMilliseconds(this.ms);
  }
  monotonicNs(): bigint {
    return BigInt(this.ms) * 1_000_000n;
  }
  trust() {
    return { trusted: true } as const;
  }
  after(ms: number, run: () => void): Timer {
    const timer = { dueMs: this.ms + ms, run };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((one) => one !== timer);
      },
    };
  }
  move(ms: number): void {
    const untilMs = this.ms + ms;
    for (;;) {
      const [next] = this.#timers.filter(({ dueMs }) => dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.ms = Math.max(this.ms, next.dueMs);
      next.run();
    }
    this.ms = untilMs;
  }
}

const CELL = handsetId('a-101');
const OTHER = handsetId('a-102');
const WINDOW = new Schedule('Europe/Brussels', [{ days: ['wed'], from: '08:00', to: '12:00' }]);
const NUMBERS = Array.from({ length: 6 }, (_, n) => `+442079460${String(n).padStart(3, '0')}` as E164);

/** As another process does it: the store that the desk has is told by the disk alone. */
function suspend(shift: Shift): void {
  const person = shift.store.work.person('p-1');
  if (person === undefined) throw new Error('there is no p-1');
  const other = shift.anotherStore();
  other.work.putPerson({ ...person, suspended: true });
  other.close();
}

class Shift {
  readonly clock = new MovedClock(at('2026-03-04T09:00:00Z'));
  readonly store: Store;
  readonly seal = new NumberSeal(Buffer.alloc(32, 3));
  readonly said: string[] = [];
  readonly dialled: ContactCall[] = [];
  readonly alarms: string[] = [];
  readonly refused: string[] = [];
  readonly lockedOut = new Set<string>();
  /** Opens the same folder as another process would. */
  readonly anotherStore: () => Store;
  endCalls = 0;
  /** The person's hours, where somebody has changed them. */
  hours: Schedule | undefined;
  /** Until when the desk itself listens, at the latest, as it was told last. */
  listensToMs: number | undefined;
  desk: WorkDesk;
  #checked: (() => void) | undefined;

  constructor(t: Test, folder = aFolder(t)) {
    this.store = aStore(t, { clock: this.clock, folder });
    this.anotherStore = () => aStore(t, { clock: this.clock, folder });
    this.desk = this.newDesk('boot-1');
  }

  newDesk(bootId: string, hours = WINDOW): WorkDesk {
    return new WorkDesk({
      clock: this.clock,
      bootId,
      store: this.store.work,
      hours: contactHours(),
      hoursOf: () => this.hours ?? hours,
      zonesOfCountry: () => ['Europe/Brussels'],
      siteLanguage: 'nl',
      isLockedOut: (person) => this.lockedOut.has(person),
      newId: () => uuid7(this.clock.ms),
      log: silent,
      seam: {
        play: (handset, prompts) => {
          this.said.push(...prompts);
          if (handset === CELL || handset === OTHER) this.#checked?.();
        },
        hush: () => undefined,
        dial: (call) => this.dialled.push(call),
        endCall: () => {
          this.endCalls += 1;
        },
        alarm: (code) => this.alarms.push(code),
        refused: (why) => this.refused.push(why),
        leavesAt: (_, to) => {
          this.listensToMs = to.epochMilliseconds;
        },
      },
    });
  }

  async prepare(contacts = NUMBERS.length, part: Partial<Campaign> = {}, who: Partial<Person> = {}): Promise<void> {
    this.store.work.putCampaign(aCampaign(part));
    this.store.work.putPerson({
      id: 'p-1',
      code: '3051',
      pin: await hashPin('4817'),
      languages: ['nl'],
      handsets: ['a-101', 'a-102'],
      campaigns: ['survey'],
      suspended: false,
      ...who,
    });
    this.store.work.addContacts(
      NUMBERS.slice(0, contacts).map((number) => {
        const names = this.seal.names(number);
        const place = { ...BRUSSELS, zones: [...BRUSSELS.zones] };
        const sealed = this.seal.seal(number, names.token);
        return { campaign: 'survey', ...names, sealed, language: 'nl', place, times: {}, priority: 5 };
      }),
    );
    this.desk.start();
  }

  keys(digits: string, handset: HandsetId = CELL): void {
    for (const digit of digits) this.desk.digit(handset, digit);
  }

  /** Code and PIN; settles when what came of them is said. */
  async signOn(pin = '4817', handset: HandsetId = CELL, code = '3051'): Promise<void> {
    if (!['code', 'pin'].includes(this.desk.stateOf(handset).at)) this.desk.opened(handset);
    if (this.desk.stateOf(handset).at === 'code') this.keys(`${code}#`, handset);
    const said = new Promise<void>((settle) => {
      this.#checked = settle;
    });
    this.keys(`${pin}#`, handset);
    await said;
    this.#checked = undefined;
  }

  get call(): ContactCall {
    const call = this.dialled.at(-1);
    if (call === undefined) throw new Error('nothing was dialled');
    return call;
  }

  /** Rings, talks and ends. */
  talk(talkMs: number, ringMs = 5_000): void {
    this.clock.move(ringMs);
    this.desk.answered(CELL, this.call.token);
    this.clock.move(talkMs);
    this.desk.ended(CELL, this.call.token, 'talked');
  }

  events(type: string): Record<string, unknown>[] {
    return this.store.outbox
      .pending({ alarm: 0, event: 0 }, 1_000)
      .map(({ body }) => JSON.parse(body) as { type: string; data: Record<string, unknown> })
      .filter((event) => event.type === type)
      .map(({ data }) => data);
  }

  statement() {
    const events = this.store.work.workEvents('p-1', 0, Number.MAX_SAFE_INTEGER);
    return statementOf(events, { gateway: 'demo/gw-1', person: 'p-1', month: '2026-03', zone: 'Europe/Brussels' });
  }
}

t.test(
  'a shift: three contacts with three outcomes, a call-back that comes due, and the end of the hours in a call',
  async (t) => {
    const shift = new Shift(t);
    await shift.prepare();
    await shift.signOn();
    t.equal(shift.desk.stateOf(CELL).at, 'menu');

    shift.keys('1');
    shift.talk(120_000);
    shift.clock.move(10_000);
    shift.keys('1');
    shift.keys('1');
    shift.clock.move(20_000);
    shift.desk.ended(CELL, shift.call.token, 'no-answer');
    t.match(shift.said.slice(-2), ['work.no-answer', 'work.menu']);
    shift.keys('1');
    shift.talk(60_000);
    shift.keys('430#');
    const [calledBack] = shift.dialled.slice(-1);
    shift.clock.move(30 * 60_000);
    t.equal(shift.desk.stateOf(CELL).at, 'paused', 'three minutes without a key are a pause');
    shift.keys('1');
    shift.keys('1');
    t.equal(shift.call.token, calledBack?.token, 'the call-back goes first');
    shift.clock.move(1_000);
    shift.desk.answered(CELL, shift.call.token);
    const leftMs = at('2026-03-04T11:00:00Z') - shift.clock.ms;
    shift.clock.move(leftMs);
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
    shift.clock.move(90_000);
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
  shift.clock.move(60_000 + 300_000);
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
  shift.clock.move(590_000);
  t.equal(shift.dialled.length, 1);
  shift.clock.move(30_000);
  t.equal(shift.dialled.length, 2);
});

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
  shift.clock.move(15 * 60_000);
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
    shift.clock.move(250);
    t.equal(shift.desk.stateOf(OTHER).at, 'barred');
    if (person !== undefined) shift.store.work.putPerson(person);
    shift.desk.hookOn(OTHER);
    shift.clock.move(3 * 3_600_000);
    await shift.signOn('4817', OTHER);
    t.equal(shift.said.at(-1), 'work.not-now');
  },
);

t.test('a call that outlives the hours by a second is ended by the desk', async (t) => {
  const shift = new Shift(t);
  await shift.prepare();
  await shift.signOn();
  shift.keys('1');
  shift.desk.answered(CELL, shift.call.token);
  shift.clock.move(at('2026-03-04T11:00:00Z') - shift.clock.ms + 999);
  t.equal(shift.endCalls, 0);
  shift.clock.move(1);
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
    shift.clock.move(edge - shift.clock.ms + 999);
    t.equal(shift.endCalls, 0, 'its own deadline ends the call');
    shift.clock.move(1);
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
  const now = shift.clock.ms;
  shift.desk.look();
  shift.clock.move(1_000);
  t.equal(shift.endCalls, 1);
  t.equal(shift.listensToMs, now + 60_000 + 15_000);
  shift.desk.ended(CELL, shift.call.token, 'talked');
  shift.clock.move(60_000);
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
  shift.clock.move(5 * 60_000 - 1);
  t.not(shift.desk.stateOf(CELL).at, 'barred');
  shift.clock.move(1);
  t.equal(shift.desk.stateOf(CELL).at, 'barred');
  t.match(shift.events('balise.work.activity').at(-1), { activity: 'signed-off', why: 'window-ended' });
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
  shift.clock.move(250);
  t.equal(shift.endCalls, 1);
  shift.desk.ended(CELL, shift.call.token, 'talked');
  t.equal(shift.desk.stateOf(CELL).at, 'barred');
  t.match(shift.said.slice(-2), ['work.suspended', 'work.signed-off']);
  t.match(shift.events('balise.work.contact'), [{ disposition: 'undisposed' }]);
  t.match(shift.events('balise.work.activity').at(-1), { activity: 'signed-off', why: 'suspended' });
});

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
    shift.clock.move(5_000);
    shift.keys('2079');
    t.equal(shift.alarms.length, 1, 'what is keyed at leisure is a menu’s');
    t.same(shift.dialled, []);
    t.notMatch(JSON.stringify(shift.alarms), /2079/);
  },
);

t.test('a call-back that is due goes to whoever waits at its instant', async (t) => {
  const shift = new Shift(t);
  await shift.prepare(1);
  await shift.signOn();
  shift.keys('1');
  shift.talk(1_000);
  shift.keys('47#');
  shift.keys('1');
  shift.clock.move(7 * 60_000 - 1);
  t.equal(shift.dialled.length, 1);
  shift.clock.move(1);
  t.equal(shift.dialled.length, 2);
});

t.test(
  'a contact whose call policy refuses was not tried: it waits, and one that can never be called is over',
  async (t) => {
    const shift = new Shift(t);
    await shift.prepare(1, { attempts: { most: 1, perDay: 1, spacingS: 600 } });
    await shift.signOn();
    shift.keys('1');
    const nextAllowedMs = shift.clock.ms + 20 * 60_000;
    shift.desk.ended(CELL, shift.call.token, 'not-called', { refusal: { rule: 'limit.gap', nextAllowedMs } });
    t.match(shift.events('balise.work.contact'), [{ disposition: 'not-called', attempts: 0 }]);
    t.match(shift.store.work.sealed(shift.call.ref), { attempts: 0 }, 'on disk too');
    shift.keys('1');
    t.equal(shift.dialled.length, 1, 'not at once');
    shift.clock.move(20 * 60_000);
    t.equal(shift.dialled.length, 2, 'and its one attempt is still to come');
    shift.desk.ended(CELL, shift.call.token, 'not-called', { refusal: { rule: 'dnc.listed' } });
    shift.keys('1');
    t.equal(shift.said.at(-1), 'work.none');
  },
);

t.test('after a crash in a call the session is closed, its contact is over, and the attempt counts', async (t) => {
  const shift = new Shift(t);
  await shift.prepare(1);
  await shift.signOn();
  shift.keys('1');
  shift.clock.move(5_000);
  const again = shift.newDesk('boot-2', ALWAYS as typeof WINDOW);
  again.start();
  t.match(shift.events('balise.work.contact'), [{ disposition: 'undisposed', attempts: 1 }]);
  t.match(shift.events('balise.work.activity').at(-1), { activity: 'signed-off', why: 'restarted' });
  t.same(shift.statement().open, []);
  t.same(shift.store.work.contacts(0, 10), []);
});

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
