import t from 'tap';
import type { Temporal } from 'temporal-polyfill';
import { LockdownBook } from '../../gateway/calls/lockdown-book.js';
import type { CallStore, CutoffOrder, LinePlane } from '../../gateway/calls/ports.js';
import type { Clock } from '../../gateway/clock/clock.js';
import type { Lockdown } from '../../gateway/policy/request.js';
import { NOON } from './samples.js';

const HOUR_MS = 3_600_000;

/** A machine whose wall clock is `wrongMs` off, and its disk; each `book` is a life of the gateway. */
class Machine {
  ms = 0;
  wrongMs = 0;
  newest: Temporal.Instant = NOON;
  private readonly saved: Lockdown[] = [];

  get wall(): Temporal.Instant {
    return NOON.add({ milliseconds: this.ms + this.wrongMs });
  }

  book(): LockdownBook {
    const clock: Clock = {
      wall: () => this.wall,
      monotonicNs: () => BigInt(this.ms) * 1_000_000n,
      trust: () => ({ trusted: true }),
      after: () => ({ cancel: () => undefined }),
    };
    const store: Pick<CallStore, 'lockdowns' | 'setLockdown' | 'newestInstant'> = {
      lockdowns: () =>
        this.saved.filter(({ until }) => until === undefined || until.epochMilliseconds > this.wall.epochMilliseconds),
      setLockdown: (_, lockdown) => this.saved.push(lockdown),
      newestInstant: () => this.newest,
    };
    const line: Pick<LinePlane, 'setLockdowns'> = { setLockdowns: () => undefined };
    return new LockdownBook(clock, store as CallStore, line as LinePlane, (fault) => t.fail(String(fault)));
  }

  /** Whether policy would count one as in force: it has begun, and has not ended. */
  isHeld(book: LockdownBook): boolean {
    const now = this.wall.epochMilliseconds;
    return book
      .inForce()
      .some(
        ({ from, until }) => from.epochMilliseconds <= now && (until === undefined || until.epochMilliseconds > now),
      );
  }
}

const order = (hold: CutoffOrder['hold']): CutoffOrder => ({
  id: 'order-1',
  target: { kind: 'site' },
  reason: 'test',
  by: 'console',
  hold,
});

for (const wrongMs of [0, 2 * HOUR_MS, -2 * HOUR_MS, 60_000, -60_000]) {
  for (const hold of [HOUR_MS, 'until-released'] as const) {
    const what = `ordered for ${hold === 'until-released' ? 'as long as nobody releases it' : 'an hour'} by a clock ${wrongMs / 60_000} minutes off`;
    t.test(`a lockdown ${what} holds when the clock is put right, and after a restart`, async (t) => {
      const machine = new Machine();
      const book = machine.book();
      machine.wrongMs = wrongMs;
      book.set(order(hold), { kind: 'site' });
      t.ok(machine.isHeld(book), 'at once');
      machine.ms += 60_000;
      machine.wrongMs = 0;
      t.ok(machine.isHeld(book), 'with the clock right again');
      t.ok(machine.isHeld(machine.book()), 'and in the next life of the gateway');
      machine.ms += HOUR_MS - 120_000;
      t.ok(machine.isHeld(machine.book()), 'until its end');
    });
  }
}

t.test('a lockdown ordered by a clock that is right ends in its time', async (t) => {
  const machine = new Machine();
  const book = machine.book();
  book.set(order(HOUR_MS), { kind: 'site' });
  machine.ms += HOUR_MS + 1;
  t.notOk(machine.isHeld(book));
  t.notOk(machine.isHeld(machine.book()));
});
