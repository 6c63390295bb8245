import t from 'tap';
import { MOST_CLIENTS } from '../../gateway/console/live-feed.js';
import { HANDSET, house } from './house.js';

const SECOND_MS = 1_000;

t.test('the feed begins with the whole view, and then tells each change once', async (t) => {
  const { open, site, clock } = await house(t, { people: [] });
  const { feed, headers } = await open('/api/live', { local: true });
  t.match(headers['content-type'], 'text/event-stream');
  t.match(await feed.event('view'), { site: 'demo', handsets: [HANDSET] });
  site.now({ phase: 'talking', call: 'call-1', leftS: 60 });
  clock.go(50);
  t.match(await feed.event('handset'), { handset: 'a-101', phase: 'talking', leftS: 60 });
  // What only runs down is no news.
  site.handsets = [{ ...HANDSET, phase: 'talking', call: 'call-1', leftS: 59 }];
  clock.go(SECOND_MS);
  site.now({ phase: 'idle' });
  clock.go(50);
  await feed.event('handset', ({ phase }) => phase === 'idle');
  t.equal(feed.events.filter(({ name }) => name === 'handset').length, 2);
});

t.test('what changes without a word is found within a second', async (t) => {
  const { open, site, clock } = await house(t, { people: [] });
  const { feed } = await open('/api/live', { local: true });
  await feed.event('view');
  site.handsets = [{ ...HANDSET, registered: false }];
  clock.go(SECOND_MS);
  t.match(await feed.event('handset'), { registered: false });
});

t.test('ended calls and alarms are told at once', async (t) => {
  const { open, site } = await house(t, { people: [] });
  const { feed } = await open('/api/live', { local: true });
  await feed.event('view');
  site.ends({
    call: 'call-1',
    handset: 'a-101',
    at: '2026-01-01T10:00:00Z',
    cause: 'refused',
    rule: 'window.callee',
    talkS: 0,
  });
  t.match(await feed.event('ended'), { call: 'call-1', rule: 'window.callee' });
  for (const listener of site.listeners)
    listener.alarm({ at: '2026-01-01T10:00:00Z', code: 'line.tamper', detail: 'b1' });
  t.match(await feed.event('alarm'), { code: 'line.tamper' });
});

t.test('every 15 s there is a line of nothing, so that a dead connection is found out', async (t) => {
  const { open, clock } = await house(t, { people: [] });
  const { feed } = await open('/api/live', { local: true });
  await feed.event('view');
  clock.go(15 * SECOND_MS);
  while (feed.comments < 1) await feed.something();
  t.equal(feed.comments, 1);
});

t.test('nothing is worked out while nobody looks', async (t) => {
  const { open, site } = await house(t, { people: [] });
  t.equal(site.listeners.size, 0);
  const { feed } = await open('/api/live', { local: true });
  await feed.event('view');
  t.equal(site.listeners.size, 1);
  feed.response.destroy();
  while (site.listeners.size > 0) await new Promise((resolve) => setImmediate(resolve));
  t.equal(site.listeners.size, 0);
});

t.test('a client that does not read is let go, and the others lose nothing', async (t) => {
  const { open, site } = await house(t, { people: [] });
  const [slow, quick] = [await open('/api/live', { local: true }), await open('/api/live', { local: true })];
  await quick.feed.event('view');
  slow.feed.response.pause();
  const long = 'x'.repeat(64 * 1024);
  let dropped = false;
  void slow.feed.ended.then(() => {
    dropped = true;
  });
  for (let told = 0; told < 400; told += 1) {
    site.ends({ call: `call-${told}`, handset: 'a-101', at: long, cause: 'busy', talkS: 0 });
    await quick.feed.event('ended', ({ call }) => call === `call-${told}`);
  }
  slow.feed.response.resume();
  await slow.feed.ended;
  t.ok(dropped);
  t.equal(quick.feed.events.filter(({ name }) => name === 'ended').length, 400);
  t.ok(slow.feed.events.filter(({ name }) => name === 'ended').length < 400);
});

t.test('a session that ends, by its person or by its time, ends its feed with a goodbye', async (t) => {
  const { open, logIn, as, clock } = await house(t, { people: ['technician'] });
  const me = await logIn('technician');
  const { feed } = await open('/api/live', { headers: { cookie: me.cookie } });
  await feed.event('view');
  await as(me, 'DELETE', '/api/session');
  t.match(await feed.event('bye'), { code: 'session.none' });
  await feed.ended;

  const again = await logIn('technician');
  const idle = await open('/api/live', { headers: { cookie: again.cookie } });
  await idle.feed.event('view');
  clock.go(61 * 60 * SECOND_MS);
  t.match(await idle.feed.event('bye'), { code: 'session.none' });
});

t.test('more pages than there is room for are refused, with when to try again', async (t) => {
  const { open } = await house(t, { people: [] });
  for (let one = 0; one < MOST_CLIENTS; one += 1) await open('/api/live', { local: true });
  t.match(await open('/api/live', { local: true }), {
    status: 503,
    body: { code: 'too-many' },
    headers: { 'retry-after': '10' },
  });
});
