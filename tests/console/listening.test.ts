/** A supervisor hears a call by the console: who may, and when it ends. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import t from 'tap';
import { house } from './house.js';

const headOf = (port: number, cookie: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const path = '/api/calls/call-1/listen';
    request({ host: '127.0.0.1', port, path, headers: { cookie }, agent: false }, resolve).on('error', reject).end();
  });

t.test('the sound of a call is a WAV file that comes as it is spoken, and ends with whoever hears it', async (t) => {
  const { console, site, logIn, as } = await house(t);
  const supervisor = await logIn('supervisor');
  t.match(await as(supervisor, 'POST', '/api/calls/call-1/cut'), { status: 409, body: { code: 'listen.not-yours' } });
  const response = await headOf(console.port, supervisor.cookie);
  t.match(response.headers, { 'content-type': 'audio/wav', 'cache-control': 'no-store' });
  const [first] = (await once(response, 'data')) as [Buffer];
  t.equal(first.toString(), 'RIFF');
  t.match(await as(supervisor, 'POST', '/api/calls/call-1/cut'), { status: 200, body: { calls: 1, complete: true } });
  t.same(site.orders, ['hear call-1 supervisor', 'cut call-1 supervisor']);
  t.match(site.changes, [{ who: 'supervisor', what: 'call-cut', subject: 'call call-1' }]);
  const { sound } = site;
  if (sound === undefined) throw new Error('there is no sound');
  const closed = once(sound, 'close');
  response.destroy();
  await closed;
  t.match(await as(supervisor, 'POST', '/api/calls/call-1/cut'), { status: 409 }, 'who hears no more cuts no more');
});

t.test('no sound outlives the session', async (t) => {
  const { console, site, logIn, as } = await house(t);
  const supervisor = await logIn('supervisor');
  const response = await headOf(console.port, supervisor.cookie);
  // It breaks off, which is an error to whoever reads it.
  response.on('error', () => undefined).resume();
  const gone = new Promise((resolve) => response.on('close', resolve));
  await as(supervisor, 'DELETE', '/api/session');
  await gone;
  t.equal(site.sound?.destroyed, true);
});

t.test('a call that nobody may hear says why', async (t) => {
  const { logIn, as } = await house(t);
  const answer = await as(await logIn('supervisor'), 'GET', '/api/calls/none/listen');
  t.match(answer, { status: 409, body: { code: 'listen.refused', error: /supervision\.no-call/ } });
});

t.test('an audio test is ordered once, is in the chain, and says why it cannot be', async (t) => {
  const { site, logIn, as } = await house(t);
  const technician = await logIn('technician');
  const path = '/api/handsets/a-101/audio-test';
  t.match(await as(technician, 'POST', path), { status: 200, body: { until: String } });
  t.match(site.changes, [{ who: 'technician', what: 'audio-test', subject: 'a-101' }]);
  for (const [why, code] of [
    ['busy', 'handset.busy'],
    ['held', 'handset.held'],
    ['none', 'test.none'],
  ] as const) {
    site.audioTest = why;
    t.match(await as(technician, 'POST', path), { status: 409, body: { code } });
  }
  site.audioTest = undefined;
  site.isFull = true;
  t.match(await as(technician, 'POST', path), { status: 500 });
  t.same(site.orders, ['audio a-101'], 'without an entry in the chain there is no test');
});

t.test('who listens is seen by those who may listen or audit, and by nobody else', async (t) => {
  const { logIn, as } = await house(t);
  const sees = async (role: string) => 'listeners' in (await as(await logIn(role), 'GET', '/api/calls/call-1')).body;
  t.same(await Promise.all(['technician', 'supervisor', 'auditor', 'administrator'].map(sees)), [
    false,
    true,
    true,
    true,
  ]);
});
