/** Session timers on the trunk's leg (RFC 4028): what stands behind us at the carrier when all else has died. */
import t, { type Test } from 'tap';
import { answerTo, headerOf, isRequest } from '../sip-engine/udp-peer.js';
import { type CarrierCall, okTo } from './carrier.js';
import { isAuthorised, TRUNK_ACCOUNT, trunkChallenge } from './credentials.js';
import { type House, type HouseOptions, NO_LIMITS, openHouse, type Talk, talk } from './house.js';
import { sdp } from './message.js';
import { statusOf } from './phone.js';

const CHALLENGE = `Proxy-Authenticate: ${trunkChallenge('SHA-256')}`;
/** Where we refresh a session of 90 s from here: before the engine, which has no credentials. */
const REFRESH_MS = 36_000;
/** After this a request that met another one is tried again. */
const LATER_MS = 2_100;
const TAKES_UPDATE = 'Allow: INVITE, ACK, BYE, CANCEL, UPDATE';

/** A call that is up, at a carrier whose answer has these headers. */
async function up(t: Test, more: readonly string[], options: HouseOptions = { trunk: TRUNK_ACCOUNT }) {
  const house = await openHouse(t, options);
  const phone = await house.phone();
  const near = await phone.dial();
  const far = await house.carriers[0].invited();
  far.answer(more);
  await near.final();
  await far.acknowledged();
  // The handset's ACK has been heard when a request that came behind it is answered.
  await near.ask('OPTIONS');
  return { house, near, far };
}

/** Both legs are ended, and the call is recorded as one that the far end has left. */
async function bothEnd(house: House, { near, far }: Pick<Talk, 'near' | 'far'>): Promise<void> {
  await Promise.all([near.ended(), far.of('BYE')]);
  t.match(await house.ended(), { cause: 'trunk-hung-up' });
}

/** What the carrier said has been heard: a request that came behind it is answered. */
const heard = (far: CarrierCall): Promise<string> => far.ask('OPTIONS');

function refuse(far: CarrierCall, request: string, status: string, more: readonly string[] = []): void {
  far.peer.send(answerTo(request, status, more, far.tag));
}

t.test('every INVITE to a trunk asks for a session of 90 s, and leaves it to the carrier who refreshes', async (t) => {
  const house = await openHouse(t);
  const { near, far } = await talk(house);
  t.equal(headerOf(far.invite, 'Session-Expires'), '90');
  t.match(headerOf(far.invite, 'Supported'), /timer/);
  await near.ask('BYE');
});

t.test('a refresh of the engine’s that the carrier answers 481 ends both legs', async (t) => {
  const engine = { limits: { ...NO_LIMITS, minSessionS: 1 } };
  const call = await up(t, ['Session-Expires: 2;refresher=uac', TAKES_UPDATE], { engine });
  const bothEnded = bothEnd(call.house, call);
  refuse(call.far, await call.far.of('UPDATE'), '481 Call Does Not Exist');
  await bothEnded;
});

t.test('a carrier that named itself to refresh and does not loses the call, on both legs', async (t) => {
  const engine = { limits: { ...NO_LIMITS, minSessionS: 1 } };
  const call = await up(t, ['Session-Expires: 2;refresher=uas'], { engine });
  await bothEnd(call.house, call);
  t.notOk(call.far.peer.received.some(isRequest('UPDATE')));
});

for (const [method, allow] of [
  ['UPDATE', [TAKES_UPDATE]],
  ['INVITE', []],
] as const) {
  t.test(
    `a refresh that the carrier challenges is sent again with credentials, and the call goes on: ${method}`,
    async (t) => {
      const { house, near, far } = await up(t, allow);
      for (let round = 1; round <= 2; round++) {
        house.clock.forward(REFRESH_MS);
        const refresh = await far.of(method);
        t.equal(headerOf(refresh, 'Session-Expires'), '90;refresher=uac');
        refuse(far, refresh, '407 Proxy Authentication Required', [CHALLENGE]);
        const again = await far.of(method);
        t.ok(isAuthorised(again, 'Proxy-Authorization', 'SHA-256'));
        t.equal(Number.parseInt(headerOf(again, 'CSeq'), 10), Number.parseInt(headerOf(refresh, 'CSeq'), 10) + 1);
        if (method === 'UPDATE') far.peer.send(okTo(again));
        else {
          t.equal(again.split('\r\n\r\n')[1], far.invite.split('\r\n\r\n')[1], 'the description, unchanged');
          const described = ['Content-Type: application/sdp', far.contact];
          far.peer.send(answerTo(again, '200 OK', described, far.tag, sdp(far.peer.address, 9_000, '0 101')));
        }
        await heard(far);
      }
      t.equal(house.engine.status().dialogs, 2);
      t.equal(statusOf(await near.ask('BYE')), 200);
      await far.of('BYE');
      t.match(await house.ended(), { cause: 'handset-hung-up' });
    },
  );
}

for (const [why, status, more] of [
  ['does not believe our credentials', '407 Proxy Authentication Required', [CHALLENGE]],
  ['knows the call no more', '481 Call Does Not Exist', []],
] as const) {
  t.test(`a refresh ends both legs and is an alarm when the carrier ${why}`, async (t) => {
    const call = await up(t, [TAKES_UPDATE]);
    const bothEnded = bothEnd(call.house, call);
    call.house.clock.forward(REFRESH_MS);
    refuse(call.far, await call.far.of('UPDATE'), status, more);
    if (more.length > 0) refuse(call.far, await call.far.of('UPDATE'), status, more);
    await bothEnded;
    t.match(await call.house.alarmed('trunk.refresh-failed'), { handset: 'a-101' });
  });
}

t.test('a refresh that crosses one of the carrier’s (491) is tried again two seconds later', async (t) => {
  const { house, near, far } = await up(t, [TAKES_UPDATE]);
  house.clock.forward(REFRESH_MS);
  refuse(far, await far.of('UPDATE'), '491 Request Pending');
  await heard(far);
  house.clock.forward(LATER_MS);
  far.peer.send(okTo(await far.of('UPDATE')));
  await near.ask('BYE');
});

t.test('a carrier that refreshes by itself gets no refresh of ours', async (t) => {
  const { house, near, far } = await up(t, ['Session-Expires: 90;refresher=uas', 'Require: timer', TAKES_UPDATE]);
  house.clock.forward(80_000);
  t.equal(statusOf(await far.ask('UPDATE', { more: ['Session-Expires: 90;refresher=uac', 'Supported: timer'] })), 200);
  t.equal(statusOf(await near.ask('BYE')), 200);
  t.notOk(far.peer.received.some(isRequest('UPDATE')));
});

t.test('a refresh that the carrier finds too short (422) is asked for as it wants it, once', async (t) => {
  const { house, near, far } = await up(t, [TAKES_UPDATE]);
  house.clock.forward(REFRESH_MS);
  refuse(far, await far.of('UPDATE'), '422 Session Interval Too Small', ['Min-SE: 1800']);
  const longer = await far.of('UPDATE');
  t.equal(headerOf(longer, 'Session-Expires'), '1800;refresher=uac');
  t.equal(headerOf(longer, 'Min-SE'), '1800');
  refuse(far, longer, '422 Session Interval Too Small', ['Min-SE: 3600']);
  await heard(far);
  house.clock.forward(LATER_MS);
  t.equal(statusOf(await near.ask('BYE')), 200);
  await far.of('BYE');
  t.equal(far.peer.received.filter(isRequest('UPDATE')).length, 2);
});

t.test('a session that the carrier finds too short (422) is asked for as it wants it, once', async (t) => {
  const house = await openHouse(t);
  const near = await (await house.phone()).dial();
  const first = await house.carriers[0].invited();
  first.say('422 Session Interval Too Small', ['Min-SE: 1800']);
  const second = await house.carriers[0].invited();
  t.equal(headerOf(second.invite, 'Session-Expires'), '1800');
  t.equal(headerOf(second.invite, 'Min-SE'), '1800');
  t.equal(headerOf(second.invite, 'Call-ID'), headerOf(first.invite, 'Call-ID'));
  second.say('422 Session Interval Too Small', ['Min-SE: 3600']);
  t.ok(statusOf(await near.final()) >= 400);
  t.equal(house.carriers[0].invites, 2);
});
