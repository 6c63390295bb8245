/** Our registration at a carrier: made, kept, taken up again, and said when it is refused. */
import t, { type Test } from 'tap';
import { profile } from '../peers/site.js';
import { answerTo, headerOf, isRequest } from '../sip-engine/udp-peer.js';
import { isAuthorised, MD5_CHALLENGE, TRUNK_ACCOUNT } from './credentials.js';
import { type House, openHouse } from './house.js';
import { statusOf } from './phone.js';

const HOUR_MS = 3_600_000;
const onlyFirst = profile({ trunks: ['first'] });

const openRegistered = (t: Test, more: object = {}): Promise<House> =>
  openHouse(t, { trunk: { ...TRUNK_ACCOUNT, register: true, ...more } });

const registered = (house: House): Promise<string> => house.carriers[0].peer.next(isRequest('REGISTER'));

/** 200 that keeps our contact for so long. */
function grant(house: House, register: string, expiresS: number): void {
  const contact = headerOf(register, 'Contact').split(';expires')[0];
  const other = '<sip:somebody@192.0.2.7:5060>;expires=5';
  house.carriers[0].peer.send(answerTo(register, '200 OK', [`Contact: ${other}, ${contact};expires=${expiresS}`]));
}

t.test('a trunk that registers does so with digest, as its account, for its own contact', async (t) => {
  const house = await openRegistered(t);
  const first = await registered(house);
  const { peer } = house.carriers[0];
  t.match(first, new RegExp(`^REGISTER sip:127\\.0\\.2\\.1:${peer.port} SIP/2.0`));
  t.match(headerOf(first, 'To'), /^<sip:gateway@127\.0\.2\.1>$/);
  t.match(headerOf(first, 'Contact'), new RegExp(`^<sip:gateway@127\\.0\\.0\\.1:${house.carrierSide.port}>`));
  t.equal(headerOf(first, 'Expires'), '3600');
  peer.send(answerTo(first, '401 Unauthorized', [`WWW-Authenticate: ${MD5_CHALLENGE}`]));
  const proven = await registered(house);
  t.ok(isAuthorised(proven, 'Authorization'));
  t.equal(headerOf(proven, 'Call-ID'), headerOf(first, 'Call-ID'));
  t.equal(headerOf(proven, 'CSeq'), '2 REGISTER');
  grant(house, proven, 3_600);
  await upAndQuiet(house);
});

/** Puts the clock forward until that has come. */
async function later<T>(house: House, awaited: Promise<T>): Promise<T> {
  let isThere = false;
  const there = awaited.finally(() => {
    isThere = true;
  });
  while (!isThere) {
    house.clock.forward(10_000);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return there;
}

/** The registration has been taken, and nobody was alarmed. */
async function upAndQuiet(house: House): Promise<void> {
  const near = await (await house.phone()).dial();
  const far = await house.carriers[0].invited();
  far.say('486 Busy Here');
  await near.final();
  t.same(house.violations, []);
}

t.test('a registration is renewed at half of what the carrier granted our own contact', async (t) => {
  const house = await openRegistered(t);
  const first = await registered(house);
  grant(house, first, 600);
  await upAndQuiet(house);
  house.clock.forward(299_000);
  await upAndQuiet(house);
  t.equal(house.carriers[0].peer.received.filter(isRequest('REGISTER')).length, 1, 'not before');
  house.clock.forward(1_000);
  const again = await registered(house);
  t.equal(headerOf(again, 'Call-ID'), headerOf(first, 'Call-ID'));
  t.equal(headerOf(again, 'CSeq'), '2 REGISTER');
});

t.test(
  'a trunk that refuses to register us is an alarm, is skipped, and is asked again after a growing wait',
  async (t) => {
    const house = await openRegistered(t);
    const { peer } = house.carriers[0];
    peer.send(answerTo(await registered(house), '403 Forbidden'));
    const { detail } = await house.alarmed('trunk.unregistered');
    t.match(detail, /first does not register us: REGISTER met 403/);
    t.same(
      house.signalling.trunkStates.map(({ isUp }) => isUp),
      [false, true],
    );
    const near = await (await house.phone()).dial();
    const far = await house.carriers[1].invited();
    far.say('486 Busy Here');
    await near.final();
    t.equal(house.carriers[0].invites, 0, 'the other trunk is tried at once');
    house.clock.forward(30_000);
    peer.send(answerTo(await registered(house), '503 Service Unavailable'));
    t.equal(house.violations.filter(({ code }) => code === 'trunk.unregistered').length, 1, 'said once');
    grant(house, await later(house, registered(house)), 600);
    await house.alarmed('trunk.registered');
    t.same(
      house.signalling.trunkStates.map(({ isUp }) => isUp),
      [true, true],
    );
  },
);

t.test('a carrier that keeps our last registration is used until that is over', async (t) => {
  const house = await openRegistered(t);
  const { peer } = house.carriers[0];
  grant(house, await registered(house), 3_600);
  await upAndQuiet(house);
  house.clock.forward(HOUR_MS / 2);
  peer.send(answerTo(await registered(house), '500 Server Error'));
  await house.alarmed('trunk.unregistered');
  t.ok(house.signalling.trunkStates[0]?.isUp);
  house.clock.forward(HOUR_MS / 2);
  t.notOk(house.signalling.trunkStates[0]?.isUp);
});

t.test('an interval that the carrier finds too brief (423) is asked for as it wants it', async (t) => {
  const house = await openRegistered(t);
  const { peer } = house.carriers[0];
  peer.send(answerTo(await registered(house), '423 Interval Too Brief', ['Min-Expires: 7200']));
  const again = await registered(house);
  t.equal(headerOf(again, 'Expires'), '7200');
  grant(house, again, 7_200);
  await upAndQuiet(house);
});

t.test('a gateway that stops leaves its carrier: Expires 0, with digest, for the contact that it had', async (t) => {
  const house = await openRegistered(t);
  const { peer } = house.carriers[0];
  const first = await registered(house);
  grant(house, first, 3_600);
  await upAndQuiet(house);
  const left = house.signalling.leave();
  const leaving = await registered(house);
  t.equal(headerOf(leaving, 'Expires'), '0');
  for (const name of ['Contact', 'Call-ID']) t.equal(headerOf(leaving, name), headerOf(first, name));
  peer.send(answerTo(leaving, '401 Unauthorized', [`WWW-Authenticate: ${MD5_CHALLENGE}`]));
  const proven = await registered(house);
  t.equal(headerOf(proven, 'Expires'), '0');
  t.equal(headerOf(proven, 'CSeq'), '3 REGISTER');
  t.ok(isAuthorised(proven, 'Authorization'));
  peer.send(answerTo(proven, '200 OK'));
  await left;
});

t.test('a carrier that says nothing to that is waited for for 2 s and no longer', async (t) => {
  const house = await openRegistered(t);
  grant(house, await registered(house), 3_600);
  await upAndQuiet(house);
  let isOver = false;
  const left = house.signalling.leave().then(() => {
    isOver = true;
  });
  await registered(house);
  t.notOk(isOver);
  house.clock.forward(2_000);
  await left;
});

t.test('a carrier that keeps nothing of us is not asked to forget it', async (t) => {
  const house = await openRegistered(t);
  const { peer } = house.carriers[0];
  peer.send(answerTo(await registered(house), '403 Forbidden'));
  await house.alarmed('trunk.unregistered');
  await house.signalling.leave();
  t.equal(peer.received.filter(isRequest('REGISTER')).length, 1);
});

t.test('a 200 that does not keep our contact is no registration', async (t) => {
  const house = await openRegistered(t);
  const { peer } = house.carriers[0];
  peer.send(answerTo(await registered(house), '200 OK', ['Contact: <sip:somebody@192.0.2.7>', 'Expires: 0']));
  await house.alarmed('trunk.unregistered');
});

t.test('a thief of another realm gets no credentials of a registration', async (t) => {
  const house = await openRegistered(t, { realm: 'carrier' });
  const { peer } = house.carriers[0];
  const foreign = MD5_CHALLENGE.replace('"carrier"', '"elsewhere"');
  peer.send(answerTo(await registered(house), '401 Unauthorized', [`WWW-Authenticate: ${foreign}`]));
  t.match(await house.alarmed('trunk.unregistered'), { detail: /401/ });
  t.notOk(peer.received.some((text) => /\nAuthorization/i.test(text)));
});

t.test(
  'OPTIONS: a carrier that goes silent is skipped at once, said once, and used again when it answers',
  async (t) => {
    const house = await openHouse(t, { trunk: { optionsS: 30 } });
    const { peer } = house.carriers[0];
    const asked = (): Promise<string> => peer.next(isRequest('OPTIONS'));
    const first = await asked();
    t.match(first, new RegExp(`^OPTIONS sip:127\\.0\\.2\\.1:${peer.port} SIP/2.0`));
    t.notMatch(first, /Balise|localhost/i, 'it says nothing of the house');
    peer.send(answerTo(first, '404 Not Found'));
    await upAndQuiet(house);
    house.clock.forward(30_000);
    await asked();
    house.clock.forward(4_000);
    t.match(await house.alarmed('trunk.down'), { detail: 'first is skipped: no answer to OPTIONS' });
    const near = await (await house.phone()).dial();
    const far = await house.carriers[1].invited();
    far.answer();
    t.equal(statusOf(await near.final()), 200);
    await near.ask('BYE');
    await far.of('BYE');
    t.equal(house.carriers[0].invites, 1, 'that was the call before');
  },
);

t.test('OPTIONS: an answer after all brings the trunk back', async (t) => {
  const house = await openHouse(t, { trunk: { optionsS: 30 } });
  const { peer } = house.carriers[0];
  const late = await peer.next(isRequest('OPTIONS'));
  house.clock.forward(4_000);
  await house.alarmed('trunk.down');
  peer.send(answerTo(late, '200 OK'));
  await house.alarmed('trunk.up');
  house.clock.forward(30_000);
  peer.send(answerTo(await peer.next(isRequest('OPTIONS')), '503 Service Unavailable'));
  for (;;) {
    if (house.signalling.trunkStates[0]?.isUp === false) break;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  t.pass('503 is a carrier that takes no calls');
});

t.test('when every trunk is down a call fails at once', async (t) => {
  const house = await openHouse(t, {
    trunk: { optionsS: 30 },
    parts: { profiles: [onlyFirst] },
  });
  await house.carriers[0].peer.next(isRequest('OPTIONS'));
  house.clock.forward(4_000);
  await house.alarmed('trunk.down');
  const near = await (await house.phone()).dial();
  t.equal(statusOf(await near.final()), 503);
  t.match(await house.ended(), { cause: 'trunk-failed' });
  t.equal(house.carriers[0].invites, 0);
});

t.test('a stop while a REGISTER is out waits for its answer, and then ends what it granted', async (t) => {
  const house = await openRegistered(t);
  const first = await registered(house);
  const left = house.signalling.leave();
  grant(house, first, 3_600);
  const last = await registered(house);
  t.equal(headerOf(last, 'Expires'), '0');
  t.equal(headerOf(last, 'CSeq'), '2 REGISTER');
  house.carriers[0].peer.send(answerTo(last, '200 OK'));
  await left;
});

t.test('a stop while a REGISTER is out that is then refused has nothing to end, and renews nothing', async (t) => {
  const house = await openRegistered(t);
  const first = await registered(house);
  const left = house.signalling.leave();
  house.carriers[0].peer.send(answerTo(first, '403 Forbidden'));
  await left;
  house.clock.forward(HOUR_MS);
  t.equal(house.carriers[0].peer.received.filter(isRequest('REGISTER')).length, 1);
  t.same(house.violations, []);
});
