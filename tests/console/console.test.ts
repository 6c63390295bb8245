import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { startConsole } from '../../gateway/console/console.js';
import type { CutView, SiteView } from '../../gateway/console/site-view.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const view: SiteView = {
  site: 'demo',
  gateway: 'gw-1',
  at: '2026-01-01T10:00:00Z',
  clock: 'clock trusted',
  planes: [{ name: 'media', state: 'up', detail: '' }],
  handsets: [{ handset: 'a-101', wing: 'a', phase: 'idle', hook: 'on', relay: 'connected', registered: true }],
  ended: [],
  alarms: [],
};

async function running(t: Test) {
  const cuts: (string | undefined)[] = [];
  const console = await startConsole({
    address: '127.0.0.1',
    port: 0,
    token: 'fixture-token',
    pageFile: join(root, 'gateway', 'console', 'web', 'index.html'),
    source: {
      view: () => view,
      release: () => true,
      testLine: async () => ({ outcome: 'well', hook: 'on', openedMs: 12, closedMs: 34 }),
      cut: async (handset): Promise<CutView> => {
        cuts.push(handset);
        return { calls: 1, silentMs: 3, complete: true };
      },
    },
  });
  t.teardown(() => console.close());
  const ask = (path: string, init: RequestInit = {}, token = 'fixture-token') =>
    fetch(`http://127.0.0.1:${console.port}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    });
  const cut = (body: unknown, token?: string) =>
    ask('/api/cutoffs', { method: 'POST', body: JSON.stringify(body) }, token);
  return { ask, cut, cuts };
}

t.test('the page is served to anyone and holds nothing of the site', async (t) => {
  const { ask } = await running(t);
  const answer = await ask('/', {}, 'no token');
  const page = await answer.text();
  t.equal(answer.status, 200);
  t.match(answer.headers.get('content-security-policy'), /default-src 'none'/);
  t.notMatch(page, 'a-101');
});

t.test('without the token nothing is shown and nothing is cut', async (t) => {
  const { ask, cut, cuts } = await running(t);
  t.equal((await ask('/api/view', {}, 'wrong')).status, 401);
  t.equal((await cut({ reason: 'test' }, 'fixture-tokem')).status, 401);
  t.same(cuts, []);
});

t.test('with the token the view is the source’s own', async (t) => {
  const { ask } = await running(t);
  t.same(await (await ask('/api/view')).json(), view);
});

t.test('a cut of a handset, and of the whole site, reaches the source', async (t) => {
  const { cut, cuts } = await running(t);
  t.same(await (await cut({ handset: 'a-101', reason: 'test' })).json(), { calls: 1, silentMs: 3, complete: true });
  t.equal((await cut({ reason: 'test' })).status, 200);
  t.same(cuts, ['a-101', undefined]);
});

t.test('a cut of a handset that does not exist, or with no reason, is refused and says why', async (t) => {
  const { cut, cuts } = await running(t);
  const unknown = await cut({ handset: 'z-999', reason: 'test' });
  t.equal(unknown.status, 404);
  t.match(await unknown.json(), { error: /no handset "z-999"/ });
  const mute = await cut({ handset: 'a-101' });
  t.equal(mute.status, 400);
  t.match(await mute.json(), { message: /reason/ });
  t.same(cuts, []);
});

t.test('a line is released and tested by its handset; without the token, or for no handset, nothing is', async (t) => {
  const { ask } = await running(t);
  const post = (path: string, body: unknown, token?: string) =>
    ask(path, { method: 'POST', body: JSON.stringify(body) }, token);
  t.same(await (await post('/api/releases', { handset: 'a-101' })).json(), { released: true });
  t.match(await (await post('/api/line-tests', { handset: 'a-101' })).json(), { outcome: 'well', openedMs: 12 });
  for (const path of ['/api/releases', '/api/line-tests']) {
    t.equal((await post(path, { handset: 'a-101' }, 'wrong')).status, 401);
    t.equal((await post(path, { handset: 'z-999' })).status, 404);
    t.equal((await post(path, {})).status, 400);
  }
});
