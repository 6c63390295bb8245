/** What we say to a carrier that asks who we are, and to one that only pretends to be. */
import t from 'tap';
import type { LegDialog } from '../../gateway/calls/record.js';
import { readChallenges } from '../../gateway/signalling/trunk-digest.js';
import { profile } from '../peers/site.js';
import { okTo } from './carrier.js';
import {
  TRUNK_ACCOUNT as account,
  MD5_CHALLENGE as challengeLine,
  isAuthorised,
  trunkChallenge,
} from './credentials.js';
import { openHouse } from './house.js';
import { headerOf, isRequest, statusOf } from './phone.js';

for (const [status, challenge, answer] of [
  ['401 Unauthorized', 'WWW-Authenticate', 'Authorization'],
  ['407 Proxy Authentication Required', 'Proxy-Authenticate', 'Proxy-Authorization'],
] as const) {
  t.test(`a carrier that asks for digest by ${status.slice(0, 3)} gets it, for INVITE and for BYE`, async (t) => {
    const house = await openHouse(t, { trunk: account });
    const near = await (await house.phone()).dial();
    const first = await house.carriers[0].invited();
    first.say(status, [`${challenge}: ${challengeLine}`]);
    const far = await house.carriers[0].invited();
    t.ok(isAuthorised(far.invite, answer));
    t.equal(headerOf(far.invite, 'Call-ID'), headerOf(first.invite, 'Call-ID'), 'RFC 3261 §22.2: the same call');
    t.equal(Number.parseInt(headerOf(far.invite, 'CSeq'), 10), Number.parseInt(headerOf(first.invite, 'CSeq'), 10) + 1);
    far.answer();
    await near.final();
    await far.acknowledged();
    far.peer.answersByes = false;
    const hungUp = near.ask('BYE');
    const bye = await far.of('BYE');
    t.equal(headerOf(bye, answer), '');
    far.peer.send(challengeTo(bye, status, `${challenge}: ${challengeLine}`));
    const again = await far.of('BYE');
    t.ok(isAuthorised(again, answer), 'the BYE is believed too');
    far.peer.send(okTo(again));
    t.equal(statusOf(await hungUp), 200);
    t.match(await house.ended(), { cause: 'handset-hung-up' });
  });
}

function challengeTo(request: string, status: string, header: string): string {
  return okTo(request).replace('200 OK', status).replace('Content-Length', `${header}\r\nContent-Length`);
}

t.test('a challenge of another realm than the carrier’s gets no credentials', async (t) => {
  const house = await openHouse(t, { trunk: { ...account, realm: 'carrier' } });
  const near = await (await house.phone()).dial();
  const thief = await house.carriers[0].invited();
  thief.say('401 Unauthorized', [`WWW-Authenticate: ${challengeLine.replace('"carrier"', '"elsewhere"')}`]);
  const far = await house.carriers[1].invited();
  far.say('486 Busy Here');
  await near.final();
  t.equal(house.carriers[0].invites, 1);
  t.notOk(thief.peer.received.some((text) => /authorization/i.test(text)));
  const again = await (await house.phone()).dial();
  (await house.carriers[0].invited()).say('401 Unauthorized', [`WWW-Authenticate: ${challengeLine}`]);
  const believed = await house.carriers[0].invited();
  t.ok(isAuthorised(believed.invite, 'Authorization'), 'while its own does');
  believed.say('486 Busy Here');
  await again.final();
});

t.test('the engine’s own BYE at the deadline is challenged, and sent again with credentials', async (t) => {
  const house = await openHouse(t, {
    trunk: account,
    parts: { profiles: [profile({ trunks: ['first'], maxTalkS: 1, warningsS: [] })] },
  });
  const near = await (await house.phone()).dial();
  const far = await house.carriers[0].invited();
  far.answer();
  await near.final();
  far.peer.answersByes = false;
  const bye = await far.of('BYE');
  far.peer.send(challengeTo(bye, '401 Unauthorized', `WWW-Authenticate: ${challengeLine}`));
  const again = await far.of('BYE');
  t.ok(isAuthorised(again, 'Authorization'));
  far.peer.send(okTo(again));
  await near.ended();
  t.match(await house.ended(), { cause: 'deadline' });
  t.equal(house.engine.status().dialogs, 0);
});

t.test('a carrier that believes no credentials of ours is an alarm: its leg may still be up', async (t) => {
  const house = await openHouse(t, { trunk: account });
  const near = await (await house.phone()).dial();
  const far = await house.carriers[0].invited();
  far.answer();
  await near.final();
  far.peer.answersByes = false;
  await near.ask('BYE');
  for (let n = 1; n <= 2; n++) {
    const bye = await far.of('BYE');
    far.peer.send(challengeTo(bye, '401 Unauthorized', `WWW-Authenticate: ${challengeLine}`));
  }
  t.match(await house.alarmed('trunk.bye-refused'), { handset: 'a-101' });
  t.match(await house.ended(), { cause: 'handset-hung-up' });
});

t.test('a call that is cancelled after the carrier’s challenge cancels the INVITE that stands', async (t) => {
  const house = await openHouse(t, { trunk: account });
  const near = await (await house.phone()).dial();
  (await house.carriers[0].invited()).say('401 Unauthorized', [`WWW-Authenticate: ${challengeLine}`]);
  const far = await house.carriers[0].invited();
  far.say('180 Ringing');
  await near.ringing();
  near.cancel();
  const cancel = await far.of('CANCEL');
  t.equal(headerOf(cancel, 'Via'), headerOf(far.invite, 'Via'));
  far.peer.send(okTo(cancel));
  far.say('487 Request Terminated');
  t.equal(statusOf(await near.final()), 487);
  t.match(await house.ended(), { cause: 'handset-cancelled' });
});

for (const algorithm of ['SHA-256', 'SHA-512-256']) {
  t.test(`a carrier that asks by ${algorithm} gets it, for INVITE and for BYE (RFC 8760)`, async (t) => {
    const house = await openHouse(t, { trunk: account });
    const near = await (await house.phone()).dial();
    const asked = `WWW-Authenticate: ${trunkChallenge(algorithm)}`;
    (await house.carriers[0].invited()).say('401 Unauthorized', [asked]);
    const far = await house.carriers[0].invited();
    t.ok(isAuthorised(far.invite, 'Authorization', algorithm));
    far.answer();
    await near.final();
    await far.acknowledged();
    far.peer.answersByes = false;
    const hungUp = near.ask('BYE');
    far.peer.send(challengeTo(await far.of('BYE'), '401 Unauthorized', asked));
    const again = await far.of('BYE');
    t.ok(isAuthorised(again, 'Authorization', algorithm));
    far.peer.send(okTo(again));
    t.equal(statusOf(await hungUp), 200);
  });
}

t.test('downgrade: MD5 beside SHA-256 is not answered, in whatever order and in one header or two', async (t) => {
  const house = await openHouse(t, { trunk: account });
  const [weak, strong] = [trunkChallenge('MD5'), trunkChallenge('SHA-256')];
  for (const headers of [
    [`WWW-Authenticate: ${weak}`, `WWW-Authenticate: ${strong}`],
    [`WWW-Authenticate: ${strong}`, `WWW-Authenticate: ${weak}`],
    [`WWW-Authenticate: ${weak}, ${strong}`],
    [`WWW-Authenticate: ${trunkChallenge('SHA-3')}, Basic realm="carrier", ${strong}`],
  ]) {
    const near = await (await house.phone()).dial();
    (await house.carriers[0].invited()).say('401 Unauthorized', headers);
    const far = await house.carriers[0].invited();
    t.ok(isAuthorised(far.invite, 'Authorization', 'SHA-256'), headers.join(' | '));
    far.say('486 Busy Here');
    await near.final();
  }
});

t.test('a nonce that has become stale is answered once more, and a carrier that goes on asking is left', async (t) => {
  const house = await openHouse(t, { trunk: account });
  const near = await (await house.phone()).dial();
  const stale = (nonce: string): readonly string[] => [
    `WWW-Authenticate: ${trunkChallenge('SHA-256', ', stale=true').replace('n0nce', nonce)}`,
  ];
  (await house.carriers[0].invited()).say('401 Unauthorized', stale('one'));
  const second = await house.carriers[0].invited();
  t.ok(isAuthorised(second.invite, 'Authorization', 'SHA-256', 'one'));
  second.say('401 Unauthorized', stale('two'));
  const third = await house.carriers[0].invited();
  t.ok(isAuthorised(third.invite, 'Authorization', 'SHA-256', 'two'));
  third.say('401 Unauthorized', stale('three'));
  const next = await house.carriers[1].invited();
  next.say('486 Busy Here');
  await near.final();
  t.equal(house.carriers[0].invites, 3);
});

t.test('a challenge by what we do not know is not answered: another algorithm, or integrity alone', async (t) => {
  const house = await openHouse(t, { trunk: account });
  for (const challenge of [
    trunkChallenge('SHA-3'),
    trunkChallenge('SHA-256').replace('"auth"', '"auth-int"'),
    'Basic realm="carrier"',
    'Digest realm="carrier"',
    'nonsense',
  ]) {
    const near = await (await house.phone()).dial();
    (await house.carriers[0].invited()).say('401 Unauthorized', [`WWW-Authenticate: ${challenge}`]);
    const next = await house.carriers[1].invited();
    next.say('486 Busy Here');
    await near.final();
  }
  t.equal(house.carriers[0].invites, 5);
});

t.test('challenges are read wherever the commas stand, and whatever else is there', (t) => {
  const read = (text: string) => readChallenges(text).map((challenge) => Object.fromEntries(challenge));
  t.same(read('Digest realm="a, b", nonce="x\\"y",qop="auth,auth-int" , DIGEST  realm=c,nonce=d,Basic realm="e"'), [
    { realm: 'a, b', nonce: 'x"y', qop: 'auth,auth-int' },
    { realm: 'c', nonce: 'd' },
  ]);
  for (const noise of ['', 'Digest', 'Digest ', 'realm="a"', 'Negotiate abc=', '"', 'Digest realm="']) {
    t.ok(
      read(noise).every((challenge) => challenge.nonce === undefined),
      noise,
    );
  }
  t.ok(
    readChallenges(`Digest ${'a=b '.repeat(30_000)}`).every(({ size }) => size < 10),
    'and no more of it than is ever needed',
  );
  t.end();
});

/** A leg that an earlier process left up at that carrier, as the journal knows it. */
const leftUp = (peer: { readonly address: string; readonly port: number }): LegDialog => ({
  leg: 'trunk',
  state: 'confirmed',
  dialogId: 'gone;from-tag=ours',
  callId: 'gone',
  localUri: '<sip:+442079460900@127.0.0.1>',
  localTag: 'ours',
  remoteUri: `<sip:+442079460001@${peer.address}:${peer.port}>`,
  remoteTag: 'theirs',
  remoteTarget: `sip:gw@${peer.address}:${peer.port}`,
  routeSet: [],
  cseq: 7,
  branch: 'z9hG4bKgone',
  transport: 'udp',
  address: peer.address,
  port: peer.port,
});

for (const [status, challenge, answer] of [
  ['401 Unauthorized', 'WWW-Authenticate', 'Authorization'],
  ['407 Proxy Authentication Required', 'Proxy-Authenticate', 'Proxy-Authorization'],
] as const) {
  t.test(`a BYE that an earlier process owed is proven where the carrier asks by ${status.slice(0, 3)}`, async (t) => {
    const house = await openHouse(t, { trunk: account });
    const { peer } = house.carriers[0];
    peer.answersByes = false;
    const ending = house.signalling.endFromJournal([leftUp(peer)]);
    const first = await peer.next(isRequest('BYE'));
    peer.send(challengeTo(first, status, `${challenge}: ${trunkChallenge('SHA-256')}, ${challengeLine}`));
    const again = await peer.next(isRequest('BYE'));
    t.ok(isAuthorised(again, answer, 'SHA-256'), 'by the stronger of two');
    t.match(first, new RegExp(`^BYE sip:gw@${peer.address}:${peer.port} `));
    t.equal(headerOf(again, 'Call-ID'), 'gone');
    t.equal(Number.parseInt(headerOf(again, 'CSeq'), 10), Number.parseInt(headerOf(first, 'CSeq'), 10) + 1);
    const stale = `${challenge}: ${trunkChallenge('SHA-256', ', stale=true').replace('n0nce', 'n3w')}`;
    peer.send(challengeTo(again, status, stale));
    const last = await peer.next(isRequest('BYE'));
    t.ok(isAuthorised(last, answer, 'SHA-256', 'n3w'), 'and with a new nonce where the first was stale');
    peer.send(okTo(last));
    await ending;
    t.same(house.violations, []);
  });
}

t.test('a carrier that does not believe such a BYE is an alarm: the leg stands until its session timer', async (t) => {
  const house = await openHouse(t, { trunk: account });
  const { peer } = house.carriers[0];
  peer.answersByes = false;
  const ending = house.signalling.endFromJournal([leftUp(peer)]);
  for (const _ of ['not proven', 'not believed']) {
    const bye = await peer.next(isRequest('BYE'));
    peer.send(challengeTo(bye, '401 Unauthorized', `WWW-Authenticate: ${challengeLine}`));
  }
  await ending;
  t.match(await house.alarmed('trunk.bye-refused'), { detail: /an earlier process/ });
  t.equal(peer.received.filter(isRequest('BYE')).length, 2);
});

t.test('a BYE that was owed still is when the SIP server is lost before its answer', async (t) => {
  const house = await openHouse(t);
  const { peer } = house.carriers[0];
  peer.answersByes = false;
  const ending = house.signalling.endFromJournal([leftUp(peer)]);
  await peer.next(isRequest('BYE'));
  await Promise.all([t.rejects(ending, /lost/), house.engine.close()]);
});

t.test('nobody but the carrier of a leg is shown our credentials for the BYE that it is owed', async (t) => {
  const house = await openHouse(t, { trunk: account });
  const thief = house.carriers[1].peer;
  thief.answersByes = false;
  const ending = house.signalling.endFromJournal([leftUp(thief)]);
  const bye = await thief.next(isRequest('BYE'));
  thief.send(challengeTo(bye, '401 Unauthorized', `WWW-Authenticate: ${challengeLine}`));
  await ending;
  await house.alarmed('trunk.bye-refused');
  t.notOk(thief.received.some((text) => /authorization/i.test(text)));
});
