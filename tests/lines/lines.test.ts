import t from 'tap';
import { callId, handsetId, wingId } from '../../gateway/policy/ids.js';
import { call, h0, h1, world } from './world.js';

t.test('leases stand while policy lets a handset call, refreshed every 1.5 s', async (t) => {
  const w = world();
  w.lines.start();
  t.ok(
    w.leases.every(({ connected }) => !connected),
    'nobody is leased before the board is known',
  );
  w.state('h0');
  w.state('h1', { hook: 'on' });
  w.health();
  t.equal(w.last('h0')?.connected, true, 'and at once when it is');
  t.equal(w.last('h0')?.forMs, 5_000);
  const before = w.leases.filter(({ handset }) => handset === 'h0').length;
  w.live(15_000);
  const count = w.leases.filter(({ handset }) => handset === 'h0').length - before;
  t.equal(count, 10);
  w.may.delete(h0);
  w.live(1_500);
  t.equal(w.last('h0')?.connected, false);
  t.equal(w.last('h1')?.connected, true);
  w.may.delete(h1);
  w.lines.review();
  t.equal(w.last('h1')?.connected, false, 'asked anew, policy is heard at once');
});

t.test('facts are what the wire says, while somebody vouches for it', async (t) => {
  const w = world();
  t.same(w.lines.facts(handsetId('x')), { fitted: false, hook: 'unknown', supervised: false, relay: 'unknown' });
  w.lines.start();
  w.state('h0');
  t.equal(w.lines.facts(h0).supervised, false, 'a retained state alone is not believed');
  w.health();
  t.same(w.lines.facts(h0), { fitted: true, hook: 'off', supervised: true, relay: 'connected' });
  w.say('bus/agent/modbus-1/health', 'gone');
  t.same(w.lines.facts(h0), { fitted: true, hook: 'unknown', supervised: false, relay: 'unknown' });
  t.equal(w.last('h0')?.connected, false);
  t.same(w.statuses, ['ok', 'lost']);
  t.match(w.alarms, [{ code: 'line.controller-lost', board: 'b1' }]);
  t.same(w.hooks, ['h0 off', 'h0 unknown']);
});

t.test('three seconds without health are a lost controller, and an older message is no news', async (t) => {
  const w = world();
  w.present();
  w.lines.arm(call, h0, w.deadline(60_000));
  w.clock.go(2_999);
  t.equal(w.lines.facts(h0).supervised, true);
  w.clock.go(2);
  t.equal(w.lines.facts(h0).supervised, false);
  w.clock.go(1);
  t.same(w.types(), ['armed', 'controller-lost']);
  const stale = JSON.stringify({ at: '2026-01-01T00:00:00Z', atNs: '5', port: 'open', leasesRefused: 0, boards: [] });
  w.say('bus/agent/modbus-1/health', stale);
  t.equal(w.lines.facts(h0).supervised, false);
  w.state('h0');
  w.health();
  t.equal(w.lines.facts(h0).supervised, true);
  w.clock.go(2_999);
  w.health({ state: 'lost' });
  w.clock.go(1);
  t.same(w.types(), ['armed', 'controller-lost'], 'told once a call');
  t.same(w.statuses, ['ok', 'lost', 'ok', 'lost']);
});

t.test('a board that its agent has not spoken to yet is neither leased nor an alarm', async (t) => {
  const w = world();
  w.lines.start();
  w.state('h0', { hook: 'unknown', relay: 'unknown' });
  w.health({ state: 'starting', watchdog: 'unknown' });
  t.notOk(w.last('h0')?.connected);
  t.same([w.statuses, w.alarms], [[], []]);
  w.health({ state: 'lost', watchdog: 'unknown', why: 'timeout' });
  t.equal(w.statuses.at(-1), 'lost');
});

t.test('an agent that never comes is told', async (t) => {
  const w = world();
  w.lines.start();
  w.clock.go(11_000);
  t.same(w.statuses, ['lost']);
  t.match(w.alarms, [{ code: 'line.controller-lost', detail: /has not come/ }]);
});

t.test('in a call no lease reaches past the deadline, which is told when it passes', async (t) => {
  const w = world();
  w.present();
  w.lines.arm(call, h0, w.deadline(4_000));
  t.equal(w.last('h0')?.forMs, 4_000, 'at once');
  w.clock.go(0);
  t.same(w.types(), ['armed']);
  w.live(3_900);
  t.ok((w.last('h0')?.forMs ?? 0) <= 2_000);
  w.clock.go(101);
  t.equal(w.last('h0')?.connected, false, 'the relay is ordered open, and has opened by itself');
  w.clock.go(1);
  t.match(w.events.at(-1), { type: 'deadline-passed', by: 'line' });
  w.live(3_000);
  t.equal(w.last('h0')?.connected, false, 'for as long as the call is not released');
  t.equal(w.types().filter((type) => type === 'deadline-passed').length, 1);
  w.lines.release(call, h0);
  w.live(1_500);
  t.equal(w.last('h0')?.connected, true, 'then the standing lease goes on');
});

t.test('a wall clock that steps forward shortens the lease; back, it lengthens nothing', async (t) => {
  const w = world();
  w.present();
  w.lines.arm(call, h0, w.deadline(60_000));
  w.clock.step(-600_000);
  w.live(3_000);
  w.clock.step(600_000 + 55_500);
  w.live(1_500);
  t.ok((w.last('h0')?.forMs ?? 9_999) <= 1_500);
  w.clock.step(10_000);
  w.live(1_500);
  t.equal(w.last('h0')?.connected, false);
  t.ok(w.types().includes('deadline-passed'));
});

t.test('a deadline of another boot is not armed', async (t) => {
  const w = world();
  w.present();
  w.lines.arm(call, h0, { ...w.deadline(4_000), bootId: 'earlier' });
  w.clock.go(1);
  t.match(w.events, [{ type: 'arm-failed', plane: 'line' }]);
});

t.test('a cut opens at once, is confirmed by the board alone, and holds', async (t) => {
  const w = world();
  w.present();
  w.lines.arm(call, h0, w.deadline(60_000));
  w.clock.go(1);
  const stale = w.last('h0')?.sentNs;
  w.lines.cut(call, h0, 10_000);
  const order = w.last('h0');
  t.match(order, { connected: false, forMs: 0, confirm: true });
  w.state('h0', { relay: 'open', leaseNs: stale ?? '' });
  w.clock.go(1);
  t.same(w.types(), ['armed'], 'an open relay of before the order confirms nothing');
  w.state('h0', { relay: 'open', leaseNs: order?.sentNs ?? '' });
  w.clock.go(1);
  t.match(w.events.at(-1), { type: 'released', plane: 'line', relayOpen: true });
  w.live(9_000);
  t.equal(w.last('h0')?.connected, false);
  w.live(3_000);
  t.equal(w.last('h0')?.connected, true);
  w.lines.cut(call, h0, 3_600_000);
  w.live(3_000);
  t.equal(w.last('h0')?.connected, false);
  w.lines.endHolds({ kind: 'handset', handset: h1 });
  t.equal(w.last('h0')?.connected, false, 'another handset is let go');
  w.lines.endHolds({ kind: 'handset', handset: h0 });
  t.equal(w.last('h0')?.connected, true, 'let go by a person');
});

t.test('a cut that no board confirms says so after two seconds, with an alarm', async (t) => {
  const w = world();
  w.present();
  w.lines.cut(call, h0, 10_000);
  w.clock.go(1_999);
  t.same(w.types(), []);
  w.clock.go(2);
  t.match(w.events, [{ type: 'released', plane: 'line', relayOpen: false }]);
  t.match(w.alarms, [{ code: 'line.relay-unconfirmed', handset: 'h0' }]);
});

t.test('a handset without a line is armed, cut and released without waiting', async (t) => {
  const w = world();
  w.present();
  const none = handsetId('none');
  w.lines.arm(call, none, w.deadline(1_000));
  w.lines.cut(call, none, 10_000);
  w.clock.go(1);
  t.same(w.types(), ['armed', 'released']);
});

t.test('the hook put back in a call is told; what happened while it rang is told when it is armed', async (t) => {
  const w = world();
  w.present();
  w.lines.arm(call, h0, w.deadline(60_000));
  w.clock.go(1);
  w.state('h0', { hook: 'on' });
  w.clock.go(1);
  t.same(w.types(), ['armed', 'hook-on']);
  const other = callId('call-2');
  w.lines.arm(other, h1, w.deadline(60_000));
  w.clock.go(1);
  t.same(w.types(), ['armed', 'hook-on', 'armed', 'hook-on']);
  t.same(w.hooks, ['h0 off', 'h1 on', 'h0 on']);
});

t.test('a lockdown holds the relays that it is aimed at, from its beginning to its end', async (t) => {
  const w = world();
  w.present();
  const from = w.clock.wall();
  const lockdown = { from, reason: 'a drill' };
  w.lines.setLockdowns([{ ...lockdown, target: { kind: 'wing', wing: wingId('a') }, until: from.add({ seconds: 5 }) }]);
  t.equal(w.last('h0')?.connected, false, 'at once');
  t.equal(w.last('h1')?.connected, true);
  w.live(7_000);
  t.equal(w.last('h0')?.connected, true, 'it is over');
  w.lines.setLockdowns([{ ...lockdown, target: { kind: 'site' } }]);
  t.notOk(w.last('h0')?.connected || w.last('h1')?.connected);
  w.clock.step(-3_600_000);
  w.live(5_000);
  t.notOk(w.last('h0')?.connected || w.last('h1')?.connected, 'a clock that is set back lifts nothing');
});
