import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { house, PASSWORD } from './house.js';

/** An authority, the console's certificate, one for a person, and one that some other authority signed. */
function certificates(t: Test) {
  const folder = t.testdir({ 'san.cnf': 'subjectAltName=IP:127.0.0.1\n' });
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const authority = (name: string) =>
    openssl(
      'req',
      '-x509',
      ...newKey,
      '-keyout',
      at(`${name}.key`),
      '-out',
      at(`${name}.pem`),
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
    );
  const signed = (name: string, ca: string) => {
    openssl('req', ...newKey, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`), '-subj', `/CN=${name}`);
    const by = ['-CA', at(`${ca}.pem`), '-CAkey', at(`${ca}.key`), '-CAcreateserial', '-extfile', at('san.cnf')];
    openssl('x509', '-req', '-in', at(`${name}.csr`), ...by, '-out', at(`${name}.pem`), '-days', '2');
  };
  authority('ca');
  authority('other');
  signed('console', 'ca');
  signed('anna', 'ca');
  signed('mallory', 'other');
  const read = (name: string) => readFileSync(at(name));
  return {
    ca: read('ca.pem'),
    tls: { cert: read('console.pem'), key: read('console.key'), clientCa: read('ca.pem') },
    client: (name: string) => ({ cert: read(`${name}.pem`), key: read(`${name}.key`) }),
    fingerprint: (name: string) =>
      new X509Certificate(read(`${name}.pem`)).fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

interface Said {
  readonly status: number;
  readonly cookie: string;
  readonly hsts: string;
  readonly text: string;
}

function ask(port: number, path: string, options: object, body?: object): Promise<Said> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const method = body === undefined ? 'GET' : 'POST';
    const outgoing = request(
      { host: '127.0.0.1', port, path, method, agent: false, headers, ...options },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            cookie: response.headers['set-cookie']?.[0] ?? '',
            hsts: response.headers['strict-transport-security'] ?? '',
            text,
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

t.test('under TLS the cookie is for TLS alone, and a browser is told to stay with it', async (t) => {
  const { ca, tls } = certificates(t);
  const { console } = await house(t, { people: ['auditor'], tls });
  t.match(console.url, /^https:/);
  const said = await ask(console.port, '/api/session', { ca }, { name: 'auditor', password: PASSWORD });
  t.match(said, { status: 200, cookie: /; Secure/, hsts: /max-age=31536000/ });
});

t.test(
  'a certificate of the site’s authority logs in the person that it stands for, and no other certificate does',
  async (t) => {
    const { ca, tls, client, fingerprint } = certificates(t);
    const { console, ask: askPlain } = await house(t, { people: ['technician'], tls });
    const come = (name: string) => ask(console.port, '/api/session', { ca, ...client(name) });
    t.match(await come('anna'), { status: 401, text: /session.none/ }, 'it stands for nobody yet');
    const certificate = fingerprint('anna');
    await askPlain('PATCH', '/api/people/technician', { body: { certificate }, local: true });
    t.match(await come('anna'), { status: 200, cookie: /^balise-session=[\w-]{43};/, text: /"name":"technician"/ });
    // A fingerprint alone is no proof: the authority has not signed this one.
    await askPlain('PATCH', '/api/people/technician', { body: { certificate: fingerprint('mallory') }, local: true });
    t.match(await come('mallory'), { status: 401 });
    t.match(await come('anna'), { status: 401 });
  },
);

t.test('where certificates are required, nobody without one is spoken to', async (t) => {
  const { ca, tls, client } = certificates(t);
  const { console } = await house(t, { people: ['technician'], tls: { ...tls, requireClient: true } });
  await t.rejects(ask(console.port, '/', { ca }));
  await t.rejects(ask(console.port, '/', { ca, ...client('mallory') }));
  t.equal((await ask(console.port, '/', { ca, ...client('anna') })).status, 200);
});

t.test('a certificate does not keep somebody in who has been disabled', async (t) => {
  const { ca, tls, client, fingerprint } = certificates(t);
  const { console, ask: askPlain } = await house(t, { people: ['technician'], tls });
  const change = { certificate: fingerprint('anna'), disabled: true };
  await askPlain('PATCH', '/api/people/technician', { body: change, local: true });
  t.match(await ask(console.port, '/api/session', { ca, ...client('anna') }), { status: 401, cookie: '' });
});
