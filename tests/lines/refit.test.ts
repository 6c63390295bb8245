import t from 'tap';
import type { LeaseMessage } from '../../config/schema/types.generated.js';
import type { CallEvent } from '../../gateway/calls/ports.js';
import { deadlineAt } from '../../gateway/clock/deadline.js';
import type { LineFitting } from '../../gateway/lines/fittings.js';
import { Lines } from '../../gateway/lines/lines.js';
import { boardId, callId, handsetId, wingId } from '../../gateway/policy/ids.js';
import { VirtualClock } from './virtual-clock.js';

const BOOT = 'a-boot';
const board = boardId('b1');
const [h0, h1, h2] = [handsetId('h0'), handsetId('h1'), handsetId('h2')];
const wired = (handset: typeof h0, relay: number, more: Partial<LineFitting> = {}): LineFitting => ({
  ...{ handset, wing: wingId('a'), board, relay, hook: relay },
  ...more,
});

/** Two lines on one board whose agent is there, h0 off its hook. */
function world() {
  const clock = new VirtualClock();
  const receivers: { readonly filter: RegExp; readonly receive: (topic: string, payload: Buffer) => void }[] = [];
  const leases: (LeaseMessage & { readonly handset: string })[] = [];
  const events: CallEvent[] = [];
  const hooks: string[] = [];
  const lines = new Lines({
    clock,
    bootId: BOOT,
    bus: {
      publish: (topic, payload) => leases.push({ handset: topic.split('/')[2] ?? '', ...JSON.parse(payload) }),
      subscribe: (filter, receive) =>
        receivers.push({ filter: new RegExp(`^${filter.replaceAll('+', '[^/]+')}$`), receive }),
    },
    sink: { request: () => undefined, event: (_call, event) => events.push(event), planeLost: () => undefined },
    boards: [{ board, agent: 'modbus-1', allowNoWatchdog: false }],
    lines: [wired(h0, 0), wired(h1, 1)],
    mayCall: () => true,
    onHook: (handset, hook) => hooks.push(`${handset} ${hook}`),
  });
  const say = (topic: string, body: object, atNs = clock.monotonicNs()) => {
    const payload = JSON.stringify({ at: '2026-01-01T00:00:00Z', atNs: `${atNs}`, ...body });
    for (const { filter, receive } of receivers) if (filter.test(topic)) receive(topic, Buffer.from(payload));
  };
  const state = (handset: string, atNs?: bigint) => {
    clock.go(0.001);
    say(`bus/line/${handset}/state`, { hook: 'off', relay: 'connected', tamper: false, leaseNs: '0' }, atNs);
  };
  const errors = { crc: 0, timeout: 0, exception: 0, answer: 0, port: 0 };
  const one = { board: 'b1', state: 'ok', rttMs: 1, polls: 1, errors, watchdog: 'armed' };
  const health = () => {
    clock.go(0.001);
    say('bus/agent/modbus-1/health', { port: 'open', leasesRefused: 0, boards: [one] });
  };
  lines.start();
  state('h0');
  state('h1');
  health();
  const last = (handset: string) => leases.findLast((lease) => lease.handset === handset);
  const deadline = deadlineAt(clock, clock.wall().add({ minutes: 1 }), BOOT);
  return { clock, lines, leases, events, hooks, state, health, last, deadline };
}

t.test('a wire that is taken away loses its lease at once, and is never leased again', async (t) => {
  const { lines, leases, clock, last, hooks, health } = world();
  t.equal(last('h0')?.connected, true);
  lines.fit([wired(h1, 1)]);
  t.equal(last('h0')?.connected, false);
  t.equal(hooks.at(-1), 'h0 unknown');
  t.same(lines.facts(h0), { fitted: false, hook: 'unknown', supervised: false, relay: 'unknown' });
  const count = leases.filter(({ handset }) => handset === 'h0').length;
  clock.go(2_000);
  health();
  t.equal(leases.filter(({ handset }) => handset === 'h0').length, count);
  t.equal(last('h1')?.connected, true, 'the other stands as it stood');
  t.equal(lines.facts(h1).supervised, true);
});

t.test(
  'a wire that is moved is open until its new one has been heard of, and believes nothing of the old one',
  async (t) => {
    const { lines, clock, last, state } = world();
    const beforeNs = clock.monotonicNs();
    clock.go(1);
    lines.fit([wired(h0, 5), wired(h1, 1)]);
    t.same(lines.facts(h0), { fitted: true, hook: 'unknown', supervised: false, relay: 'unknown' });
    state('h0', beforeNs);
    t.equal(lines.facts(h0).supervised, false, 'a word that was said of the old wire comes late');
    state('h0');
    t.equal(lines.facts(h0).supervised, true);
    t.equal(last('h0')?.connected, true);
  },
);

t.test('a wire whose agent does not know it yet is fitted, open and not believed', async (t) => {
  const { lines, last, state, events, deadline, clock } = world();
  lines.arm(callId('call-0'), h0, deadline);
  lines.arm(callId('call-1'), h1, deadline);
  clock.go(1);
  events.length = 0;
  lines.fit([wired(h0, 0), wired(h1, 1), wired(h2, 2)], new Set([h1, h2]));
  clock.go(1);
  t.same(events, [{ type: 'controller-lost' }], 'the call on the wire that is shut is told, and no other');
  t.equal(last('h0')?.connected, true);
  for (const handset of [h1, h2]) {
    state(handset);
    t.equal(last(handset)?.connected, false, handset);
    t.match(lines.facts(handset), { fitted: true, supervised: false });
  }
  lines.fit([wired(h0, 0), wired(h1, 1), wired(h2, 2)]);
  t.equal(last('h2')?.connected, true, 'and leased as soon as its agent has it');
});

t.test('a handset that comes to another wing keeps its wire, and obeys the lockdowns of its new wing', async (t) => {
  const { lines, last, clock } = world();
  lines.fit([wired(h0, 0, { wing: wingId('b') }), wired(h1, 1)]);
  t.equal(lines.facts(h0).supervised, true);
  t.equal(last('h0')?.connected, true);
  lines.setLockdowns([{ target: { kind: 'wing', wing: wingId('b') }, from: clock.wall(), reason: 'a test' }]);
  t.equal(last('h0')?.connected, false);
  t.equal(last('h1')?.connected, true);
});
