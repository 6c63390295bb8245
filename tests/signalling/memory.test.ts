/** What an attacker can make the gateway remember is bounded, and what is forgotten opens nothing. */
import fc from 'fast-check';
import t from 'tap';
import type { Violation } from '../../gateway/signalling/account.js';
import { Lockout } from '../../gateway/signalling/lockout.js';
import { Nonces } from '../../gateway/signalling/nonces.js';
import { Violations } from '../../gateway/signalling/violations.js';
import { StandingClock } from './standing-clock.js';

t.test('a nonce that was used is never good again for the same count, in whatever flood of others', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ waitMs: fc.nat(1_000), again: fc.nat(40), nc: fc.integer({ min: 1, max: 3 }) }), {
        minLength: 40,
        maxLength: 150,
      }),
      (steps) => {
        const clock = new StandingClock();
        const nonces = new Nonces(clock, 8);
        const issued: string[] = [];
        const spent = new Set<string>();
        for (const { waitMs, again, nc } of steps) {
          clock.forward(waitMs);
          if (again > issued.length - 1) issued.push(nonces.issue('10.0.0.1'));
          const nonce = issued[Math.min(again, issued.length - 1)] ?? '';
          const verdict = nonces.take(nonce, nc, '10.0.0.1');
          if (verdict === 'good' && spent.has(`${nonce} ${nc}`)) throw new Error(`${nonce} was good twice for ${nc}`);
          if (verdict === 'good') spent.add(`${nonce} ${nc}`);
        }
      },
    ),
  );
  t.end();
});

t.test('a fresh nonce is good whatever was forgotten before it', (t) => {
  const clock = new StandingClock();
  const nonces = new Nonces(clock, 4);
  for (let n = 0; n < 20; n++) {
    clock.forward(1);
    t.equal(nonces.take(nonces.issue('10.0.0.1'), 1, '10.0.0.1'), 'good');
  }
  t.end();
});

t.test('made-up source addresses fill no memory, and free no address that is blocked', (t) => {
  const lockout = new Lockout(new StandingClock());
  for (let n = 0; n < 10; n++) lockout.failed('10.0.0.1');
  for (let n = 0; n < 20_000; n++) lockout.failed(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}x`);
  t.ok(lockout.size <= 5_000, String(lockout.size));
  t.ok(lockout.isBlocked('10.0.0.1'));
  t.end();
});

t.test('an alarm of a kind is said at once, and then once a minute with how many more there were', (t) => {
  const clock = new StandingClock();
  const said: Violation[] = [];
  const violations = new Violations(clock, (violation) => said.push(violation));
  const knock = { code: 'sip.inward-call', detail: 'an INVITE came from 10.9.9.9', address: '10.9.9.9' };
  for (let n = 0; n < 5_000; n++) violations.alarm(knock);
  t.same(said, [knock]);
  clock.forward(60_000);
  t.same(said[1], { ...knock, detail: 'an INVITE came from 10.9.9.9 (4999 more within a minute)' });
  clock.forward(60_000);
  t.equal(said.length, 2, 'a minute of quiet is not reported');
  violations.alarm(knock);
  t.same(said[2], knock, 'and what comes after it is said at once again');
  t.equal(violations.counts()['sip.inward-call'], 5_001);
  t.end();
});

t.test('a flood from made-up addresses is one alarm, once there are a thousand kinds', (t) => {
  const said: Violation[] = [];
  const violations = new Violations(new StandingClock(), (violation) => said.push(violation));
  for (let n = 0; n < 50_000; n++)
    violations.alarm({ code: 'sip.inward-call', detail: 'knock', address: `10.0.0.${n}` });
  t.ok(said.length <= 1_001, String(said.length));
  t.equal(violations.counts()['sip.inward-call'], 50_000);
  t.end();
});
