/** A call that was keyed on a line card: the gateway calls the handset that keyed it, and nothing else ever does. */
import t from 'tap';
import type { CallRequest } from '../../gateway/calls/ports.js';
import { type CallId, callId, handsetId } from '../../gateway/policy/ids.js';
import { uuid7 } from '../../gateway/store/uuid7.js';
import { profile } from '../peers/site.js';
import { CarrierCall } from './carrier.js';
import { ABROAD, CELL, type House, NUMBER, openHouse } from './house.js';
import { sdp } from './message.js';
import { OUR_CELL_END } from './paper-planes.js';
import type { Peer } from './peer.js';
import { answerTo, headerOf, isRequest, type Phone, statusOf } from './phone.js';

const A101 = handsetId('a-101');
const SILENT = sdp(CELL, 7_000, '8 0 101', ['a=inactive']);
const SPOKEN = sdp(CELL, 7_000, '0 101');

/** The line plane hands over what was keyed. */
function key(house: House, dialled = NUMBER): CallId {
  const call = callId(uuid7(house.clock.wall().epochMilliseconds));
  const request: CallRequest = {
    ...{ call, handset: A101, dialled, at: house.clock.wall() },
    ...{ offer: '', source: 'line-card', keyed: true },
  };
  house.calls.request(request);
  return call;
}

/** A phone that is registered, and so can be called. */
async function registered(house: House): Promise<Phone> {
  const phone = await house.phone();
  const status = statusOf(await phone.register());
  if (status !== 200) throw new Error(`REGISTER was answered ${status}`);
  return phone;
}

const invited = async (peer: Peer): Promise<string> => peer.next(isRequest('INVITE'));

/** The handset's end of the call that the gateway places to it, as a callee. */
async function called({ peer }: Phone): Promise<CarrierCall> {
  return new CarrierCall(peer, await invited(peer));
}

/** Answers the INVITE that offers the call itself. */
async function takes({ peer }: Phone, body = SPOKEN): Promise<string> {
  const offer = await invited(peer);
  const contact = `Contact: <sip:a101@${peer.address}:${peer.port}>`;
  peer.send(answerTo(offer, '200 OK', [contact, 'Content-Type: application/sdp'], 'callee', body));
  return offer;
}

/** A keyed call that its handset has taken in silence; the far end is still to be called. */
async function taken(house: House): Promise<{ phone: Phone; near: CarrierCall; call: CallId }> {
  const phone = await registered(house);
  const call = key(house);
  const near = await called(phone);
  near.answer([], SILENT);
  await near.acknowledged();
  return { phone, near, call };
}

/** A keyed call that is up on both legs. */
async function talk(house: House): Promise<{ near: CarrierCall; far: CarrierCall; offer: string; call: CallId }> {
  const { phone, near, call } = await taken(house);
  const far = await house.carriers[0].invited();
  far.answer();
  const offer = await takes(phone);
  await Promise.all([far.acknowledged(), near.acknowledged()]);
  return { near, far, offer, call };
}

t.test(
  'a granted keyed call calls the handset in silence, then the trunk, then gives the handset the call',
  async (t) => {
    const house = await openHouse(t);
    const phone = await registered(house);
    const call = key(house);
    const near = await called(phone);
    t.equal(near.invite.split(' ')[1], `sip:a101@${CELL}:${phone.peer.port}`, 'its own contact, and no other');
    t.match(near.invite, /a=inactive/);
    t.match(headerOf(near.invite, 'Call-Info'), /answer-after=0/, 'a phone that can answers by itself');
    t.equal(house.carriers[0].invites, 0, 'nobody is called before the handset is there');
    near.answer([], SILENT);
    await near.acknowledged();
    const far = await house.carriers[0].invited();
    t.match(far.invite, /m=audio [1-9]\d* RTP\/AVP 0 8 101|m=audio [1-9]\d* RTP\/AVP 8 0 101/);
    t.notMatch(far.invite, /inactive/);
    far.say('180 Ringing');
    far.answer();
    const offer = await takes(phone);
    await Promise.all([far.acknowledged(), near.acknowledged()]);
    t.equal(headerOf(offer, 'Call-ID'), near.callId, 'in the same dialog');
    t.match(offer, new RegExp(`m=audio ${OUR_CELL_END.port} `));
    t.notMatch(offer, /inactive/);
    const origin = (text: string) => /o=balise (\d+) (\d+)/.exec(text)?.slice(1);
    t.strictSame(origin(offer), [origin(near.invite)?.[0], '2'], 'the next version of the same session');
    for (const text of phone.peer.received) t.notMatch(text, NUMBER.slice(4), 'the handset never sees the number');
    t.match(house.calls.live(), [{ call, state: 'talking' }]);

    t.equal(statusOf(await near.ask('BYE')), 200);
    await far.of('BYE');
    t.match(await house.ended(), { call, cause: 'handset-hung-up' });
  },
);

t.test('while the far end rings, the handset is offered our ring-back, and then the call, in one dialog', async (t) => {
  const house = await openHouse(t);
  house.media.ringsBack = true;
  const { phone, near } = await taken(house);
  const far = await house.carriers[0].invited();
  far.answer();
  const contact = `Contact: <sip:a101@${phone.peer.address}:${phone.peer.port}>`;
  const ringing = await invited(phone.peer);
  t.match(ringing, /\r\nm=audio 20000 RTP\/AVP 8 0\r\n[\s\S]*a=sendonly/, 'we are to be heard, and nobody else');
  // The call is there already: its offer waits for the answer to this one, which says less than the handset said at first.
  const less = sdp(CELL, 7_000, '0', ['a=recvonly']);
  phone.peer.send(answerTo(ringing, '200 OK', [contact, 'Content-Type: application/sdp'], 'callee', less));
  const offer = await takes(phone);
  const versionOf = (text: string): number => Number(/\no=\S+ \d+ (\d+) /.exec(text)?.[1]);
  t.same([near.invite, ringing, offer].map(versionOf), [1, 2, 3]);
  t.match(offer, /a=sendrecv/);
  await far.acknowledged();
  await near.ask('BYE');
  t.match(await house.ended(), { cause: 'handset-hung-up' });
});

t.test('a handset that will not hear our ring-back gets its call all the same', async (t) => {
  const house = await openHouse(t);
  house.media.ringsBack = true;
  const { phone, near } = await taken(house);
  phone.peer.send(answerTo(await invited(phone.peer), '488 Not Acceptable Here', [], 'callee'));
  (await house.carriers[0].invited()).answer();
  await takes(phone);
  await near.ask('BYE');
  t.match(await house.ended(), { cause: 'handset-hung-up' });
});

t.test('the far end hangs up, and the handset that was called is told', async (t) => {
  const house = await openHouse(t);
  const { near, far } = await talk(house);
  t.equal(statusOf(await far.ask('BYE')), 200);
  await near.of('BYE');
  t.match(await house.ended(), { cause: 'trunk-hung-up', planes: { signalling: { confirmed: true } } });
});

t.test('a keyed call ends at its deadline on both legs, by the engine’s own hand', async (t) => {
  const parts = { profiles: [profile({ trunks: ['first', 'second'], maxTalkS: 1, warningsS: [] })] };
  const house = await openHouse(t, { parts });
  const { near, far } = await talk(house);
  await Promise.all([near.of('BYE'), far.of('BYE')]);
  t.match(await house.ended(), { cause: 'deadline' });
});

t.test('the handset may hold and refresh a keyed call, and change nothing else in it', async (t) => {
  const house = await openHouse(t);
  const { near } = await talk(house);
  const held = await near.ask('INVITE', { body: sdp(CELL, 7_000, '0 101', ['a=sendonly']) });
  t.equal(statusOf(held), 200);
  t.match(held, /a=recvonly/);
  t.equal(statusOf(await near.ask('INVITE', { body: sdp(CELL, 7_002, '0 101') })), 488, 'another port');
  t.equal(statusOf(await near.ask('REFER', { more: ['Refer-To: <sip:elsewhere@127.0.1.9>'] })), 603);
});

t.test('a keyed call that policy refuses calls nobody, the handset neither', async (t) => {
  const house = await openHouse(t);
  const phone = await registered(house);
  key(house, '+4930901820');
  t.match(await house.ended(), { cause: 'refused', rule: 'number.not-sanctioned' });
  t.strictSame(phone.peer.received.filter(isRequest('INVITE')), []);
});

t.test('a handset that is not registered, is busy or declines gets no call, and the record says why', async (t) => {
  const house = await openHouse(t);
  key(house);
  t.match(await house.ended(), {
    cause: 'refused',
    rule: 'fault.signalling',
    fact: 'the handset is not registered',
    sipStatus: 480,
  });
  const phone = await registered(house);
  for (const status of ['486 Busy Here', '302 Moved', '603 Decline']) {
    key(house);
    const near = await called(phone);
    near.say(status, status.startsWith('302') ? [`Contact: <sip:a101@${ABROAD}:5060>`] : []);
    t.match(await house.ended(), { cause: 'refused', rule: 'fault.signalling', fact: new RegExp(status.slice(0, 3)) });
  }
  t.equal(house.carriers[0].invites, 0);
  t.equal(house.signalling.liveCount, 0);
});

t.test('a handset that does not answer in 15 s is cancelled', async (t) => {
  const house = await openHouse(t);
  const phone = await registered(house);
  key(house);
  const near = await called(phone);
  near.say('180 Ringing');
  await phone.register();
  house.clock.forward(15_001);
  const cancel = await near.of('CANCEL');
  phone.peer.send(answerTo(cancel, '200 OK'));
  near.say('487 Request Terminated');
  t.match(await house.ended(), { cause: 'refused', fact: /did not answer/ });
  t.equal(house.carriers[0].invites, 0);
});

t.test('a handset that answers with a contact outside its wing is an alarm, and nobody is called', async (t) => {
  const house = await openHouse(t);
  const phone = await registered(house);
  key(house);
  const near = await called(phone);
  const contact = `Contact: <sip:a101@${ABROAD}:5060>`;
  phone.peer.send(answerTo(near.invite, '200 OK', [contact, 'Content-Type: application/sdp'], near.tag, SILENT));
  t.match(await house.alarmed('sip.foreign-contact'), { handset: 'a-101' });
  house.clock.forward(40_000);
  t.match(await house.ended(), { cause: 'refused', rule: 'fault.signalling' });
  t.equal(house.carriers[0].invites, 0);
});

t.test('a handset that takes the call elsewhere than it first said loses it, and the far end with it', async (t) => {
  const house = await openHouse(t);
  const phone = await registered(house);
  key(house);
  const near = await called(phone);
  near.answer([], SILENT);
  const far = await house.carriers[0].invited();
  far.answer();
  await takes(phone, sdp('127.0.1.77', 7_000, '0 101'));
  await Promise.all([near.of('BYE'), far.of('BYE')]);
  t.match(await house.ended(), { cause: 'fault.signalling' });
});

t.test('a busy trunk, and a handset that hangs up while it rings, end the other leg', async (t) => {
  const house = await openHouse(t);
  const phone = await registered(house);
  key(house);
  const near = await called(phone);
  near.answer([], SILENT);
  (await house.carriers[0].invited()).say('486 Busy Here');
  await near.of('BYE');
  t.match(await house.ended(), { cause: 'busy', sipStatus: 486 });

  key(house);
  const second = await called(phone);
  second.answer([], SILENT);
  const far = await house.carriers[0].invited();
  far.say('180 Ringing');
  t.equal(statusOf(await second.ask('BYE')), 200);
  const cancel = await far.of('CANCEL');
  far.peer.send(answerTo(cancel, '200 OK'));
  far.say('487 Request Terminated');
  t.match(await house.ended(), { cause: 'handset-hung-up' });
});
