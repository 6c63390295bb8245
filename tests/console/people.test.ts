import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PEOPLE_FILE, People } from '../../gateway/console/people.js';
import { house, PASSWORD } from './house.js';

const FRESH = 'a wholly new password';

t.test(
  'an administrator adds, changes, disables and removes people, and the chain says who, what, before and after',
  async (t) => {
    const { logIn, as, ask, site } = await house(t, { people: ['administrator'] });
    const me = await logIn('administrator');
    const added = await as(me, 'POST', '/api/people', {
      name: 'anna',
      role: 'technician',
      password: FRESH,
      language: 'fr',
    });
    t.match(added, {
      status: 201,
      body: { name: 'anna', role: 'technician', language: 'fr', disabled: false, sessions: 0 },
    });
    t.notMatch(added.text, /scrypt|password"/);
    const anna = await logIn('anna', FRESH);
    t.match(await as(me, 'GET', '/api/people'), {
      body: { people: [{ name: 'administrator' }, { name: 'anna', sessions: 1 }] },
    });

    await as(me, 'PATCH', '/api/people/anna', { language: 'nl' });
    t.equal((await as(anna, 'GET', '/api/view')).status, 200, 'a language ends no session');
    await as(me, 'PATCH', '/api/people/anna', { role: 'auditor' });
    t.equal((await as(anna, 'GET', '/api/view')).status, 401, 'another role does');
    const auditor = await logIn('anna', FRESH);
    await as(me, 'PATCH', '/api/people/anna', { disabled: true });
    t.equal((await as(auditor, 'GET', '/api/view')).status, 401);
    const shut = await ask('POST', '/api/session', { body: { name: 'anna', password: FRESH } });
    t.match(shut, { status: 401, body: { code: 'session.wrong' } }, 'nobody learns that she is disabled');
    t.match(await as(me, 'DELETE', '/api/people/anna'), { status: 200, body: { removed: true } });
    t.match(await as(me, 'DELETE', '/api/people/anna'), { status: 404, body: { code: 'people.unknown' } });

    t.match(site.changes, [
      {
        who: 'administrator',
        role: 'administrator',
        from: '127.0.0.1',
        what: 'person.added',
        subject: 'anna',
        after: { role: 'technician' },
      },
      { what: 'person.changed', before: { language: 'fr' }, after: { language: 'nl' } },
      { what: 'person.changed', before: { role: 'technician' }, after: { role: 'auditor' } },
      { what: 'person.changed', before: { disabled: false }, after: { disabled: true } },
      { what: 'person.removed', subject: 'anna', before: { role: 'auditor', disabled: true } },
    ]);
    t.notMatch(JSON.stringify(site.changes), /scrypt|wholly/);
  },
);

t.test('a new password from an administrator ends the person’s sessions', async (t) => {
  const { logIn, as, ask, site } = await house(t, { people: ['technician'] });
  const before = await logIn('technician');
  const change = await ask('PATCH', '/api/people/technician', {
    body: { password: FRESH },
    local: true,
    headers: { 'x-balise-user': 'anna' },
  });
  t.equal(change.status, 200);
  t.equal((await as(before, 'GET', '/api/view')).status, 401);
  await logIn('technician', FRESH);
  t.match(site.changes.at(-1), {
    who: 'unix:balise for anna',
    role: 'local',
    from: 'socket',
    after: { password: 'changed' },
  });
});

t.test('nobody takes their own rights away, and the last administrator stays', async (t) => {
  const { logIn, as, ask } = await house(t, { people: ['administrator', 'other'] });
  const me = await logIn('administrator');
  for (const change of [{ disabled: true }, { role: 'auditor' }]) {
    t.match(await as(me, 'PATCH', '/api/people/administrator', change), {
      status: 409,
      body: { code: 'people.not-yourself' },
    });
  }
  t.match(await as(me, 'DELETE', '/api/people/administrator'), { status: 409, body: { code: 'people.not-yourself' } });
  t.equal((await as(me, 'DELETE', '/api/people/other')).status, 200);
  const last = { status: 409, body: { code: 'people.last-administrator' } };
  t.match(await ask('DELETE', '/api/people/administrator', { local: true }), last);
  t.match(await ask('PATCH', '/api/people/administrator', { body: { role: 'auditor' }, local: true }), last);
});

t.test('what is wrong with a new person is said, and nothing is kept of it', async (t) => {
  const { ask, folder } = await house(t, { people: ['administrator'] });
  const add = (body: object) => ask('POST', '/api/people', { body, local: true });
  const good = { name: 'anna', role: 'auditor', password: FRESH };
  for (const [body, code, why] of [
    [{ ...good, name: 'Anna' }, 'form', /name/],
    [{ ...good, name: '../anna' }, 'form', /name/],
    [{ ...good, role: 'king' }, 'form', /role/],
    [{ ...good, password: 'short' }, 'password.weak', /12/],
    [{ ...good, more: 1 }, 'form', /additional/],
    [{ ...good, certificate: 'xyz' }, 'form', /certificate/],
  ] as const) {
    t.match(await add(body), { status: 400, body: { code, error: why } });
  }
  t.match(await add({ ...good, name: 'administrator' }), { status: 409, body: { code: 'people.taken' } });
  t.equal(People.open(folder).size, 1);
});

t.test('the file is its owner’s alone, and a half-written one is never read', async (t) => {
  const { ask, folder } = await house(t, { people: ['administrator'] });
  await ask('POST', '/api/people', { body: { name: 'anna', role: 'auditor', password: FRESH }, local: true });
  t.equal(statSync(join(folder, PEOPLE_FILE)).mode & 0o777, 0o600);
  t.notMatch(readdirSync(folder), [/\.new$/]);
  writeFileSync(join(folder, `${PEOPLE_FILE}.new`), '{"version":1,"peo');
  t.equal(People.open(folder).size, 2);
});

t.test('a damaged file is a fault that says where, and never a site without people', async (t) => {
  const folder = t.testdir();
  for (const [text, why] of [
    ['', /no JSON/],
    ['{"version":2,"people":[]}', /\/version/],
    ['{"version":1,"people":[{"name":"anna"}]}', /\/people\/0/],
    ['{"version":1,"people":[{"name":"a","role":"king"}]}', /\/people\/0/],
  ] as const) {
    writeFileSync(join(folder, PEOPLE_FILE), text);
    t.throws(() => People.open(folder), { name: 'PeopleFault', message: why });
  }
});

t.test('the local socket is its owner’s alone, and a cookie that is worth nothing gets no rights there', async (t) => {
  const { ask, folder, logIn } = await house(t, { people: ['auditor'] });
  t.equal(statSync(join(folder, 'console.sock')).mode & 0o777, 0o600);
  t.match(await ask('GET', '/api/session', { local: true }), {
    body: { person: { name: 'unix:balise', role: 'administrator' } },
  });
  const stale = await ask('GET', '/api/people', { local: true, headers: { cookie: 'balise-session=stale' } });
  t.equal(stale.status, 401);
  const { cookie } = await logIn('auditor', PASSWORD);
  t.equal(
    (await ask('GET', '/api/people', { local: true, headers: { cookie } })).status,
    403,
    'a session keeps its own rights',
  );
});
