/** Test calls by which a handset hears itself: what each word of the planes makes of them. */
import t from 'tap';
import { AudioTests, BEGIN_MS, type EchoPlane } from '../../gateway/calls/audio-tests.js';
import type { CallEvent, CutoffOrder, EventDraft } from '../../gateway/calls/ports.js';
import type { MediaStats } from '../../gateway/calls/record.js';
import { callId, wingId } from '../../gateway/policy/ids.js';
import { VirtualClock } from '../lines/virtual-clock.js';
import { CALL, HANDSET, request } from './samples.js';

const STATS: MediaStats = {
  ...{
    handsetPackets: 250,
    trunkPackets: 0,
    dropped: 0,
    droppedAfterDeadline: 0,
    lost: 1,
    jitterMs: 0,
    digitsDropped: 0,
  },
  handset: { packets: 250, lost: 1, jitterMs: 0.4, longestSilenceMs: 21 },
};
const RELEASED = [
  { type: 'released', plane: 'signalling', legs: ['handset'] },
  { type: 'released', plane: 'media', stats: STATS },
] as const satisfies readonly CallEvent[];

function site() {
  const clock = new VirtualClock();
  const orders: string[] = [];
  const events: EventDraft[] = [];
  const held = new Set<string>();
  let echo: Awaited<ReturnType<EchoPlane['echo']>> = { answer: 'v=0' };
  const tests = new AudioTests({
    clock,
    bootId: 'boot',
    signalling: {
      ring: () => orders.push('ring'),
      arm: (_call, { wall }) => orders.push(`arm ${wall.since(clock.wall()).total('seconds')}`),
      accept: (_call, answer) => orders.push(`accept ${answer}`),
      refuse: () => orders.push('refuse'),
      release: (_call, cause) => orders.push(`release ${cause}`),
    },
    media: {
      echo: async (_call, _handset, _offer, forMs) => {
        orders.push(`echo ${forMs}`);
        return echo;
      },
      measure: async () => STATS,
      close: () => orders.push('close'),
    },
    store: { append: (drafts) => events.push(...drafts) },
    wingOf: () => wingId('a'),
    isHeld: (handset) => held.has(handset),
    changed: () => undefined,
    onFault: (fault) => t.fail(String(fault)),
  });
  const call = async () => {
    tests.order(HANDSET);
    const taken = tests.takes(request());
    await Promise.resolve();
    await Promise.resolve();
    return taken;
  };
  const say = (...said: readonly CallEvent[]) => said.map((event) => tests.event(CALL, event));
  const up = async () => {
    await call();
    say({ type: 'armed', plane: 'signalling' }, { type: 'accepted' });
  };
  return { clock, orders, events, held, tests, call, say, up, fails: (to: typeof echo) => (echo = to) };
}
const cut = (target: CutoffOrder['target']) => target;

t.test('only the call after an order is a test, and only once', async (t) => {
  const { tests, call, say } = site();
  t.notOk(tests.takes(request()), 'nobody ordered one');
  t.notOk(tests.event(CALL, { type: 'accepted' }));
  t.ok(await call());
  t.equal(tests.order(HANDSET), 'busy');
  t.notOk(tests.takes(request({ call: callId('01900000-0000-7000-8000-000000000002') })), 'the one after is a call');
  say({ type: 'handset-hung-up' }, ...RELEASED);
  t.notOk(tests.event(CALL, { type: 'accepted' }), 'and then there is nothing left of it');
});

t.test('the leg has its deadline on the engine before it is answered, and what was heard is told', async (t) => {
  const { orders, events, tests, up, say } = site();
  await up();
  t.same(orders, ['ring', 'echo 60000', 'arm 60', 'accept v=0']);
  t.match(tests.report(HANDSET), { state: 'playing' });
  say({ type: 'deadline-passed', by: 'media' }, { type: 'deadline-passed', by: 'signalling' });
  t.same(orders.slice(4), ['close', 'release deadline'], 'silence first, and each once');
  t.same(events, [], 'what was heard is counted when the sockets close');
  say(...RELEASED);
  t.match(tests.report(HANDSET), { state: 'done', packets: 250, lost: 1, jitterMs: 0.4 });
  t.match(events, [
    { type: 'balise.handset.audio-tested', data: { handset: HANDSET, call: CALL, outcome: 'heard', packets: 250 } },
  ]);
});

t.test('while it lasts the packets are counted, and two minutes after it nothing is shown', async (t) => {
  const { clock, tests, up, say } = site();
  await up();
  clock.go(600);
  await Promise.resolve();
  t.match(tests.report(HANDSET), { state: 'playing', packets: 250 });
  say({ type: 'handset-hung-up' }, ...RELEASED);
  clock.go(121_000);
  t.equal(tests.report(HANDSET), undefined);
});

t.test('each way to fail has its name, lets go of both planes, and is on record', async (t) => {
  const ways: readonly (readonly [string, (at: ReturnType<typeof site>) => unknown])[] = [
    ['no-signalling', ({ say }) => say({ type: 'arm-failed', plane: 'signalling', why: 'no engine' })],
    ['no-signalling', ({ say }) => say({ type: 'handset-failed', status: 408, why: 'gone' })],
    ['no-media', ({ say }) => say({ type: 'media-failed', code: 'media.lost' })],
    ['cut', ({ tests }) => tests.cut(cut({ kind: 'wing', wing: wingId('a') }))],
    ['cut', ({ tests }) => tests.cut(cut({ kind: 'call', call: CALL }))],
    ['stopped', ({ tests }) => void tests.stop(1_000)],
  ];
  for (const [why, how] of ways) {
    const at = site();
    await at.up();
    how(at);
    t.same(
      at.orders.slice(-2).map((order) => order.split(' ')[0]),
      ['close', 'release'],
      why,
    );
    at.say(...RELEASED);
    t.match(at.tests.report(HANDSET), { state: 'failed', why });
    t.match(at.events, [{ data: { outcome: why } }]);
  }
});

t.test('a handset that sends nothing is not well, though the call was', async (t) => {
  const { tests, call, say } = site();
  await call();
  say({ type: 'handset-hung-up' }, RELEASED[0], { type: 'released', plane: 'media' });
  t.match(tests.report(HANDSET), { state: 'failed', why: 'nothing-heard' });
});

t.test('an offer that media cannot take ends the leg', async (t) => {
  const { orders, fails, call } = site();
  fails({ code: 'sdp.no-audio', why: 'there is no audio in it' });
  await call();
  t.same(orders, ['ring', 'echo 60000', 'close', 'release fault.media']);
});

t.test('a plane that is lost ends every test, and waits for nothing more of it', async (t) => {
  for (const plane of ['media', 'signalling'] as const) {
    const { tests, up, say } = site();
    await up();
    tests.planeLost('line');
    t.match(tests.report(HANDSET), { state: 'playing' });
    tests.planeLost(plane);
    const [bySignalling, byMedia] = RELEASED;
    say(plane === 'media' ? bySignalling : byMedia);
    t.match(tests.report(HANDSET), { state: 'failed', why: `no-${plane}` });
    await tests.stop(1_000);
  }
});

t.test('a cut or disabled handset is tested by nobody, not even when it is cut after the order', async (t) => {
  const { tests, held } = site();
  tests.order(HANDSET);
  held.add(HANDSET);
  t.notOk(tests.takes(request()), 'its call is refused as any other');
  t.match(tests.report(HANDSET), { state: 'failed', why: 'held' });
  t.equal(tests.order(HANDSET), 'held');
});

t.test('nobody who calls within a minute, or a cutoff before, ends the waiting', async (t) => {
  const { clock, tests } = site();
  tests.order(HANDSET);
  tests.cut(cut({ kind: 'handset', handset: HANDSET }));
  t.match(tests.report(HANDSET), { state: 'failed', why: 'cut' });
  tests.order(HANDSET);
  clock.go(BEGIN_MS + 1);
  t.match(tests.report(HANDSET), { state: 'failed', why: 'nobody-called' });
  t.notOk(tests.takes(request()));
});
