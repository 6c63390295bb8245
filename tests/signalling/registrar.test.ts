/** What may be registered, by whom and from where: REGISTER as an attack. */
import t from 'tap';
import { handsetId } from '../../gateway/policy/ids.js';
import { ABROAD, CELL, CELL_2, openHouse } from './house.js';
import { unique } from './message.js';
import { headerOf, statusOf } from './phone.js';

const A101 = handsetId('a-101');

t.test('a handset registers one contact for the time that it asks, over UDP and over TCP', async (t) => {
  for (const transport of ['udp', 'tcp'] as const) {
    const house = await openHouse(t);
    const phone = await house.phone({ transport });
    const answer = await phone.register({ more: ['Expires: 600'] });
    t.equal(statusOf(answer), 200);
    t.match(headerOf(answer, 'Contact'), /;expires=(600|599)$/);
    t.equal(headerOf(answer, 'Contact').startsWith(phone.contact), true);
    t.equal(house.signalling.registrar.isRegistered(A101), true);
    t.match(house.signalling.registrar.registration(A101), { address: /^127\./, ageMs: Number, leftMs: Number });
    t.equal(house.signalling.registrar.count, 1);
  }
});

t.test('a registration lasts an hour at most, a minute at least, and a query changes nothing', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  const short = await phone.register({ more: ['Expires: 59'] });
  t.equal(statusOf(short), 423);
  t.equal(headerOf(short, 'Min-Expires'), '60');
  t.notOk(house.signalling.registrar.isRegistered(A101));
  const long = await phone.register({ contact: `${phone.contact};expires=99999999999` });
  t.match(headerOf(long, 'Contact'), /;expires=(3600|3599)$/);
  const query = await phone.register({ contact: '' });
  t.match(headerOf(query, 'Contact'), /;expires=(3600|3599)$/);
  house.clock.forward(3_600_001);
  t.notOk(house.signalling.registrar.isRegistered(A101), 'it is over with its hour');
  t.equal(house.signalling.registrar.registration(A101), undefined);
  t.equal(headerOf(await phone.register({ contact: '' }), 'Contact'), '');
});

t.test('an Expires that is no number is refused', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  for (const expires of ['soon', '-1', '1e9', '']) {
    t.equal(statusOf(await phone.register({ more: [`Expires: ${expires}`] })), 400, expires);
  }
  t.equal(statusOf(await phone.register({ contact: `${phone.contact};expires=never` })), 400);
  t.notOk(house.signalling.registrar.isRegistered(A101));
});

t.test('a handset that registers another’s address is refused, and the attempt is an alarm', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  t.equal(statusOf(await phone.register({ to: '<sip:a102@balise>' })), 403);
  t.match(await house.alarmed('sip.foreign-aor'), { handset: 'a-101', address: CELL });
  t.notOk(house.signalling.registrar.isRegistered(handsetId('a-102')));
  t.notOk(house.signalling.registrar.isRegistered(A101));
});

t.test('a registration with two contacts is refused: one contact a handset', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  const second = `<sip:a101@${CELL_2}:5060>`;
  t.equal(statusOf(await phone.register({ contact: `${phone.contact}, ${second}` })), 403, 'in one header');
  t.equal(statusOf(await phone.register({ more: [`Contact: ${second}`] })), 403, 'in two');
  t.equal(statusOf(await phone.register({ more: [`m: ${second}`] })), 403, 'and in the compact form');
  t.notOk(house.signalling.registrar.isRegistered(A101));
});

t.test('a contact outside the wing, or that names no address, is refused and is an alarm', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  const foreign = ['127.0.9.9', '[::1]', 'phone.example', '127.0.1.1.example', '2130706689', '127.0.1.1@127.0.9.9'];
  for (const host of foreign) {
    t.equal(statusOf(await phone.register({ contact: `<sip:a101@${host}:5060>` })), 403, host);
  }
  // We would be sent to what `maddr` says, and not to the host (RFC 3261 §19.1.1).
  for (const maddr of [';maddr=127.0.9.9', ';MADDR=127.0.9.9', ';transport=udp;maddr=127.0.9.9']) {
    t.equal(statusOf(await phone.register({ contact: `<sip:a101@${CELL}:5060${maddr}>` })), 403, maddr);
  }
  t.equal(statusOf(await phone.register({ contact: '<tel:+442079460001>' })), 403);
  // What is no address at all does not come past the engine.
  for (const [contact, status] of [
    ['nobody', 400],
    ['<>', 400],
    ['<sip:>', 403],
  ] as const)
    t.equal(statusOf(await phone.register({ contact })), status, contact);
  t.match(await house.alarmed('sip.foreign-contact'), { handset: 'a-101', address: CELL });
  t.notOk(house.signalling.registrar.isRegistered(A101));
});

t.test('a second registration from another address is refused and alarmed while the first is alive', async (t) => {
  const house = await openHouse(t);
  const first = await house.phone();
  const second = await house.phone({ address: CELL_2 });
  t.equal(statusOf(await first.register({ more: ['Expires: 600'] })), 200);
  t.equal(statusOf(await second.register()), 403);
  t.match(await house.alarmed('sip.second-registration'), { handset: 'a-101', address: CELL_2 });
  t.equal(statusOf(await second.register({ more: ['Expires: 0'] })), 403, 'nor may it take the first one away');
  t.equal(statusOf(await second.register({ contact: '*', more: ['Expires: 0'] })), 403);
  t.ok(house.signalling.registrar.isRegistered(A101));
  house.clock.forward(600_001);
  t.equal(statusOf(await second.register()), 200, 'once the first has lapsed, the handset may have moved');
});

t.test('a handset takes its registration back by Expires 0, or by a star', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  await phone.register();
  t.equal(statusOf(await phone.register({ more: ['Expires: 0'] })), 200);
  t.notOk(house.signalling.registrar.isRegistered(A101));
  await phone.register();
  t.equal(statusOf(await phone.register({ contact: '*', more: ['Expires: 0'] })), 200);
  t.notOk(house.signalling.registrar.isRegistered(A101));
});

t.test('a star that would last, and a star beside a contact, are refused', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  t.equal(statusOf(await phone.register({ contact: '*' })), 400, 'RFC 3261 §10.2.2: with Expires 0 alone');
  t.equal(statusOf(await phone.register({ contact: '*', more: ['Expires: 600'] })), 400);
  t.equal(statusOf(await phone.register({ contact: '*', more: [`Contact: ${phone.contact}`, 'Expires: 0'] })), 400);
  t.notOk(house.signalling.registrar.isRegistered(A101));
});

t.test('a registration that comes late, or again with an old CSeq, does not undo a newer one', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  const callId = unique('registration');
  t.equal(statusOf(await phone.register({ callId, cseq: 7 })), 200);
  t.equal(statusOf(await phone.register({ callId, cseq: 6, more: ['Expires: 0'] })), 500, 'RFC 3261 §10.3, step 7');
  t.equal(statusOf(await phone.register({ callId, cseq: 7, more: ['Expires: 0'] })), 500);
  t.ok(house.signalling.registrar.isRegistered(A101));
  t.equal(statusOf(await phone.register({ callId, cseq: 8, more: ['Expires: 0'] })), 200);
  t.notOk(house.signalling.registrar.isRegistered(A101));
  t.equal(statusOf(await phone.register({ callId, cseq: 8 })), 500, 'nor does the end of one let an older one back');
});

t.test('a phone that has lost count is refused for as long as its registration counts, and no longer', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  const callId = unique('registration');
  t.equal(statusOf(await phone.register({ callId, cseq: 7, more: ['Expires: 600'] })), 200);
  t.equal(statusOf(await phone.register({ callId, cseq: 1 })), 500);
  house.clock.forward(600_001);
  t.equal(statusOf(await phone.register({ callId, cseq: 1 })), 200, 'there is none to compare it with');
  t.equal(statusOf(await phone.register({ callId, cseq: 2, more: ['Expires: 0'] })), 200);
  t.equal(statusOf(await phone.register({ callId, cseq: 1 })), 500, 'a late one does not undo what was taken back');
  house.clock.forward(32_001);
  t.equal(statusOf(await phone.register({ callId, cseq: 1 })), 200, 'and after 64·T1 none is late any more');
});

t.test('nobody registers on the trunk side, not even with a handset’s own credentials', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  const challenge = await phone.challenge('REGISTER');
  const { peer } = house.carriers[0];
  const uri = `sip:${house.carrierSide.address}:${house.carrierSide.port}`;
  const callId = unique('inward');
  peer.send(phone.text('REGISTER', { callId, uri, more: [phone.credentials(challenge, 'REGISTER', uri)] }));
  const answer = await peer.next((text) => headerOf(text, 'Call-ID') === callId);
  t.equal(statusOf(answer), 403);
  t.notMatch(answer, /WWW-Authenticate/i);
  t.match(await house.alarmed('sip.inward-request'), { address: house.carriers[0].peer.address });
  t.notOk(house.signalling.registrar.isRegistered(A101));
});

t.test('a handset outside its wing is refused before it is challenged, and alarmed', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone({ address: ABROAD });
  t.equal(statusOf(await phone.ask('REGISTER')), 403);
  t.match(await house.alarmed('sip.foreign-address'), { handset: 'a-101', address: ABROAD });
});

t.test('a registration costs no memory for handsets that the site does not have', async (t) => {
  const house = await openHouse(t);
  const stranger = await house.phone({ user: 'nobody' });
  for (const from of ['<sip:nobody@balise>', '<sip:%61101@balise>', '<tel:+442079460001>', '<sip:balise>']) {
    const answer = await stranger.ask('REGISTER', { from: `${from};tag=1`, to: from });
    t.equal(statusOf(answer), 403, from);
    t.notMatch(answer, /WWW-Authenticate/i, 'and is given nothing to guess with');
  }
});
