/** What the carrier may do with a call, and what becomes of one that comes from there. */
import t from 'tap';
import { profile } from '../peers/site.js';
import { QUICK } from '../sip-engine/rig.js';
import { type CarrierCall, okTo } from './carrier.js';
import { ABROAD, NUMBER, openHouse, TRUNK, talk } from './house.js';
import { requestText, sdp, unique } from './message.js';
import { Peer } from './peer.js';
import { headerOf, isRequest, statusOf } from './phone.js';

const OTHER = '+442079460099';

t.test('an INVITE of ours shows the trunk’s identity, and nothing of the handset', async (t) => {
  const house = await openHouse(t);
  const up = await talk(house, undefined, undefined);
  const { invite } = up.far;
  t.match(invite, new RegExp(`^INVITE sip:\\${NUMBER}@${TRUNK}:\\d+ SIP/2.0`));
  t.match(headerOf(invite, 'From'), /^<sip:\+442079460900@127\.0\.0\.1:\d+>;tag=/);
  t.equal(headerOf(invite, 'P-Asserted-Identity'), `<sip:+442079460900@${TRUNK}>`);
  t.notMatch(invite, /a101|a-101|localhost|Balise-Listener|127\.0\.1\.1/i);
  t.not(headerOf(invite, 'Call-ID'), up.near.callId);
  t.equal(statusOf(await up.near.ask('BYE')), 200);
});

t.test('a trunk that hides the caller shows its number to the carrier alone', async (t) => {
  const house = await openHouse(t, { trunk: { privacy: 'id' } });
  const { near, far } = await talk(house);
  t.match(headerOf(far.invite, 'From'), /^"Anonymous" <sip:anonymous@anonymous\.invalid>;tag=/);
  t.match(headerOf(far.invite, 'Contact'), /^<sip:127\.0\.0\.1:\d+>$/);
  t.equal(headerOf(far.invite, 'Privacy'), 'id');
  t.equal(headerOf(far.invite, 'P-Asserted-Identity'), `<sip:+442079460900@${TRUNK}>`);
  t.equal(far.invite.split('+442079460900').length - 1, 1, 'and nowhere else');
  t.equal(statusOf(await near.ask('BYE')), 200);
});

t.test('a leg whose carrier never answers its BYE is declared dead, and the handset was told at once', async (t) => {
  const house = await openHouse(t, { engine: { timers: QUICK } });
  const { near, far } = await talk(house);
  far.peer.answersByes = false;
  const ended = near.ended();
  void house.calls.cutoff({ id: 'c', target: { kind: 'site' }, by: 'console', reason: 'test', hold: 0 });
  await ended;
  await far.of('BYE');
  t.match(await house.ended(), { cause: 'cutoff', planes: { signalling: { confirmed: true } } });
  t.equal(house.engine.status().dialogs, 0);
});

t.test('a trunk is spoken to over TCP where the site says so, to the last BYE', async (t) => {
  const house = await openHouse(t, { trunkTransport: 'tcp' });
  const up = await talk(house);
  const { invite } = up.far;
  t.match(invite, /^INVITE sip:\+442079460001@127\.0\.2\.1:\d+;transport=tcp SIP/);
  t.match(headerOf(invite, 'Via'), /TCP/);
  t.match(headerOf(invite, 'Contact'), /;transport=tcp>/);
  t.equal(statusOf(await up.far.ask('INVITE', { body: sdp(TRUNK, 9_000, '0 101') })), 200);
  t.equal(statusOf(await up.near.ask('BYE')), 200);
  t.match(headerOf(await up.far.of('BYE'), 'Via'), /TCP/);
  t.match(await house.ended(), { cause: 'handset-hung-up' });
});

t.test('whatever identity the handset claims is not passed on', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  const claims = [
    `P-Asserted-Identity: <sip:${OTHER}@x>`,
    `P-Preferred-Identity: <sip:${OTHER}@x>`,
    `Remote-Party-ID: <sip:${OTHER}@x>;party=calling`,
    `Diversion: <sip:${OTHER}@x>`,
    `History-Info: <sip:${OTHER}@x>;index=1`,
    'Privacy: id',
    'Subject: tell them',
    'User-Agent: hello-from-the-cell',
    'X-Note: hello-from-the-cell',
  ];
  const near = await phone.dial(undefined, { more: claims });
  const far = await house.carriers[0].invited();
  t.notMatch(far.invite, /460099|Privacy|Subject|hello-from-the-cell/i);
  far.say('486 Busy Here');
  await near.final();
});

for (const status of [
  '300 Multiple Choices',
  '301 Moved Permanently',
  '302 Moved Temporarily',
  '305 Use Proxy',
  '380 Alternative Service',
]) {
  t.test(`a ${status.slice(0, 3)} is never followed: the call is refused`, async (t) => {
    const house = await openHouse(t);
    const elsewhere = await Peer.udp(t, ABROAD, house.carrierSide);
    const near = await (await house.phone()).dial();
    const far = await house.carriers[0].invited();
    const contact = `<sip:${OTHER}@${elsewhere.address}:${elsewhere.port}>`;
    far.peer.send(
      [`SIP/2.0 ${status}`, ...answerHead(far), `Contact: ${contact}`, 'Content-Length: 0', '', ''].join('\r\n'),
    );
    const refused = await near.final();
    t.ok(statusOf(refused) >= 400, 'the handset hears of a refusal');
    t.notMatch(refused, /460099|127\.0\.9\.9/, 'and of nobody’s contact');
    t.match(await house.ended(), { cause: 'callee.redirected' });
    t.equal(elsewhere.received.length, 0);
    t.equal(house.carriers[1].invites, 0, 'nor does another trunk try it');
  });
}

/** The headers that a response repeats. */
function answerHead(far: CarrierCall): string[] {
  const { invite } = far;
  const names = ['Via', 'From', 'Call-ID', 'CSeq'];
  return [...names.map((name) => `${name}: ${headerOf(invite, name)}`), `To: ${headerOf(invite, 'To')};tag=${far.tag}`];
}

for (const [sign, status, more] of [
  ['181', '181 Call Is Being Forwarded', []],
  ['Diversion with 180', '180 Ringing', [`Diversion: <sip:${NUMBER}@x>;reason=unconditional`]],
  ['Diversion with 183', '183 Session Progress', [`diversion: <tel:${NUMBER}>;reason=user-busy`]],
  [
    'History-Info of another number',
    '180 Ringing',
    [`History-Info: <sip:${NUMBER}@x>;index=1, <sip:${OTHER}@x>;index=1.1`],
  ],
  ['History-Info with a cause', '180 Ringing', [`History-Info: <sip:${NUMBER}@x;cause=302>;index=1`]],
  ['History-Info that hides the number', '180 Ringing', ['History-Info: <sip:anonymous@anonymous.invalid>;index=1']],
  ['History-Info that cannot be read', '180 Ringing', ['History-Info: elsewhere']],
  ['Diversion with the answer', '200 OK', [`Diversion: <sip:${NUMBER}@x>`]],
  ['History-Info with the answer', '200 OK', [`History-Info: <sip:${OTHER}@x>;index=1`]],
] as const) {
  t.test(`a forwarded call is cut and alarmed, and never shown to the handset: ${sign}`, async (t) => {
    const house = await openHouse(t);
    const near = await (await house.phone()).dial();
    const far = await house.carriers[0].invited();
    const body = status.startsWith('200') ? sdp(TRUNK, 9_000, '0 101') : '';
    far.say(status, more, body);
    if (status.startsWith('200')) await far.of('BYE');
    else {
      far.peer.send(okTo(await far.of('CANCEL')));
      far.say('487 Request Terminated');
    }
    const refused = await near.final();
    t.equal(statusOf(refused), 403);
    t.match(await house.alarmed('callee.redirected'), { handset: 'a-101' });
    t.match(await house.ended(), { cause: 'callee.redirected' });
    const heard = near.phone.peer.of(near.callId);
    t.notOk(heard.some((text) => /460099|diversion|history/i.test(text)));
    t.notOk(heard.some((text) => statusOf(text) === 181));
  });
}

for (const method of ['INVITE', 'UPDATE']) {
  t.test(`a call that is forwarded while it is up is cut and alarmed: Diversion in ${method}`, async (t) => {
    const house = await openHouse(t);
    const up = await talk(house);
    const ended = up.near.ended();
    await up.far.ask(method, { body: sdp(TRUNK, 9_000, '0 101'), more: [`Diversion: <sip:${OTHER}@x>`] });
    await ended;
    t.match(await house.alarmed('callee.redirected'), { handset: 'a-101' });
    t.match(await house.ended(), { cause: 'callee.redirected' });
  });
}

t.test('a call that is forwarded before the answer, as an UPDATE tells, is cut and alarmed', async (t) => {
  const house = await openHouse(t);
  const near = await (await house.phone()).dial();
  const far = await house.carriers[0].invited();
  far.say('180 Ringing');
  await near.ringing();
  await far.ask('UPDATE', { more: [`Diversion: <sip:${OTHER}@x>`] });
  far.peer.send(okTo(await far.of('CANCEL')));
  far.say('487 Request Terminated');
  t.equal(statusOf(await near.final()), 403);
  t.match(await house.alarmed('callee.redirected'), { handset: 'a-101' });
});

t.test('a History-Info that says only who was called, in whatever form, is no forwarding', async (t) => {
  const house = await openHouse(t);
  const near = await (await house.phone()).dial();
  const far = await house.carriers[0].invited();
  const forms = [
    `<sip:${NUMBER}@x>;index=1`,
    '<sip:02079460001@y;user=phone>;index=1.1',
    '<tel:+44-20-7946-0001>;index=1.2',
  ];
  far.say('180 Ringing', [`History-Info: ${forms.join(', ')}`]);
  far.answer([`History-Info: ${forms[0]}`]);
  t.equal(statusOf(await near.final()), 200);
  t.notOk(house.violations.some(({ code }) => code === 'callee.redirected'));
  await near.ask('BYE');
});

t.test('a call from the trunk inwards is refused with 403, counted and alarmed, and nothing rings', async (t) => {
  const house = await openHouse(t);
  const phone = await house.phone();
  await phone.register();
  const before = phone.peer.received.length;
  const { peer } = house.carriers[0];
  const { address, port } = house.carrierSide;
  const call = async (from: Peer, user: string, more: readonly string[] = []) => {
    const callId = unique('inward');
    const uri = `sip:${user}@${address}:${port}`;
    const parts = { uri, from: `<sip:${OTHER}@x>;tag=1`, to: `<${uri}>`, callId, cseq: 1, body: sdp(TRUNK), more };
    from.send(requestText('INVITE', from, parts));
    return from.next((text) => headerOf(text, 'Call-ID') === callId && statusOf(text) >= 200);
  };
  t.equal(statusOf(await call(peer, 'a101')), 403);
  t.equal(statusOf(await call(peer, NUMBER)), 403);
  t.match(await house.alarmed('sip.inward-call'), { address: TRUNK });
  t.equal(house.signalling.counts['sip.inward-call'], 2);
  const challenge = await phone.challenge('INVITE');
  const line = phone.credentials(challenge, 'INVITE', `sip:${NUMBER}@${address}:${port}`);
  t.equal(statusOf(await call(peer, NUMBER, [line])), 403, 'not even with a handset’s credentials');
  const tcp = await Peer.tcp(t, TRUNK, house.carrierSide);
  t.equal(statusOf(await call(tcp, 'a101')), 403, 'nor over TCP');
  const heard = phone.peer.received.slice(before).filter((text) => !text.startsWith('SIP/2.0 '));
  t.same(heard, [], 'the handset hears nothing');
  t.equal(house.calls.size, 0);
});

for (const status of [
  '500 Server Error',
  '502 Bad Gateway',
  '503 Service Unavailable',
  '408 Request Timeout',
  '401 Unauthorized',
  '407 Proxy Authentication Required',
]) {
  t.test(`a trunk that fails before ringing is left for the next: ${status}`, async (t) => {
    const house = await openHouse(t);
    const near = await (await house.phone()).dial();
    (await house.carriers[0].invited()).say(status);
    const far = await house.carriers[1].invited();
    t.match(far.invite, new RegExp(`^INVITE sip:\\${NUMBER}@127\\.0\\.2\\.2:`));
    far.answer();
    t.equal(statusOf(await near.final()), 200);
    await near.ask('BYE');
    await far.of('BYE');
    t.match(await house.ended(), { trunk: 'second' });
  });
}

t.test('a trunk that says nothing is left for the next after four seconds, and its late answer is ended', async (t) => {
  const house = await openHouse(t);
  const near = await (await house.phone()).dial();
  const dead = await house.carriers[0].invited();
  house.clock.forward(4_001);
  const far = await house.carriers[1].invited();
  dead.answer();
  await dead.acknowledged();
  await dead.of('BYE');
  far.answer();
  t.equal(statusOf(await near.final()), 200, 'the call is with the second');
  await near.ask('BYE');
  await far.of('BYE');
  t.match(await house.ended(), { trunk: 'second', cause: 'handset-hung-up' });
});

t.test('a trunk that tries is waited for, and so is the last one', async (t) => {
  const house = await openHouse(t);
  const near = await (await house.phone()).dial();
  const far = await house.carriers[0].invited();
  far.say('100 Trying');
  await near.phone.ask('OPTIONS', { uri: `sip:${near.phone.at}` });
  house.clock.forward(4_001);
  far.answer();
  t.equal(statusOf(await near.final()), 200);
  t.equal(house.carriers[1].invites, 0);
  await near.ask('BYE');
});

t.test('no other trunk is tried once one has rung, nor for a callee who is busy, unknown or unwilling', async (t) => {
  const house = await openHouse(t);
  for (const [provisional, status] of [
    ['180 Ringing', '503 Service Unavailable'],
    ['183 Session Progress', '500 Server Error'],
    ['', '486 Busy Here'],
    ['', '404 Not Found'],
    ['', '603 Decline'],
    ['', '600 Busy Everywhere'],
  ] as const) {
    const near = await (await house.phone()).dial();
    const far = await house.carriers[0].invited();
    if (provisional !== '') far.say(provisional);
    far.say(status);
    t.ok(statusOf(await near.final()) >= 400, status);
    await house.ended();
  }
  t.equal(house.carriers[1].invites, 0);
});

t.test('when every trunk fails the call fails, once', async (t) => {
  const house = await openHouse(t);
  const near = await (await house.phone()).dial();
  (await house.carriers[0].invited()).say('503 Service Unavailable');
  (await house.carriers[1].invited()).say('500 Server Error');
  t.equal(statusOf(await near.final()), 503);
  t.match(await house.ended(), { cause: 'trunk-failed' });
  t.equal(house.records.length, 1);
});

t.test('early media of the carrier opens nothing and reaches no handset: it rings back by itself', async (t) => {
  const house = await openHouse(t);
  const near = await (await house.phone()).dial();
  const far = await house.carriers[0].invited();
  far.say('183 Session Progress', ['P-Early-Media: sendrecv'], sdp(TRUNK, 9_000, '0 101'));
  const ringing = await near.ringing();
  t.match(ringing, /\r\nContent-Length: 0\r\n/);
  t.same(house.media.early, [], 'the relay is not told of it where the profile does not say so');
  far.say('486 Busy Here');
  await near.final();
  const heard = near.phone.peer.of(near.callId);
  t.notOk(heard.some((text) => /m=audio|127\.0\.2\.1|9000|P-Early-Media/.test(text)));
  t.notOk(heard.some((text) => statusOf(text) === 183));
});

t.test(
  'where the profile lets early media through, the handset gets our own SDP in a 183, once, and the same in its 200',
  async (t) => {
    const house = await openHouse(t, { parts: { profiles: [profile({ trunks: ['first'], earlyMedia: true })] } });
    const near = await (await house.phone()).dial();
    const far = await house.carriers[0].invited();
    const body = sdp(TRUNK, 9_000, '0 101');
    for (const _ of ['said', 'and said again']) far.say('183 Session Progress', ['P-Early-Media: sendrecv'], body);
    const early = await near.phone.peer.next((text) => statusOf(text) === 183);
    far.answer([], body);
    const final = await near.final();
    const bodyOf = (text: string): string => text.slice(text.indexOf('\r\n\r\n') + 4);
    t.match(bodyOf(early), /c=IN IP4 127\.0\.0\.1\r\n[\s\S]*m=audio 20000 RTP\/AVP 0 101/);
    t.equal(bodyOf(final), bodyOf(early), 'an answer is one answer (RFC 3261 §13.2.1)');
    const heard = near.phone.peer.of(near.callId);
    t.notOk(
      heard.some((text) => /127\.0\.2\.1|9000|P-Early-Media/.test(text)),
      'nothing of it is the carrier’s',
    );
    t.equal(heard.filter((text) => statusOf(text) === 183).length, 1);
    t.equal(house.media.early.length, 1);
    await near.ask('BYE');
  },
);

t.test(
  'who keys a code hears nothing of the carrier before the answer, whatever the profile says: it may speak the number',
  async (t) => {
    const coded = profile({ trunks: ['first'], earlyMedia: true, tokens: { '01': NUMBER } });
    const house = await openHouse(t, { parts: { profiles: [coded] } });
    const phone = await house.phone();
    const near = await phone.dial(`sip:01@${phone.at}`);
    const far = await house.carriers[0].invited();
    far.say('183 Session Progress', [], sdp(TRUNK, 9_000, '0 101'));
    t.match(await near.ringing(), /\r\nContent-Length: 0\r\n/);
    far.say('486 Busy Here');
    await near.final();
    t.same(house.media.early, []);
    t.notOk(near.phone.peer.of(near.callId).some((text) => statusOf(text) === 183));
  },
);

t.test('a callee that answers twice (a forked INVITE) is spoken to once', async (t) => {
  const house = await openHouse(t);
  const near = await (await house.phone()).dial();
  const far = await house.carriers[0].invited();
  far.answer();
  await near.final();
  await far.acknowledged();
  const fork = okTo(far.invite)
    .replace(/To: ([^\r]*)/, 'To: $1;tag=another')
    .replace('Content-Length', `${far.contact}\r\nContent-Length`);
  far.peer.send(fork);
  const bye = await far.of('BYE');
  t.match(headerOf(bye, 'To'), /tag=another/, 'the second is ended');
  t.equal(statusOf(await near.ask('BYE')), 200);
  const last = await far.of('BYE');
  t.match(headerOf(last, 'To'), new RegExp(`tag=${far.tag}`));
  t.equal(far.peer.of(far.callId).filter(isRequest('INVITE')).length, 1);
});
