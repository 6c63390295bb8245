/** Whatever a cell sends, the gateway goes on serving: nothing throws, nothing is dialled that was not judged. */
import fc from 'fast-check';
import t from 'tap';
import { CELL, NUMBER, openHouse, talk } from './house.js';
import { sdp } from './message.js';
import { statusOf } from './phone.js';

/** A change to a text: some characters at a place are replaced. */
const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  drop: fc.nat(12),
  put: fc.oneof(
    fc.string({ maxLength: 8 }),
    fc.constantFrom(
      '\r\n',
      '\r\n\r\n',
      ';',
      ',',
      '"',
      '<',
      '>',
      '\0',
      '%00',
      '@',
      ':',
      '*',
      '€',
      '\r\n ',
      '=',
      'sip:',
      ';tag=',
    ),
  ),
});

const changed = (text: string, changes: readonly { at: number; drop: number; put: string }[]): string =>
  changes.reduce((now, { at, drop, put }) => {
    const place = Math.floor(at * now.length);
    return now.slice(0, place) + put + now.slice(place + drop);
  }, text);

t.test('mutated requests, with true credentials and within a call, are survived', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  const up = await talk(house, phone);
  const uri = `sip:${NUMBER}@${phone.at}`;
  const register = await phone.challenge('REGISTER');
  const invite = await phone.challenge('INVITE', { uri });
  let nc = 0;
  const makers: readonly (() => string)[] = [
    () => phone.text('REGISTER', { more: [phone.credentials(register, 'REGISTER', `sip:${phone.at}`, { nc: ++nc })] }),
    () =>
      phone.text('INVITE', {
        uri: `sip:112@${phone.at}`,
        more: [phone.credentials(invite, 'INVITE', uri, { nc: ++nc })],
      }),
    () => up.near.text('INVITE', { body: sdp(CELL) }),
    () => up.near.text('UPDATE', { body: sdp(CELL) }),
    () => up.near.text('INFO', { body: '5', bodyType: 'application/dtmf' }),
    () => phone.text('SUBSCRIBE', { more: ['Event: x', 'Expires: 0'] }),
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.nat(makers.length - 1),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      async (which, changes) => {
        phone.peer.send(changed(makers[which]?.() ?? '', changes));
        // An answer to this one shows that the one before has been dealt with.
        t.equal(statusOf(await phone.ask('OPTIONS', { uri: `sip:${phone.at}` })), 200);
      },
    ),
    { numRuns: 400, endOnFailure: true },
  );
  t.equal(house.signalling.counts['sip.fault'] ?? 0, 0, 'no fault of ours came up');
  t.equal(house.carriers[0].invites, 1, 'and nobody was dialled');
  const neighbour = await house.phone({ user: 'a102', address: '127.0.1.9' });
  const after = await talk(house, neighbour);
  t.equal(statusOf(await after.near.ask('BYE')), 200, 'a call goes through as before');
});
