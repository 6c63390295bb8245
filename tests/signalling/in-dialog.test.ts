/** What a handset, the far end and strangers may do inside a call that is up. */
import t, { type Test } from 'tap';
import { ABROAD, CELL, CELL_2, openHouse, type Talk, TRUNK_2, talk } from './house.js';
import { type Parts, sdp } from './message.js';
import { Peer } from './peer.js';
import { headerOf, isRequest, statusOf } from './phone.js';

/** The call goes on: the handset can still end it, and the far end hears of that. */
async function goesOn(t: Test, { near, far }: Talk): Promise<void> {
  t.equal(statusOf(await near.ask('BYE')), 200, 'the call went on until the handset hung up');
  await far.of('BYE');
}

/** Nothing of this call has come to the far end since its ACK. */
function hearsNothing(t: Test, { far }: Talk): void {
  const after = far.peer.of(far.callId).filter((text) => !isRequest('INVITE')(text) && !isRequest('ACK')(text));
  t.same(after, [], 'the far end hears nothing of it');
}

t.test('a session refresh, by re-INVITE or UPDATE, is answered with our own description', async (t) => {
  const house = await openHouse(t);
  const up = await talk(house);
  for (const method of ['INVITE', 'UPDATE', 'INVITE']) {
    const answer = await up.near.ask(method, { body: sdp(CELL) });
    t.equal(statusOf(answer), 200, method);
    t.match(answer, /\r\nm=audio 20000 RTP\/AVP 0 101\r\n/);
    t.match(headerOf(answer, 'Content-Type'), 'application/sdp');
    t.ok(headerOf(answer, 'Contact'));
  }
  t.equal(statusOf(await up.near.ask('UPDATE')), 200, 'or by an UPDATE that describes nothing (RFC 4028 §7.4)');
  hearsNothing(t, up);
  await goesOn(t, up);
});

t.test('hold and resume are answered in kind, with a version of their own', async (t) => {
  const house = await openHouse(t);
  const up = await talk(house);
  const version = (answer: string) => Number(/\r\no=\S+ \S+ (\d+) /.exec(answer)?.[1]);
  const held = await up.near.ask('INVITE', { body: sdp(CELL, 7_000, '0 101', ['a=sendonly']) });
  t.equal(statusOf(held), 200);
  t.match(held, /\r\na=recvonly\r\n/, 'RFC 3264 §6.1');
  const dead = await up.near.ask('INVITE', { body: sdp(CELL, 7_000, '0 101', ['a=inactive']) });
  t.match(dead, /\r\na=inactive\r\n/);
  const resumed = await up.near.ask('INVITE', { body: sdp(CELL, 7_000, '0 101', ['a=sendrecv']) });
  t.match(resumed, /\r\na=sendrecv\r\n/);
  t.ok(version(held) < version(dead) && version(dead) < version(resumed), 'RFC 3264 §8');
  const ofOld = await up.near.ask('INVITE', { body: sdp('0.0.0.0') });
  t.match(ofOld, /\r\na=recvonly\r\n/, 'no address is a hold of the old kind (RFC 3264 §8.4)');
  t.match(await up.near.ask('INVITE', { body: sdp(CELL, 7_000, '0 101') }), /\r\na=sendrecv\r\n/);
  hearsNothing(t, up);
  await goesOn(t, up);
});

for (const [attack, body] of [
  ['sends its sound to another address', sdp(CELL_2)],
  ['sends its sound to another port', sdp(CELL, 7_002)],
  ['names another address for the one line alone', sdp(CELL, 7_000, '0 8 101', [`c=IN IP4 ${ABROAD}`])],
  ['names another address for RTCP', sdp(CELL, 7_000, '0 8 101', [`a=rtcp:7001 IN IP4 ${ABROAD}`])],
  ['names another port for RTCP', sdp(CELL, 7_000, '0 8 101', ['a=rtcp:9999'])],
  ['adds a codec', sdp(CELL, 7_000, '0 8 9 101')],
  ['gives a codec’s number to another', sdp(CELL, 7_000, '0 8 101', ['a=rtpmap:0 L16/8000'])],
  ['drops the codec that is spoken', sdp(CELL, 7_000, '8 101')],
  ['adds a second line of sound', sdp(CELL, 7_000, '0 8 101', ['m=audio 7002 RTP/AVP 0'])],
  ['adds video', sdp(CELL, 7_000, '0 8 101', ['m=video 7002 RTP/AVP 31'])],
  ['asks for secured sound', sdp(CELL).replace('RTP/AVP', 'RTP/SAVP')],
  ['turns the line off', sdp(CELL, 0)],
  ['names no address, and another port', sdp('0.0.0.0', 7_002)],
  ['is no description at all', 'v=0\r\n'],
  ['is noise', '\0\0\0'],
] as const) {
  t.test(`refused with 488, and the call goes on as it was: a re-INVITE or UPDATE that ${attack}`, async (t) => {
    const house = await openHouse(t);
    const up = await talk(house);
    t.equal(statusOf(await up.near.ask('INVITE', { body })), 488);
    t.equal(statusOf(await up.near.ask('INVITE', { body })), 488, 'nor a second time');
    t.equal(statusOf(await up.near.ask('UPDATE', { body })), 488);
    t.equal(statusOf(await up.near.ask('INVITE', { body: sdp(CELL) })), 200, 'while the one it has is still good');
    t.equal(house.signalling.counts['sip.media-change'], 3);
    hearsNothing(t, up);
    await goesOn(t, up);
  });
}

t.test(
  'a hold of the old kind, which names no address (RFC 3264 §8.4), is taken, and then the first address alone',
  async (t) => {
    const house = await openHouse(t);
    const up = await talk(house);
    t.equal(statusOf(await up.near.ask('INVITE', { body: sdp('0.0.0.0') })), 200);
    t.equal(statusOf(await up.near.ask('INVITE', { body: sdp('127.0.0.9') })), 488, 'nor by way of a hold');
    t.equal(statusOf(await up.near.ask('INVITE', { body: sdp(CELL) })), 200);
    hearsNothing(t, up);
    await goesOn(t, up);
  },
);

t.test('refused with 488: a re-INVITE that lets us speak first, and could then answer anything', async (t) => {
  const house = await openHouse(t);
  const up = await talk(house);
  t.equal(statusOf(await up.near.ask('INVITE')), 488);
  await goesOn(t, up);
});

t.test('refused and alarmed: a transfer (REFER), to a number, to another handset, with Replaces', async (t) => {
  const house = await openHouse(t);
  const up = await talk(house);
  for (const target of ['<sip:+442079460002@carrier.example>', '<sip:a102@balise>', '<sip:x@y?Replaces=abc>']) {
    t.equal(statusOf(await up.near.ask('REFER', { more: [`Refer-To: ${target}`] })), 603, target);
  }
  t.match(await house.alarmed('sip.refer'), { handset: 'a-101' });
  t.equal(house.signalling.counts['sip.refer'], 3);
  hearsNothing(t, up);
  t.equal(house.carriers[0].invites, 1, 'nobody else is dialled');
  await goesOn(t, up);
});

for (const [method, parts] of [
  ['MESSAGE', { body: 'the number is 0044', bodyType: 'text/plain' }],
  ['SUBSCRIBE', { more: ['Event: dialog', 'Expires: 600'] }],
  ['SUBSCRIBE', { more: ['Event: dialog', 'Expires: 0'] }],
  ['NOTIFY', { more: ['Event: refer', 'Subscription-State: terminated'] }],
  ['PUBLISH', { more: ['Event: presence'] }],
] as const satisfies readonly (readonly [string, Parts])[]) {
  t.test(`refused with 405 and counted: ${method} ${parts.more?.join(' ') ?? ''}`, async (t) => {
    const house = await openHouse(t);
    const up = await talk(house);
    const answer = await up.near.ask(method, parts);
    t.equal(statusOf(answer), 405);
    t.match(headerOf(answer, 'Allow'), /INVITE/, 'RFC 3261 §21.4.6');
    t.equal(house.signalling.counts[`sip.${method.toLowerCase()}`], 1);
    hearsNothing(t, up);
    await goesOn(t, up);
  });
}

t.test('outside of a call the same requests are refused in the same way', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  for (const method of ['MESSAGE', 'SUBSCRIBE', 'NOTIFY', 'PUBLISH']) {
    t.equal(statusOf(await phone.ask(method)), 405, method);
    t.equal(house.signalling.counts[`sip.${method.toLowerCase()}`], 1);
  }
  t.equal(statusOf(await phone.ask('REFER', { more: ['Refer-To: <sip:x@y>'] })), 603);
  t.match(await house.alarmed('sip.refer'), { address: CELL });
});

t.test('a digit in an INFO is taken and told of, and the INFO goes no further; another INFO is refused', async (t) => {
  const keyed: string[] = [];
  const house = await openHouse(t, { signalling: { keyed: (_call, key) => keyed.push(key) } });
  const up = await talk(house);
  const digit = { body: 'Signal=5\r\nDuration=160\r\n', bodyType: 'application/dtmf-relay' };
  t.equal(statusOf(await up.near.ask('INFO', digit)), 200);
  for (const body of ['#', 'Signal= 17'])
    t.equal(statusOf(await up.near.ask('INFO', { body, bodyType: 'application/dtmf' })), 200);
  t.equal(house.signalling.counts['sip.info-digit'], 3);
  t.same(keyed, ['5', '#', ''], 'for the media plane to judge, what cannot be read too');
  t.equal(statusOf(await up.near.ask('INFO')), 200, 'an empty one asks only whether we are there');
  t.equal(statusOf(await up.near.ask('INFO', { body: 'hello', bodyType: 'text/plain' })), 415);
  t.equal(house.signalling.counts['sip.info'], 1);
  hearsNothing(t, up);
  t.equal(statusOf(await up.far.ask('INFO', { body: '5', bodyType: 'application/dtmf' })), 200);
  t.equal(keyed.length, 3, 'the trunk’s are none of the handset’s');
  await goesOn(t, up);
});

t.test('refused: PRACK of nothing, and a method that SIP does not have', async (t) => {
  const house = await openHouse(t);
  const up = await talk(house);
  t.equal(statusOf(await up.near.ask('PRACK', { more: ['RAck: 1 2 INVITE'] })), 481, 'RFC 3262 §3');
  t.equal(Math.floor(statusOf(await up.near.ask('DANCE')) / 100), 4);
  hearsNothing(t, up);
  await goesOn(t, up);
});

t.test(
  'refused and alarmed: an INVITE that would take over a call (Replaces) or join it, fresh or within one',
  async (t) => {
    const house = await openHouse(t);
    const up = await talk(house);
    const replaces = `Replaces: ${up.far.callId};to-tag=a;from-tag=b`;
    for (const header of [replaces, replaces.replace('Replaces', 'Join')]) {
      const neighbour = await house.phone({ user: 'a102', address: CELL_2 });
      const taking = await neighbour.dial(undefined, { more: [header] });
      t.equal(statusOf(await taking.final()), 481, header);
      t.equal(statusOf(await up.near.ask('INVITE', { body: sdp(CELL), more: [header] })), 481, `${header} within`);
    }
    t.match(await house.alarmed('sip.replaces'), { handset: 'a-102' });
    t.equal(house.signalling.counts['sip.replaces'], 4);
    t.equal(house.carriers[0].invites, 1);
    await goesOn(t, up);
  },
);

t.test('refused and alarmed: a request in the call from another address, which then gets nothing of it', async (t) => {
  const house = await openHouse(t);
  const up = await talk(house);
  const strangers = [await Peer.udp(t, CELL_2, house.cell), await Peer.udp(t, ABROAD, house.cell)];
  for (const stranger of strangers) {
    for (const [method, parts] of [
      ['INVITE', { body: sdp(CELL) }],
      ['UPDATE', {}],
      ['INFO', { body: '5', bodyType: 'application/dtmf' }],
      ['REFER', { more: ['Refer-To: <sip:x@y>'] }],
      ['MESSAGE', {}],
    ] as const satisfies readonly (readonly [string, Parts])[]) {
      const from = `${method} from ${stranger.address}`;
      t.equal(statusOf(await up.near.ask(method, parts, stranger)), 403, from);
    }
  }
  t.match(await house.alarmed('sip.foreign-source'), { handset: 'a-101', address: CELL_2 });
  hearsNothing(t, up);
  t.equal(statusOf(await up.far.ask('BYE')), 200);
  await up.near.ended();
  for (const stranger of strangers) t.notOk(stranger.received.some(isRequest('BYE')), 'our BYE goes to the handset');
});

t.test('a BYE from another address ends the call: alarmed, but no call is kept up against a doubt', async (t) => {
  const house = await openHouse(t);
  const up = await talk(house);
  const stranger = await Peer.udp(t, CELL_2, house.cell);
  t.equal(statusOf(await up.near.ask('BYE', {}, stranger)), 200);
  t.match(await house.alarmed('sip.foreign-source'), { handset: 'a-101', address: CELL_2 });
  await up.far.of('BYE');
  t.match(await house.ended(), { cause: 'handset-hung-up' });
});

t.test('a request with the call’s Call-ID and a guessed tag belongs to no call', async (t) => {
  const house = await openHouse(t);
  const up = await talk(house);
  for (const method of ['BYE', 'INFO', 'UPDATE', 'INVITE', 'REFER']) {
    t.equal(statusOf(await up.near.ask(method, { to: '<sip:x@balise>;tag=guessed' })), 481, method);
  }
  await goesOn(t, up);
});

t.test('a session refresh of the far end is answered, and its sound cannot be moved', async (t) => {
  const house = await openHouse(t);
  const up = await talk(house);
  const { address } = up.far.peer;
  const refreshed = await up.far.ask('INVITE', { body: sdp(address, 9_000, '0 8 18 101') });
  t.equal(statusOf(refreshed), 200, 'with all of its codecs, as carriers do');
  t.match(refreshed, /\r\nm=audio 30000 RTP\/AVP [08 ]+101\r\n/);
  t.equal(statusOf(await up.far.ask('UPDATE')), 200);
  t.equal(statusOf(await up.far.ask('INVITE')), 200, 'an offer of ours, when it asks for one');
  for (const method of ['INVITE', 'UPDATE'])
    t.equal(statusOf(await up.far.ask(method, { body: sdp(ABROAD, 9_000, '0 101') })), 488, method);
  t.equal(house.signalling.counts['sip.media-change'], 2);
  await goesOn(t, up);
});

t.test('refused: what the far end asks for beside its speech', async (t) => {
  const house = await openHouse(t);
  const up = await talk(house);
  t.equal(statusOf(await up.far.ask('REFER', { more: ['Refer-To: <sip:+442079460002@x>'] })), 603);
  await house.alarmed('sip.refer');
  for (const method of ['MESSAGE', 'SUBSCRIBE', 'NOTIFY', 'PUBLISH'])
    t.equal(statusOf(await up.far.ask(method)), 405, method);
  t.equal(statusOf(await up.far.ask('INFO', { body: '5', bodyType: 'application/dtmf' })), 200);
  t.equal(house.carriers[0].invites, 1, 'nobody else is dialled');
  const heard = up.phone.peer.of(up.near.callId).filter((text) => !text.startsWith('SIP/2.0 '));
  t.same(heard, [], 'the handset hears nothing of it');
  await goesOn(t, up);
});

t.test('refused and alarmed: a request in the trunk’s dialog from outside the carrier’s networks', async (t) => {
  const house = await openHouse(t);
  const up = await talk(house);
  const stranger = await Peer.udp(t, ABROAD, house.carrierSide);
  t.equal(statusOf(await up.far.ask('INVITE', { body: sdp(TRUNK_2, 9_000, '0 101') }, stranger)), 403);
  t.match(await house.alarmed('sip.foreign-source'), { address: ABROAD });
  const colleague = await Peer.udp(t, TRUNK_2, house.carrierSide);
  t.equal(statusOf(await up.far.ask('INFO', {}, colleague)), 200, 'another machine of the carrier may speak');
  await goesOn(t, up);
});
