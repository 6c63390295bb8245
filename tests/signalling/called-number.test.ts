/**
 * The called number reaches no handset that dials codes: not in any header, line or byte of any message of its leg, however
 * the carrier repeats it.
 */
import t from 'tap';
import { profile } from '../peers/site.js';
import { type House, openHouse, TRUNK } from './house.js';
import { sdp } from './message.js';
import { headerOf, type PhoneCall, statusOf } from './phone.js';

const NUMBER = '+442079460077';
/** The shortest run of digits that would give it away: the subscriber's own. */
const DIGITS = '460077';

const codes = {
  parts: {
    profiles: [profile({ tokens: { '01': NUMBER }, tokenOnly: true, trunks: ['first', 'second'], maxTalkS: 1800 })],
  },
};

/** Every header in which a carrier can name the called party, and some in which it should not. */
const TELLING = [
  `P-Asserted-Identity: "Callee" <sip:${NUMBER}@carrier.example>`,
  `P-Asserted-Identity: <tel:${NUMBER}>`,
  `P-Called-Party-ID: <sip:${NUMBER}@carrier.example>`,
  `Remote-Party-ID: <sip:${NUMBER}@carrier.example>;party=called`,
  `Reason: Q.850;cause=17;text="${NUMBER} is busy"`,
  `Warning: 399 carrier.example "${NUMBER}"`,
  `Error-Info: <sip:${NUMBER}@announcements.example>`,
  `Alert-Info: <http://carrier.example/${NUMBER}.wav>`,
  `Call-Info: <http://carrier.example/${NUMBER}>;purpose=icon`,
  `Reply-To: <sip:${NUMBER}@carrier.example>`,
  `Server: switch-${NUMBER}`,
  `User-Agent: switch-${NUMBER}`,
  `Organization: ${NUMBER}`,
  `Subject: ${NUMBER}`,
  `Record-Route: <sip:${TRUNK}:1;lr;called=${NUMBER}>`,
  `X-Called: ${NUMBER}`,
];

const tellingSdp = sdp(TRUNK, 9_000, '0 101', [`a=label:${NUMBER}`, `a=msid:${NUMBER} x`])
  .replace('o=- 1', `o=${NUMBER} 442079460077`)
  .replace('s=-', `s=call to ${NUMBER}\r\ni=${NUMBER}\r\nu=http://${NUMBER}\r\ne=${NUMBER}\r\np=${NUMBER}`);

/** What the handset has heard, all of it; checked to be something. */
function heard(house: House, near: PhoneCall): string {
  const all = near.phone.peer.received.join('\n');
  if (house.carriers[0].peer.received.every((text) => !text.includes(NUMBER))) throw new Error('nobody was dialled');
  return all;
}

const dials = async (house: House): Promise<PhoneCall> => {
  const phone = await house.phone();
  return phone.dial(`sip:01@${phone.at}`);
};

t.test('a call that rings, is answered and hung up by the far end shows no digit of the number', async (t) => {
  const house = await openHouse(t, codes);
  const near = await dials(house);
  const far = await house.carriers[0].invited();
  far.say(`180 Ringing ${NUMBER}`, TELLING);
  far.say('183 Session Progress', TELLING, tellingSdp);
  far.say('182 Queued', TELLING);
  far.answer(
    TELLING.filter((line) => !line.startsWith('Record-Route')),
    tellingSdp,
  );
  t.equal(statusOf(await near.final()), 200);
  await far.acknowledged();
  for (const method of ['INFO', 'MESSAGE', 'NOTIFY', 'UPDATE', 'REFER'])
    await far.ask(method, { more: TELLING, body: NUMBER, bodyType: 'text/plain' });
  await far.ask('INVITE', { more: TELLING, body: tellingSdp });
  await far.ask('BYE', { more: TELLING });
  await near.ended();
  t.notMatch(heard(house, near), DIGITS);
});

for (const status of [
  '300 Multiple Choices',
  '403 Forbidden',
  '404 Not Found',
  '480 Unavailable',
  '484 Address Incomplete',
  '486 Busy Here',
  '500 Error',
  '603 Decline',
  '606 Not Acceptable',
]) {
  t.test(`a call that fails shows no digit of the number: ${status}`, async (t) => {
    const house = await openHouse(t, codes);
    const near = await dials(house);
    for (const carrier of status.startsWith('5') ? house.carriers : house.carriers.slice(0, 1)) {
      (await carrier.invited()).say(`${status} ${NUMBER}`, TELLING, `sorry, ${NUMBER}`);
    }
    t.ok(statusOf(await near.final()) >= 400);
    t.notMatch(heard(house, near), DIGITS);
  });
}

t.test('a call that is forwarded, cancelled or given up shows no digit of the number', async (t) => {
  const house = await openHouse(t, codes);
  const near = await dials(house);
  const far = await house.carriers[0].invited();
  far.say('181 Call Is Being Forwarded', [...TELLING, `Diversion: <sip:${NUMBER}@x>;reason=unconditional`]);
  t.equal(statusOf(await near.final()), 403);
  t.notMatch(heard(house, near), DIGITS);
});

t.test('a hold, a refresh and the end by the handset show no digit of the number', async (t) => {
  const house = await openHouse(t, codes);
  const near = await dials(house);
  const far = await house.carriers[0].invited();
  far.answer(TELLING.slice(0, 10), tellingSdp);
  await near.final();
  await near.ask('INVITE', { body: sdp(near.phone.peer.address, 7_000, '0 101', ['a=sendonly']) });
  await near.ask('UPDATE');
  await near.ask('OPTIONS');
  await near.ask('INFO', { body: '5', bodyType: 'application/dtmf' });
  await near.ask('REFER', { more: ['Refer-To: <sip:02@balise>'] });
  t.equal(statusOf(await near.ask('BYE')), 200);
  t.notMatch(heard(house, near), DIGITS);
});

t.test('an end at the deadline shows no digit of the number', async (t) => {
  const parts = {
    profiles: [profile({ tokens: { '01': NUMBER }, tokenOnly: true, trunks: ['first'], maxTalkS: 1, warningsS: [] })],
  };
  const house = await openHouse(t, { parts });
  const near = await dials(house);
  (await house.carriers[0].invited()).answer(TELLING.slice(0, 10), tellingSdp);
  await near.final();
  const bye = await near.ended();
  t.equal(headerOf(bye, 'From').replace(/;tag=.*/, ''), `<sip:01@${near.phone.at}>`, 'From is what was dialled');
  t.notMatch(heard(house, near), DIGITS);
});

t.test('a code that nobody gave the handset is refused without a word of the others', async (t) => {
  const house = await openHouse(t, codes);
  const phone = await house.phone();
  const refused = await (await phone.dial(`sip:02@${phone.at}`)).final();
  t.ok(statusOf(refused) >= 400);
  t.notMatch(phone.peer.received.join('\n'), DIGITS);
  t.equal(house.carriers[0].invites, 0);
});

t.test('what is alarmed and logged of a call names no number', async (t) => {
  const house = await openHouse(t, codes);
  const near = await dials(house);
  const far = await house.carriers[0].invited();
  far.answer(TELLING.slice(0, 10), tellingSdp);
  await near.final();
  await near.ask('REFER', { more: [`Refer-To: <sip:${NUMBER}@x>`] });
  await far.ask('REFER', { more: [`Refer-To: <sip:${NUMBER}@x>`] });
  await far.ask('BYE');
  await near.ended();
  t.ok(house.violations.length > 0);
  t.notMatch(JSON.stringify(house.violations), DIGITS);
});
