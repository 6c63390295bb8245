/** Who may speak: digest under attack (RFC 7616, RFC 8760). Each request comes over a real socket to the real engine. */
import t, { type Test } from 'tap';
import type { Algorithm, Answer } from './credentials.js';
import { challengesOf } from './credentials.js';
import { CELL, CELL_2, type House, openHouse } from './house.js';
import { unique } from './message.js';
import { headerOf, type Phone, statusOf } from './phone.js';

/** A REGISTER whose credentials are true but for what `answer` says. */
async function registers(phone: Phone, answer: Partial<Answer>): Promise<string> {
  const challenge = await phone.challenge('REGISTER');
  const uri = `sip:${phone.at}`;
  return phone.ask('REGISTER', { more: [phone.credentials(challenge, 'REGISTER', uri, answer)] });
}

const ALGORITHMS: readonly Algorithm[] = ['SHA-256', 'MD5'];

t.test('a challenge offers SHA-256 first and then MD5, each in a header of its own', async (t) => {
  const house = await openHouse(t);
  for (const method of ['REGISTER', 'INVITE'] as const) {
    const refused = await (await house.phone()).ask(method);
    t.equal(statusOf(refused), 401);
    const given = challengesOf(refused);
    t.same(
      given.map(({ algorithm }) => algorithm),
      ['SHA-256', 'MD5'],
      'the strongest first (RFC 8760 §2.4)',
    );
    for (const { realm, qop, stale } of given)
      t.same({ realm, qop, stale }, { realm: 'balise', qop: 'auth', stale: false });
    t.equal((refused.match(/\r\nWWW-Authenticate:/gi) ?? []).length, 2);
  }
});

t.test('a handset whose secret is known by MD5 alone is not asked for another', async (t) => {
  const house = await openHouse(t);
  const refused = await (await house.phone({ user: 'a103' })).ask('REGISTER');
  t.same(
    challengesOf(refused).map(({ algorithm }) => algorithm),
    ['MD5'],
  );
});

for (const algorithm of ALGORITHMS) {
  t.test(`a handset that answers by ${algorithm} registers and calls, over UDP and over TCP`, async (t) => {
    const house = await openHouse(t);
    for (const transport of ['udp', 'tcp'] as const) {
      const phone = await house.phone({ transport });
      phone.algorithm = algorithm;
      t.equal(statusOf(await phone.register()), 200);
      const call = await phone.dial();
      const far = await house.carriers[0].invited();
      far.answer();
      t.equal(statusOf(await call.final()), 200);
      t.equal(statusOf(await call.ask('BYE')), 200);
      await far.of('BYE');
      await house.ended();
      await phone.register({ more: ['Expires: 0'] });
    }
  });
}

t.test('every INVITE is challenged, also that of a handset which is registered and has just called', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  await phone.register();
  const call = await phone.dial();
  (await house.carriers[0].invited()).say('486 Busy Here');
  t.equal(statusOf(await call.final()), 486);
  t.equal(statusOf(await phone.ask('INVITE')), 401);
  t.equal(house.carriers[0].invites, 1, 'and nobody was dialled for it');
});

/** Each of these is refused by another challenge, is counted, and lets nobody in. */
async function isRefused(t: Test, house: House, answer: Partial<Answer>, why: string): Promise<string> {
  const before = house.signalling.counts[`sip.digest-${why}`] ?? 0;
  const answered = await registers(await house.phone(), answer);
  t.equal(statusOf(answered), 401);
  t.equal(challengesOf(answered)[0]?.stale, false, 'and is not told that only its nonce was old');
  t.equal(house.signalling.counts[`sip.digest-${why}`], before + 1, `counted as ${why}`);
  t.equal(house.signalling.registrar.count, 0);
  return answered;
}

for (const [attack, answer, why] of [
  ['a wrong password', { password: 'guessed' }, 'response'],
  ['a wrong realm', { claim: { realm: 'elsewhere' } }, 'realm'],
  ['another handset’s name on its own secret', { user: 'a102' }, 'user'],
  ['the name of another in the header alone', { claim: { username: 'a102' } }, 'user'],
  ['a qop that protects something else (auth-int)', { claim: { qop: 'auth-int' } }, 'malformed'],
  ['no qop, as in RFC 2069', { claim: { qop: '' } }, 'malformed'],
  ['an algorithm that was not offered', { claim: { algorithm: 'SHA-512-256' } }, 'malformed'],
  ['a session algorithm', { claim: { algorithm: 'MD5-sess' } }, 'malformed'],
  ['an MD5 response that is called SHA-256', { claim: { algorithm: 'SHA-256' } }, 'response'],
  ['a response of another method', { method: 'INVITE' }, 'response'],
  ['a response that is cut short', { claim: { response: '00' } }, 'response'],
] as const) {
  t.test(`refused: ${attack}`, async (t) => {
    const house = await openHouse(t);
    await isRefused(t, house, answer, why);
  });
}

t.test('refused and alarmed: a credential that was made for another number', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  const sanctioned = `sip:+442079460001@${phone.at}`;
  const wanted = `sip:+442079460002@${phone.at}`;
  const challenge = await phone.challenge('INVITE', { uri: sanctioned });
  const line = phone.credentials(challenge, 'INVITE', sanctioned);
  t.equal(statusOf(await phone.ask('INVITE', { uri: wanted, more: [line] })), 401);
  t.match(await house.alarmed('sip.moved-credential'), { handset: 'a-101', address: CELL });
  t.equal(house.carriers[0].invites, 0, 'and nobody was dialled');
});

t.test('the host of the uri may be written in capitals, and in no other way may it differ', async (t) => {
  const house = await openHouse(t, { signalling: { realm: 'balise' } });
  const phone = await house.phone();
  const challenge = await phone.challenge('REGISTER', { uri: 'sip:gateway.example' });
  const answer = (uri: string, nc: number) =>
    phone.ask('REGISTER', {
      uri: 'sip:gateway.example',
      more: [phone.credentials(challenge, 'REGISTER', uri, { nc })],
    });
  t.equal(statusOf(await answer('SIP:Gateway.Example', 1)), 200);
  for (const other of ['sip:gateway.example:5060', 'sip:a101@gateway.example', 'sip:gateway.example;transport=udp', ''])
    t.equal(statusOf(await answer(other, 2)), 401, other);
});

t.test('refused and alarmed: a credential that was heard on the wire and is said again', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  const challenge = await phone.challenge('REGISTER');
  const uri = `sip:${phone.at}`;
  const line = (nc: number) => phone.credentials(challenge, 'REGISTER', uri, { nc });
  t.equal(statusOf(await phone.ask('REGISTER', { more: [line(5)] })), 200);
  t.equal(statusOf(await phone.ask('REGISTER', { more: [line(5)] })), 401, 'the same count');
  t.match(await house.alarmed('sip.replayed-nonce'), { handset: 'a-101', address: CELL });
  t.equal(statusOf(await phone.ask('REGISTER', { more: [line(4)] })), 401, 'a lower one');
  t.equal(statusOf(await phone.ask('REGISTER', { more: [line(6)] })), 200, 'while a higher one is the handset itself');
});

t.test('refused and alarmed: an INVITE whose credential is said again dials nobody', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  const call = await phone.dial();
  (await house.carriers[0].invited()).say('486 Busy Here');
  await call.final();
  const [, line = ''] = /\r\n(Authorization: [^\r\n]*)/.exec(call.invite) ?? [];
  t.equal(statusOf(await phone.ask('INVITE', { more: [line] })), 401);
  await house.alarmed('sip.replayed-nonce');
  t.equal(house.carriers[0].invites, 1);
});

t.test('refused and alarmed: a nonce that was given to another address', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  const thief = await house.phone({ address: CELL_2 });
  const challenge = await phone.challenge('REGISTER');
  const line = phone.credentials(challenge, 'REGISTER', `sip:${phone.at}`);
  t.equal(statusOf(await thief.ask('REGISTER', { more: [line] })), 401);
  t.match(await house.alarmed('sip.replayed-nonce'), { handset: 'a-101', address: CELL_2 });
  t.equal(statusOf(await phone.ask('REGISTER', { more: [line] })), 200, 'whose owner can still spend it');
});

t.test('a nonce lives for a minute; then the handset hears that only its nonce was old', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  const challenge = await phone.challenge('REGISTER');
  const uri = `sip:${phone.at}`;
  house.clock.forward(59_000);
  t.equal(statusOf(await phone.ask('REGISTER', { more: [phone.credentials(challenge, 'REGISTER', uri)] })), 200);
  house.clock.forward(2_000);
  const late = await phone.ask('REGISTER', { more: [phone.credentials(challenge, 'REGISTER', uri, { nc: 2 })] });
  t.equal(statusOf(late), 401);
  const [again] = challengesOf(late);
  t.equal(again?.stale, true);
  t.not(again?.nonce, challenge.nonce);
  t.equal(house.signalling.counts['sip.digest-response'] ?? 0, 0, 'which is no failure');
  const wrong = phone.credentials(challenge, 'REGISTER', uri, { nc: 2, password: 'guessed' });
  t.equal(
    challengesOf(await phone.ask('REGISTER', { more: [wrong] }))[0]?.stale,
    false,
    'a guesser learns nothing of it',
  );
});

t.test(
  'a nonce that this gateway never gave, or gave before it was started anew, is old and lets nobody in',
  async (t) => {
    const house = await openHouse(t);
    const other = await openHouse(t);
    const phone = await house.phone();
    const foreign = await (await other.phone()).challenge('REGISTER');
    const uri = `sip:${phone.at}`;
    for (const nonce of [foreign.nonce, '', 'x', `${foreign.nonce}=`, Buffer.alloc(32).toString('base64url')]) {
      const line = phone.credentials({ ...foreign, nonce }, 'REGISTER', uri);
      t.equal(statusOf(await phone.ask('REGISTER', { more: [line] })), 401, nonce);
    }
    t.equal(house.signalling.registrar.count, 0);
  },
);

t.test('credentials that can be read in two ways are read in none', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  const uri = `sip:${phone.at}`;
  const challenge = await phone.challenge('REGISTER');
  const line = phone.credentials(challenge, 'REGISTER', uri);
  for (const more of [
    [line, line],
    [`${line}, username="a102"`],
    [line.replace('Digest', 'Basic')],
    [`${line}, x="${'y'.repeat(2_000)}"`],
    ['Authorization: Digest'],
    ['Authorization: '],
    [line.replace('nc=00000001', 'nc=1')],
  ]) {
    t.equal(statusOf(await phone.ask('REGISTER', { more })), 401, more.join(' | ').slice(0, 80));
  }
  t.equal(house.signalling.registrar.count, 0);
});

t.test('of credentials for several realms the one for ours is judged, wherever it stands', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  const uri = `sip:${phone.at}`;
  const challenge = await phone.challenge('REGISTER');
  const ours = (nc: number, more: Partial<Answer> = {}) =>
    phone.credentials(challenge, 'REGISTER', uri, { nc, ...more });
  const foreign = phone.credentials({ ...challenge, realm: 'elsewhere' }, 'REGISTER', uri);
  const quoting = foreign.replace('username="a101"', 'username="b, Digest realm=\\"balise\\""');
  for (const more of [
    [foreign, ours(1)],
    [ours(2), foreign],
    [foreign, foreign.replace('elsewhere', 'nowhere'), ours(3)],
    [quoting, ours(4)],
    [`${ours(5)}, ${foreign.slice('Authorization: '.length)}`],
  ])
    t.equal(statusOf(await phone.ask('REGISTER', { more })), 200, more.join(' | '));
  t.notOk(
    Object.keys(house.signalling.counts).some((count) => count.startsWith('sip.digest-')),
    'and is no failure',
  );
  t.equal(statusOf(await phone.ask('REGISTER', { more: [foreign, ours(6, { password: 'guessed' })] })), 401);
  t.equal(house.signalling.counts['sip.digest-response'], 1, 'but judged by itself');
  t.equal(statusOf(await phone.ask('REGISTER', { more: [foreign, ours(7), ours(8)] })), 401, 'two for ours are none');
  t.equal(statusOf(await phone.ask('REGISTER', { more: [foreign, quoting] })), 401);
  t.equal(house.signalling.counts['sip.digest-realm'], 1);
});

t.test('an INVITE in the name of another handset is refused, whoever’s secret it is made with', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  const challenge = await phone.challenge('INVITE');
  const uri = `sip:+442079460001@${phone.at}`;
  const line = phone.credentials(challenge, 'INVITE', uri);
  const asAnother = { from: `<sip:a102@balise>;tag=${unique('t')}`, more: [line] };
  t.equal(statusOf(await phone.ask('INVITE', asAnother)), 401);
  const asNobody = { from: `<sip:nobody@balise>;tag=${unique('t')}`, more: [line] };
  t.equal(statusOf(await phone.ask('INVITE', asNobody)), 403);
  const hidden = { from: `"a101" <sip:a102@balise>;tag=${unique('t')}`, more: [line] };
  t.equal(statusOf(await phone.ask('INVITE', hidden)), 401, 'a display name is nobody’s address');
  t.equal(house.carriers[0].invites, 0);
});

t.test('ten failures in a minute block the address for five, and headquarters hears of it once', async (t) => {
  const house = await openHouse(t);
  const guesser = await house.phone();
  for (let n = 1; n <= 10; n++) t.equal(statusOf(await registers(guesser, { password: `guess-${n}` })), 401);
  t.match(await house.alarmed('sip.locked-out'), { handset: 'a-101', address: CELL });
  for (const method of ['REGISTER', 'INVITE']) {
    const blocked = await guesser.ask(method);
    t.equal(statusOf(blocked), 403, `${method} is not even challenged`);
    t.match(headerOf(blocked, 'Retry-After'), /^(300|299)$/);
  }
  const neighbour = await house.phone({ user: 'a102', address: CELL_2 });
  t.equal(statusOf(await neighbour.register()), 200, 'while a neighbour goes on');
  house.clock.forward(299_000);
  t.equal(statusOf(await guesser.ask('REGISTER')), 403);
  house.clock.forward(2_000);
  t.equal(statusOf(await guesser.register()), 200, 'and then the handset itself comes in again');
  t.equal(house.violations.filter(({ code }) => code === 'sip.locked-out').length, 1);
});

t.test('guessing names, and speaking from outside the wing, lead to the same block', async (t) => {
  const house = await openHouse(t);
  const guesser = await house.phone({ user: 'a101' });
  for (let n = 1; n <= 10; n++)
    t.equal(statusOf(await guesser.ask('REGISTER', { from: `<sip:user${n}@balise>;tag=1` })), 403);
  await house.alarmed('sip.locked-out');
  t.equal(statusOf(await guesser.ask('REGISTER')), 403);
});

t.test('nine failures a minute go on being challenged, and are counted', async (t) => {
  const house = await openHouse(t);
  const clumsy = await house.phone();
  for (let round = 1; round <= 2; round++) {
    for (let n = 1; n <= 9; n++) t.equal(statusOf(await registers(clumsy, { password: 'mistyped' })), 401);
    house.clock.forward(60_001);
  }
  t.equal(statusOf(await clumsy.register()), 200);
  t.equal(house.signalling.counts['sip.digest-response'], 18);
  t.notOk(house.violations.some(({ code }) => code === 'sip.locked-out'));
});
