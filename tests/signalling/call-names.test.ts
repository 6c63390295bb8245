/**
 * What names a call (Call-ID, tags) and where it leads (Contact, Record-Route), written so that two readers could read two things:
 * the call is judged, kept and ended under one name, or it is none.
 */
import t from 'tap';
import { CELL, CELL_2, openHouse } from './house.js';
import { sdp, unique } from './message.js';
import { statusOf } from './phone.js';

for (const [attack, from] of [
  ['a name in quotes that holds another tag', (tag: string) => `"x;tag=fake" <sip:a101@balise>;tag=${tag}`],
  ['a name in quotes that holds a whole address', (tag: string) => `"<sip:b@c>;tag=fake" <sip:a101@balise>;tag=${tag}`],
  ['space around the equals sign', (tag: string) => `<sip:a101@balise> ; tag = ${tag}`],
  ['a parameter in quotes that holds another tag', (tag: string) => `<sip:a101@balise>;x=">;tag=fake";tag=${tag}`],
  ['a tag and then a parameter in quotes', (tag: string) => `<sip:a101@balise>;tag=${tag};x=">;tag=fake"`],
] as const) {
  t.test(`a call is judged and ended under its own name: a From with ${attack}`, async (t) => {
    const house = await openHouse(t);
    const near = await (await house.phone()).dial(undefined, { from: from(unique('real')) });
    const far = await house.carriers[0].invited();
    far.answer();
    t.equal(statusOf(await near.final()), 200);
    await far.acknowledged();
    t.equal(statusOf(await near.ask('INVITE', { body: sdp(CELL_2) })), 488, 'its sound cannot be moved');
    t.equal(statusOf(await near.ask('REFER', { more: ['Refer-To: <sip:x@y>'] })), 603);
    t.equal(statusOf(await far.ask('BYE')), 200);
    await near.ended();
    t.match(await house.ended(), { cause: 'trunk-hung-up' });
  });
}

for (const [attack, parts] of [
  ['a bar in its Call-ID', { callId: 'a|b' }],
  ['a bar in its tag', { from: '<sip:a101@balise>;tag=a|b' }],
  ['a control character in its Call-ID', { callId: 'a\u0007b' }],
  ['a control character in its tag', { from: '<sip:a101@balise>;tag=a\u001bb' }],
  ['a tag in quotes', { from: '<sip:a101@balise>;tag="a b"' }],
  ['the name of another dialog for a Call-ID', { callId: 'a;from-tag=b' }],
] as const) {
  t.test(`refused by the engine, and nobody is dialled: a call with ${attack}`, async (t) => {
    const house = await openHouse(t);
    const phone = await house.phone();
    phone.peer.send(phone.text('INVITE', parts));
    t.equal(statusOf(await phone.peer.next((text) => statusOf(text) >= 200)), 400);
    t.equal(house.engine.status().dialogs, 0);
    t.equal(house.carriers[0].invites, 0);
  });
}

t.test('refused and alarmed: a Record-Route of which one hop is written without brackets', async (t) => {
  const house = await openHouse(t);
  for (const route of [
    `sip:victim.example;lr, <sip:${CELL};lr>`,
    `<sip:${CELL};lr>, sip:victim.example;lr`,
    `"<sip:${CELL}>" <sip:victim.example;lr>`,
  ]) {
    const near = await (await house.phone()).dial(undefined, { more: [`Record-Route: ${route}`] });
    t.equal(statusOf(await near.final()), 403, route);
  }
  t.match(await house.alarmed('sip.foreign-contact'), { handset: 'a-101' });
  t.equal(house.carriers[0].invites, 0);
});

t.test('the journal keeps where a handset is, and not what its display name says', async (t) => {
  const { handsetDialog } = await import('../../gateway/signalling/leg-dialog.js');
  const headers: Record<string, string> = {
    'call-id': 'call',
    from: '"<sip:x@y>;tag=fake" <sip:a101@balise>; tag = real',
    to: '<sip:+442079460001@balise>',
    contact: `"<sip:x@victim.example>" <sip:a101@${CELL}:5060>`,
  };
  const request = {
    get: (name: string) => headers[name],
    has: (name: string) => name in headers,
    protocol: 'udp',
    source_address: CELL,
    source_port: 5060,
  };
  const kept = handsetDialog(request as never, undefined);
  t.match(kept, {
    dialogId: 'call;from-tag=real',
    remoteTag: 'real',
    remoteTarget: `sip:a101@${CELL}:5060`,
    remoteUri: '"<sip:x@y>;tag=fake" <sip:a101@balise>',
  });
});
