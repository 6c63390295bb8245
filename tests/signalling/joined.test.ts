/** A handset at the desk, and a contact's call that is joined to its leg for a while: two calls, one dialog of the handset's. */
import t, { type Test } from 'tap';
import type { CallRequest } from '../../gateway/calls/ports.js';
import { type CallId, callId, handsetId } from '../../gateway/policy/ids.js';
import { uuid7 } from '../../gateway/store/uuid7.js';
import { profile } from '../peers/site.js';
import { CELL, type House, NUMBER, openHouse } from './house.js';
import { sdp } from './message.js';
import { OUR_CELL_END, OUR_DESK_END } from './paper-planes.js';
import { answerTo, headerOf, isRequest, type PhoneCall, statusOf } from './phone.js';

const A101 = handsetId('a-101');
const SPOKEN = sdp(CELL, 7_000, '0 101');

interface AtDesk {
  readonly house: House;
  readonly near: PhoneCall;
  readonly desk: CallId;
  /** Whether the leg is the desk's again, as often as it was told. */
  readonly backs: boolean[];
  readonly contact: CallId;
}

/** A handset at the desk, and a call that is asked for on its leg. */
async function atDesk(t: Test): Promise<AtDesk> {
  const desks: CallId[] = [];
  const marked = (request: CallRequest): CallRequest => {
    if (request.source === 'desk') return request;
    desks.push(request.call);
    return { ...request, desk: true };
  };
  const parts = { profiles: [profile({ trunks: ['first', 'second'], signOnCode: '*1' })] };
  const house = await openHouse(t, { parts, marked });
  const phone = await house.phone();
  const near = await phone.dial(`sip:*1@${phone.at}`, { body: SPOKEN });
  const answer = await near.final();
  t.equal(statusOf(answer), 200);
  t.match(answer, new RegExp(`m=audio ${OUR_DESK_END.port} RTP/AVP 0 101`), 'one codec, and its keys');
  const [desk] = desks;
  if (desk === undefined) throw new Error('nobody asked for the desk');
  t.equal(house.carriers[0].invites, 0, 'nobody is called');
  const contact = callId(uuid7(house.clock.wall().epochMilliseconds));
  const backs: boolean[] = [];
  const offer = house.signalling.join(contact, desk, A101, (isBack) => backs.push(isBack));
  t.equal(offer, SPOKEN, 'what the handset itself has described');
  const again = callId(uuid7(house.clock.wall().epochMilliseconds));
  t.equal(
    house.signalling.join(again, desk, A101, () => undefined),
    undefined,
    'one contact at a time',
  );
  house.calls.request({
    ...{ call: contact, handset: A101, dialled: NUMBER, at: house.clock.wall(), offer: offer ?? '', source: 'desk' },
  });
  return { house, near, desk, backs, contact };
}

/** Answers the gateway's re-INVITE. */
async function takes({ near: { phone } }: AtDesk, status = '200 OK', body = SPOKEN): Promise<string> {
  const { peer } = phone;
  const invite = await peer.next(isRequest('INVITE'));
  const type = status === '200 OK' ? ['Content-Type: application/sdp'] : [];
  peer.send(
    answerTo(invite, status, [`Contact: ${phone.contact}`, ...type], 'handset', status === '200 OK' ? body : ''),
  );
  return invite;
}

const origin = (text: string) => /o=balise (\d+) (\d+)/.exec(text)?.slice(1).map(Number);

t.test('a contact is joined by a re-INVITE, and the desk has the handset back when the contact hangs up', async (t) => {
  const at = await atDesk(t);
  const { house, near, backs, contact, desk } = at;
  const far = await house.carriers[0].invited();
  far.answer();
  const joining = await takes(at);
  t.equal(headerOf(joining, 'Call-ID'), near.callId, 'in the dialog that the handset has');
  t.match(joining, new RegExp(`m=audio ${OUR_CELL_END.port} `));
  await far.acknowledged();
  t.equal(house.calls.live().length, 2);
  t.equal(statusOf(await far.ask('BYE')), 200);
  const leaving = await takes(at);
  t.match(leaving, new RegExp(`m=audio ${OUR_DESK_END.port} `));
  const [session, version] = origin(joining) ?? [];
  t.equal(origin(leaving)?.[0], session);
  t.ok(Number(origin(leaving)?.[1]) > Number(version), 'a later version of one session');
  t.match(await house.ended(), { call: contact, cause: 'trunk-hung-up' });
  t.match(house.calls.live(), [{ call: desk, state: 'talking' }]);
  t.equal(statusOf(await near.ask('BYE')), 200);
  t.match(await house.ended(), { call: desk, cause: 'handset-hung-up', number: undefined });
  t.strictSame(backs, [true]);
  for (const text of near.phone.peer.received) t.notMatch(text, NUMBER.slice(4), 'the handset never sees the number');
});

t.test('a handset that hangs up with a contact on its leg ends both calls', async (t) => {
  const at = await atDesk(t);
  const { house, near } = at;
  const far = await house.carriers[0].invited();
  far.answer();
  await takes(at);
  await far.acknowledged();
  t.equal(statusOf(await near.ask('BYE')), 200);
  await far.of('BYE');
  const ended = [await house.ended(), await house.ended()];
  t.strictSame(
    ended.map(({ cause }) => cause),
    ['handset-hung-up', 'handset-hung-up'],
  );
});

t.test('a handset that will not be joined is left at the desk, and the contact is told BYE', async (t) => {
  const at = await atDesk(t);
  const { house, backs, desk } = at;
  const far = await house.carriers[0].invited();
  far.answer();
  await takes(at, '488 Not Acceptable Here');
  await far.of('BYE');
  t.match(await house.ended(), { cause: 'fault.signalling' });
  t.match(house.calls.live(), [{ call: desk, state: 'talking' }]);
  t.strictSame(backs, [true]);
  const next = callId(uuid7(house.clock.wall().epochMilliseconds));
  const offer = house.signalling.join(next, desk, A101, () => undefined) ?? '';
  house.calls.request({
    ...{ call: next, handset: A101, dialled: NUMBER, at: house.clock.wall(), offer, source: 'desk' },
  });
  (await house.carriers[0].invited()).answer();
  t.match(await takes(at), new RegExp(`m=audio ${OUR_CELL_END.port} `), 'and it is asked again for the next contact');
});

t.test('a handset that hangs up while the contact rings: the INVITE is cancelled', async (t) => {
  const { house, near } = await atDesk(t);
  const far = await house.carriers[0].invited();
  far.say('180 Ringing');
  t.equal(statusOf(await near.ask('BYE')), 200);
  await far.of('CANCEL');
  far.say('487 Request Terminated');
  const ended = [await house.ended(), await house.ended()];
  t.strictSame(
    ended.map(({ cause }) => cause),
    ['handset-hung-up', 'handset-hung-up'],
  );
});
