import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import t, { type Test } from 'tap';
import { ha1Of } from '../../gateway/provisioning/secrets.js';
import { verify } from '../../gateway/signalling/digest.js';
import { Nonces } from '../../gateway/signalling/nonces.js';
import { makeSite } from '../peers/site.js';
import { StandingClock } from '../signalling/standing-clock.js';
import { balise } from './terminal.js';

const headerIn = (text: string, name: string) => new RegExp(`^${name}: *(.*)\r$`, 'im').exec(text)?.[1] ?? '';

/** A final response to a request, with a few headers of its own. */
function answerTo(request: string, status: string, more: readonly string[] = []): string {
  const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map((name) => `${name}: ${headerIn(request, name)}`);
  return [`SIP/2.0 ${status}`, ...copied, ...more, 'Content-Length: 0', '', ''].join('\r\n');
}

/** A carrier by UDP that answers each request by `answer`; undefined is silence. */
async function udpCarrier(t: Test, answer: (request: string) => string | undefined): Promise<number> {
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  socket.on('message', (message, { port, address }) => {
    const text = answer(message.toString());
    if (text !== undefined) socket.send(text, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket.address().port;
}

function siteOf(t: Test, port: number, more: Record<string, unknown> = {}): string {
  const carrier = { id: 'carrier', host: '127.0.0.1', port, transport: 'udp', register: false };
  const rest = { callerIdentity: '+442079460900', networks: ['127.0.0.0/8'] };
  return makeSite(t, port, { trunks: [{ ...carrier, ...rest, ...more }] });
}

t.test('a carrier that answers is told with its status, its time and its name', async (t) => {
  let asked = '';
  const port = await udpCarrier(t, (request) => {
    asked = request;
    return answerTo(request, '200 OK', ['Server: Carrier 1.0']);
  });
  const site = siteOf(t, port);
  t.match(await balise(['trunk', 'test', site]), {
    status: 0,
    stdout: /^carrier: 200 OK after \d+ ms, from Carrier 1\.0\n$/,
  });
  t.match(asked, new RegExp(`^OPTIONS sip:127.0.0.1:${port} SIP/2.0\r\n`));
  t.match(headerIn(asked, 'Via'), /^SIP\/2\.0\/UDP 127\.0\.0\.1:\d+;branch=z9hG4bK[0-9a-f]+;rport$/);
  const { stdout } = await balise(['trunk', 'test', site, 'carrier', '--json']);
  t.match(JSON.parse(stdout), { trunks: [{ trunk: 'carrier', is: 'answered', status: 200, account: 'unasked' }] });
});

t.test('a lost request is sent again', async (t) => {
  let times = 0;
  const port = await udpCarrier(t, (request) => {
    times += 1;
    return times === 1 ? undefined : answerTo(request, '200 OK');
  });
  t.match(await balise(['trunk', 'test', siteOf(t, port)]), { status: 0 });
  t.equal(times, 2);
});

t.test('an account is proved where the carrier asks for it, by the judge that judges handsets', async (t) => {
  const nonces = new Nonces(new StandingClock());
  const nonce = nonces.issue('127.0.0.1');
  const judged = (password: string) => (request: string) => {
    const [, uri = ''] = /^OPTIONS (\S+)/.exec(request) ?? [];
    const header = headerIn(request, 'Authorization');
    const expected = { method: 'OPTIONS', uri, realm: 'carrier', user: 'site-1', nonces, address: '127.0.0.1' };
    const verdict = verify(header === '' ? undefined : header, {
      ...expected,
      ha1: ha1Of('site-1', 'carrier', password),
    });
    if (verdict.is === 'good') return answerTo(request, '200 OK');
    const challenge = `WWW-Authenticate: Digest realm="carrier", nonce="${nonce}", qop="auth", algorithm=SHA-256`;
    return answerTo(request, '401 Unauthorized', [challenge]);
  };
  const account = { username: 'site-1', password: 'right' };
  const good = siteOf(t, await udpCarrier(t, judged('right')), account);
  t.match(await balise(['trunk', 'test', good]), { status: 0, stdout: /200 OK .*; our account is taken/ });
  const bad = siteOf(t, await udpCarrier(t, judged('other')), account);
  const refused = await balise(['trunk', 'test', bad]);
  t.match(refused, { status: 1, stdout: /401 Unauthorized .*; our account is NOT taken: see username and password/ });
  t.notMatch(refused.stdout, /right/);
  t.match(await balise(['trunk', 'test', siteOf(t, await udpCarrier(t, judged('x')))]), {
    status: 1,
    stdout: /asks for an account/,
  });
  const elsewhere = siteOf(t, await udpCarrier(t, judged('right')), { ...account, realm: 'another' });
  t.match(await balise(['trunk', 'test', elsewhere]), { status: 1, stdout: /another realm/ });
});

t.test('a carrier by TCP is asked by TCP', async (t) => {
  const server = createServer((socket) => {
    socket.on('data', (chunk) => socket.write(answerTo(chunk.toString(), '200 OK')));
  }).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  t.match(await balise(['trunk', 'test', siteOf(t, port, { transport: 'tcp' })]), { status: 0, stdout: /200 OK/ });
});

t.test('a closed port, a silent one and a name without an address are each told with what to do', async (t) => {
  const silent = await udpCarrier(t, () => undefined);
  t.match(await balise(['trunk', 'test', siteOf(t, silent), '--timeout', '1']), {
    status: 1,
    stdout: /no answer within 1 s: see the address/,
  });
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  t.match(await balise(['trunk', 'test', siteOf(t, port, { transport: 'tcp' })]), {
    status: 1,
    stdout: /nothing listens on that port/,
  });
  t.match(await balise(['trunk', 'test', siteOf(t, port), '--timeout', '2']), {
    status: 1,
    stdout: /nothing listens on that port/,
  });
  t.match(await balise(['trunk', 'test', siteOf(t, port), 'other']), {
    status: 64,
    stderr: /no trunk "other"; there are carrier/,
  });
  t.match(await balise(['trunk', 'dial', siteOf(t, port)]), { status: 64, stderr: /no "trunk dial"/ });
  t.match(await balise(['trunk', 'test', siteOf(t, port), '--timeout', '0']), { status: 64, stderr: /1 to 60/ });
});
