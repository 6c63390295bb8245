import t from 'tap';
import { handsetId, wingId } from '../../gateway/policy/ids.js';
import { board, call, h0, world } from './world.js';

t.test('a board without its watchdog gets no lease, unless the site has accepted it, and then shows it', async (t) => {
  const w = world();
  w.present();
  w.health({ state: 'refused', watchdog: 'mismatch', why: 'register 8 reads back 60' });
  t.equal(w.lines.facts(h0).supervised, false);
  t.equal(w.last('h0')?.connected, false);
  t.equal(w.statuses.at(-1), 'watchdog-missing');
  t.match(w.alarms.at(-1), { code: 'line.watchdog-missing', detail: /reads back 60/ });
  const accepted = world({ boards: [{ board, agent: 'modbus-1', allowNoWatchdog: true }] });
  accepted.lines.start();
  accepted.state('h0');
  accepted.health({ watchdog: 'absent' });
  t.equal(accepted.lines.facts(h0).supervised, true);
  t.same(accepted.statuses, ['watchdog-missing']);
});

t.test('an open case is an alarm once, and again only after it was closed', async (t) => {
  const w = world();
  w.present();
  w.state('h0', { tamper: true });
  w.state('h1', { tamper: true });
  t.match(w.alarms, [{ code: 'line.tamper', board: 'b1' }]);
  t.equal(w.statuses.at(-1), 'tamper');
  w.state('h0');
  w.state('h1');
  t.equal(w.statuses.at(-1), 'ok');
  w.state('h1', { tamper: true });
  t.equal(w.alarms.length, 2);
});

t.test('a handset left off the hook with no call is told once', async (t) => {
  const w = world({ leftOffHookMs: 60_000 });
  w.present();
  w.live(30_000);
  w.lines.arm(call, h0, w.deadline(600_000));
  w.live(100_000);
  t.same(w.alarms, [], 'a call is a reason');
  w.lines.release(call, h0);
  w.live(59_000);
  t.same(w.alarms, []);
  w.live(120_000);
  t.match(w.alarms, [{ code: 'line.left-off-hook', handset: 'h0' }]);
  t.equal(w.alarms.length, 1);
});

t.test('the order to stop opens every relay', async (t) => {
  const w = world();
  w.present();
  w.lines.stop();
  t.equal(w.last('h0')?.connected, false);
  t.equal(w.last('h1')?.connected, false);
  const count = w.leases.length;
  w.clock.go(20_000);
  t.equal(w.leases.length, count, 'and nothing is leased after it');
});

t.test('a message that is none is counted and changes nothing', async (t) => {
  const w = world();
  w.present();
  for (const text of ['', 'null', '{}', 'x'.repeat(5_000)]) {
    w.say('bus/line/h0/state', text);
    w.say('bus/agent/modbus-1/health', text);
  }
  w.say('bus/line/stranger/state', '{}');
  w.say('bus/agent/stranger/health', 'gone');
  t.equal(w.lines.malformed, 10);
  t.equal(w.lines.facts(h0).supervised, true);
});

t.test('a thousand handsets are refreshed in slices, each as often as on a small site', async (t) => {
  const many = Array.from({ length: 1_000 }, (_, index) => ({
    handset: handsetId(`m${index}`),
    wing: wingId('a'),
    board,
  }));
  const w = world({ lines: many, mayCall: () => true });
  w.present();
  w.leases.length = 0;
  w.live(30_000);
  const counts = many.map(({ handset }) => w.leases.filter((lease) => lease.handset === handset).length);
  t.ok(
    counts.every((count) => count >= 19 && count <= 21),
    `${Math.min(...counts)} to ${Math.max(...counts)}`,
  );
});

t.test('a panic button opens every relay that it is for while it is pressed, and is told once', async (t) => {
  const pressed: unknown[] = [];
  const target = { kind: 'wing', wing: wingId('a') } as const;
  const w = world({
    boards: [{ board, agent: 'modbus-1', allowNoWatchdog: false, panic: target }],
    onPanic: (whose) => pressed.push(whose),
  });
  w.present();
  w.health({ panic: false });
  t.equal(w.last('h0')?.connected, true);
  w.health({ panic: true });
  t.equal(w.last('h0')?.connected, false, 'at once');
  t.equal(w.last('h1')?.connected, true, 'another wing has nothing to do with it');
  t.same(pressed, [target]);
  t.match(w.alarms.at(-1), { code: 'line.panic', board: 'b1', detail: /wing a is pressed/ });
  w.clock.go(1_000);
  w.health({ panic: true });
  w.health({ state: 'lost', watchdog: 'armed' });
  w.health({ panic: true });
  t.equal(pressed.length, 1, 'a button that is held, and a board that was lost meanwhile, are no second press');
  t.equal(w.last('h0')?.connected, false);
  w.health({ panic: false });
  t.equal(w.last('h0')?.connected, true, 'let go, the wire is policy’s again; the cutoff is another matter');
});

t.test('a panic button that is pressed when the gateway starts counts as pressed', async (t) => {
  const pressed: unknown[] = [];
  const w = world({
    boards: [{ board, agent: 'modbus-1', allowNoWatchdog: false, panic: { kind: 'site' } }],
    onPanic: (whose) => pressed.push(whose),
  });
  w.lines.start();
  w.state('h0');
  w.health({ panic: true });
  t.same(pressed, [{ kind: 'site' }]);
  t.notOk(w.last('h0')?.connected);
});

t.test('a keypad handset dials with its keys, and its lamp says whether it may', async (t) => {
  const keyed: string[] = [];
  const shown: string[] = [];
  const w = world({
    lines: [{ handset: h0, wing: wingId('a'), board, hasKeypad: true }],
    onKeyed: (handset, digits) => keyed.push(`${handset} ${digits}`),
  });
  w.onShow((handset, show) => shown.push(`${handset} ${JSON.stringify(show)}`));
  w.lines.start();
  w.state('h0');
  w.health();
  t.same(shown, ['h0 {"lamp":"red"}', 'h0 {"lamp":"green"}']);
  const key = (of: string) => {
    w.clock.go(50);
    w.say('bus/line/h0/key', JSON.stringify({ key: of, at: '2026-01-01T00:00:00Z', atNs: `${w.clock.monotonicNs()}` }));
  };
  for (const one of '01#') key(one);
  t.same(keyed, ['h0 01']);
  w.lines.arm(call, h0, w.deadline(60_000));
  t.equal(shown.at(-1), 'h0 {"lamp":"amber"}');
  for (const one of '99#') key(one);
  t.equal(keyed.length, 1, 'in a call keys dial nothing');
  w.lines.release(call, h0);
  w.state('h0', { hook: 'on' });
  for (const one of '99#') key(one);
  t.equal(keyed.length, 1, 'nor on the hook');
  const malformed = w.lines.malformed;
  w.say('bus/line/h0/key', '{"key":"A"}');
  w.say('bus/line/h1/key', JSON.stringify({ key: '1', at: '2026-01-01T00:00:00Z', atNs: '1' }));
  t.equal(w.lines.malformed, malformed + 2);
});

t.test('states from before a restart are believed only when their agent vouches for them', async (t) => {
  const w = world();
  w.lines.start();
  w.state('h0', { hook: 'off', relay: 'open' });
  t.equal(w.lines.facts(h0).hook, 'unknown');
  w.health();
  t.equal(w.lines.facts(h0).hook, 'off', 'at once, with nothing more said of the line');
});
