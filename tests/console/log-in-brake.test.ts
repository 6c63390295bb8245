import t from 'tap';
import { addressKey, LogInBrake } from '../../gateway/console/log-in-brake.js';
import { VirtualClock } from '../lines/virtual-clock.js';
import { house, PASSWORD } from './house.js';

const MINUTE_MS = 60_000;

t.test('the fifth wrong password locks the person, the right one too, and says for how long', async (t) => {
  const { ask, site, clock } = await house(t, { people: ['technician', 'auditor'] });
  const logIn = (name: string, password: string) => ask('POST', '/api/session', { body: { name, password } });
  for (let tries = 1; tries <= 5; tries += 1) {
    t.match(await logIn('technician', `guess ${tries}`), { status: 401, body: { code: 'session.wrong' } });
  }
  const locked = await logIn('technician', PASSWORD);
  t.match(locked, { status: 429, body: { code: 'session.locked', retryAfterS: 30 }, headers: { 'retry-after': '30' } });
  t.match(site.alarms, [{ code: 'console.locked', detail: /5 failed log-ins as technician: locked for 30 s/ }]);
  t.equal((await logIn('auditor', PASSWORD)).status, 200, 'nobody else is');
  clock.go(30_000);
  t.equal((await logIn('technician', PASSWORD)).status, 200);
});

t.test('somebody who does not exist is refused and locked just like somebody who does', async (t) => {
  const { ask } = await house(t, { people: ['technician'] });
  const answers: string[] = [];
  for (const name of ['technician', 'nobody']) {
    for (let tries = 0; tries < 6; tries += 1) {
      const { status, text } = await ask('POST', '/api/session', { body: { name, password: 'a wrong password' } });
      answers.push(`${status} ${text}`);
    }
  }
  t.same(answers.slice(0, 6), answers.slice(6));
});

t.test('guesses that come at once are as few as those that come one by one', async (t) => {
  const { ask } = await house(t, { people: ['technician'] });
  const tries = Array.from({ length: 30 }, (_, index) =>
    ask('POST', '/api/session', { body: { name: 'technician', password: `guess ${index}` } }),
  );
  const statuses = (await Promise.all(tries)).map(({ status }) => status);
  t.equal(statuses.filter((status) => status === 401).length, 5);
  t.equal(statuses.filter((status) => status === 429).length, 25);
});

t.test('each further failure doubles the lock, to a quarter of an hour at the most', async (t) => {
  const clock = new VirtualClock();
  const brake = new LogInBrake(clock);
  const locks: number[] = [];
  for (let tries = 0; tries < 12; tries += 1) {
    brake.failed('anna', `192.0.2.${tries}`);
    const seconds = brake.secondsLeft('anna', '192.0.2.200');
    locks.push(seconds);
    clock.go(seconds * 1_000);
  }
  t.same(locks, [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
  clock.go(61 * MINUTE_MS);
  brake.failed('anna', '192.0.2.1');
  t.equal(brake.personLeft('anna'), 0, 'after an hour of quiet they are forgotten');
});

t.test('an address that tries many names is locked, and one log-in of its own does not free it', async (t) => {
  const brake = new LogInBrake(new VirtualClock());
  for (let tries = 0; tries < 14; tries += 1) brake.failed(`name-${tries}`, '192.0.2.7');
  t.equal(brake.secondsLeft('anna', '192.0.2.7'), 0);
  brake.failed('own', '192.0.2.7');
  brake.succeeded('own', '192.0.2.7');
  t.equal(brake.secondsLeft('anna', '192.0.2.7'), 0, 'the attempt that was right is no failure');
  t.match(brake.failed('name-15', '192.0.2.7'), [{ of: 'address', failures: 15, forS: 30 }]);
  t.equal(brake.secondsLeft('anna', '192.0.2.7'), 30);
  t.equal(brake.secondsLeft('anna', '192.0.2.8'), 0);
});

t.test('a whole /64 of IPv6 is one address', async (t) => {
  t.equal(addressKey('2001:db8:0:1::7'), addressKey('2001:db8:0:1:ffff::1'));
  t.not(addressKey('2001:db8:0:1::7'), addressKey('2001:db8:0:2::7'));
  t.equal(addressKey('::ffff:192.0.2.1'), '192.0.2.1');
});

t.test('a million made-up names fill no memory, and a lock outlives them', async (t) => {
  const brake = new LogInBrake(new VirtualClock());
  for (let tries = 0; tries < 6; tries += 1) brake.failed('anna', '192.0.2.1');
  for (let index = 0; index < 20_000; index += 1) brake.failed(`made-up-${index}`, `10.0.${index >> 8}.${index & 255}`);
  t.ok(brake.size <= 5_002);
  t.ok(brake.personLeft('anna') > 0);
});
