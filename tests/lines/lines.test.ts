import t from 'tap';
import type { AgentHealthMessage, LeaseMessage, LineStateMessage } from '../../config/schema/types.generated.js';
import type { CallEvent } from '../../gateway/calls/ports.js';
import { deadlineAt } from '../../gateway/clock/deadline.js';
import type { LineAlarm } from '../../gateway/lines/board-status.js';
import type { LineBus, LinesOptions } from '../../gateway/lines/fittings.js';
import { Lines } from '../../gateway/lines/lines.js';
import { boardId, callId, handsetId, wingId } from '../../gateway/policy/ids.js';
import { VirtualClock } from './virtual-clock.js';

const BOOT = 'a-boot';
const [h0, h1] = [handsetId('h0'), handsetId('h1')];
const board = boardId('b1');
const call = callId('call-1');

/** The line plane in virtual time, with an agent that says what the test lets it say. */
function world(more: Partial<LinesOptions> = {}) {
  const clock = new VirtualClock();
  const receivers: { readonly filter: RegExp; readonly receive: (topic: string, payload: Buffer) => void }[] = [];
  const leases: (LeaseMessage & { readonly handset: string })[] = [];
  const bus: LineBus = {
    publish: (topic, payload) => {
      if (topic.endsWith('/show')) tellShow(topic.split('/')[2] ?? '', JSON.parse(payload));
      else leases.push({ handset: topic.split('/')[2] ?? '', ...(JSON.parse(payload) as LeaseMessage) });
    },
    subscribe: (filter, receive) => {
      receivers.push({ filter: new RegExp(`^${filter.replaceAll('+', '[^/]+')}$`), receive });
    },
  };
  let tellShow: (handset: string, show: unknown) => void = () => undefined;
  const events: CallEvent[] = [];
  const alarms: LineAlarm[] = [];
  const statuses: string[] = [];
  const hooks: string[] = [];
  const may = new Set([h0, h1]);
  const lines = new Lines({
    clock,
    bootId: BOOT,
    bus,
    sink: { request: () => undefined, event: (_call, event) => events.push(event), planeLost: () => undefined },
    boards: [{ board, agent: 'modbus-1', allowNoWatchdog: false }],
    lines: [
      { handset: h0, wing: wingId('a'), board },
      { handset: h1, wing: wingId('b'), board },
    ],
    mayCall: (handset) => may.has(handset),
    onAlarm: (alarm) => alarms.push(alarm),
    onStatus: (_board, status) => statuses.push(status),
    onHook: (handset, hook) => hooks.push(`${handset} ${hook}`),
    ...more,
  });
  const say = (topic: string, payload: string) => {
    for (const { filter, receive } of receivers) if (filter.test(topic)) receive(topic, Buffer.from(payload));
  };
  const stamp = () => ({ at: '2026-01-01T00:00:00Z', atNs: `${clock.monotonicNs()}` });
  const state = (handset: string, change: Partial<LineStateMessage> = {}) => {
    clock.go(0.001);
    const message = { hook: 'off', relay: 'connected', tamper: false, leaseNs: '0', ...stamp(), ...change };
    say(`bus/line/${handset}/state`, JSON.stringify(message));
  };
  const health = (change: Partial<AgentHealthMessage['boards'][number]> = {}) => {
    clock.go(0.001);
    const errors = { crc: 0, timeout: 0, exception: 0, answer: 0, port: 0 };
    const one = { board: 'b1', state: 'ok', rttMs: 1, polls: 1, errors, watchdog: 'armed', ...change } as const;
    const message: AgentHealthMessage = { ...stamp(), port: 'open', leasesRefused: 0, boards: [one] };
    say('bus/agent/modbus-1/health', JSON.stringify(message));
  };
  /** Time goes on, and the agent is well. */
  const live = (ms: number) => {
    for (let left = ms; left > 0; left -= 1_000) {
      clock.go(Math.min(left, 1_000));
      health();
    }
  };
  const present = () => {
    lines.start();
    state('h0');
    state('h1', { hook: 'on' });
    health();
  };
  const last = (handset: string) => leases.findLast((lease) => lease.handset === handset);
  const deadline = (ms: number) => deadlineAt(clock, clock.wall().add({ milliseconds: ms }), BOOT);
  const types = () => events.map(({ type }) => type);
  return {
    clock,
    leases,
    events,
    alarms,
    statuses,
    hooks,
    may,
    lines,
    say,
    state,
    health,
    live,
    present,
    last,
    deadline,
    types,
    onShow: (tell: typeof tellShow) => {
      tellShow = tell;
    },
  };
}

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
