/** An INVITE as an attack: where it comes from, where it would have us speak, and what it asks for besides a call. */
import t from 'tap';
import { QUICK } from '../sip-engine/rig.js';
import { okTo } from './carrier.js';
import { ABROAD, CELL, CELL_2, openHouse, talk } from './house.js';
import { sdp, unique } from './message.js';
import { Peer } from './peer.js';
import { headerOf, isRequest, statusOf } from './phone.js';

t.test('a handset speaks over UDP and over TCP, and is hung up on over the way that it came', async (t) => {
  const house = await openHouse(t);
  for (const transport of ['udp', 'tcp'] as const) {
    const up = await talk(house, await house.phone({ transport }));
    t.equal(statusOf(await up.far.ask('BYE')), 200);
    t.match(headerOf(await up.near.ended(), 'Via'), transport === 'udp' ? /UDP/ : /TCP/);
    t.match(await house.ended(), { cause: 'trunk-hung-up' });
  }
});

t.test('refused and alarmed: a call from outside the wing, and one by a name that nobody has', async (t) => {
  const house = await openHouse(t);
  const foreigner = await house.phone({ address: ABROAD });
  t.equal(statusOf(await foreigner.ask('INVITE')), 403);
  t.match(await house.alarmed('sip.foreign-address'), { handset: 'a-101', address: ABROAD });
  const stranger = await house.phone({ user: 'nobody' });
  const refused = await stranger.ask('INVITE');
  t.equal(statusOf(refused), 403);
  t.match(headerOf(refused, 'Warning'), 'handset.unknown');
  t.equal(house.carriers[0].invites, 0);
});

for (const [attack, contact] of [
  ['a host outside the wing', `<sip:a101@${ABROAD}:5060>`],
  ['the carrier', '<sip:a101@127.0.2.1:5060>'],
  ['a name that would have to be looked up', '<sip:a101@victim.example>'],
  ['a telephone number', '<tel:+442079460099>'],
  ['two at once', `<sip:a101@${CELL}:5060>, <sip:a101@${ABROAD}:5060>`],
] as const) {
  t.test(`refused and alarmed: a call whose Contact would have us send to ${attack}`, async (t) => {
    const house = await openHouse(t);
    const near = await (await house.phone()).dial(undefined, { contact });
    t.equal(statusOf(await near.final()), 403);
    t.match(await house.alarmed('sip.foreign-contact'), { handset: 'a-101', address: CELL });
    t.equal(house.carriers[0].invites, 0);
  });
}

t.test('refused and alarmed: a call whose Record-Route would lead what we send through a stranger', async (t) => {
  const house = await openHouse(t);
  for (const route of [
    `<sip:${ABROAD}:5060;lr>`,
    '<sip:victim.example;lr>',
    `<sip:${CELL};lr>, <sip:${ABROAD};lr>`,
    'noise',
  ]) {
    const near = await (await house.phone()).dial(undefined, { more: [`Record-Route: ${route}`] });
    t.equal(statusOf(await near.final()), 403, route);
  }
  t.match(await house.alarmed('sip.foreign-contact'), { handset: 'a-101' });
  t.equal(house.carriers[0].invites, 0);
});

t.test('refused and alarmed: a re-INVITE or UPDATE that would move the handset’s Contact away', async (t) => {
  const house = await openHouse(t);
  const up = await talk(house);
  for (const method of ['INVITE', 'UPDATE'])
    for (const contact of [`<sip:a101@${CELL_2}:5060>`, `<sip:a101@${ABROAD}:5060>`, '<sip:a101@victim.example>'])
      t.equal(statusOf(await up.near.ask(method, { contact, body: sdp(CELL) })), 403, `${method} ${contact}`);
  t.match(await house.alarmed('sip.foreign-contact'), { handset: 'a-101' });
  await up.far.ask('BYE');
  await up.near.ended();
});

t.test('refused: a call that describes no sound, or is no call', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  t.equal(statusOf(await (await phone.dial(undefined, { body: '' })).final()), 400);
  t.equal(statusOf(await (await phone.dial(undefined, { body: 'hello', bodyType: 'text/plain' })).final()), 488);
  t.equal(statusOf(await (await phone.dial(undefined, { body: sdp(CELL, 7_000, '31') })).final()), 488);
  t.equal(house.carriers[0].invites, 0);
});

t.test('what requires an extension that we do not have is refused 420, before a call and in it', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  const more = ['Require: timer, precondition', 'Require: path'];
  for (const answer of [await (await phone.dial(undefined, { more })).final(), await phone.register({ more })]) {
    t.equal(statusOf(answer), 420);
    t.equal(headerOf(answer, 'Unsupported'), 'precondition, path');
  }
  t.equal(house.carriers[0].invites, 0);
  const up = await talk(house, phone);
  t.equal(statusOf(await up.near.ask('INVITE', { body: sdp(CELL), more })), 420);
  t.equal(statusOf(await up.near.ask('UPDATE', { body: sdp(CELL), more: ['Require: timer'] })), 200);
  t.equal(statusOf(await up.far.ask('BYE')), 200);
  await up.near.ended();
});

t.test('a handset that requires to acknowledge our ringing (100rel) may, once, and its call comes about', async (t) => {
  const house = await openHouse(t);
  const near = await (await house.phone()).dial(undefined, { more: ['Require: 100rel'] });
  const far = await house.carriers[0].invited();
  const ringing = await near.ringing();
  t.match(headerOf(ringing, 'Require'), /100rel/);
  const [rseq, cseq] = [headerOf(ringing, 'RSeq'), Number.parseInt(headerOf(ringing, 'CSeq'), 10)];
  t.equal(statusOf(await near.ask('PRACK', { more: [`RAck: ${rseq} ${cseq} INVITE`] })), 200);
  t.equal(
    statusOf(await near.ask('PRACK', { more: [`RAck: ${rseq} ${cseq} INVITE`] })),
    481,
    'a second time it is nothing',
  );
  far.say('180 Ringing');
  far.answer();
  const answer = await near.phone.peer.next(
    (text) => statusOf(text) === 200 && headerOf(text, 'CSeq') === `${cseq} INVITE`,
  );
  near.phone.peer.send(near.text('ACK', { cseq }));
  await far.acknowledged();
  t.equal(headerOf(answer, 'To'), headerOf(ringing, 'To'));
  t.equal(statusOf(await near.ask('BYE')), 200);
  await far.of('BYE');
  t.match(await house.ended(), { cause: 'handset-hung-up' });
});

t.test(
  'a handset that requires 100rel and never acknowledges our ringing is given up, and the far end with it',
  async (t) => {
    const house = await openHouse(t, { engine: { timers: QUICK } });
    const near = await (await house.phone()).dial(undefined, { more: ['Require: 100rel'] });
    const far = await house.carriers[0].invited();
    far.say('180 Ringing');
    const cancel = await far.of('CANCEL');
    far.peer.send(okTo(cancel));
    far.say('487 Request Terminated');
    t.equal(statusOf(await near.final()), 504);
    t.match(await house.ended(), { cause: 'handset-cancelled' });
  },
);

t.test('a handset that never acknowledges our answer is lost, and has not hung up', async (t) => {
  const house = await openHouse(t, { engine: { timers: QUICK } });
  const near = await (await house.phone()).dial();
  const far = await house.carriers[0].invited();
  far.answer();
  await Promise.all([near.ended(), far.of('BYE')]);
  t.match(await house.ended(), { cause: 'fault.signalling' });
});

t.test('before the answer a handset may cancel, and nothing else', async (t) => {
  const house = await openHouse(t);
  const near = await (await house.phone()).dial();
  const far = await house.carriers[0].invited();
  far.say('180 Ringing');
  await near.ringing();
  t.equal(statusOf(await near.ask('REFER', { more: ['Refer-To: <sip:x@y>'] })), 603);
  t.equal(statusOf(await near.ask('UPDATE', { body: sdp(ABROAD) })), 500, 'RFC 3311 §5.2: one offer at a time');
  t.equal(statusOf(await near.ask('INFO', { body: '5', bodyType: 'application/dtmf' })), 200);
  t.equal(statusOf(await near.ask('MESSAGE')), 405);
  await house.alarmed('sip.refer');
  t.same(
    far.peer.of(far.callId).filter((text) => !isRequest('INVITE')(text)),
    [],
    'the far end hears nothing of it',
  );
  near.cancel();
  await far.of('CANCEL');
  far.say('487 Request Terminated');
  t.match(await house.ended(), { cause: 'handset-cancelled' });
});

t.test('a second INVITE with the Call-ID of a call that is up takes nothing over', async (t) => {
  const house = await openHouse(t);
  const up = await talk(house);
  const neighbour = await house.phone({ user: 'a102', address: CELL_2 });
  const again = await neighbour.dial(undefined, {
    callId: up.near.callId,
    from: `<sip:a102@balise>;tag=${unique('t')}`,
  });
  const far = await house.carriers[0].invited();
  far.say('486 Busy Here');
  t.equal(statusOf(await again.final()), 486, 'it is a call of its own');
  t.equal(statusOf(await up.near.ask('BYE')), 200, 'and the first is still up');
  await up.far.of('BYE');
});

t.test('OPTIONS is answered on both sides, with what may be asked and nothing of the site', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  const answer = await phone.ask('OPTIONS', { uri: `sip:${phone.at}` });
  t.equal(statusOf(answer), 200);
  t.match(headerOf(answer, 'Allow'), /INVITE.*BYE/);
  t.notMatch(answer, /a-101|a102|balise-|Node/);
  const carrier = await Peer.udp(t, '127.0.2.9', house.carrierSide);
  carrier.send(phone.text('OPTIONS', { uri: `sip:127.0.0.1:${house.carrierSide.port}` }));
  t.equal(statusOf(await carrier.next((text) => statusOf(text) >= 200)), 200);
});

t.test(
  'a request that trips over a fault of ours is answered 500 and alarmed, and the next one is served',
  async (t) => {
    let planted = true;
    const { callId } = await import('../../gateway/policy/ids.js');
    const house = await openHouse(t, {
      signalling: {
        newCallId: () => {
          if (!planted) return callId(unique('call'));
          planted = false;
          throw new Error('planted');
        },
      },
    });
    const phone = await house.phone();
    t.equal(statusOf(await (await phone.dial()).final()), 500);
    t.match(await house.alarmed('sip.fault'), { address: CELL, detail: /planted/ });
    const up = await talk(house, phone);
    t.equal(statusOf(await up.near.ask('BYE')), 200);
  },
);
