/** What we say to a carrier that asks who we are, and to one that only pretends to be. */
import { createHash } from 'node:crypto';
import t from 'tap';
import { profile } from '../peers/site.js';
import { okTo } from './carrier.js';
import { openHouse } from './house.js';
import { headerOf, statusOf } from './phone.js';

/** A challenge of the carrier's, and whether a request answers it (RFC 2617, as carriers speak it). */
const challengeLine = 'Digest realm="carrier", nonce="n0nce", algorithm=MD5, qop="auth"';
const account = { username: 'gateway', password: 'trunk-secret' };

function isAuthorised(request: string, header: string): boolean {
  const value = headerOf(request, header);
  const field = (name: string) => new RegExp(`(?:^|[ ,])${name}="?([^",]*)"?`).exec(value)?.[1] ?? '';
  const md5 = (text: string) => createHash('md5').update(text).digest('hex');
  const [method = '', uri = ''] = request.split(' ');
  if (field('uri') !== uri) return false;
  const ha1 = md5(`${account.username}:carrier:${account.password}`);
  const wanted = md5(`${ha1}:n0nce:${field('nc')}:${field('cnonce')}:auth:${md5(`${method}:${uri}`)}`);
  return field('response') === wanted && field('username') === account.username;
}

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
