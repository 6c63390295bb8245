/** The whole program with a real mosquitto as headquarters' broker: what is on record there, and what its orders do to a call. */
import t, { type Test } from 'tap';
import { newSigningKey } from '../../scripts/headquarters/sign-command.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { endTimes } from '../peers/call-end.js';
import { ALLOWED, callUp } from '../peers/call-up.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { Headquarters } from '../peers/headquarters.js';
import { needs } from '../peers/needs.js';
import { carrierPeer, handsetPeer } from '../peers/scenario.js';
import { makeSite } from '../peers/site.js';

const opts = needs('sip-tester', 'mosquitto');
const HANDSET = { kind: 'handset', handset: 'a-101' } as const;
const ORDER = { type: 'cutoff', target: HANDSET, reason: 'the yard alarm', by: 'duty desk', hold: 60_000 } as const;
const RELEASE = { type: 'release', target: HANDSET, reason: 'the alarm is over', by: 'duty desk' } as const;

/** A number that headquarters must be able to tell apart, and never to read. */
const DIGITS = ALLOWED.slice(1);

t.test(
  'headquarters has the record of an allowed call and of a refused one, and of neither the number',
  opts,
  async (t) => {
    const headquarters = await Headquarters.start(t);
    const trunkPort = await freePort();
    const running = await GatewayProcess.start(t, makeSite(t, trunkPort, { uplink: headquarters.uplink }));
    t.match(await headquarters.state('presence'), { state: 'online' });
    const far = await carrierPeer(t, 'carrier-answers', trunkPort, 9);
    const peer = { user: 'a101', port: running.port('cell'), rtpPort: 9 };
    const near = await handsetPeer(t, { ...peer, scenario: 'handset-hangs-up', dialled: ALLOWED, talkMs: 100 });
    t.equal((await near.exited).code, 0);
    await far.exited;
    const refused = await handsetPeer(t, {
      ...peer,
      scenario: 'handset-refused',
      dialled: '+442079461234',
      status: 403,
    });
    t.equal((await refused.exited).code, 0);
    const allowed = await headquarters.event('balise.call.ended', (data) => data.cause === 'handset-hung-up');
    t.match(allowed.data, { handset: 'a-101', wing: 'a' });
    const record = await headquarters.event('balise.call.refused');
    t.match(record.data, { handset: 'a-101', rule: 'number.not-sanctioned' });
    t.equal(headquarters.events.filter(({ type }) => type.startsWith('balise.call.')).length, 2, 'one record a call');
    t.notMatch(JSON.stringify([headquarters.events, headquarters.states]), DIGITS);
    t.same(headquarters.faults, [], 'every message is as its schema says, and none is missing');
    await running.end();
    t.ok(await headquarters.state('presence', ({ offlineSince }) => offlineSince !== undefined), 'it takes its leave');
  },
);

t.test('a gateway that dies is shown as offline by its last will', opts, async (t) => {
  const headquarters = await Headquarters.start(t);
  const running = await GatewayProcess.start(t, makeSite(t, await freePort(), { uplink: headquarters.uplink }));
  await headquarters.state('presence', ({ state }) => state === 'online');
  running.kill('SIGKILL');
  const left = await headquarters.state('presence', ({ state }) => state === 'offline');
  t.equal(left.offlineSince, undefined, 'nobody said when');
});

async function callUnderOrders(t: Test) {
  const headquarters = await Headquarters.start(t);
  const call = await callUp(t, { parts: { uplink: headquarters.uplink } });
  await headquarters.state('handset/a-101', ({ state }) => state === 'talking');
  return { headquarters, call };
}

t.test('a signed cutoff ends the call on all three planes, is answered with its times, and holds', opts, async (t) => {
  const { headquarters, call } = await callUnderOrders(t);
  const sinceNs = process.hrtime.bigint();
  const [ack, times] = await Promise.all([headquarters.order(ORDER), endTimes(call, sinceNs)]);
  t.ok(times.cellSilentMs < 250, `handset silent after ${times.cellSilentMs} ms`);
  t.ok(times.trunkSilentMs < 250, `far end silent after ${times.trunkSilentMs} ms`);
  t.notOk(times.isHeardAfter);
  t.ok(times.handsetToldMs < 1_000, `handset told after ${times.handsetToldMs} ms`);
  t.ok(times.trunkToldMs < 1_000, `far end told after ${times.trunkToldMs} ms`);
  t.ok(times.relayOpenMs < 1_000, `relay open after ${times.relayOpenMs} ms`);
  t.match(ack, { state: 'done', result: { calls: 1, complete: true } });
  t.comment(
    `silent ${times.trunkSilentMs} ms, handset told ${times.handsetToldMs} ms, relay open ${times.relayOpenMs} ms`,
  );
  const record = await headquarters.event('balise.call.ended');
  t.match(record.data, { cause: 'cutoff' });
  const again = await handsetPeer(t, {
    scenario: 'handset-refused',
    user: 'a101',
    dialled: ALLOWED,
    port: call.running.port('cell'),
    rtpPort: 9,
    status: 480,
  });
  t.equal((await again.exited).code, 0);
  t.ok(await headquarters.event('balise.call.refused', ({ rule }) => rule === 'lockdown.handset'), 'the hold refuses');

  t.match(await headquarters.order(RELEASE), { state: 'done' });
  await call.line.relayIs(0, true);
  t.pass('the release closes the relay again');
});

t.test('an order that headquarters did not sign changes nothing, is refused, and is alarmed', opts, async (t) => {
  const { headquarters, call } = await callUnderOrders(t);
  const { privateJwk } = await newSigningKey('hq-test');
  const ack = await headquarters.order(ORDER, privateJwk);
  t.match(ack, { state: 'refused', why: 'bad-signature' });
  t.ok(await headquarters.event('balise.command.refused'));
  const { length } = call.trunkProbe.heardNs;
  await call.trunkProbe.heard(length + 10);
  t.pass('the call goes on');
});

for (const [target, rule] of [
  [{ kind: 'site' }, 'lockdown.site'],
  [{ kind: 'wing', wing: 'a' }, 'lockdown.wing'],
] as const) {
  t.test(`a cutoff of a ${target.kind} refuses what comes after it, by ${rule}`, opts, async (t) => {
    const headquarters = await Headquarters.start(t);
    const site = makeSite(t, await freePort(), { uplink: headquarters.uplink });
    const running = await GatewayProcess.start(t, site);
    await headquarters.state('presence');
    t.match(await headquarters.order({ ...ORDER, target }), { state: 'done', result: { calls: 0, complete: true } });
    const near = await handsetPeer(t, {
      scenario: 'handset-refused',
      user: 'a101',
      dialled: ALLOWED,
      port: running.port('cell'),
      rtpPort: 9,
      status: 480,
    });
    t.equal((await near.exited).code, 0);
    t.match((await headquarters.event('balise.call.refused')).data, { rule });
  });
}
