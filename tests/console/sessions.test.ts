import { statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PEOPLE_FILE, People } from '../../gateway/console/people.js';
import { cookieOf, house, PASSWORD } from './house.js';

const HOUR_MS = 3_600_000;

t.test('a log-in gives a cookie that no script can read and no other site can send', async (t) => {
  const { ask, as, logIn } = await house(t);
  const answer = await ask('POST', '/api/session', { body: { name: ' Auditor', password: PASSWORD } });
  t.equal(answer.status, 200);
  const cookie = answer.headers['set-cookie']?.[0] ?? '';
  t.match(cookie, /^balise-session=[\w-]{43}; /);
  for (const part of ['Path=/', 'HttpOnly', 'SameSite=Strict']) t.match(cookie, part);
  t.match(answer.body, {
    person: { name: 'auditor', role: 'auditor', language: 'en' },
    rights: ['see', 'see-calls', 'see-audit'],
  });
  const me = await logIn('auditor');
  t.match((await as(me, 'GET', '/api/session')).body, { person: { name: 'auditor' }, csrf: me.csrf });
});

t.test('a log-in makes a new id, and the one that the browser came with is over', async (t) => {
  const { ask, logIn } = await house(t);
  const planted = 'balise-session=planted-by-somebody-else';
  const first = await ask('POST', '/api/session', {
    body: { name: 'technician', password: PASSWORD },
    headers: { cookie: planted },
  });
  t.not(cookieOf(first), planted);
  t.equal((await ask('GET', '/api/view', { headers: { cookie: planted } })).status, 401);

  const before = await logIn('technician');
  const again = await ask('POST', '/api/session', {
    body: { name: 'administrator', password: PASSWORD },
    headers: { cookie: before.cookie },
  });
  t.not(cookieOf(again), before.cookie);
  t.equal((await ask('GET', '/api/view', { headers: { cookie: before.cookie } })).status, 401);
  t.equal((await ask('GET', '/api/view', { headers: { cookie: cookieOf(again) } })).status, 200);
});

t.test('whatever changes something needs the token of its own session, whoever sends the cookie', async (t) => {
  const { ask, logIn, site } = await house(t);
  const [mine, other] = [await logIn('supervisor'), await logIn('supervisor')];
  const cut = { target: { kind: 'site' }, reason: 'a test', holdS: 10 };
  const send = (headers: Record<string, string>) =>
    ask('POST', '/api/cutoffs', { body: cut, headers: { cookie: mine.cookie, ...headers } });
  for (const headers of [{}, { 'x-csrf-token': '' }, { 'x-csrf-token': 'made-up' }, { 'x-csrf-token': other.csrf }]) {
    t.match(await send(headers as Record<string, string>), { status: 403, body: { code: 'csrf' } });
  }
  t.same(site.orders, []);
  t.equal((await send({ 'x-csrf-token': mine.csrf })).status, 200);
  t.equal(site.orders.length, 1);
});

t.test('the page of another site can neither log somebody in nor change anything', async (t) => {
  const { ask, console } = await house(t);
  const body = { name: 'technician', password: PASSWORD };
  const from = (origin: string) => ask('POST', '/api/session', { body, headers: { origin } });
  for (const origin of [
    'https://elsewhere.example',
    'null',
    `https://127.0.0.1:${console.port}`,
    'http://127.0.0.1:1',
  ]) {
    t.match(await from(origin), { status: 403, body: { code: 'csrf' } }, origin);
  }
  t.equal((await from(`http://127.0.0.1:${console.port}`)).status, 200);
});

t.test('a session is over an hour after its last use, and twelve after its beginning', async (t) => {
  const { logIn, as, clock } = await house(t);
  const idle = await logIn('technician');
  const busy = await logIn('auditor');
  for (let hour = 0; hour < 12; hour += 0.5) {
    t.equal((await as(busy, 'GET', '/api/view')).status, 200, `after ${hour} h`);
    clock.go(HOUR_MS / 2);
  }
  t.match(await as(busy, 'GET', '/api/view'), { status: 401, body: { code: 'session.none' } });
  t.equal((await as(idle, 'GET', '/api/view')).status, 401);
});

t.test('a log-out ends the session at once', async (t) => {
  const { logIn, as } = await house(t);
  const me = await logIn('technician');
  const answer = await as(me, 'DELETE', '/api/session');
  t.equal(answer.status, 200);
  t.match(answer.headers['set-cookie']?.[0], /^balise-session=;/);
  t.equal((await as(me, 'GET', '/api/view')).status, 401);
});

t.test('a person changes their own password with the old one, and their other sessions end', async (t) => {
  const { logIn, as, ask, site, folder } = await house(t, { people: ['technician'] });
  const [here, there] = [await logIn('technician'), await logIn('technician')];
  const change = (old: string, fresh: string) => as(here, 'POST', '/api/session/password', { old, new: fresh });
  t.match(await change('not the old one', 'a wholly new password'), { status: 403, body: { code: 'password.wrong' } });
  for (const [weak, why] of [
    ['short', /at least 12/],
    ['aaaaaaaaaaaaaaaa', /different/],
    ['my technician password', /name/],
  ] as const) {
    t.match(await change(PASSWORD, weak), { status: 400, body: { code: 'password.weak', error: why } });
  }
  t.equal((await change(PASSWORD, 'a wholly new password')).status, 200);
  t.equal((await as(here, 'GET', '/api/view')).status, 200);
  t.equal((await as(there, 'GET', '/api/view')).status, 401);
  t.equal((await ask('POST', '/api/session', { body: { name: 'technician', password: PASSWORD } })).status, 401);
  await logIn('technician', 'a wholly new password');
  t.match(site.changes, [{ who: 'technician', what: 'person.password', subject: 'technician' }]);
  t.notMatch(JSON.stringify(site.changes), /wholly new|scrypt/, 'no secret is in the audit chain');
  t.equal(statSync(join(folder, PEOPLE_FILE)).mode & 0o777, 0o600);
  t.match(People.open(folder).find('technician')?.password, /^scrypt\$131072\$8\$1\$/, 'N is 2^17');
});

t.test('the disk that takes no event takes no change', async (t) => {
  const { ask, site, folder } = await house(t, { people: ['administrator'] });
  site.isFull = true;
  const body = { name: 'anna', role: 'auditor', password: 'a wholly new password' };
  t.match(await ask('POST', '/api/people', { body, local: true }), { status: 503, body: { code: 'disk' } });
  t.equal(People.open(folder).find('anna'), undefined);
});
