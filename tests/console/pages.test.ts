import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { Pages } from '../../gateway/console/pages.js';
import { house } from './house.js';

const PAGES = {
  'index.html': '<!doctype html><title>Balise</title>',
  'assets/index-B1x_9aZq.js': 'export {};',
  'assets/plain.css': 'a{}',
  'mark.svg': '<svg/>',
  'notes.md': 'no page',
};

/** Sends a request line as it stands: clients of HTTP tidy up what they are given. */
function raw(port: number, line: string, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(`${line}\r\nhost: ${host}\r\nconnection: close\r\n\r\n`),
    );
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('end', () => resolve(text)).on('error', reject);
  });
}

t.test('every answer, and the live feed, carries the headers that keep a browser from being misled', async (t) => {
  const { ask, open, logIn } = await house(t, { people: ['auditor'], pages: PAGES });
  const { cookie } = await logIn('auditor');
  const answers = [
    await ask('GET', '/'),
    await ask('GET', '/assets/index-B1x_9aZq.js'),
    await ask('GET', '/api/view', { headers: { cookie } }),
    await ask('GET', '/api/view'),
    await ask('GET', '/api/nothing'),
    await ask('POST', '/api/session', { body: {} }),
    await ask('GET', '/', { headers: { host: 'elsewhere.example' } }),
    await open('/api/live', { headers: { cookie } }),
  ];
  for (const { headers } of answers) {
    const policy = String(headers['content-security-policy']);
    t.match(policy, "default-src 'none'");
    t.notMatch(policy, /unsafe|\*|https?:/);
    for (const part of ["script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"])
      t.match(policy, part);
    t.match(headers, {
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
  }
});

t.test('hashed assets are kept by a browser for ever, and nothing else is kept at all', async (t) => {
  const { ask, logIn } = await house(t, { people: ['auditor'], pages: PAGES });
  const kept = async (path: string, headers = {}) => (await ask('GET', path, { headers })).headers['cache-control'];
  t.equal(await kept('/assets/index-B1x_9aZq.js'), 'public, max-age=31536000, immutable');
  const { cookie } = await logIn('auditor');
  for (const path of ['/', '/index.html', '/assets/plain.css', '/nothing']) t.equal(await kept(path), 'no-store', path);
  t.equal(await kept('/api/view', { cookie }), 'no-store');
  t.match(await ask('GET', '/?from=a-mail'), {
    status: 200,
    text: /Balise/,
    headers: { 'content-type': /text\/html/ },
  });
  t.equal((await ask('GET', '/notes.md')).status, 404, 'a file of another kind is no page');
});

t.test('no path reaches a file beside the pages, however it is written', async (t) => {
  const { console } = await house(t, { people: [], pages: PAGES });
  for (const path of [
    '/../people.json',
    '/..%2fpeople.json',
    '/%2e%2e/people.json',
    '/assets/../../people.json',
    '/assets/..%5c..%5cpeople.json',
    '/.%00./people.json',
    '//etc/passwd',
    '/%2fetc%2fpasswd',
    '/assets/',
    '/console.token',
    'http://elsewhere.example/',
  ]) {
    const answer = await raw(console.port, `GET ${path} HTTP/1.1`);
    t.match(answer, /^HTTP\/1\.1 40[04] /, path);
    t.notMatch(answer, /root:|"version"/, path);
  }
});

t.test('a link among the pages leads nowhere', async (t) => {
  const folder = t.testdir({ 'secret.json': '{}' });
  const pages = join(folder, 'pages');
  mkdirSync(pages);
  writeFileSync(join(pages, 'index.html'), 'x');
  symlinkSync(join(folder, 'secret.json'), join(pages, 'link.json'));
  t.same([...new Pages(pages).paths].sort(), ['/', '/index.html']);
});

t.test('a name that is not the console’s own is refused, and one of site.json is taken', async (t) => {
  const { console } = await house(t, { people: [], pages: PAGES, hosts: ['console.prison.example'] });
  const statusOf = async (host: string) => (await raw(console.port, 'GET / HTTP/1.1', host)).split(' ')[1];
  for (const host of [
    '127.0.0.1',
    `127.0.0.1:${console.port}`,
    'localhost:8080',
    '[::1]:8080',
    '192.0.2.7',
    'Console.Prison.Example',
  ]) {
    t.equal(await statusOf(host), '200', host);
  }
  for (const host of [
    'elsewhere.example',
    '127.0.0.1.elsewhere.example',
    'localhost.elsewhere.example',
    'a b',
    '127.0.0.1:x',
  ]) {
    t.match(await statusOf(host), /^4(21|00)$/, host);
  }
});

t.test('where nothing was built, the page says what to do', async (t) => {
  const { ask } = await house(t, { people: [] });
  t.match(await ask('GET', '/'), { status: 200, text: /npm run build/ });
});

t.test('a request that is too long, or is no JSON, is refused with a reason', async (t) => {
  const { ask, console } = await house(t, { people: [] });
  const long = await ask('POST', '/api/session', { body: { name: 'x'.repeat(20_000), password: 'x' } });
  t.match(long, { status: 413, body: { code: 'too-large', error: /16384/ } });
  const text = await fetch(`${console.url}/api/session`, {
    method: 'POST',
    body: 'name=x',
    headers: { 'content-type': 'text/plain' },
  });
  t.equal(text.status, 415);
  const broken = await fetch(`${console.url}/api/session`, {
    method: 'POST',
    body: '{',
    headers: { 'content-type': 'application/json' },
  });
  t.match(await broken.json(), { code: 'form' });
});
