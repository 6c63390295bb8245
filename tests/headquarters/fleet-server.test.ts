import t, { type Test } from 'tap';
import type { EventEnvelope } from '../../config/schema/types.generated.js';
import { bundleAckId, signBundle } from '../../gateway/policy-bundle/bundle.js';
import { LoginBrake, putAccount } from '../../scripts/headquarters/accounts.js';
import { callsByHour } from '../../scripts/headquarters/board.js';
import { startFleetServer } from '../../scripts/headquarters/fleet-server.js';
import { differences } from '../../scripts/headquarters/policy-diff.js';
import { noteAnswer, notePolicy } from '../../scripts/headquarters/policy-sent.js';
import { storeBatch } from '../../scripts/headquarters/records/ingest.js';
import { newSigningKey } from '../../scripts/headquarters/sign-command.js';
import { profile } from '../peers/site.js';
import { aDatabase, clock, HandStream } from './world.js';

const PASSWORD = 'correct horse battery';
const BY_PAGE = { 'x-balise': 'fleet', 'content-type': 'application/json' };

async function aServer(t: Test, metricsToken?: string) {
  const db = await aDatabase(t);
  const ordered: unknown[] = [];
  const server = await startFleetServer({
    address: '127.0.0.1',
    port: 0,
    db,
    clock,
    metrics: async () => ({ type: 'text/plain', text: '' }),
    ...(metricsToken === undefined ? {} : { metricsToken }),
    ingester: {
      order: async (gateway, order) => {
        ordered.push([gateway, order]);
        if (gateway === 'a/away') throw new Error('the gateway has not answered');
        return { id: 'x', gateway, state: 'done', at: clock.wall().toString(), ms: 1 };
      },
      sendPolicy: async (gateway, text, { version, by }) => {
        ordered.push([gateway, version, by, text]);
        return { id: 'policy-x', gateway, state: 'done', at: clock.wall().toString() };
      },
    },
  });
  t.teardown(() => server.close());
  const send = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${server.url}${path}`, { method: 'POST', body: JSON.stringify(body), headers: { ...BY_PAGE, ...headers } });
  const cookieOf = async (name: string) => {
    const answer = await send('api/session', { name, password: PASSWORD });
    return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  };
  return { db, server, ordered, send, cookieOf };
}

t.test('behind a proxy on this machine it is the caller that is counted and let in, and not the proxy', async (t) => {
  const { db, server, send } = await aServer(t, 'the token');
  await putAccount(db, 'duty', 'operator', PASSWORD, 1);
  const from = (address: string) => ({ 'x-forwarded-for': address, 'x-forwarded-proto': 'https' });
  const metrics = (headers: Record<string, string>) => fetch(`${server.url}metrics`, { headers });
  t.equal((await metrics({})).status, 200, 'from this machine');
  t.equal((await metrics(from('203.0.113.9'))).status, 401);
  t.equal((await metrics(from('127.0.0.1, 203.0.113.9'))).status, 401, 'whatever a caller says of itself');
  t.equal((await metrics({ ...from('203.0.113.9'), authorization: 'Bearer the token' })).status, 200);
  for (let n = 0; n < 6; n += 1) await send('api/session', { name: `n-${n}`, password: 'wrong' }, from('203.0.113.9'));
  t.equal((await send('api/session', { name: 'duty', password: PASSWORD }, from('203.0.113.9'))).status, 429);
  const other = await send('api/session', { name: 'duty', password: PASSWORD }, from('203.0.113.10'));
  t.equal(other.status, 200);
  t.match(other.headers.get('set-cookie'), /; Secure/);
});

t.test(
  'five passwords in a minute are tried for a name, however many come at once, and others make nobody forget',
  (t) => {
    const brake = new LoginBrake();
    const tries = Array.from({ length: 50 }, () => brake.begin(['name duty'], 1_000));
    t.equal(tries.filter(Boolean).length, 5);
    for (let n = 0; n < 20_000; n += 1) brake.begin([`name x-${n}`], 1_001);
    t.notOk(brake.begin(['name duty'], 2_000));
    t.ok(brake.begin(['name duty'], 61_001), 'a minute later');
    for (let n = 0; n < 50; n += 1) {
      t.ok(brake.begin(['name guest'], 1_000));
      brake.passed(['name guest'], 1_000);
    }
    t.end();
  },
);

const CUT = { gateway: 'a/gw-1', target: { kind: 'site' }, reason: 'the yard alarm', holdS: 10 };

t.test('nothing is read or ordered without a session, and a role orders what it may', async (t) => {
  const { db, server, ordered, send, cookieOf } = await aServer(t);
  await putAccount(db, 'guest', 'viewer', PASSWORD, 1);
  await putAccount(db, 'duty', 'operator', PASSWORD, 1);
  for (const path of [
    'fleet',
    'alarms',
    'refusals',
    'hours',
    'export/calls.csv',
    'export/audit.ndjson?gateway=a/b',
    'session',
  ]) {
    t.equal((await fetch(`${server.url}api/${path}`)).status, 401, path);
  }
  t.equal((await send('api/cutoffs', CUT)).status, 401);
  const guest = { cookie: await cookieOf('guest') };
  t.equal((await fetch(`${server.url}api/fleet`, { headers: guest })).status, 200);
  t.equal((await send('api/cutoffs', CUT, guest)).status, 403);
  t.equal((await send('api/alarms/acknowledged', { id: 'x' }, guest)).status, 403);
  t.same(ordered, []);
  const duty = { cookie: await cookieOf('duty') };
  t.match(await (await send('api/cutoffs', CUT, duty)).json(), { ack: { state: 'done' } });
  t.match(ordered, [['a/gw-1', { type: 'cutoff', by: 'duty', hold: 10_000, reason: 'the yard alarm' }]]);
  t.equal((await send('api/cutoffs', { ...CUT, gateway: 'a/away' }, duty)).status, 504, 'no answer is told as none');
  t.equal((await send('api/cutoffs', { ...CUT, target: { kind: 'moon' } }, duty)).status, 400);
  const elsewhere = await fetch(`${server.url}api/cutoffs`, {
    method: 'POST',
    body: JSON.stringify(CUT),
    headers: { ...duty, 'content-type': 'application/json' },
  });
  t.equal(elsewhere.status, 403, "another page's form is refused");
  await putAccount(db, 'duty', 'operator', 'another password', 2);
  t.equal((await fetch(`${server.url}api/fleet`, { headers: duty })).status, 401, 'a new password ends the sessions');
});

t.test('the sixth wrong password in a minute is not even tried', async (t) => {
  const { db, send } = await aServer(t);
  await putAccount(db, 'duty', 'operator', PASSWORD, 1);
  for (let n = 0; n < 5; n += 1) t.equal((await send('api/session', { name: 'duty', password: `${n}` })).status, 401);
  t.equal((await send('api/session', { name: 'duty', password: PASSWORD })).status, 429);
});

t.test('an account has a decent password, a known role and a plain name', async (t) => {
  const db = await aDatabase(t);
  await t.rejects(putAccount(db, 'duty', 'operator', 'short', 1), /at least 12/);
  await t.rejects(putAccount(db, 'duty', 'king', PASSWORD, 1), /viewer, operator, admin/);
  await t.rejects(putAccount(db, 'Duty Officer', 'viewer', PASSWORD, 1), /is no name/);
  await putAccount(db, 'duty', 'viewer', PASSWORD, 1);
  const [row] = await db.all<{ secret: string }>('SELECT secret FROM account');
  t.match(row?.secret, /^scrypt\$32768\$/);
  t.notMatch(row?.secret, /horse/);
});

t.test('calls are counted by the hour of each zone, and exported with cells that are no formula', async (t) => {
  const { db, server, cookieOf } = await aServer(t);
  await putAccount(db, 'guest', 'viewer', PASSWORD, 1);
  const stream = new HandStream('a/gw-1');
  const at = '2026-03-02T10:10:00Z';
  const data = {
    call: '00000000-0000-7000-8000-000000000001',
    handset: 'a-101',
    person: '=1+1',
    requestedAt: at,
    endedAt: at,
    talkMs: 0,
    cause: 'deadline',
    calleeZone: 'Australia/Lord_Howe',
    planes: {},
  };
  const { body } = stream.next({ type: 'balise.call.ended', data });
  await storeBatch(db, [{ gateway: 'a/gw-1', body, event: JSON.parse(body) as EventEnvelope }], [], 1);
  const hours = await callsByHour(db, 0, ['UTC', 'Asia/Kolkata', 'callee']);
  t.equal(hours.UTC?.[10], 1);
  t.equal(hours['Asia/Kolkata']?.[15], 1, 'half past three in the afternoon');
  t.equal(hours.callee?.[21], 1, 'ten past nine in the evening where the callee is');
  const headers = { cookie: await cookieOf('guest') };
  const csv = await (await fetch(`${server.url}api/export/calls.csv?days=400`, { headers })).text();
  t.match(csv, /^gateway,call,handset,.*\r\na\/gw-1,.*,'=1\+1,/s);
  t.equal(await (await fetch(`${server.url}api/export/audit.ndjson?gateway=a/gw-1`, { headers })).text(), `${body}\n`);
  t.equal((await fetch(`${server.url}api/hours?zones=Mars/Base`, { headers })).status, 400);
});

const KEYS = await Promise.all(['one', 'two'].map((kid) => newSigningKey(kid)));

async function signed(change: Record<string, unknown> = {}): Promise<string> {
  const payload = { site: 'a', version: 7, validFrom: '2026-01-01T00:00:00Z', validOfflineH: 24, ...change };
  const bytes = Buffer.from(JSON.stringify({ content: { profiles: [profile()], lists: { a: ['+32*'] } }, ...payload }));
  let text = '';
  for (const { privateJwk } of KEYS) text = await signBundle(bytes, privateJwk, text);
  return text;
}

t.test('a signed bundle is shown with what it changes before it is sent, by whoever may', async (t) => {
  const { db, ordered, send, cookieOf } = await aServer(t);
  for (const [name, role] of [
    ['duty', 'operator'],
    ['guest', 'viewer'],
  ] as const)
    await putAccount(db, name, role, PASSWORD, Date.now());
  const [duty, guest] = [await cookieOf('duty'), await cookieOf('guest')];
  const post = async (path: string, body: unknown, cookie = duty) => {
    const answer = await send(path, body, { cookie });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const bundle = await signed();
  const of = { gateway: 'a/gw-1', bundle };
  t.match(await post('api/policy/preview', of, guest), { status: 403 });
  t.match(await post('api/policy', { ...of, digest: '0'.repeat(64) }, guest), { status: 403 });
  const shown = await post('api/policy/preview', of);
  t.match(shown, { status: 200, body: { version: 7, signedBy: ['one', 'two'] } });
  t.notOk('comparedWith' in shown.body, 'headquarters knows of none before it');
  const { digest } = shown.body;
  t.match(await post('api/policy', { ...of, bundle: await signed({ version: 8 }), digest }), { status: 409 });
  for (const [strange, why] of [
    ['hello', /no bundle/],
    [await signed({ site: 'b' }), /for the site b/],
    [await signed({ version: 'x' }), /version/],
  ] as const)
    t.match(await post('api/policy/preview', { gateway: 'a/gw-1', bundle: strange }), {
      status: 400,
      body: { error: why },
    });
  t.same(ordered, [], 'nothing was sent');
  t.match(await post('api/policy', { ...of, digest }), { status: 200, body: { ack: { state: 'done' } } });
  t.same(ordered, [['a/gw-1', 7, 'duty', bundle]]);
  await notePolicy(db, 'a/gw-1', bundle, { version: 7, by: 'duty', nowMs: Date.now() });
  const answer = { id: bundleAckId(bundle), gateway: 'a/gw-1', at: clock.wall().toString() } as const;
  await noteAnswer(db, { ...answer, state: 'refused' });
  const next = await signed({ version: 8, validOfflineH: 12 });
  t.notOk('comparedWith' in (await post('api/policy/preview', { ...of, bundle: next })).body, 'it was not taken');
  await noteAnswer(db, { ...answer, state: 'done' });
  t.match(await post('api/policy/preview', { ...of, bundle: next }), {
    body: {
      comparedWith: 7,
      changes: [
        { at: '/version', before: '7', after: '8' },
        { at: '/validOfflineH', before: '24', after: '12' },
      ],
    },
  });
});

t.test('a difference is told by the names of things, and what stands before it moves nothing', (t) => {
  const before = { profiles: [{ id: 'a', maxTalkS: 60 }], block: ['+32*'], list: [{ x: 1 }, { x: 2 }] };
  const after = { profiles: [{ id: 'new' }, { id: 'a', maxTalkS: 30 }], block: ['+31*', '+32*'], list: [{ x: 1 }] };
  t.same(differences(before, after), [
    { at: '/profiles/new', after: '{"id":"new"}' },
    { at: '/profiles/a/maxTalkS', before: '60', after: '30' },
    { at: '/block/+31*', after: '"+31*"' },
    { at: '/list/1', before: '{"x":2}' },
  ]);
  t.same(differences(before, structuredClone(before)), []);
  t.same(differences({ a: [] }, { a: {} }), [{ at: '/a', before: '[]', after: '{}' }]);
  t.end();
});
