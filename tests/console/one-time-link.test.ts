import t from 'tap';
import { OneTimeLink } from '../../gateway/console/one-time-link.js';
import { People } from '../../gateway/console/people.js';
import { VirtualClock } from '../lines/virtual-clock.js';
import { cookieOf, house } from './house.js';

const DAY_MS = 86_400_000;
const FIRST = { name: 'anna', password: 'a wholly new password' };

t.test('a site without people lets nobody in, and prints a link that makes the first administrator', async (t) => {
  const { console, ask, folder, site } = await house(t, { people: [] });
  t.match(await ask('GET', '/api/session'), { status: 401, body: { code: 'people.none' } });
  t.match(await ask('GET', '/api/view'), { status: 401, body: { code: 'people.none', error: /one-time link/ } });
  const link = new URL(console.firstLink ?? '');
  t.equal(link.origin, console.url);
  const token = /^#\/first\?token=([\w-]{43})$/.exec(link.hash)?.[1];
  const wrong = { ...FIRST, token: `${token?.slice(1)}x` };
  t.match(await ask('POST', '/api/first-person', { body: wrong }), { status: 403, body: { code: 'first.wrong' } });
  const weak = { ...FIRST, password: 'short', token };
  t.match(await ask('POST', '/api/first-person', { body: weak }), { status: 400, body: { code: 'password.weak' } });

  const first = await ask('POST', '/api/first-person', { body: { ...FIRST, token, language: 'nl' } });
  t.match(first, { status: 200, body: { person: { name: 'anna', role: 'administrator', language: 'nl' } } });
  t.equal((await ask('GET', '/api/people', { headers: { cookie: cookieOf(first) } })).status, 200);
  t.match(People.open(folder).list(), [{ name: 'anna', role: 'administrator' }]);
  t.match(site.changes, [{ who: 'anna', what: 'person.first', after: { role: 'administrator' } }]);
  const again = await ask('POST', '/api/first-person', { body: { ...FIRST, name: 'bert', token } });
  t.match(again, { status: 403, body: { code: 'first.wrong' } }, 'it is good once');
  t.equal(People.open(folder).size, 1);
});

t.test('of two who use the link at the same moment, one gets in', async (t) => {
  const { console, ask, folder } = await house(t, { people: [] });
  const token = console.firstLink?.split('token=')[1];
  const answers = await Promise.all(
    ['anna', 'bert'].map((name) => ask('POST', '/api/first-person', { body: { ...FIRST, name, token } })),
  );
  t.same(answers.map(({ status }) => status).sort(), [200, 403]);
  t.equal(People.open(folder).size, 1);
});

t.test('the link is dead after a day, and a new one kills the old', async (t) => {
  const clock = new VirtualClock();
  const link = new OneTimeLink(clock);
  t.notOk(link.isGood(''));
  const [old, fresh] = [link.issue(), link.issue()];
  t.notOk(link.isGood(old));
  clock.go(DAY_MS - 1);
  t.ok(link.isGood(fresh));
  clock.go(1);
  t.notOk(link.isGood(fresh));
});

t.test('a site that has people prints no link', async (t) => {
  const { console } = await house(t, { people: ['administrator'] });
  t.equal(console.firstLink, undefined);
});

t.test('guesses at the link are locked out', async (t) => {
  const { ask } = await house(t, { people: [] });
  const guess = () => ask('POST', '/api/first-person', { body: { ...FIRST, token: 'a guess' } });
  for (let tries = 0; tries < 5; tries += 1) t.equal((await guess()).status, 403);
  t.match(await guess(), { status: 429, body: { code: 'session.locked' } });
});
